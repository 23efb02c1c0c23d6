"""What Gemini CLI's chat files say about usage.

A message is written again with the same id when something was added to it: the last one counts. Rewinding and resetting
a chat change what is shown, not what was spent. Older versions wrote one JSON document per chat.
"""

from typing import Final

import msgspec

from agentdeck.usage.lines import count, decoded, hits, milliseconds
from agentdeck.usage.models import canonical
from agentdeck.usage.needles import Buffer
from agentdeck.usage.response import Response

TOKENS: Final = b'"tokens":'
SESSION: Final = b'"sessionId":'

WINDOW: Final = 1_048_576
"""Tokens, of every model that the CLI offers."""


class _Tokens(msgspec.Struct):
    input: float | None = None
    output: float | None = None
    cached: float | None = None
    thoughts: float | None = None
    tool: float | None = None


class _Message(msgspec.Struct):
    id: str | None = None
    type: str | None = None
    timestamp: str | None = None
    model: str | None = None
    tokens: _Tokens | None = None


class _Set(msgspec.Struct):
    messages: list[_Message] | None = None


class _Row(_Message):
    session: str | None = msgspec.field(name="sessionId", default=None)
    changed: _Set | None = msgspec.field(name="$set", default=None)
    messages: list[_Message] | None = None


_decode = msgspec.json.Decoder(_Row)


class State(msgspec.Struct):
    session: str = ""
    project: str = ""
    used: int = 0
    model: str = ""
    used_at: int = 0


class GeminiReader:
    """Feed it the chat's complete lines in order (or the whole old document); take the responses."""

    agent = "gemini"
    latest_wins = True

    def __init__(self, path: str, state: bytes) -> None:
        *_, project, _, name = ("", "", *path.split("/"))  # …/tmp/PROJECT/chats/session-….jsonl
        self._fallback_session = name.partition(".")[0]
        self.state = msgspec.json.decode(state, type=State) if state else State(project=project)
        self.bad_lines = 0
        self._found: dict[str, Response] = {}

    def feed(self, buffer: Buffer, start: int, end: int) -> None:
        for begin, stop in hits(buffer, (TOKENS, SESSION), start, end):
            self._take_line(buffer[begin:stop])

    def feed_document(self, document: bytes) -> None:
        """Take in a chat that is one JSON document, over as many lines as it likes."""
        self._take_line(document)

    @property
    def session(self) -> str:
        return self.state.session

    @property
    def parent(self) -> str:
        return ""

    def take(self) -> list[Response]:
        found, self._found = list(self._found.values()), {}
        return found

    def saved(self) -> bytes:
        return msgspec.json.encode(self.state)

    def _take_line(self, line: Buffer) -> None:
        try:
            row = decoded(line, _decode)
        except (msgspec.DecodeError, RecursionError):
            self.bad_lines += 1
            return
        if row.session and not self.state.session:
            self.state.session = row.session
        self._take(row)
        for message in row.changed.messages or () if row.changed else ():
            self._take(message)
        for message in row.messages or ():
            self._take(message)

    def _take(self, message: _Message) -> None:
        tokens = message.tokens
        if message.type != "gemini" or tokens is None or not message.id:
            return
        prompt, thoughts, at = count(tokens.input), count(tokens.thoughts), milliseconds(message.timestamp)
        cached = min(count(tokens.cached), prompt)
        session = self.state.session or self._fallback_session
        model = canonical(message.model or "unknown")
        key = f"{session}:{message.id}"
        self._found[key] = Response(
            agent="gemini",
            key=key,
            session=session,
            model=model,
            at=at,
            input=prompt - cached + count(tokens.tool),
            cache_write_5m=0,
            cache_write_1h=0,
            cache_read=cached,
            output=count(tokens.output) + thoughts,
            reasoning=thoughts,
        )
        if at >= self.state.used_at:
            self.state.used, self.state.model, self.state.used_at = prompt, model, at
