"""How long a test waits before it gives up. A deadline only ends a broken test; it never measures anything."""

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def patient(seconds: float) -> float:
    """Stretch a deadline by AGENTDECK_TEST_PATIENCE, for slow machines."""
    return seconds * float(os.environ.get("AGENTDECK_TEST_PATIENCE", "1"))


def until(condition: Callable[[], T], seconds: float = 20.0, *, what: str = "") -> T:
    """Call `condition` until it returns something true, and return that."""
    deadline = time.monotonic() + patient(seconds)
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain: {what or condition}; last: {result!r}")
        time.sleep(0.03)
    return result
