"""What the worker does once its first figures are told: follow transcripts, and keep the ledger up to date with them.

Killed at any time it loses nothing: the ledger commits in steps and positions are saved every second. It ends when its
input closes.
"""

import asyncio
import contextlib
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from agentdeck.events import AnyEvent
from agentdeck.paths import Paths
from agentdeck.protocol.facts import Limit
from agentdeck.protocol.worker import Gauges, Limits, Problem, Totals
from agentdeck.transcripts.follow import Follower
from agentdeck.transcripts.roots import Root
from agentdeck.transcripts.watch import Watch
from agentdeck.usage.books import Books
from agentdeck.worker.first import First, begin, open_books
from agentdeck.worker.outlet import History, Outlet

T = TypeVar("T")

HISTORY: Final = 2 * 24 * 3600.0
"""Seconds: sessions that changed within them are told from their beginning."""

PAUSE: Final = 0.5
"""Seconds, at least, between two rounds with the ledger."""

PAUSE_SCANNING: Final = 1.0
"""Seconds between two reports while old transcripts are taken in."""

DUTY: Final = 20
"""How many times longer than a round takes we wait for the next one."""

AGAIN: Final = 5.0
"""Seconds until the ledger is tried again after it failed."""

GRACE: Final = 3.0
"""Seconds for us to end in order once our input has closed."""


class Worker:
    """`first` is what was opened and told before."""

    def __init__(self, paths: Paths, places: tuple[Root, ...], outlet: Outlet, first: First | None) -> None:
        self._paths = paths
        self._places = places
        self._out = outlet
        self._history = History(outlet)
        self._follower: Follower | None = None
        self._problems: set[str] = set()
        self._changed: set[bytes] = set()
        """Transcripts that the ledger has not taken in yet."""
        self._desk = ThreadPoolExecutor(1, "ledger")
        self._first = first
        self._books: Books | None = None
        self._count_now = asyncio.Event()
        self._sweep_now = asyncio.Event()
        self._look_again = False
        self.stopped = asyncio.Event()

    async def run(self) -> None:
        tasks = [asyncio.create_task(self._count()), asyncio.create_task(self._follow())]
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
            given, self._first = self._first, None
            try:
                first: First = given if given is not None else await self._do(self._begin)
                self._books = first.books
                await self._keep(first)
            except (OSError, sqlite3.Error) as error:
                self._tell_problems([f"the usage ledger cannot be used: {error}"])
            finally:
                self._desk.submit(self._close)
            await asyncio.sleep(AGAIN)

    def _begin(self) -> First:
        books = open_books(self._paths, self._places, lambda text: self._tell_problems([text]))
        try:
            return begin(books, self._out.write)
        except BaseException:
            books.close()
            raise

    def _close(self) -> None:
        books, self._books = self._books, None
        if books is not None:
            books.close()

    async def _keep(self, first: First) -> None:
        books, pulse, keys = first.books, first.pulse, set(first.keys)
        told = _Told(self._out)
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


async def serve(outlet: Outlet, paths: Paths, places: tuple[Root, ...], first: First | None) -> None:
    loop = asyncio.get_running_loop()
    worker = Worker(paths, places, outlet, first)
    outlet.pipe.closed = worker.stopped.set
    loop.add_signal_handler(signal.SIGTERM, worker.stopped.set)
    end = lambda: loop.call_soon_threadsafe(worker.stopped.set)  # noqa: E731
    threading.Thread(target=_wait_for_end, args=(end,), name="input", daemon=True).start()
    await worker.run()
