"""Say which transcripts may have changed, soon, and never miss one for long.

Events are hints. watchfiles silently loses what overflows, what is made inside a directory that was itself just made,
directories above the system's limit and everything below a root that was removed and made again; a file name that is
no UTF-8 stops it for good. So whoever follows also looks at active files every second, at changed directories every
15, at everything every 5 minutes, and more often where watching does not work.
"""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from agentdeck.transcripts.eye import Eye
from agentdeck.transcripts.tree import Tree, is_remote, nearest, watched

TICK: Final = 1.0
DIRECTORIES_EVERY: Final = 15.0
EVERYTHING_EVERY: Final = 300.0

POLL_DIRECTORIES_EVERY: Final = 2.0
POLL_EVERYTHING_EVERY: Final = 15.0
"""Seconds, where no watcher helps."""

LATE: Final = 2.0
"""Seconds between two ticks beyond the planned one: we were stopped, and the queue of events may have overflowed."""

CROWD: Final = 4000
"""Paths in one report that are close to an overflow."""

FAILURES: Final = 3
"""Of a watcher within a minute, after which it is left alone for `TRY_AGAIN`."""

TRY_AGAIN: Final = 600.0

FLAT_LIMIT: Final = 2000
"""Directories watched one by one, where recursion would leave the tree."""

PROBLEMS: Final = 20


class Plan(NamedTuple):
    """What is watched how."""

    deep: tuple[bytes, ...] = ()
    flat: tuple[bytes, ...] = ()
    """Single directories: of roots with links that leave them, and the nearest parents of roots that are missing."""
    polled: tuple[bytes, ...] = ()


