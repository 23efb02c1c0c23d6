"""A wall clock that nobody can set: access must end neither early nor late because the system's time was changed.

It is read once from the system's clock and goes on by the time since boot, which also counts while a laptop sleeps.
"""

import time
from collections.abc import Callable

Clock = Callable[[], float]


def _since_boot() -> float:
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(boot) if boot is not None else time.monotonic()


def steady(wall: Clock = time.time, passed: Clock = _since_boot) -> Clock:
    """Return a clock in unix seconds that agrees with `wall` now and never jumps."""
    offset = wall() - passed()
    return lambda: passed() + offset
