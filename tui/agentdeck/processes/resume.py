"""A provider's own session id, by which its conversation is resumed: read from what the running CLI left on disk.

Nothing is written, and a process or file that vanishes meanwhile is no error but no answer. Where each CLI keeps what
was measured with the real ones (docs/providers.md). An id for which no conversation exists is no answer either: the
CLIs end with an error when they are asked to resume one.
"""

import contextlib
import json
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ROLLOUT: Final = re.compile(rf"rollout-.*-({_UUID})\.jsonl$")
_HEAD: Final = 256 * 1024
"""Bytes of a conversation's first line that are read at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaudeSession:
    """What `~/.claude/sessions/<pid>.json` says of a running Claude Code."""

    id: str
    status: str
    waiting_for: str
    at: float
    """When the status last changed, unix time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the CLIs keep their files for a session: under its own HOME, which may not be ours."""

    claude: Path
    codex: Path
    gemini: Path
    cursor: Path

    @classmethod
    def of(cls, env: Mapping[str, str]) -> "Places":
        home = Path(env.get("HOME") or Path.home())
        return cls(
            claude=Path(env.get("CLAUDE_CONFIG_DIR") or home / ".claude"),
            codex=Path(env.get("CODEX_HOME") or home / ".codex"),
            gemini=Path(env.get("GEMINI_CLI_HOME") or home) / ".gemini",
            cursor=home / ".cursor",
        )


def environment(pid: int) -> dict[str, str]:
    """Return the environment that a process started with, empty when it is not ours to see."""
    if sys.platform == "linux":
        try:
            raw = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return {}
        pairs = (entry.partition("=") for entry in os.fsdecode(raw).split("\0"))
        return {name: value for name, found, value in pairs if found}
    try:
        return psutil.Process(pid).environ()
    except (psutil.Error, OSError):
        return {}


def descendants(pid: int) -> Iterator[int]:
    """Yield a process and what descends from it, without a scan of the whole machine."""
    yield pid
    if sys.platform != "linux":
        with contextlib.suppress(psutil.Error, OSError):
            yield from [child.pid for child in psutil.Process(pid).children(recursive=True)]
        return
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return
    for task in tasks:
        try:
            children = Path(f"/proc/{pid}/task/{task}/children").read_text()
        except OSError:
            continue
        for child in children.split():
            yield from descendants(int(child))


# ── Claude Code ────────────────────────────────────────────────────────────────────────────────


def claude_session(pid: int, places: Places) -> ClaudeSession | None:
    """Return what the Claude Code with this pid says of itself.

    The file of a killed one stays behind, so its start must be that of the process. It is written in place: a torn
    read is read once more.
    """
    path = places.claude / "sessions" / f"{pid}.json"
    for _ in range(2):
        try:
            record = json.loads(path.read_bytes())
        except OSError:
            return None
        except ValueError:
            continue
        return _claude_record(record, pid)
    return None


def _claude_record(record: Any, pid: int) -> ClaudeSession | None:
    if not isinstance(record, dict) or str(record.get("procStart", "")) not in ("", start_ticks(pid)):
        return None
    at = record.get("statusUpdatedAt")
    return ClaudeSession(
        id=_text(record.get("sessionId")),
        status=_text(record.get("status")),
        waiting_for=_text(record.get("waitingFor")),
        at=at / 1000 if isinstance(at, int | float) else 0.0,
    )


def start_ticks(pid: int) -> str:
    """Return when a process started, in ticks since boot, as Claude records it; empty where that is unknown."""
    try:
        row = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    fields = row[row.rfind(b")") + 2 :].split()
    return fields[19].decode() if len(fields) > 19 else ""


# ── ids ────────────────────────────────────────────────────────────────────────────────────────


def running_id(
    family: str,
    pid: int,
    places: Places,
    *,
    cwd: str,
    started: float,
    known: str = "",
    others: Collection[str] = (),
) -> str:
    """Return the session id of the CLI that runs as `pid` or under it, or an empty string.

    What the process itself holds open or wrote about itself is certain. Where only files in the right place can tell,
    they are asked only while no id is `known`; one that was written before `started` (unix time) or that belongs to
    `others` is not it, and two that fit are no answer.
    """
    match family:
        case "claude":
            found = (claude_session(process, places) for process in descendants(pid))
            return next((session.id for session in found if session is not None and session.id), "")
        case "codex" if found_open := _codex_open(descendants(pid)):
            return found_open
        case _ if known:
            return ""
        case "codex":
            return _only(_codex_recent(places, cwd, started), others)
        case "gemini":
            return _only(_gemini_recent(places, cwd, started), others)
        case "cursor":
            return _only(_cursor_recent(places, cwd, started), others)
        case _:
            return ""


def exists(family: str, session: str, places: Places) -> bool:
    """Whether there is a conversation of this id to resume. True where that cannot be told from the files."""
    match family:
        case "claude":
            return any((places.claude / "projects").glob(f"*/{session}.jsonl"))
        case "codex":
            return any((places.codex / "sessions").glob(f"*/*/*/rollout-*-{session}.jsonl"))
        case "gemini":
            chats = (places.gemini / "tmp").glob(f"*/chats/session-*-{session[:8]}*")
            return any(_gemini_id(chat) == session for chat in chats)
        case _:
            return True


def _codex_open(pids: Iterable[int]) -> str:
    """Return the thread whose rollout file is held open. Threads of sub-agents are younger, so the oldest is meant."""
    names = sorted(Path(path).name for pid in pids for path in _open_files(pid) if _ROLLOUT.search(path))
    match = _ROLLOUT.search(names[0]) if names else None
    return match[1] if match else ""


def _open_files(pid: int) -> Iterator[str]:
    if sys.platform != "linux":
        with contextlib.suppress(psutil.Error, OSError):
            yield from [file.path for file in psutil.Process(pid).open_files()]
        return
    try:
        descriptors = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return
    for descriptor in descriptors:
        try:
            yield os.readlink(f"/proc/{pid}/fd/{descriptor}")  # noqa: PTH115 - a link's text, not a path of ours
        except OSError:
            continue


def _codex_recent(places: Places, cwd: str, started: float) -> set[str]:
    found = set()
    for path in _since((places.codex / "sessions").glob("*/*/*/rollout-*.jsonl"), started):
        payload = _first_record(path).get("payload")
        match = _ROLLOUT.search(path.name)
        if match and isinstance(payload, dict) and payload.get("cwd") == cwd:
            found.add(match[1])
    return found


def _gemini_recent(places: Places, cwd: str, started: float) -> set[str]:
    try:
        projects = json.loads((places.gemini / "projects.json").read_bytes())
        folder = projects["projects"][os.path.realpath(cwd)]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    chats = _since((places.gemini / "tmp" / str(folder) / "chats").glob("session-*"), started)
    return {found for path in chats if (found := _gemini_id(path))}


def _gemini_id(chat: Path) -> str:
    return _text(_first_record(chat).get("sessionId"))


def _cursor_recent(places: Places, cwd: str, started: float) -> set[str]:
    folder = re.sub(r"[^A-Za-z0-9]", "-", cwd).lstrip("-")
    transcripts = _since((places.cursor / "projects" / folder / "agent-transcripts").glob("*"), started)
    return {path.stem for path in transcripts if re.fullmatch(_UUID, path.stem)}


def _since(paths: Iterable[Path], started: float) -> Iterator[Path]:
    for path in paths:
        try:
            if path.stat().st_mtime >= started:
                yield path
        except OSError:
            continue


def _first_record(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            record = json.loads(file.readline(_HEAD))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _only(found: set[str], others: Collection[str]) -> str:
    found = found.difference(others)
    return next(iter(found)) if len(found) == 1 else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
