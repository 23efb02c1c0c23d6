"""When a session that nobody uses is stopped.

It is one that has been quiet for `limits.idle` seconds: no output, no input, nobody watching, no CPU. It is warned of
before. A session that works, waits for somebody, or is marked to be kept is never stopped, however long it takes.
"""

from dataclasses import dataclass
from typing import Final

from agentdeck.config import Limits

EXEMPT: Final = frozenset({"starting", "working", "needs_you", "limited"})

WARNED_CHECK: Final = 15.0
"""Seconds between two looks while a warning is up: it goes away soon after somebody came back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idleness:
    state: str
    marked: bool
    quiet: float
    """Seconds since anything happened, on a clock that stands still while the machine sleeps."""
    promised: float | None = None
    """Seconds until the stop that it was warned of, when it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleVerdict:
    stop: bool = False
    stop_in: float | None = None
    """Seconds until it will be stopped; set inside the warning time."""
    look_in: float
    """Seconds after which the next look is due."""


def judge_idle(session: Idleness, limits: Limits) -> IdleVerdict:
    """Say what to do about one session. Nothing is stopped that was not warned for the whole warning time."""
    later = limits.idle_check
    if limits.idle <= 0 or session.marked or session.state in EXEMPT:
        return IdleVerdict(look_in=later)
    warning = min(limits.idle_warning, limits.idle / 2)
    until_warning = limits.idle - warning - session.quiet
    if until_warning > 0:
        return IdleVerdict(look_in=min(later, until_warning))
    stop_in = warning if session.promised is None else session.promised
    if stop_in <= 0:
        return IdleVerdict(stop=True, look_in=later)
    return IdleVerdict(stop_in=stop_in, look_in=min(later, WARNED_CHECK, stop_in))
