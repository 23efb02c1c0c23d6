"""Claude Code's transcripts as events. Records as Claude Code 2.1.197 and 2.1.329 write them."""

from typing import Final

from agentdeck import events as e
from agentdeck.transcripts import reading as r
from agentdeck.transcripts.reading import Base
from agentdeck.transcripts.tools import category

INTERRUPTED: Final = "[Request interrupted by user"

SILENT: Final = frozenset(
    (
        "agent-name",
        "atis-latch",
        "api-request",
        "api-request-blob",
        "api-request-shape",
        "attachment",
        "cost-state",
        "file-history-delta",
        "file-history-snapshot",
        "last-prompt",
        "mode",
        "permission-mode",
        "progress",
        "queue-operation",
        "tools-used",
    )
)
"""Records that are known and tell nothing that an event should."""

NOT_TYPED: Final = ("<command-name>", "<command-message>", "<local-command-", "<task-notification>", "<bash-stdout>")
"""How texts begin that stand in the person's place but are the CLI's: its own commands and what came of them."""


class ClaudeParser:
    """Feed it the lines of one transcript in order."""

    provider = "claude"

    def __init__(self, path: str) -> None:
        self.bad_lines = 0
        self._session = path.rpartition("/")[2].partition(".")[0]
        self._subagent = "/subagents/" in path
        if self._subagent:
            self._session = path.split("/subagents/")[0].rpartition("/")[2]
        self._agent = path.rpartition("/")[2].partition(".")[0].removeprefix("agent-") if self._subagent else ""
        self._started = self._subagent
        self._at = r.EPOCH

    def feed(self, line: bytes, source: e.Source) -> list[e.AnyEvent]:
        record = r.record(line)
        if not record:
            self.bad_lines += record is None
            return []
        self._at = r.moment(record, "timestamp") or self._at
        self._session = r.text(record, "sessionId") or self._session
        found: list[e.AnyEvent] = []
        if not self._started and r.moment(record, "timestamp") is not None:
            self._started = True
            cwd, version = r.text(record, "cwd"), r.text(record, "version")
            parent = r.text(record, "forkedFrom", "sessionId") or r.text(record, "forkedFrom")
            found.append(e.SessionStarted(**self._base(record, source), cwd=cwd, version=version, parent=parent))
        kind = r.text(record, "type")
        if kind == "assistant":
            found += self._assistant(record, source)
        elif kind == "user":
            found += self._user(record, source)
        elif kind == "system":
            found += self._system(record, source)
        elif kind in ("ai-title", "custom-title", "summary"):
            title = r.text(record, "aiTitle") or r.text(record, "customTitle") or r.text(record, "summary")
            if title:
                found.append(e.TitleChanged(**self._base(record, source), title=title))
        elif kind not in SILENT:
            found.append(e.UnknownRecord(**self._base(record, source), type=kind, record=record))
        return found

    def _base(self, record: r.Record, source: e.Source) -> Base:
        agent = r.text(record, "agentId") or self._agent
        return Base(provider=self.provider, session=self._session, at=self._at, source=source, agent=agent)

    def _assistant(self, record: r.Record, source: e.Source) -> list[e.AnyEvent]:
        base, message = self._base(record, source), r.table(record, "message")
        if r.flag(record, "isApiErrorMessage"):
            return [e.ErrorRaised(**base, text=r.joined(message.get("content")))]
        if r.text(message, "model") == "<synthetic>":
            return []
        tokens, name, model = _tokens(message), r.text(message, "id"), r.text(message, "model")
        found: list[e.AnyEvent] = []
        for block in r.tables(message, "content"):
            match r.text(block, "type"):
                case "text" if r.text(block, "text"):
                    found.append(
                        e.MessageAdded(
                            **base,
                            role="assistant",
                            text=r.text(block, "text"),
                            message=name,
                            model=model,
                            tokens=tokens,
                        )
                    )
                case "thinking" | "redacted_thinking":
                    thought = r.text(block, "thinking")
                    found.append(
                        e.MessageAdded(**base, role="thinking", text=thought, message=name, model=model, tokens=tokens)
                    )
                case "tool_use" | "server_tool_use":
                    tool = r.text(block, "name")
                    found.append(
                        e.ToolUsed(
                            **base,
                            call=r.text(block, "id"),
                            tool=tool,
                            input=r.table(block, "input"),
                            category=category(tool),
                            message=name,
                            tokens=tokens,
                        )
                    )
        return found

    def _user(self, record: r.Record, source: e.Source) -> list[e.AnyEvent]:
        base = self._base(record, source)
        content = r.table(record, "message").get("content")
        if r.flag(record, "isMeta") or r.flag(record, "isCompactSummary"):
            return []
        if isinstance(content, str):
            return self._prompt(content, base)
        found: list[e.AnyEvent] = []
        texts: list[str] = []
        for block in r.tables(r.table(record, "message"), "content"):
            kind = r.text(block, "type")
            if kind == "tool_result":
                found += self._result(record, block, base)
            elif kind == "text":
                texts.append(r.text(block, "text"))
            elif kind == "image":
                texts.append("[image]")
        if texts:
            found += self._prompt("\n".join(texts), base)
        return found

    def _prompt(self, text: str, base: Base) -> list[e.AnyEvent]:
        if text.startswith(INTERRUPTED):
            return [e.TurnEnded(**base, interrupted=True)]
        if text.startswith(NOT_TYPED):
            return []
        return [e.MessageAdded(**base, role="user", text=text)] if text else []

    def _result(self, record: r.Record, block: r.Record, base: Base) -> list[e.AnyEvent]:
        detail, call = r.table(record, "toolUseResult"), r.text(block, "tool_use_id")
        found: list[e.AnyEvent] = []
        if spawned := r.text(detail, "agentId"):
            found.append(
                e.AgentSpawned(
                    **base,
                    spawned=spawned,
                    description=r.text(detail, "description") or r.text(detail, "prompt"),
                    type=r.text(detail, "agentType"),
                    call=call,
                )
            )
        milliseconds = r.number(detail, "durationMs") or r.number(detail, "totalDurationMs")
        found.append(
            e.ToolReturned(
                **base,
                call=call,
                output=r.joined(block.get("content")),
                is_error=r.flag(block, "is_error"),
                files=_files(detail),
                seconds=milliseconds / 1000 if milliseconds is not None else None,
            )
        )
        return found

    def _system(self, record: r.Record, source: e.Source) -> list[e.AnyEvent]:
        base = self._base(record, source)
        match r.text(record, "subtype"):
            case "compact_boundary":
                detail = r.table(record, "compactMetadata")
                before, after = r.number(detail, "preTokens"), r.number(detail, "postTokens")
                return [e.Compacted(**base, trigger=r.text(detail, "trigger"), before=before, after=after)]
            case "turn_duration":
                milliseconds = r.number(record, "durationMs")
                return [e.TurnEnded(**base, seconds=milliseconds / 1000 if milliseconds is not None else None)]
            case "api_error":
                return [e.ErrorRaised(**base, text=r.text(record, "error", "message") or r.text(record, "content"))]
        return []


