"""What Claude Code's transcripts say about usage.

One API response is written as one record per content block, each repeating message id, request id and usage; streams
that were cut may repeat it with smaller numbers. So: one response per (message id, request id), the largest sum wins.
A transcript of the main chain also says how full the context is and, in `cost-state` rows, what the CLI itself counted,
which includes calls that write no record (compaction, titles).

Rules and their evidence: Claude Code 2.1.197 and 2.1.329 against a loopback API, and its shipped program.
"""

import hashlib
from collections.abc import Callable
from typing import Final

import msgspec

from agentdeck.usage.lines import SANE, Buffer, count, hits, milliseconds, trimmed
from agentdeck.usage.models import canonical, has_long_window_mark
from agentdeck.usage.response import Response

USAGE: Final = b'"output_tokens":'
COST_STATE: Final = b'"totalCostUSD":'
BOUNDARY: Final = b'"compact_boundary"'

US_FACTOR: Final = 1.1
"""Inference in the US only costs this much more, web searches excepted."""

IMAGE_TOKENS: Final = 2000
"""What Claude Code reckons an image to be, when it estimates what came after the last response."""

REMEMBERED: Final = 32
"""Responses of a transcript whose later copies we still recognise when it grows."""


class _Creation(msgspec.Struct):
    ephemeral_1h_input_tokens: float | None = None


class _Server(msgspec.Struct):
    web_search_requests: float | None = None


class _Iteration(msgspec.Struct):
    type: str | None = None
    model: str | None = None
    input_tokens: float | None = None
    output_tokens: float | None = None
    cache_creation_input_tokens: float | None = None
    cache_read_input_tokens: float | None = None
    cache_creation: _Creation | None = None


class _Usage(msgspec.Struct):
    input_tokens: float | None = None
    output_tokens: float | None = None
    cache_creation_input_tokens: float | None = None
    cache_read_input_tokens: float | None = None
    cache_creation: _Creation | None = None
    server_tool_use: _Server | None = None
    speed: str | None = None
    inference_geo: str | None = None
    iterations: list[_Iteration] | None = None


