"""`AsyncSessionWatcher`: events as an asynchronous iterator.

A slow reader loses nothing and fills no memory: when `BACKLOG` events wait for it, following pauses until it has read
some, because transcripts are files and wait on the disk. All readers of one watcher share that pace, so give a consumer
that may stop for long a watcher of its own. Files are read in a thread; the event loop only hands out what was found.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from agentdeck.events import AnyEvent
from agentdeck.realtime.filters import Filter
from agentdeck.realtime.lookout import Lookout, Options, Told
from agentdeck.realtime.sessions import LiveSessionManager
from agentdeck.transcripts.ending import IDLE_AFTER, Rules
from agentdeck.transcripts.roots import Root
from agentdeck.transcripts.watch import Watch

BACKLOG: Final = 10_000
"""Events that may wait for one reader."""

TICK: Final = 1.0


class AsyncSessionWatcher:
    """Follows the transcripts of all sessions on this machine. The options are those of `SessionWatcher`.

    It follows inside of an `async with` block, or as long as somebody reads `events()`.
    """

    def __init__(
        self,
        *,
        home: Path | None = None,
        roots: Sequence[Root] = (),
        providers: Sequence[str] = (),
        since: datetime | timedelta | None = None,
        idle_after: float = IDLE_AFTER,
        rules: Rules | None = None,
        backlog: int = BACKLOG,
    ) -> None:
        self._options = Options(home, roots, providers, since, idle_after, rules)
        self._lookout = Lookout(self._options)
        self._backlog = backlog
        self._readers: list[_Reader] = []
        self._users = 0
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    @property
    def sessions(self) -> LiveSessionManager:
        """The sessions as the events so far tell them."""
        return self._lookout.sessions

    @property
    def problems(self) -> list[str]:
        """Sentences about transcripts that cannot be followed."""
        return list(self._lookout.problems)

    async def ready(self) -> None:
        """Wait until what was there at the start has been read: from then on everything new is told."""
        await self._ready.wait()

    async def __aenter__(self) -> "AsyncSessionWatcher":
        self._users += 1
        if self._task is None:
            self._task = asyncio.create_task(self._follow(), name="agentdeck-follow")
            self._task.add_done_callback(self._ended)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._users -= 1
        if self._users == 0 and self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self._ready.clear()

    async def events(self, *filters: Filter) -> AsyncIterator[AnyEvent]:
        """Yield events from now on, those that pass all of `filters`. Any number of readers may read.

        It ends when the watcher's `async with` block does. What makes following impossible is raised here.
        """
        reader = _Reader(self._backlog)
        self._readers.append(reader)
        try:
            async with self:
                async for event, session in reader.read():
                    if all(fits(event, session) for fits in filters):
                        yield event
        finally:
            self._readers.remove(reader)
            reader.leave()

    # ── following ──────────────────────────────────────────────────────────────────────────────

    async def _follow(self) -> None:
        dirty = _Dirty()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(dirty))
            while True:
                paths = await dirty.take(TICK)
                if paths is not None:
                    await self._look(paths)
                await self._publish(await asyncio.to_thread(self._lookout.tick))

    async def _watch(self, dirty: "_Dirty") -> None:
        paths = [root.path for root in self._lookout.roots]
        async with Watch(paths, active=self._lookout.active) as watch:
            async for changed in watch.changes():
                dirty.add(changed)

    async def _look(self, paths: set[bytes]) -> None:
        slices = self._lookout.look(paths)
        while (told := await asyncio.to_thread(next, slices, None)) is not None:
            await self._publish(told)
        if not paths:
            self._ready.set()

    async def _publish(self, told: Sequence[Told]) -> None:
        for each in told:
            for reader in tuple(self._readers):
                await reader.put(each)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        for reader in self._readers:
            reader.end(error)


class _Reader:
    """What waits for one reader."""

    def __init__(self, backlog: int) -> None:
        self._backlog = backlog
        self._waiting: deque[Told] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._ended = False
        self._error: BaseException | None = None

    async def put(self, told: Told) -> None:
        """Wait for room, unless the reader has left."""
        await self._room.wait()
        self._waiting.append(told)
        self._news.set()
        if len(self._waiting) >= self._backlog:
            self._room.clear()

    async def read(self) -> AsyncIterator[Told]:
        while True:
            while self._waiting:
                told = self._waiting.popleft()
                self._room.set()
                yield told
            if self._error is not None:
                raise self._error
            if self._ended:
                return
            self._news.clear()
            await self._news.wait()

    def leave(self) -> None:
        self._backlog = 2**62
        self._waiting.clear()
        self._room.set()

    def end(self, error: BaseException | None) -> None:
        self._ended, self._error = True, error
        self._news.set()


class _Dirty:
    """Paths to look at, gathered while others are looked at."""

    def __init__(self) -> None:
        self._paths: set[bytes] = set()
        self._everything = False
        self._news = asyncio.Event()

    def add(self, paths: set[bytes]) -> None:
        self._paths |= paths
        self._everything = self._everything or not paths
        self._news.set()

    async def take(self, seconds: float) -> set[bytes] | None:
        """Wait for paths; an empty set means everything. None when there are none within `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        self._news.clear()
        paths, everything = self._paths, self._everything
        self._paths, self._everything = set(), False
        return set() if everything else paths or None
