"""How often somebody may do something. One table, for HTTP and for messages on sockets alike.

Counted in moving windows on a clock that nobody can set: a system whose time jumps neither locks anybody out for an
hour nor forgives those who guess.
"""

import math
import time
from collections import deque
from typing import Final, NamedTuple

from agentdeck.share.clock import Clock
from agentdeck.share.refusal import RefusedError


class Limit(NamedTuple):
    most: int
    seconds: float = 60.0


LIMITS: Final[dict[str, Limit]] = {
    "join": Limit(60),
    "join_failed": Limit(10),
    "code_failed": Limit(5, 600.0),
    "code_failed_by_all": Limit(20),
    "guess": Limit(300),
    "connect": Limit(600),
    "ask": Limit(600),
    "chat": Limit(20),
    "command": Limit(6),
    "interrupt": Limit(1, 2.0),
    "typing": Limit(2, 1.0),
    "keys": Limit(50, 1.0),
    "name": Limit(10),
    "cancel": Limit(30),
    "resume": Limit(30),
    "resync": Limit(60),
    "message": Limit(60, 1.0),
}
"""By what is done: from one address before somebody has joined, of one person after that."""

SWEEP: Final = 4096
"""Windows that are kept before those that are over are looked for."""


class Budget:
    def __init__(self, now: Clock = time.monotonic) -> None:
        self._now = now
        self._windows: dict[tuple[str, str], deque[float]] = {}
        self._sweep_at = SWEEP

    def spend(self, what: str, who: str, *, ref: str = "") -> None:
        """Count one. Raises `RefusedError` when it is one too many."""
        self.check(what, who, ref=ref)
        self.note(what, who)

    def check(self, what: str, who: str, *, ref: str = "") -> None:
        """Raises `RefusedError` when nothing is left, without counting."""
        limit, window = LIMITS[what], self._windows.get((what, who))
        if window is not None and len(window) >= limit.most:
            wait = window[0] + limit.seconds - self._now()
            if wait > 0:
                raise RefusedError("RATE_LIMITED", ref=ref, retry_after=float(max(1, math.ceil(wait))))

    def note(self, what: str, who: str) -> None:
        """Count one that has happened already."""
        window = self._windows.get((what, who))
        if window is None:
            if len(self._windows) >= self._sweep_at:
                self._sweep()
            window = self._windows[what, who] = deque(maxlen=LIMITS[what].most)
        window.append(self._now())

    def _sweep(self) -> None:
        now = self._now()
        self._windows = {
            key: window for key, window in self._windows.items() if window[-1] + LIMITS[key[0]].seconds > now
        }
        self._sweep_at = max(SWEEP, 2 * len(self._windows))
