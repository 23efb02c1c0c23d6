"""The process that reads transcripts: python -m agentdeck.worker.main [--root PROVIDER=DIRECTORY]…

It follows every session's transcript, keeps the usage ledger up to date, and tells the hub on its standard output.
Reading gigabytes costs CPU, so it is a process of its own with low priority, and the deck never waits for it. It may be
killed at any time: the ledger commits in steps and positions are saved every second. It ends when its input closes.
"""

import asyncio
import contextlib
import os
import signal
import sqlite3
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from agentdeck import events_wire
from agentdeck.events import AnyEvent
from agentdeck.paths import Paths, locate
from agentdeck.protocol.facts import Limit
from agentdeck.protocol.wire import encode
from agentdeck.protocol.worker import AnyFrame, Gauges, Limits, Problem, Told, Totals
from agentdeck.transcripts.follow import Follower
from agentdeck.transcripts.roots import Root, roots
from agentdeck.transcripts.watch import Watch
from agentdeck.usage.books import Books
from agentdeck.usage.prices import Prices
from agentdeck.usage.pulse import Pulse

T = TypeVar("T")

NICE: Final = 5

HISTORY: Final = 2 * 24 * 3600.0
"""Seconds: sessions that changed within them are told from their beginning."""

HISTORY_EVENTS: Final = 2000
"""Of one transcript; older ones are left out."""

HISTORY_TRANSCRIPTS: Final = 500

FRAME_EVENTS: Final = 500

FIRST: Final = 0.06
"""Seconds of reading before the first totals are told, complete or not."""

PAUSE: Final = 0.5
"""Seconds, at least, between two rounds with the ledger."""

PAUSE_SCANNING: Final = 1.0
"""Seconds between two reports while old transcripts are taken in."""

PATIENCE: Final = 0.3
"""Seconds that following waits for the first totals."""

DUTY: Final = 20
"""How many times longer than a round takes we wait for the next one."""

AGAIN: Final = 5.0
"""Seconds until the ledger is tried again after it failed."""

GRACE: Final = 3.0
"""Seconds for us to end in order once our input has closed."""


class Outlet:
    """Writes frames. It blocks when the hub does not read: then there is nothing to be done but wait."""

    def __init__(self, fd: int, closed: Callable[[], None] = lambda: None) -> None:
        self._fd = fd
        self.closed = closed
        """Called when nobody reads any more."""

    def write(self, frame: AnyFrame) -> None:
        data = memoryview(encode(frame))
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except BrokenPipeError:
            self.closed()

    def tell(self, events: Iterable[AnyEvent], *, history: bool = False) -> None:
        some: list[bytes] = []
        for event in events:
            try:
                some.append(events_wire.encode(event))
            except (OverflowError, UnicodeEncodeError, RecursionError):  # numbers and texts that msgpack cannot hold
                continue
            if len(some) >= FRAME_EVENTS:
                self.write(Told(some, history))
                some = []
        if some:
            self.write(Told(some, history))


class History:
    """What sessions said before, cut to the last events of each transcript, newest sessions first."""

    def __init__(self, tell: Callable[[Iterable[AnyEvent]], None]) -> None:
        self._tell = tell
        self._path = ""
        self._events: deque[AnyEvent] = deque(maxlen=HISTORY_EVENTS)
        self._transcripts = 0

    def add(self, events: list[AnyEvent]) -> None:
        path = events[0].source.path if events and events[0].source is not None else ""
        if path != self._path:
            self.flush()
            self._path = path
            self._transcripts += 1
        if self._transcripts <= HISTORY_TRANSCRIPTS:
            self._events.extend(events)

    def flush(self) -> None:
        if self._events:
            self._tell(self._events)
            self._events.clear()


