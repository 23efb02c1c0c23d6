"""How often somebody may do something. One table, for HTTP and for messages on sockets alike."""

import math
import time
from typing import Final

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from agentdeck.share.refusal import RefusedError

LIMITS: Final[dict[str, RateLimitItem]] = {
    "join": RateLimitItemPerMinute(60),
    "join_failed": RateLimitItemPerMinute(10),
    "code_failed": RateLimitItemPerMinute(5, 10),
    "code_failed_by_all": RateLimitItemPerMinute(20),
    "guess": RateLimitItemPerMinute(300),
    "connect": RateLimitItemPerMinute(600),
    "ask": RateLimitItemPerMinute(600),
    "chat": RateLimitItemPerMinute(20),
    "command": RateLimitItemPerMinute(6),
    "interrupt": RateLimitItemPerSecond(1, 2),
    "typing": RateLimitItemPerSecond(2),
    "keys": RateLimitItemPerSecond(50),
    "name": RateLimitItemPerMinute(10),
    "cancel": RateLimitItemPerMinute(30),
    "resume": RateLimitItemPerMinute(30),
    "resync": RateLimitItemPerMinute(60),
    "message": RateLimitItemPerSecond(60),
}
"""By what is done: from one address before somebody has joined, of one person after that."""


class Budget:
    def __init__(self) -> None:
        self._storage = MemoryStorage()
        self._limiter = MovingWindowRateLimiter(self._storage)

    def spend(self, what: str, who: str, *, ref: str = "") -> None:
        """Count one. Raises `RefusedError` when it is one too many."""
        item = LIMITS[what]
        if not self._limiter.hit(item, what, who):
            raise self._too_many(item, what, who, ref)

    def check(self, what: str, who: str) -> None:
        """Raises `RefusedError` when nothing is left, without counting."""
        item = LIMITS[what]
        if not self._limiter.test(item, what, who):
            raise self._too_many(item, what, who, "")

    def note(self, what: str, who: str) -> None:
        """Count one that has happened already."""
        self._limiter.hit(LIMITS[what], what, who)

    def _too_many(self, item: RateLimitItem, what: str, who: str, ref: str) -> RefusedError:
        reset = self._limiter.get_window_stats(item, what, who).reset_time
        wait = float(max(1, math.ceil(reset - time.time())))
        return RefusedError("RATE_LIMITED", ref=ref, retry_after=wait)
