"""`SessionWatcher`: handlers are called in the thread that calls `start`, one event after the other.

A slow handler holds up the next event and nothing else: transcripts are files, so what was not yet read waits on the
disk, and no event is lost.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from agentdeck.realtime.dispatch import Dispatcher, HandlerFailed
from agentdeck.realtime.lookout import TICK, Lookout, Options, Told
from agentdeck.realtime.sessions import LiveSessionManager
from agentdeck.realtime.subscribing import Subscribing
from agentdeck.transcripts.ending import IDLE_AFTER, Rules
from agentdeck.transcripts.roots import Root
from agentdeck.transcripts.watch import Watch


class SessionWatcher(Subscribing):
    """Follows the transcripts of all sessions on this machine, whoever started them, and calls handlers.

    - `home`: whose transcripts, as a home directory; by default one's own, as the environment says.
    - `roots`: the directories themselves, as `Root(provider, path)`, in place of the known ones.
    - `providers`: only of these: claude, codex, gemini, cursor.
    - `since`: a moment, or how long ago. What happened after it is told at the start, file by file; by default only
      what happens from now on.
    - `idle_after`: seconds without an event, outside of any tool call, after which a session is idle.
    - `rules`: how sure each sign makes us that a session is over, and how sure is sure enough.
    - `on_error`: is given a `HandlerFailed` when a handler raised; by default it is logged.
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
        on_error: Callable[[HandlerFailed], object] | None = None,
    ) -> None:
        super().__init__(Dispatcher(on_error))
        self._lookout = Lookout(Options(home, roots, providers, since, idle_after, rules))
        self._running = threading.Lock()
        self._stopped = threading.Event()
        self._ready = threading.Event()
        self._hints: _Hints | None = None

    @property
    def sessions(self) -> LiveSessionManager:
        """The sessions as the events so far tell them; may be asked from any thread."""
        return self._lookout.sessions

    @property
    def problems(self) -> list[str]:
        """Sentences about transcripts that cannot be followed."""
        return list(self._lookout.problems)

    @property
    def ready(self) -> threading.Event:
        """Is set when what was there at the start has been read: from then on everything new is told."""
        return self._ready

    def start(self) -> None:
        """Watch until `stop`; Ctrl+C ends it too, as a KeyboardInterrupt.

        It may be called again afterwards, and goes on where it was. Raises `RuntimeError` while it is watching, and
        what makes watching impossible.
        """
        if not self._running.acquire(blocking=False):
            raise RuntimeError("this watcher is watching already")
        try:
            with _Hints(self._lookout) as hints:
                self._follow(hints)
        finally:
            self._hints = None
            self._stopped.clear()
            self._ready.clear()
            self._running.release()

    def stop(self) -> None:
        """End `start`, from any thread, a handler or a signal handler, and return at once.

        Of the event that is just being told, and of those found with it, handlers that were not yet called are not.
        Before `start`, it makes the next one return at once.
        """
        self._stopped.set()
        hints = self._hints
        if hints is not None:
            hints.wake()

    def _follow(self, hints: "_Hints") -> None:
        self._hints = hints
        ticked = float("-inf")
        while not self._stopped.is_set():
            paths = hints.take(TICK)
            if paths is not None and not self._stopped.is_set():
                self._look(paths)
            if time.monotonic() - ticked >= TICK and not self._stopped.is_set():
                ticked = time.monotonic()
                self._tell(self._lookout.tick())

    def _look(self, paths: set[bytes]) -> None:
        for told in self._lookout.look(paths):
            self._tell(told)
            if self._stopped.is_set():
                return
        if not paths:
            self._ready.set()

    def _tell(self, told: Iterable[Told]) -> None:
        for event, session in told:
            if self._stopped.is_set():
                return
            self._dispatcher.dispatch(event, session)


class _Hints:
    """Runs the watch over the directories in a thread of its own, because it is asynchronous and handlers are not."""

    def __init__(self, lookout: Lookout) -> None:
        self._lookout = lookout
        self._lock = threading.Condition()
        self._paths: set[bytes] = set()
        self._everything = False
        self._error: BaseException | None = None
        self._woken = False
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="agentdeck-watch", daemon=True)

    def __enter__(self) -> "_Hints":
        self._task = self._loop.create_task(self._watch())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._task is not None
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def take(self, seconds: float) -> set[bytes] | None:
        """Wait for paths to look at; an empty set means everything. None when there are none, or somebody woke us."""
        with self._lock:
            if not (self._paths or self._everything or self._error or self._woken):
                self._lock.wait(seconds)
            if self._error is not None:
                raise self._error
            paths, everything = self._paths, self._everything
            self._paths, self._everything, self._woken = set(), False, False
        return set() if everything else paths or None

    def wake(self) -> None:
        """End the wait of `take`; a signal handler may do so too, because the lock may be taken twice by a thread."""
        with self._lock:
            self._woken = True
            self._lock.notify()

    def _run(self) -> None:
        assert self._task is not None
        self._loop.run_until_complete(asyncio.wait([self._task]))
        if not self._task.cancelled():
            with self._lock:
                self._error = self._task.exception()
                self._lock.notify()

    async def _watch(self) -> None:
        paths = [root.path for root in self._lookout.roots]
        async with Watch(paths, active=self._lookout.active) as watch:
            async for changed in watch.changes():
                with self._lock:
                    self._paths |= changed
                    self._everything = self._everything or not changed
                    self._lock.notify()