class Worker:
    def __init__(self, paths: Paths, places: tuple[Root, ...], outlet: Outlet) -> None:
        self._paths = paths
        self._places = places
        self._out = outlet
        self._history = History(lambda events: outlet.tell(events, history=True))
        self._follower: Follower | None = None
        self._problems: set[str] = set()
        self._changed: set[bytes] = set()
        """Transcripts that the ledger has not taken in yet."""
        self._desk = ThreadPoolExecutor(1, "ledger")
        self._books: Books | None = None
        self._counted = asyncio.Event()
        self._count_now = asyncio.Event()
        self._sweep_now = asyncio.Event()
        self._look_again = False
        self.stopped = asyncio.Event()

    async def run(self) -> None:
        tasks = [asyncio.create_task(self._count())]
        with contextlib.suppress(TimeoutError):  # the first totals, before anything else takes time
            await asyncio.wait_for(self._counted.wait(), PATIENCE)
        tasks.append(asyncio.create_task(self._follow()))
        stop = asyncio.create_task(self.stopped.wait())
        try:
            done, _ = await asyncio.wait([stop, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stop}:
                await task
        finally:
            for task in (stop, *tasks):
                task.cancel()
            if self._books is not None:
                self._books.stop()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._follower is not None:
                self._follower.save(now=True)

    # ── events ─────────────────────────────────────────────────────────────────────────────────

    async def _follow(self) -> None:
        follower = self._follower = Follower(
            self._places,
            positions=self._paths.state / "transcripts.positions",
            since=time.time() - HISTORY,
            recall=self._history.add,
        )
        watched = [root.path for root in follower.roots]
        async with Watch(watched, active=follower.active) as watch, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._sweep(follower))
            async for dirty in watch.changes():
                if not dirty:
                    self._sweep_now.set()
                    continue
                await self._tell(follower.touching(dirty))
                self._changed |= follower.take_changed()
                if self._changed:
                    self._count_now.set()
                follower.save()
                self._tell_problems((*follower.problems, *watch.problems))

    async def _sweep(self, follower: Follower) -> None:
        while True:
            await self._sweep_now.wait()
            self._sweep_now.clear()
            await self._tell(follower.sweeping())
            follower.save()
            self._changed |= follower.take_changed()
            self._look_again = True
            self._count_now.set()

    async def _tell(self, slices: Iterator[list[AnyEvent]]) -> None:
        for events in slices:
            if events:
                self._history.flush()
                self._out.tell(events)
            await asyncio.sleep(0)
        self._history.flush()

    def _tell_problems(self, problems: Iterable[str]) -> None:
        for text in problems:
            if text not in self._problems:
                self._problems.add(text)
                self._out.write(Problem(text))

    # ── figures ────────────────────────────────────────────────────────────────────────────────

    async def _do(self, work: Callable[[], T]) -> T:
        """Run what waits for the disk: one thing at a time, away from the events."""
        return await asyncio.get_running_loop().run_in_executor(self._desk, work)

    async def _count(self) -> None:
        """Keep the ledger, and begin anew when it fails."""
        while True:
            try:
                self._books = await self._do(self._open)
                await self._keep(self._books)
            except (OSError, sqlite3.Error) as error:
                self._tell_problems([f"the usage ledger cannot be used: {error}"])
            finally:
                self._desk.submit(self._close)
            await asyncio.sleep(AGAIN)

    def _open(self) -> Books:
        prices = Prices.load(self._paths.config.with_name("prices.toml"))
        return Books(
            self._paths.state / "usage.db", prices, self._places, problem=lambda text: self._tell_problems([text])
        )

    def _close(self) -> None:
        books, self._books = self._books, None
        if books is not None:
            books.close()

    async def _keep(self, books: Books) -> None:
        pulse = Pulse(books.ledger, books.prices, os.environ)
        told = _Told(self._out)
        await self._do(books.look)
        keys = pulse.note(await self._do(lambda: books.take_today(FIRST)))
        told.totals(await self._do(lambda: pulse.totals(complete=books.complete)))
        self._counted.set()
        await self._do(lambda: books.ledger.reprice(books.prices.version, books.prices.cost))
        keys |= pulse.note(await self._do(lambda: books.recent_marks(time.time() - HISTORY)))
        told_at = 0.0
        while True:
            began = time.monotonic()
            changed, self._changed = self._changed, set()
            if self._look_again:
                self._look_again = False
                await self._do(books.look)
            keys |= pulse.note(await self._do(partial(books.take_these, changed)))
            keys |= pulse.note(await self._do(books.take))
            if books.complete or began - told_at > PAUSE_SCANNING:
                told_at, wanted = began, frozenset(keys)
                keys.clear()
                if wanted:
                    self._out.write(Gauges(await self._do(partial(pulse.sessions, wanted))))
                told.limits(pulse.limits())
                told.totals(await self._do(lambda: pulse.totals(complete=books.complete)))
            if books.complete:
                await asyncio.sleep(max(PAUSE, DUTY * (time.monotonic() - began)))
                await self._count_now.wait()
                self._count_now.clear()


class _Told:
    """What was told last, so that only changes are told."""

    def __init__(self, outlet: Outlet) -> None:
        self._out = outlet
        self._totals: Totals | None = None
        self._limits: dict[str, tuple[Limit, ...]] = {}

    def totals(self, totals: Totals) -> None:
        if totals != self._totals:
            self._totals = totals
            self._out.write(totals)

    def limits(self, found: dict[str, tuple[Limit, ...]]) -> None:
        for provider, limits in found.items():
            if self._limits.get(provider) != limits:
                self._limits[provider] = limits
                self._out.write(Limits(provider, limits))


def _wait_for_end(end: Callable[[], None]) -> None:
    """Read our input to its end, in a thread; if we are stuck then, do not stay for ever."""
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    with contextlib.suppress(RuntimeError):
        end()
    time.sleep(GRACE)
    os._exit(0)


async def serve(outlet: Outlet, places: tuple[Root, ...]) -> None:
    loop = asyncio.get_running_loop()
    worker = Worker(locate(), places, outlet)
    outlet.closed = worker.stopped.set
    loop.add_signal_handler(signal.SIGTERM, worker.stopped.set)
    end = lambda: loop.call_soon_threadsafe(worker.stopped.set)  # noqa: E731
    threading.Thread(target=_wait_for_end, args=(end,), name="input", daemon=True).start()
    await worker.run()


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C in the terminal is meant for others
    with contextlib.suppress(OSError):
        os.nice(NICE)
    own = [word.partition("=") for word in sys.argv[1:] if "=" in word]
    places = [*roots(os.environ), *(Root(agent, Path(path)) for agent, _, path in own)]
    outlet = Outlet(os.dup(1))
    os.dup2(2, 1)  # nothing else may write among the frames
    asyncio.run(serve(outlet, tuple(places)))


if __name__ == "__main__":
    main()
