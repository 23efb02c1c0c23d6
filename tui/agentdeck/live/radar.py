"""Which files two live sessions have both touched, across worktrees of one repository too.

Pure: who a path is, whatever worktree it lies in, is told by a function, because that takes a look at the disk.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

WITHIN: Final = 2 * 3600.0
"""Seconds: touches further apart are no conflict."""

FILES: Final = 2000
"""Of one session; the oldest are forgotten."""


class Touch(NamedTuple):
    path: str
    """As that session knows it."""
    at: float


class Conflict(NamedTuple):
    """Two or more sessions that changed one file."""

    path: str
    """As the last of them knows it."""
    at: float
    """The last touch, unix time."""
    sessions: tuple[str, ...]
    """The one that touched it last comes last."""


@dataclass(slots=True)
class Radar:
    identify: Callable[[str], str]
    """Return the same text for all paths that are one file, or one file of several worktrees."""
    _touched: dict[str, dict[str, Touch]] = field(default_factory=dict)
    """By session, by file; the newest is the last."""

    def touch(self, session: str, path: str, at: float) -> Conflict | None:
        """Note a change; return the conflict that it makes, or makes worse."""
        files = self._touched.setdefault(session, {})
        name = self.identify(path)
        files.pop(name, None)
        files[name] = Touch(path, at)
        while len(files) > FILES:
            del files[next(iter(files))]
        return self._conflict(name)

    def before(self, session: str, path: str, now: float) -> Conflict | None:
        """Return the conflict that a change of `path` by `session` would make now."""
        name = self.identify(path)
        others = [(who, files[name].at) for who, files in self._touched.items() if who != session and name in files]
        near = [who for who, at in sorted(others, key=lambda other: other[1]) if now - at <= WITHIN]
        return Conflict(path, now, (*near, session)) if near else None

    def gone(self, session: str) -> None:
        """The session has ended: it writes no more."""
        self._touched.pop(session, None)

    def conflicts(self, now: float) -> list[Conflict]:
        """Return all that are not too old, the newest first."""
        names = {name for files in self._touched.values() for name in files}
        found = [conflict for name in names if (conflict := self._conflict(name)) and now - conflict.at <= WITHIN]
        return sorted(found, key=lambda conflict: (-conflict.at, conflict.path))

    def _conflict(self, name: str) -> Conflict | None:
        touches = sorted(self._touches(name), key=lambda found: found[1].at)
        last = touches[-1][1]
        near = [(who, touch) for who, touch in touches if last.at - touch.at <= WITHIN]
        return Conflict(last.path, last.at, tuple(who for who, _ in near)) if len(near) > 1 else None

    def _touches(self, name: str) -> Iterator[tuple[str, Touch]]:
        for who, files in self._touched.items():
            if name in files:
                yield who, files[name]
