"""One watchfiles watcher in its own thread, because its calls wait. It reports and never repairs: `watch` does.

Tuned as measured: with its defaults watchfiles waits until nothing new has changed for a while, which for twenty busy
files means half a second.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

DEBOUNCE: Final = 50
STEP: Final = 8
"""Milliseconds: how long changes are gathered at most, and how long it must be quiet. Half again is the usual delay."""

RESTING_STEP: Final = 60
"""The same after `RESTING_AFTER` seconds without a change: every step wakes the process up, once for each root."""

RESTING_AFTER: Final = 3.0

PATIENCE: Final = 1000
"""Milliseconds after which a call returns without changes."""


class Eye:
    """`report` is called in the thread: with changed paths, an empty set once it watches, or what went wrong."""

    def __init__(
        self, paths: Sequence[bytes], *, recursive: bool, report: Callable[["Eye", set[bytes] | Exception], None]
    ) -> None:
        self.paths = tuple(paths)
        self.recursive = recursive
        self._report = report
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="transcripts-eye", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ask it to end; it does within a few milliseconds and reports nothing more that matters."""
        self._stop.set()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _run(self) -> None:
        from watchfiles._rust_notify import RustNotify  # with its thread pools it takes time to load

        notify = None
        try:
            notify = RustNotify([os.fsdecode(path) for path in self.paths], False, False, 0, self.recursive, True)
            self._report(self, set())
            changed = time.monotonic()
            while not self._stop.is_set():
                rests = time.monotonic() - changed > RESTING_AFTER
                found = notify.watch(DEBOUNCE, RESTING_STEP if rests else STEP, PATIENCE, self._stop)
                if isinstance(found, set) and found:
                    changed = time.monotonic()
                    self._report(self, {os.fsencode(path) for _, path in found})
        except (OSError, RuntimeError, ValueError) as error:  # limits, missing paths, its own failures, odd names
            self._report(self, error)
        finally:
            if notify is not None:
                notify.close()
