"""Gemini CLI's chats as events. Records as gemini-cli 0.61 writes them, and the older one-document form.

A message is written again when something was added to it, so what was told already is remembered by id.
"""

from collections.abc import Iterator
from typing import Final

from agentdeck import events as e
from agentdeck.transcripts import reading as r
from agentdeck.transcripts.reading import Base
from agentdeck.transcripts.tools import category

CONTEXT: Final = ("<session_context>", "<hook_context>")
"""How messages begin that the CLI itself writes."""

FAILED: Final = frozenset(("error", "cancelled"))


class GeminiParser:
    """Feed it the lines of one chat in order, or the whole of an old one as one line."""

    provider = "gemini"

    def __init__(self, path: str) -> None:
        self.bad_lines = 0
        *_, self._project, _, name = ("", "", *path.split("/"))
        self._session = name.partition(".")[0]
        self._started = False
        self._at = r.EPOCH
        self._told: set[str] = set()

    def feed(self, line: bytes, source: e.Source) -> list[e.AnyEvent]:
        record = r.record(line)
        if not record:
            self.bad_lines += record is None
            return []
        found: list[e.AnyEvent] = []
        if session := r.text(record, "sessionId"):
            self._session = session
            self._at = r.moment(record, "startTime") or self._at
            if not self._started:
                self._started = True
                found.append(e.SessionStarted(**self._base(source), cwd=self._project))
        found += self._message(record, source)
        for message in (*r.tables(record, "$set", "messages"), *r.tables(record, "messages")):
            found += self._message(message, source)
        known = {"id", "sessionId", "$set", "messages", "$rewindTo"}
        if not found and not known & record.keys():
            found.append(e.UnknownRecord(**self._base(source), type=r.text(record, "type"), record=record))
        return found

    def _base(self, source: e.Source) -> Base:
        return Base(provider=self.provider, session=self._session, at=self._at, source=source, agent="")

    def _message(self, message: r.Record, source: e.Source) -> Iterator[e.AnyEvent]:
        name, kind = r.text(message, "id"), r.text(message, "type")
        if not name or not kind:
            return
        self._at = r.moment(message, "timestamp") or self._at
        base = self._base(source)
        if name not in self._told:
            self._told.add(name)
            yield from self._new(message, kind, name, base)
        tokens = _tokens(message)
        for call in r.tables(message, "toolCalls"):
            yield from self._call(call, name, tokens, base)

    def _new(self, message: r.Record, kind: str, name: str, base: Base) -> Iterator[e.AnyEvent]:
        text, tokens = r.joined(message.get("content")), _tokens(message)
        model = r.text(message, "model")
        match kind:
            case "user" if text and not text.startswith(CONTEXT):
                yield e.MessageAdded(**base, role="user", text=text, message=name)
            case "gemini":
                for thought in r.tables(message, "thoughts"):
                    parts = [r.text(thought, "subject"), r.text(thought, "description")]
                    told = "\n".join(part for part in parts if part)
                    yield e.MessageAdded(**base, role="thinking", text=told, message=name, model=model, tokens=tokens)
                if text:
                    yield e.MessageAdded(**base, role="assistant", text=text, message=name, model=model, tokens=tokens)
            case "error":
                yield e.ErrorRaised(**base, text=text)
            case "info" if text == "Request cancelled.":
                yield e.TurnEnded(**base, interrupted=True)

    def _call(self, call: r.Record, message: str, tokens: e.Tokens | None, base: Base) -> Iterator[e.AnyEvent]:
        name, tool, status = r.text(call, "id"), r.text(call, "name"), r.text(call, "status")
        if not name:
            return
        if name not in self._told:
            self._told.add(name)
            arguments = r.table(call, "args")
            yield e.ToolUsed(
                **base, call=name, tool=tool, input=arguments, category=category(tool), message=message, tokens=tokens
            )
        done = f"{name}\0done"
        if status in ("success", *FAILED) and done not in self._told:
            self._told.add(done)
            self._at = r.moment(call, "timestamp") or self._at
            base["at"] = self._at
            yield e.ToolReturned(
                **base,
                call=name,
                output=_output(call),
                is_error=status in FAILED,
                files=_files(call),
            )


def _output(call: r.Record) -> str:
    responses = [r.table(part, "functionResponse", "response") for part in r.tables(call, "result")]
    return "\n".join(r.text(found, "output") or r.text(found, "error") for found in responses)


def _files(call: r.Record) -> tuple[e.FileChange, ...]:
    shown = r.table(call, "resultDisplay")
    path = r.text(shown, "filePath") or r.text(shown, "fileName")
    if not path or "fileDiff" not in shown:
        return ()
    stat = r.table(shown, "diffStat")
    added, removed = r.number(stat, "model_added_lines"), r.number(stat, "model_removed_lines")
    return (e.FileChange(path=path, added=added, removed=removed, diff=r.text(shown, "fileDiff")),)


def _tokens(message: r.Record) -> e.Tokens | None:
    used = r.table(message, "tokens")
    if not used:
        return None
    prompt, cached = r.number(used, "input") or 0, r.number(used, "cached") or 0
    thoughts = r.number(used, "thoughts") or 0
    return e.Tokens(
        input=max(0, prompt - cached) + (r.number(used, "tool") or 0),
        cache_read=cached,
        output=(r.number(used, "output") or 0) + thoughts,
        reasoning=thoughts,
    )