def _tokens(message: r.Record) -> e.Tokens | None:
    usage = r.table(message, "usage")
    if not usage:
        return None
    return e.Tokens(
        input=r.number(usage, "input_tokens") or 0,
        cache_write=r.number(usage, "cache_creation_input_tokens") or 0,
        cache_read=r.number(usage, "cache_read_input_tokens") or 0,
        output=r.number(usage, "output_tokens") or 0,
    )


def _files(detail: r.Record) -> tuple[e.FileChange, ...]:
    """What an edit or a write did, from the detail that the CLI keeps beside the result."""
    path = r.text(detail, "filePath")
    if not path:
        return ()
    hunks = r.tables(detail, "structuredPatch")
    if not hunks and "content" in detail:
        content = r.text(detail, "content")
        return (e.FileChange(path=path, added=len(content.splitlines()), removed=0),)
    lines: list[str] = []
    for hunk in hunks:
        spans = [r.number(hunk, name) or 0 for name in ("oldStart", "oldLines", "newStart", "newLines")]
        lines.append("@@ -{},{} +{},{} @@".format(*spans))
        lines += [line for line in r.items(hunk, "lines") if isinstance(line, str)]
    added = sum(line.startswith("+") for line in lines)
    removed = sum(line.startswith("-") for line in lines)
    return (e.FileChange(path=path, added=added, removed=removed, diff="\n".join(lines)),)
