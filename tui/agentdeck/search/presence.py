"""Which of the known sessions live: by what the CLIs say of their processes, and by who has a transcript open.

Claude Code writes a file for each of its processes, and Codex keeps its rollout open while it runs. The others show
nothing but their last change, so of them only time can tell.
"""

import contextlib
import os
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import psutil

from agentdeck.processes.resume import Places, claude_session
from agentdeck.search.portraits import Portrait
from agentdeck.transcripts.ending import Rules, Signs, judge

KEEPS_OPEN: Final = "codex"
"""The CLI that has its transcript open while it runs."""


class Presence(NamedTuple):
    """`state`: live (a process has it, or it was written just now), idle or ended; `why` says by which sign."""

    state: str
    why: str
    confidence: float
    """0 to 1: how sure it is that the session has ended; 0 when it has not."""
    pid: int = 0


def presences(
    portraits: Iterable[Portrait], env: Mapping[str, str], *, now: float | None = None, rules: Rules | None = None
) -> dict[tuple[str, str], Presence]:
    """Judge sessions by (provider, session)."""
    now = time.time() if now is None else now
    rules = rules or Rules()
    processes = _claude_processes(Places.of(env))
    opened = _open_transcripts() if sys.platform == "linux" else None
    return {
        (portrait.provider, portrait.session): _judged(portrait, processes, opened, now, rules)
        for portrait in portraits
    }


def _judged(
    portrait: Portrait, processes: Mapping[str, int], opened: Mapping[str, int] | None, now: float, rules: Rules
) -> Presence:
    pid = processes.get(portrait.session, 0) if portrait.provider == "claude" else 0
    has_process = pid != 0
    held = None
    if portrait.provider == KEEPS_OPEN and opened is not None:
        pid = next((opened[path] for path in portrait.paths if path in opened), 0)
        held = pid != 0
    rests = max(0.0, now - portrait.last_at)
    verdict = judge(Signs(rests=rests, process=True if has_process else None, open=held), rules)
    if verdict.ending is not None:
        return Presence("ended", verdict.ending.reason, verdict.ending.confidence)
    if verdict.idle:
        return Presence("idle", "it rests, its process lives" if pid else "it was written lately", 0.0, pid)
    return Presence("live", "its process lives" if pid else "it was written just now", 0.0, pid)


def _claude_processes(places: Places) -> dict[str, int]:
    """Living Claude Code processes by the session that each has."""
    found: dict[str, int] = {}
    with contextlib.suppress(OSError):
        for name in os.listdir(places.claude / "sessions"):
            pid, _, end = name.partition(".")
            if end == "json" and pid.isascii() and pid.isdigit() and psutil.pid_exists(int(pid)):
                session = claude_session(int(pid), places)
                if session is not None and session.id:
                    found[session.id] = int(pid)
    return found


def _open_transcripts() -> dict[str, int]:
    """Transcripts that a process of ours has open, each with its pid."""
    found: dict[str, int] = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            descriptors = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        for descriptor in descriptors:
            with contextlib.suppress(OSError):
                path = os.readlink(f"/proc/{pid}/fd/{descriptor}")  # noqa: PTH115 - a link's text, not a path of ours
                if path.endswith(".jsonl") and int(pid) != os.getpid():
                    found[path] = int(pid)
    return found
