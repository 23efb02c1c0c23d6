"""Which processes write which sessions, by what each leaves where everybody can see it.

Claude Code says who it is in a file of its own; one that stays behind after a kill names a process that is gone or, by
its start time, is another one. Codex keeps its rollout open. The others leave nothing: their sessions become idle, and
end by rest.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from agentdeck.processes.resume import Places, open_rollouts, start_ticks
from agentdeck.transcripts.reading import text

PROC = Path("/proc")


class Writer(NamedTuple):
    """What is known of one session's process now. None says that nobody can tell."""

    provider: str
    session: str
    pid: int = 0
    process: bool | None = None
    open: bool | None = None


class Writers:
    """`env` says where Claude Code's files are, by HOME and CLAUDE_CONFIG_DIR."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._directory = Places.of(env).claude / "sessions"
        self._known: dict[tuple[str, str], Writer] = {}

    def look(self) -> list[Writer]:
        """Return the sessions that have a process, and those that had one at the last look."""
        looked = [*self._claude(), *_codex()]
        looked.sort(key=lambda each: each.process is True)  # of several processes of a session the living one counts
        found = {(each.provider, each.session): each for each in looked}
        gone = [
            Writer(*key, process=False) if before.process else Writer(*key, open=False)
            for key, before in self._known.items()
            if key not in found
        ]
        self._known = {key: each for key, each in found.items() if each.process or each.open}
        return [*found.values(), *gone]

    def _claude(self) -> Iterator[Writer]:
        try:
            names = sorted(os.listdir(self._directory))
        except OSError:
            return
        for name in names:
            digits, _, end = name.partition(".")
            if end != "json" or not digits.isascii() or not digits.isdigit():
                continue
            pid = int(digits)
            try:
                record = msgspec.json.decode(Path(self._directory, name).read_bytes(), type=dict[str, object])
            except OSError:
                continue
            except msgspec.DecodeError:  # it is just being written, in place
                yield from [each for each in self._known.values() if each.pid == pid and start_ticks(pid)]
                continue
            session, recorded = text(record, "sessionId"), text(record, "procStart")
            if session and recorded and (PROC / "self").exists():
                lives = start_ticks(pid) == recorded
                yield Writer("claude", session, pid if lives else 0, process=lives)


def _codex() -> Iterator[Writer]:
    """Processes called codex, and the rollouts that they have open."""
    try:
        names = os.listdir(PROC)
    except OSError:
        return
    for name in names:
        if not name.isdigit():
            continue
        try:
            is_codex = (PROC / name / "comm").read_bytes().startswith(b"codex")
        except OSError:
            continue
        if is_codex:
            for session in open_rollouts(int(name)):
                yield Writer("codex", session, int(name), open=True)
