"""`AsyncSessionWatcher`: events as an asynchronous iterator.

A slow reader loses nothing and fills no memory: when `BACKLOG` events wait for it, following pauses until it has read
some, because transcripts are files and wait on the disk. All readers of one watcher share that pace, so give a consumer
that may stop for long a watcher of its own. Files are read in a thread; the event loop only hands out what was found.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from agentdeck.events import AnyEvent
from agentdeck.realtime.dispatch import Isolated
from agentdeck.realtime.filters import Filter
from agentdeck.realtime.lookout import TICK, Lookout, Options, Told
from agentdeck.realtime.sessions import LiveSessionManager
from agentdeck.transcripts.ending import IDLE_AFTER, Rules
from agentdeck.transcripts.roots import Root
from agentdeck.transcripts.watch import Watch

T = TypeVar("T")

BACKLOG: Final = 10_000
"""Events that may wait for one reader."""


class AsyncSessionWatcher:
    """Follows the transcripts of all sessions on this machine. The options are those of `SessionWatcher`.

    It follows inside of an `async with` block, or as long as somebody reads `events()`; used again later, it goes on
    where it was. `backlog` is the number of events that may wait for one reader.
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
        self._lookout = Lookout(Options(home, roots, providers, since, idle_after, rules))
        self._backlog = max(1, backlog)
        self._readers: list[_Reader] = []
        self._blocks = 0
        self._task: asyncio.Task[None] | None = None
        self._before: asyncio.Task[None] | None = None
        """The task that followed before, and may still be ending."""
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
        """Wait until what was there at the start has been read: from then on everything new is told.

        Raises what makes following impossible.
        """
        await self._ready.wait()
        if self._task is not None and self._task.done():
            self._task.result()

    async def __aenter__(self) -> "AsyncSessionWatcher":
        self._blocks += 1
        self._start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End all reading, too. Raises what made following impossible, when nothing else is being raised."""
        self._blocks -= 1
        if self._blocks:
            return
        for reader in self._readers:
            reader.end(None)
        task = await self._stop()
        if task is not None and not task.cancelled() and kind is None:
            task.result()

    async def events(self, *filters: Filter) -> AsyncGenerator[AnyEvent, None]:
        """Yield the events that pass all of `filters`, from its first step on. Any number of readers may read.

        It ends when an `async with` block of the watcher ends. What makes following impossible is raised here, and so
        is what a filter raises. Cancelling the reader, or leaving its loop, harms no other reader.
        """
        reader = _Reader(self._backlog, filters)
        self._readers.append(reader)
        self._start()
        try:
            async for event in reader.read():
                yield event
        finally:
            self._readers.remove(reader)
            reader.leave()
            if not self._readers and not self._blocks:
                await self._stop()

    # ── following ──────────────────────────────────────────────────────────────────────────────

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._follow(self._before), name="agentdeck-follow")
            self._task.add_done_callback(self._ended)

    async def _stop(self) -> "asyncio.Task[None] | None":
        """End following and return the task that did; a cancellation of who waits here is not swallowed."""
        task, self._task = self._task, None
        if task is not None:
            self._before = task
            self._ready.clear()
            task.cancel()
            await asyncio.wait([task])
        return task

    async def _follow(self, before: "asyncio.Task[None] | None") -> None:
        if before is not None and not before.done():
            await asyncio.wait([before])
        dirty = _Dirty()
        watch = asyncio.create_task(self._watch(dirty), name="agentdeck-watch")
        watch.add_done_callback(lambda _: dirty.add(set()))
        ticked = float("-inf")
        try:
            while not watch.done():
                paths = await dirty.take(TICK)
                if paths is not None:
                    await self._look(paths)
                if time.monotonic() - ticked >= TICK:
                    ticked = time.monotonic()
                    await self._publish(await _in_thread(self._lookout.tick))
            await watch
        finally:
            watch.cancel()
            await asyncio.wait([watch])

    async def _watch(self, dirty: "_Dirty") -> None:
        paths = [root.path for root in self._lookout.roots]
        async with Watch(paths, active=self._lookout.active) as watch:
            async for changed in watch.changes():
                dirty.add(changed)

    async def _look(self, paths: set[bytes]) -> None:
        slices = self._lookout.look(paths)
        while (told := await _in_thread(lambda: next(slices, None))) is not None:
            await self._publish(told)
        if not paths:
            self._ready.set()

    async def _publish(self, told: Iterable[Told]) -> None:
        """Hand out what was found while nothing more is folded, so that filters see sessions at rest."""
        for each in told:
            for reader in tuple(self._readers):
                await reader.put(each)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is None or task is not self._task:
            return
        for reader in self._readers:
            reader.end(error)
        self._ready.set()


class _Reader:
    """What waits for one reader."""

    def __init__(self, backlog: int, filters: Sequence[Filter]) -> None:
        self._backlog = backlog
        self._filters = filters
        self._waiting: deque[AnyEvent] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._over = False
        """Nothing more is taken."""
        self._error: BaseException | None = None

    async def put(self, told: Told) -> None:
        """Wait for room, unless the reader has left or does not want this."""
        wanted = False
        with Isolated(self.end):
            wanted = not self._over and all(fits(*told) for fits in self._filters)
        if not wanted:
            return
        await self._room.wait()
        if self._over:
            return
        self._waiting.append(told.event)
        self._news.set()
        if len(self._waiting) >= self._backlog:
            self._room.clear()

    async def read(self) -> AsyncIterator[AnyEvent]:
        while True:
            while self._waiting:
                event = self._waiting.popleft()
                self._room.set()
                yield event
            if self._error is not None:
                raise self._error
            if self._over:
                return
            self._news.clear()
            await self._news.wait()

    def leave(self) -> None:
        self.end(None)
        self._waiting.clear()

    def end(self, error: BaseException | None) -> None:
        """What waits may still be read; then it ends, or raises."""
        self._over, self._error = True, self._error or error
        self._news.set()
        self._room.set()


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


async def _in_thread(work: Callable[[], T]) -> T:
    """Run `work` in a thread. When cancelled, wait for its end: nobody else may look while it still does."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
