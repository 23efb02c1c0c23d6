"""Codex's rollouts as events. Records as Codex 0.169 writes them; older forms are understood where they are known."""

import re
from dataclasses import dataclass
from typing import Final

import msgspec

from agentdeck import events as e
from agentdeck.transcripts import reading as r
from agentdeck.transcripts.reading import Base
from agentdeck.transcripts.tools import category

SILENT: Final = frozenset(["turn_context", "token_usage_record", "world_state", "ghost_snapshot"])

_EXIT: Final = re.compile(r"^(?:Process exited with code|Exit code:) (-?\d+)", re.MULTILINE)


@dataclass(slots=True)
class _Detail:
    """What an event of the interface told about a call before its result came."""

    seconds: float | None = None
    is_error: bool | None = None
    files: tuple[e.FileChange, ...] = ()


class CodexParser:
    """Feed it the lines of one rollout in order."""

    provider = "codex"

    def __init__(self, path: str) -> None:
        self.bad_lines = 0
        self._session = path.rpartition("/")[2].split(".")[0][-36:]
        self._started = False
        self._model = ""
        self._at = r.EPOCH
        self._tokens: e.Tokens | None = None
        self._details: dict[str, _Detail] = {}
        self._modern = False
        """Whether prompts come as completed items: then their older form repeats them."""

    def feed(self, line: bytes, source: e.Source) -> list[e.AnyEvent]:
        record = r.record(line)
        if not record:
            self.bad_lines += record is None
            return []
        self._at = r.moment(record, "timestamp") or self._at
        payload, kind = r.table(record, "payload"), r.text(record, "type")
        if kind == "session_meta":
            return self._meta(payload, source)
        base = Base(provider=self.provider, session=self._session, at=self._at, source=source, agent="")
        if kind == "response_item":
            return self._item(payload, base)
        if kind == "event_msg":
            return self._event(payload, base)
        if kind == "compacted":
            return [e.Compacted(**base, trigger="auto")]
        if kind == "turn_context":
            self._model = r.text(payload, "model") or self._model
        if kind in SILENT:
            return []
        return [e.UnknownRecord(**base, type=kind, record=record)]

    def _meta(self, payload: r.Record, source: e.Source) -> list[e.AnyEvent]:
        if self._started:
            return []
        self._started = True
        self._session = r.text(payload, "id") or self._session
        return [
            e.SessionStarted(
                provider=self.provider,
                session=self._session,
                at=self._at,
                source=source,
                cwd=r.text(payload, "cwd"),
                version=r.text(payload, "cli_version"),
                parent=r.text(payload, "forked_from_id"),
            )
        ]

    def _item(self, payload: r.Record, base: Base) -> list[e.AnyEvent]:
        name = r.text(payload, "id")
        match r.text(payload, "type"):
            case "message" if r.text(payload, "role") == "assistant":
                text = r.joined(payload.get("content"))
                found = e.MessageAdded(
                    **base, role="assistant", text=text, message=name, model=self._model, tokens=self._tokens
                )
                return [found] if text else []
            case "reasoning":
                text = "\n".join(r.text(part, "text") for part in r.tables(payload, "summary"))
                return [e.MessageAdded(**base, role="thinking", text=text, message=name, model=self._model)]
            case "function_call" | "custom_tool_call" | "local_shell_call" | "web_search_call":
                return [self._call(payload, base)]
            case "function_call_output" | "custom_tool_call_output":
                return [self._result(payload, base)]
        return []

    def _call(self, payload: r.Record, base: Base) -> e.ToolUsed:
        kind = r.text(payload, "type")
        tool = r.text(payload, "name") or {"local_shell_call": "local_shell", "web_search_call": "web_search"}.get(
            kind, ""
        )
        arguments: dict[str, object] = r.table(payload, "action")
        if raw := r.text(payload, "arguments"):
            try:
                decoded = msgspec.json.decode(raw)
            except (msgspec.DecodeError, RecursionError):
                decoded = None
            arguments = decoded if isinstance(decoded, dict) else {"arguments": raw}
        elif "input" in payload:
            arguments = {"input": payload["input"]}
        call = r.text(payload, "call_id") or r.text(payload, "id")
        return e.ToolUsed(**base, call=call, tool=tool, input=arguments, category=category(tool), tokens=self._tokens)

    def _result(self, payload: r.Record, base: Base) -> e.ToolReturned:
        call, raw = r.text(payload, "call_id"), payload.get("output")
        output = r.joined(raw) if not isinstance(raw, dict) else r.text(raw, "content")
        detail = self._details.pop(call, _Detail())
        is_error = detail.is_error
        if is_error is None:
            exited = _EXIT.search(output)
            is_error = exited is not None and exited[1] != "0"
        return e.ToolReturned(
            **base, call=call, output=output, is_error=is_error, files=detail.files, seconds=detail.seconds
        )

    def _event(self, payload: r.Record, base: Base) -> list[e.AnyEvent]:
        match r.text(payload, "type"):
            case "item_completed":
                return self._completed(r.table(payload, "item"), base)
            case "user_message" if not self._modern:
                text = r.text(payload, "message")
                return [e.MessageAdded(**base, role="user", text=text)] if text else []
            case "task_complete":
                ended: list[e.AnyEvent] = [e.TurnEnded(**base, seconds=_seconds(payload))]
                if problem := r.text(payload, "error", "message"):
                    ended.insert(0, e.ErrorRaised(**base, text=problem))
                return ended
            case "turn_aborted":
                return [e.TurnEnded(**base, interrupted=True, seconds=_seconds(payload))]
            case "error" | "stream_error":
                return [e.ErrorRaised(**base, text=r.text(payload, "message"))]
            case "token_count":
                self._tokens = _tokens(r.table(payload, "info", "last_token_usage"))
            case "thread_name_updated" if r.text(payload, "thread_name"):
                return [e.TitleChanged(**base, title=r.text(payload, "thread_name"))]
        return []

    def _completed(self, item: r.Record, base: Base) -> list[e.AnyEvent]:
        call = r.text(item, "id")
        match r.text(item, "type"):
            case "UserMessage":
                self._modern = True
                text = r.joined(item.get("content"))
                return [e.MessageAdded(**base, role="user", text=text, message=call)] if text else []
            case "CommandExecution":
                code, span = r.number(item, "exit_code"), r.table(item, "duration")
                seconds = (r.number(span, "secs") or 0) + (r.number(span, "nanos") or 0) / 1e9 if span else None
                self._details[call] = _Detail(seconds=seconds, is_error=None if code is None else code != 0)
            case "FileChange":
                changes = r.table(item, "changes")
                files = tuple(_change(path, change) for path, change in changes.items() if isinstance(change, dict))
                self._details[call] = _Detail(is_error=r.text(item, "status") == "failed", files=files)
        return []


def _change(path: str, change: r.Record) -> e.FileChange:
    diff = r.text(change, "unified_diff")
    if not diff:
        count = len(r.text(change, "content").splitlines())
        gone = r.text(change, "type") == "delete"
        return e.FileChange(path=path, added=0 if gone else count, removed=count if gone else 0)
    lines = [line for line in diff.splitlines() if not line.startswith(("+++", "---"))]
    return e.FileChange(
        path=path,
        added=sum(line.startswith("+") for line in lines),
        removed=sum(line.startswith("-") for line in lines),
        diff=diff,
    )


def _seconds(payload: r.Record) -> float | None:
    milliseconds = r.number(payload, "duration_ms")
    return None if milliseconds is None else milliseconds / 1000


def _tokens(usage: r.Record) -> e.Tokens | None:
    if not usage:
        return None
    prompt, cached = r.number(usage, "input_tokens") or 0, r.number(usage, "cached_input_tokens") or 0
    written = r.number(usage, "cache_write_input_tokens") or 0
    return e.Tokens(
        input=max(0, prompt - cached - written),
        cache_write=written,
        cache_read=cached,
        output=r.number(usage, "output_tokens") or 0,
        reasoning=r.number(usage, "reasoning_output_tokens") or 0,
    )
