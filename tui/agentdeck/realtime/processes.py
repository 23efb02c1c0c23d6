"""Which Claude Code processes live, by the files in which each says who it is.

A file that stays behind after a kill names a process that is gone or, by its start time, is another one. Other CLIs
write no such files; their sessions become idle, and end by rest.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from agentdeck.processes.resume import Places, start_ticks
from agentdeck.transcripts.reading import text


class Processes:
    """`env` says where the files are, by HOME and CLAUDE_CONFIG_DIR."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._directory = Places.of(env).claude / "sessions"
        self._lived: set[str] = set()

    def look(self) -> list[tuple[str, bool]]:
        """Return session ids and whether their process lives: those that do, and those that did at the last look."""
        found = dict(self._sessions())
        found |= dict.fromkeys(self._lived - found.keys(), False)
        self._lived = {session for session, lives in found.items() if lives}
        return list(found.items())

    def _sessions(self) -> Iterator[tuple[str, bool]]:
        try:
            names = sorted(os.listdir(self._directory))
        except OSError:
            return
        for name in names:
            pid, _, end = name.partition(".")
            if end != "json" or not pid.isascii() or not pid.isdigit():
                continue
            try:
                record = msgspec.json.decode(Path(self._directory, name).read_bytes(), type=dict[str, object])
            except (OSError, msgspec.DecodeError):  # gone meanwhile, or being written
                continue
            session, start = text(record, "sessionId"), start_ticks(int(pid))
            recorded = text(record, "procStart")
            if session and recorded and Path("/proc/self").exists():
                yield session, start == recorded