class _Message(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    usage: _Usage | None = None


class _Row(msgspec.Struct, rename="camel"):
    type: str | None = None
    message: _Message | None = None
    request_id: str | None = None
    uuid: str | None = None
    timestamp: str | None = None
    session_id: str | None = None
    is_sidechain: bool | None = None
    is_api_error_message: bool | None = None
    forked_from: msgspec.Raw | None = None
    cwd: str | None = None


class _CostState(msgspec.Struct, rename={"total": "totalCostUSD", "session": "sessionId"}):
    total: float
    type: str | None = None
    session: str | None = None


class _CompactMetadata(msgspec.Struct):
    post_tokens: float | None = msgspec.field(name="postTokens", default=None)


class _Boundary(msgspec.Struct):
    type: str | None = None
    subtype: str | None = None
    metadata: _CompactMetadata | None = msgspec.field(name="compactMetadata", default=None)


class _LaterMessage(msgspec.Struct):
    content: str | list[dict[str, object]] | None = None


class _Later(msgspec.Struct, rename="camel"):
    type: str | None = None
    message: _LaterMessage | None = None
    is_sidechain: bool | None = None


_row = msgspec.json.Decoder(_Row).decode
_cost_state = msgspec.json.Decoder(_CostState).decode
_boundary = msgspec.json.Decoder(_Boundary).decode
_later = msgspec.json.Decoder(_Later).decode


class Context(msgspec.Struct):
    """How full the context of the main chain is, as far as this transcript tells."""

    session: str = ""
    model: str = ""
    used: int = 0
    """Prompt tokens of the last response, or what a compaction left."""
    output: int = 0
    later: int = 0
    """An estimate of what was written after that response."""
    long_window: bool = False
    """Something showed that the window has a million tokens."""


class State(msgspec.Struct):
    """What has to be remembered between two looks at a growing transcript."""

    session: str = ""
    project: str = ""
    context: Context | None = None
    visible: float = 0.0
    """USD of the distinct responses in this file so far."""
    recent: dict[str, tuple[int, float]] = {}
    """Key → (total tokens, USD) of the last responses."""
    own_cost: float | None = None
    """USD by the CLI's own last count."""
    own_visible: float = 0.0
    """`visible` at that count."""
    own_until: int = 0
    """When the response after that count came; 0 when none has."""


class ClaudeReader:
    """Feed it the transcript's complete lines in order; take the responses."""

    agent = "claude"
    latest_wins = False

    def __init__(self, path: str, state: bytes, cost: Callable[[Response], float | None]) -> None:
        self._subagent = "/subagents/" in path
        self._fallback_session = path.rpartition("/")[2].partition(".")[0]
        self.state = msgspec.json.decode(state, type=State) if state else State()
        self.bad_lines = 0
        self._cost = cost
        self._found: dict[str, Response] = {}

    def feed(self, buffer: Buffer, start: int, end: int) -> None:
        tail = start
        for begin, stop in hits(buffer, (USAGE, COST_STATE), start, end):
            line = bytes(buffer[begin:stop])
            if USAGE in line:
                if self._take_row(line):
                    tail = stop
            else:
                self._take_cost_state(line)
        if not self._subagent:
            self._look_after(buffer, tail, end)

    @property
    def session(self) -> str:
        return self.state.session

    @property
    def parent(self) -> str:
        return ""

    def take(self) -> list[Response]:
        """Return what was found since the last call."""
        found, self._found = list(self._found.values()), {}
        return found

    def saved(self) -> bytes:
        recent = self.state.recent
        self.state.recent = dict(list(recent.items())[-REMEMBERED:])
        return msgspec.json.encode(self.state)

    # ── records ────────────────────────────────────────────────────────────────────────────────

    def _take_row(self, line: bytes) -> bool:
        """Take in a record; True if it moved the context of the main chain."""
        try:
            row = _row(trimmed(line))
        except (msgspec.DecodeError, RecursionError):
            self.bad_lines += 1
            return False
        message = row.message
        if row.type != "assistant" or message is None or message.usage is None or row.is_api_error_message:
            return False
        if message.model == "<synthetic>":
            return False
        usage = message.usage
        written = count(usage.cache_creation_input_tokens)
        hour = min(written, count(usage.cache_creation.ephemeral_1h_input_tokens) if usage.cache_creation else 0)
        session = row.session_id or self._fallback_session
        model = message.model or "unknown"
        response = Response(
            agent="claude",
            key=_key(row, message, line),
            session=session,
            model=canonical(model),
            at=milliseconds(row.timestamp),
            input=count(usage.input_tokens),
            cache_write_5m=written - hour,
            cache_write_1h=hour,
            cache_read=count(usage.cache_read_input_tokens),
            output=count(usage.output_tokens),
            web_search=count(usage.server_tool_use.web_search_requests) if usage.server_tool_use else 0,
            tier="fast" if usage.speed == "fast" else "",
            factor=US_FACTOR if usage.inference_geo == "us" else 1.0,
            message=message.id or "",
            sidechain=bool(row.is_sidechain) or self._subagent,
            copied=row.forked_from is not None and bytes(row.forked_from) != b"null",
        )
        self._keep(response)
        for number, advice in enumerate(usage.iterations or ()):
            if advice.type == "advisor_message":
                self._keep(_advice(response, advice, number))
        state = self.state
        state.session, state.project = state.session or session, state.project or row.cwd or ""
        if state.own_cost is not None and not state.own_until:
            state.own_until = response.at
        if response.sidechain:
            return False
        self._set_context(response, model, usage.iterations or ())
        return True

    def _keep(self, response: Response) -> None:
        known = self.state.recent.get(response.key)
        if known is not None and known[0] >= response.total:
            earlier = self._found.get(response.key)
            if earlier is not None:  # the same answer again: only its time and place may be better
                if 0 < response.at < earlier.at:
                    self._found[response.key] = earlier._replace(at=response.at)
                return
        cost = self._cost(response) or 0.0
        self.state.visible += cost - (known[1] if known else 0.0)
        self.state.recent[response.key] = (response.total, cost)
        earlier = self._found.get(response.key)
        if earlier is not None and 0 < earlier.at < response.at:
            response = response._replace(at=earlier.at)
        self._found[response.key] = response

    def _set_context(self, response: Response, model: str, iterations: "list[_Iteration] | tuple[()]") -> None:
        used, output = response.prompt, response.output
        for part in reversed(iterations):
            if part.type not in ("advisor_message", "compaction"):
                used = sum(
                    map(count, (part.input_tokens, part.cache_creation_input_tokens, part.cache_read_input_tokens))
                )
                output = count(part.output_tokens)
                break
        before = self.state.context
        self.state.context = Context(
            session=response.session,
            model=response.model,
            used=used,
            output=output,
            long_window=has_long_window_mark(model)
            or (before is not None and before.long_window and before.model == response.model),
        )

    def _take_cost_state(self, line: bytes) -> None:
        try:
            row = _cost_state(trimmed(line))
        except (msgspec.DecodeError, RecursionError):
            return
        if row.type == "cost-state" and 0 <= row.total < SANE:
            state = self.state
            state.session = state.session or row.session or self._fallback_session
            state.own_cost, state.own_visible, state.own_until = row.total, state.visible, 0

    # ── after the last response ────────────────────────────────────────────────────────────────

    def _look_after(self, buffer: Buffer, start: int, end: int) -> None:
        """Take in a compaction, and estimate what was written, after the last response of the main chain."""
        context = self.state.context
        if (found := buffer.rfind(BOUNDARY, start, end)) >= 0:
            begin = buffer.rfind(b"\n", start, found) + 1 or start
            stop = buffer.find(b"\n", found, end)
            stop = end if stop < 0 else stop
            try:
                row = _boundary(trimmed(bytes(buffer[begin:stop])))
            except (msgspec.DecodeError, RecursionError):
                row = _Boundary()
            if row.subtype == "compact_boundary" and row.metadata is not None and row.metadata.post_tokens is not None:
                context = context or Context(session=self._fallback_session)
                context.used, context.output, context.later = count(row.metadata.post_tokens), 0, 0
                self.state.context = context
                start = stop
        if context is None:
            return
        for begin, stop in hits(buffer, (b'"type":"user"', b'"type":"assistant"'), start, end):
            try:
                later = _later(trimmed(bytes(buffer[begin:stop])))
            except (msgspec.DecodeError, RecursionError):
                continue
            if later.message is not None and not later.is_sidechain:
                context.later += _estimate(later.message.content)


def _key(row: _Row, message: _Message, line: bytes) -> str:
    if message.id:
        return f"{message.id}:{row.request_id}" if row.request_id else message.id
    return row.uuid or hashlib.sha256(line).hexdigest()


def _advice(response: Response, part: _Iteration, number: int) -> Response:
    written = count(part.cache_creation_input_tokens)
    hour = min(written, count(part.cache_creation.ephemeral_1h_input_tokens) if part.cache_creation else 0)
    return response._replace(
        key=f"{response.key}#{number}",
        model=canonical(part.model or "unknown"),
        input=count(part.input_tokens),
        cache_write_5m=written - hour,
        cache_write_1h=hour,
        cache_read=count(part.cache_read_input_tokens),
        output=count(part.output_tokens),
        web_search=0,
        tier="",
        counted=False,
    )


def _estimate(content: object) -> int:
    """Tokens of a message's content by Claude Code's own rule of thumb: four characters each."""
    if isinstance(content, str):
        return len(content) // 4
    if not isinstance(content, list):
        return 0
    tokens = 0
    for block in content:
        if not isinstance(block, dict):
            continue
        if block.get("type") == "image":
            tokens += IMAGE_TOKENS
        elif block.get("type") == "tool_result":
            tokens += _estimate(block.get("content"))
        elif isinstance(text := block.get("text"), str):
            tokens += len(text) // 4
    return tokens
