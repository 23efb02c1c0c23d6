"""A provider's own session id, by which its conversation is resumed: read from what the running CLI left on disk.

Nothing is written, and a process or file that vanishes meanwhile is no error but no answer. Where each CLI keeps what
was measured with the real ones (docs/providers.md). An id for which no conversation exists is no answer either: the
CLIs end with an error when they are asked to resume one.
"""

import json
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agentdeck.processes.look import Look, system_look

_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
ROLLOUT: Final = re.compile(rf"rollout-.*-({_UUID})\.jsonl$")
_FOLDER: Final = 200
"""Characters of a folder's name before it is cut."""

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


HERE: Final = system_look(())
"""This system's processes, all of them."""


def environment(pid: int) -> dict[str, str]:
    """Return the environment that a process started with, empty when it is not ours to see."""
    return HERE.environment(pid)


def descendants(pid: int, look: Look = HERE) -> Iterator[int]:
    """Yield a process and what descends from it, without a scan of the whole machine."""
    yield pid
    for child in look.children(pid):
        yield from descendants(child, look)


# ── Claude Code ────────────────────────────────────────────────────────────────────────────────


def claude_session(pid: int, places: Places, look: Look = HERE) -> ClaudeSession | None:
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
        return _claude_record(record, pid, look)
    return None


def _claude_record(record: Any, pid: int, look: Look) -> ClaudeSession | None:
    if not isinstance(record, dict) or str(record.get("procStart", "")) not in ("", start_ticks(pid, look)):
        return None
    at = record.get("statusUpdatedAt")
    return ClaudeSession(
        id=_text(record.get("sessionId")),
        status=_text(record.get("status")),
        waiting_for=_text(record.get("waitingFor")),
        at=at / 1000 if isinstance(at, int | float) else 0.0,
    )


def start_ticks(pid: int, look: Look = HERE) -> str:
    """Return when a process started, in ticks since boot, as Claude records it; empty where that is unknown."""
    start = look.start(pid) if sys.platform == "linux" else None
    return str(start) if start is not None else ""


def claude_folder(cwd: str) -> str:
    """Return the name of the folder in which Claude Code keeps the conversations of a directory (its real path).

    Every UTF-16 unit but letters and digits becomes a dash; a long name is cut and gets a hash of the whole.
    """
    units = cwd.encode("utf-16-le", "surrogatepass")
    codes = [int.from_bytes(units[at : at + 2], "little") for at in range(0, len(units), 2)]
    name = "".join(chr(code) if code < 128 and chr(code).isalnum() else "-" for code in codes)
    if len(name) <= _FOLDER:
        return name
    number = 0
    for code in codes:
        number = (number * 31 + code) & 0xFFFFFFFF
    number = abs(number - (1 << 32) if number >> 31 else number)
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return f"{name[:_FOLDER]}-{digits}"


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
            return any(gemini_id(chat) == session for chat in chats)
        case _:
            return True


def _codex_open(pids: Iterable[int]) -> str:
    """Return the thread whose rollout file is held open. Threads of sub-agents are younger, so the oldest is meant."""
    names = sorted(Path(path).name for pid in pids for path in HERE.open_files(pid) if ROLLOUT.search(path))
    match = ROLLOUT.search(names[0]) if names else None
    return match[1] if match else ""


def open_rollouts(pid: int) -> set[str]:
    """Return the threads whose rollout files a process has open."""
    return {match[1] for path in HERE.open_files(pid) if (match := ROLLOUT.search(path))}


def _codex_recent(places: Places, cwd: str, started: float) -> set[str]:
    found = set()
    for path in _since((places.codex / "sessions").glob("*/*/*/rollout-*.jsonl"), started):
        payload = first_record(path).get("payload")
        match = ROLLOUT.search(path.name)
        if match and isinstance(payload, dict) and payload.get("cwd") == cwd:
            found.add(match[1])
    return found


def gemini_chats(cwd: str, places: Places) -> list[Path]:
    """Return the files of a directory's chats."""
    try:
        projects = json.loads((places.gemini / "projects.json").read_bytes())
        folder = projects["projects"][os.path.realpath(cwd)]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return list((places.gemini / "tmp" / str(folder) / "chats").glob("session-*"))


def _gemini_recent(places: Places, cwd: str, started: float) -> set[str]:
    return {found for path in _since(gemini_chats(cwd, places), started) if (found := gemini_id(path))}


def gemini_id(chat: Path) -> str:
    """Return the id in a chat's header; empty when it has none."""
    return _text(first_record(chat).get("sessionId"))


def cursor_chats(cwd: str, places: Places) -> list[Path]:
    folder = re.sub(r"[^A-Za-z0-9]", "-", cwd).lstrip("-")
    return list((places.cursor / "projects" / folder / "agent-transcripts").glob("*"))


def _cursor_recent(places: Places, cwd: str, started: float) -> set[str]:
    return {path.stem for path in _since(cursor_chats(cwd, places), started) if re.fullmatch(_UUID, path.stem)}


def _since(paths: Iterable[Path], started: float) -> Iterator[Path]:
    for path in paths:
        try:
            if path.stat().st_mtime >= started:
                yield path
        except OSError:
            continue


def first_record(path: Path) -> dict[str, Any]:
    """Return a conversation's first record, empty when it cannot be read or is none."""
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
