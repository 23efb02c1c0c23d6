"""Histories of the CLIs, made up record by record, and what the ledger makes of them."""

import json
import os
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any

from agentdeck.transcripts.roots import roots
from agentdeck.usage.ledger import Ledger
from agentdeck.usage.prices import Prices
from agentdeck.usage.report import Period, Usage, usage
from agentdeck.usage.scan import scan

PRICES = Prices.load()
DAY = "2026-11-20"
SESSION = "aaaaaaaa-0000-4000-8000-000000000001"
FORK = "bbbbbbbb-0000-4000-8000-000000000002"
THREAD = "01a1fb4d-91c5-73e1-b7e9-0b213d259ee6"
CHILD = "01a1fb4e-16ca-7292-b2e6-e33a9bdeb53c"


def at(clock: str, day: str = DAY) -> str:
    return f"{day}T{clock}.000Z"


# ── Claude Code ────────────────────────────────────────────────────────────────────────────────


def said(
    message: str | None,
    *,
    request: str | None = "",
    session: str = SESSION,
    clock: str = "10:00:00",
    day: str = DAY,
    model: str = "claude-opus-5-5",
    input: int | None = 0,
    written: int | None = 0,
    hour: int = 0,
    read: int | None = 0,
    output: int | None = 0,
    web: int = 0,
    sidechain: bool = False,
    uuid: str = "",
    usage: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A record of an answer. `request` empty: one that goes with the message; None: the record has none."""
    counts: dict[str, Any] = {
        "input_tokens": input,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": output,
        "server_tool_use": {"web_search_requests": web},
        "cache_creation": {
            "ephemeral_1h_input_tokens": hour,
            "ephemeral_5m_input_tokens": max(0, (written or 0) - hour),
        },
    } | (usage or {})
    record: dict[str, Any] = {
        "isSidechain": sidechain,
        "message": {"model": model, "role": "assistant", "content": [{"type": "text", "text": "ok"}], "usage": counts},
        "type": "assistant",
        "uuid": uuid or f"u-{message}-{clock}",
        "timestamp": at(clock, day),
        "cwd": "/w/p",
        "sessionId": session,
    }
    if message is not None:
        record["message"]["id"] = message
    if request is not None:
        record["requestId"] = request or f"req-{message}"
    return record | more


def spent(total: float, session: str = SESSION) -> dict[str, Any]:
    return {"type": "cost-state", "sessionId": session, "totalCostUSD": total}


def compacted(after: int, clock: str) -> dict[str, Any]:
    metadata = {"trigger": "auto", "preTokens": 160_000, "postTokens": after}
    return {
        "type": "system", "subtype": "compact_boundary", "compactMetadata": metadata, "timestamp": at(clock),
        "sessionId": SESSION,
    }  # fmt: skip


def transcript(session: str = SESSION, project: str = "-w-p") -> str:
    return f".claude/projects/{project}/{session}.jsonl"


def subagent(name: str, session: str = SESSION) -> str:
    return f".claude/projects/-w-p/{session}/subagents/agent-{name}.jsonl"


# ── Codex ──────────────────────────────────────────────────────────────────────────────────────


def rollout(thread: str = THREAD, clock: str = "10-00-00", folder: str = "sessions/2026/11/20") -> str:
    return f".codex/{folder}/rollout-2026-11-20T{clock}-{thread}.jsonl"


def meta(thread: str = THREAD, clock: str = "10:00:00", **more: Any) -> dict[str, Any]:
    payload = {"id": thread, "timestamp": at(clock), "cwd": "/w/p", "cli_version": "0.169.0"} | more
    return {"timestamp": at(clock), "type": "session_meta", "payload": payload}


def turn(model: str = "gpt-6.1-sol", clock: str = "10:00:01", **more: Any) -> dict[str, Any]:
    return {"timestamp": at(clock), "type": "turn_context", "payload": {"model": model, "cwd": "/w/p"} | more}


def tokens(input: int, cached: int = 0, output: int = 0, written: int = 0, reasoning: int = 0) -> dict[str, int]:
    return {
        "input_tokens": input,
        "cached_input_tokens": cached,
        "cache_write_input_tokens": written,
        "output_tokens": output,
        "reasoning_output_tokens": reasoning,
        "total_tokens": input + output,
    }


def counted(total: dict[str, int] | None, clock: str, last: dict[str, int] | None = None) -> dict[str, Any]:
    info = None
    if total is not None:
        info = {"total_token_usage": total, "last_token_usage": last or total, "model_context_window": 258_400}
    return {"timestamp": at(clock), "type": "event_msg", "payload": {"type": "token_count", "info": info}}


def recorded(response: str, used: dict[str, int], clock: str, ordinal: int = 9, thread: str = THREAD) -> dict[str, Any]:
    payload = {"thread_id": thread, "response_id": response, "usage": used}
    return {"timestamp": at(clock), "ordinal": ordinal, "type": "token_usage_record", "payload": payload}


# ── Gemini CLI ─────────────────────────────────────────────────────────────────────────────────


def chat(name: str = "a") -> str:
    return f".gemini/tmp/p/chats/session-2026-11-20T10-00-{name}.jsonl"


def answered(message: str, clock: str = "10:00:01", model: str = "gemini-2.5-pro", **counts: int) -> dict[str, Any]:
    full = dict.fromkeys(("input", "output", "cached", "thoughts", "tool"), 0) | counts
    return {"id": message, "timestamp": at(clock), "type": "gemini", "tokens": full, "model": model}


# ── what the ledger makes of them ──────────────────────────────────────────────────────────────


class History:
    """A home directory and its ledger. Records are dicts; bytes stand for themselves."""

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        self.env = {"HOME": str(self.home)}
        self.ledger_path = root / "state" / "usage.db"

    def write(self, name: str, *records: dict[str, Any] | bytes, end: bytes = b"\n") -> Path:
        """Write a file anew, in place if it is there."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\n".join(map(_line, records)) + end)
        return path

    def append(self, name: str, *records: dict[str, Any] | bytes, end: bytes = b"\n") -> None:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(b"\n".join(map(_line, records)) + end)

    def replace(self, name: str, *records: dict[str, Any] | bytes) -> None:
        """Write another file and put it in this one's place, as Claude Code does with long transcripts."""
        part = self.write(f"{name}.compact.tmp", *records)
        part.rename(self.home / name)

    def remove(self, name: str) -> None:
        (self.home / name).unlink()

    def usage(self, zone: tzinfo | None = UTC, period: Period | None = None, **env: str) -> Usage:
        """Take everything in, and sum it up."""
        with Ledger(self.ledger_path) as ledger:
            scan(ledger, PRICES, roots(self.env | env))
            return usage(ledger, PRICES, self.env | env, zone=zone, period=period)


def total(found: Usage) -> int:
    return sum(session.tokens for session in found.sessions.values())


def _line(record: dict[str, Any] | bytes) -> bytes:
    return record if isinstance(record, bytes) else os.fsencode(json.dumps(record, separators=(",", ":")))