class Watch:
    """Use as an async context manager, with one reader of `changes`. `active` names files to look at each second."""

    def __init__(self, roots: Sequence[Path], *, active: Callable[[], Iterable[bytes]] = tuple[bytes]) -> None:
        self.problems: list[str] = []
        """Sentences about what cannot be watched, each once."""
        self._roots = tuple(dict.fromkeys(os.path.realpath(root) for root in roots))
        self._active = active
        self._tree = Tree(os.fsencode(root) for root in self._roots)
        self._plan = Plan()
        self._identities: dict[str, tuple[int, int] | None] = {}
        self._eyes: list[Eye] = []
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self._blind_until = 0.0
        self._is_short = False
        """Fewer directories are watched than there are."""
        self._was_short = False
        self._ready: set[Eye] = set()
        """The eyes that have said that they watch."""
        self._count_soon = False
        self._others = 0
        """Watches of this process that are not ours."""
        self._dirty: set[bytes] = set()
        self._everything = True
        self._check_roots = False
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_polling(self) -> bool:
        """Whether something has to be found by looking alone."""
        return bool(self._plan.polled) or self._is_short

    async def __aenter__(self) -> "Watch":
        self._loop = asyncio.get_running_loop()
        self._others = watched() or 0
        await self._look_again()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._replace_eyes(())

    async def changes(self) -> AsyncIterator[set[bytes]]:
        """Yield paths that may have changed, files and directories; an empty set says: sweep everything now."""
        loop = asyncio.get_running_loop()
        tick = directories = everything = loop.time()
        while True:
            try:
                async with asyncio.timeout_at(tick):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            now = loop.time()
            if now >= tick or self._check_roots:
                self._check_roots = False
                if now - tick > LATE:
                    self._everything = True
                if self._roots_changed() or self._plan_is_old(now):
                    await self._look_again()
            if now >= tick:
                tick = now + TICK
                self._dirty.update(self._active())
                rest = POLL_DIRECTORIES_EVERY if self.is_polling else DIRECTORIES_EVERY
                if now - directories >= rest or self._count_soon:
                    directories, self._count_soon = now, False
                    self._dirty |= await asyncio.to_thread(self._look_at_directories)
                if now - everything >= (POLL_EVERYTHING_EVERY if self.is_polling else EVERYTHING_EVERY):
                    self._everything = True
            if self._everything:
                everything, self._everything, self._dirty = now, False, set()
                yield set()
            elif self._dirty:
                dirty, self._dirty = self._dirty, set()
                yield dirty

    # ── eyes ───────────────────────────────────────────────────────────────────────────────────

    def _hear(self, eye: Eye, report: set[bytes] | Exception) -> None:
        if eye not in self._eyes:
            return
        if isinstance(report, Exception):
            self._failed(eye, report)
        elif not report:
            self._ready.add(eye)
            self._everything = True  # what happened until now was not watched
            self._count_soon = True  # where the limit of the system is reached, it may watch only some
        else:
            self._everything = self._everything or len(report) >= CROWD
            if not report.isdisjoint(self._tree.roots):
                self._identities.clear()  # removed, and perhaps made again with the very same inode
                self._check_roots = True
            if not eye.recursive:  # it watches where missing roots may appear
                self._check_roots = True
                report = {path for path in report if any(_is_below(path, root) for root in self._tree.roots)}
            self._dirty |= report
        self._wake.set()

    def _failed(self, eye: Eye, error: Exception) -> None:
        assert self._loop is not None
        self._failures.append(self._loop.time())
        self._eyes.remove(eye)
        self._ready.discard(eye)
        self._identities.clear()  # begins anew at the next look
        self._everything = self._check_roots = True
        is_limit = isinstance(error, OSError) and not isinstance(error, FileNotFoundError)
        too_often = len(self._failures) == FAILURES and self._failures[-1] - self._failures[0] < 60
        if is_limit or too_often:
            self._blind_until = self._loop.time() + TRY_AGAIN
            self._problem(f"transcripts are looked for every few seconds, because they cannot be watched: {error}")

    def _replace_eyes(self, eyes: Sequence[Eye]) -> None:
        old, self._eyes = self._eyes, list(eyes)
        for eye in old:
            if eye not in self._eyes:
                eye.close()
                self._ready.discard(eye)

    def _report(self, eye: Eye, report: set[bytes] | Exception) -> None:
        """Called in the eye's thread."""
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(self._hear, eye, report)
        except RuntimeError:  # the loop has ended
            eye.close()

    # ── roots ──────────────────────────────────────────────────────────────────────────────────

    def _roots_changed(self) -> bool:
        return self._identities != {root: _identity(root) for root in self._roots}

    def _plan_is_old(self, now: float) -> bool:
        return bool(self._blind_until) and now >= self._blind_until

    async def _look_again(self) -> None:
        """Plan anew, and replace the watchers whose part has changed."""
        assert self._loop is not None
        if self._blind_until and self._loop.time() >= self._blind_until:
            self._blind_until = 0.0
            self._failures.clear()
        before, self._identities = self._identities, {root: _identity(root) for root in self._roots}
        await asyncio.to_thread(self._tree.walk)
        self._plan = self._planned()
        again = any(before.get(root) != found for root, found in self._identities.items() if found is not None)
        kept = [eye for eye in self._eyes if eye.paths == (self._plan.deep if eye.recursive else self._plan.flat)]
        if again:  # a root that was made again looks the same, but its watches are dead
            kept = []
        eyes = list(kept)
        for recursive, paths in ((True, self._plan.deep), (False, self._plan.flat)):
            if paths and not any(eye.recursive == recursive for eye in kept):
                eyes.append(Eye(paths, recursive=recursive, report=self._report))
        self._everything = True
        self._replace_eyes(eyes)

    def _planned(self) -> Plan:
        assert self._loop is not None
        there = tuple(os.fsencode(root) for root, found in self._identities.items() if found is not None)
        missing = [Path(root) for root, found in self._identities.items() if found is None]
        if self._loop.time() < self._blind_until:
            return Plan(polled=there)
        mounts = _mounts()
        polled = {root for root in there if is_remote(os.fsdecode(root), mounts)}
        leaving = self._tree.leaving - polled
        flat = {os.fsencode(nearest(root)) for root in missing}
        singly = {path for path in self._tree.directories if any(_is_below(path, root) for root in leaving)}
        if len(singly) > FLAT_LIMIT:
            polled |= leaving
        else:
            flat |= singly
        deep = tuple(root for root in there if root not in polled and root not in leaving)
        return Plan(deep, tuple(sorted(flat)), tuple(sorted(polled)))

    def _look_at_directories(self) -> set[bytes]:
        """Find what was made without notice, and whether everything is watched that should be."""
        leaving = set(self._tree.leaving)
        changed = self._tree.changed()
        if leaving != self._tree.leaving or (leaving and changed):
            self._identities = {}  # links or single directories have come: plan anew
        count = watched()
        wanted = sum(not any(_is_below(path, root) for root in self._plan.polled) for path in self._tree.directories)
        if count is not None and self._eyes and self._ready.issuperset(self._eyes):
            short = count - self._others < wanted
            if short and not self._was_short:
                self._identities = {}  # perhaps watches died unnoticed: begin anew once
            elif short and not self._is_short:
                self._everything = self._is_short = True
                self._problem(
                    "the system's limit of watched directories is reached, some transcripts are looked for every few"
                    " seconds instead: raise fs.inotify.max_user_watches"
                )
            self._was_short = short
            self._is_short = self._is_short and short
        return changed

    def _problem(self, sentence: str) -> None:
        if sentence not in self.problems and len(self.problems) < PROBLEMS:
            self.problems.append(sentence)


def _identity(root: str) -> tuple[int, int] | None:
    try:
        found = os.stat(root)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_below(path: bytes, root: bytes) -> bool:
    return path == root or path.startswith(root + b"/")


def _mounts() -> str:
    try:
        return Path("/proc/self/mounts").read_text("utf-8", "replace")
    except OSError:
        return ""
