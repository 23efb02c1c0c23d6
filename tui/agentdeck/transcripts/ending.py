"""When is a session over? No CLI says so reliably, so every signal has its own confidence, and the surest one counts.

Pure: whoever watches processes, descriptors and transcripts brings the signs; what follows from them is decided here.
A session that has ended may go on all the same: the next event resumes it.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from agentdeck.config import Ending as Settings

IDLE_AFTER: Final = 120.0
"""Seconds without an event, outside of a tool call, after which a session is idle."""

END_AFTER: Final = 30 * 60.0
"""Seconds without an event, and without anybody who could write one, after which it has probably ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How much each sign is worth, between 0 and 1, and how long is long. A confidence of 0 switches a sign off."""

    @classmethod
    def of(cls, config: Settings) -> "Rules":
        """The rules that are configured."""
        return cls(**{field: getattr(config, field) for field in config.__struct_fields__})

    process_gone: float = 0.99
    explicit: float = 0.95
    closed: float = 0.8
    idle: float = 0.5
    idle_after: float = IDLE_AFTER
    end_after: float = END_AFTER
    least: float = 0.5
    """An end that is less sure than this is not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What is known about one session at one moment. None says that nobody can tell."""

    rests: float
    """Seconds since its last event, by a clock that does not jump."""
    process: bool | None = None
    """Whether the process that writes it lives, known by its pid and start time."""
    open: bool | None = None
    """Whether some process has its transcript open; only for a CLI that keeps it open while it runs."""
    explicit: bool = False
    """The last thing it said was that it ends: an end hook, or the person's own exit."""
    pending: bool = False
    """A tool call is under way."""


class Ending(NamedTuple):
    reason: str
    """process_gone, explicit, closed or idle."""
    confidence: float


class Verdict(NamedTuple):
    idle: bool
    ending: Ending | None
    again: float | None
    """Seconds until time alone may change the verdict; None when it cannot."""


def judge(signs: Signs, rules: Rules | None = None) -> Verdict:
    """Conclude from the signs alone. A living process is proof against every guess, but not against an explicit end."""
    rules = rules or Rules()
    found: list[Ending] = []
    if signs.process is False:
        found.append(Ending("process_gone", rules.process_gone))
    if signs.explicit:
        found.append(Ending("explicit", rules.explicit))
    alive = signs.process is True
    may_be_over = not alive and not signs.open
    if signs.open is False and not alive:
        found.append(Ending("closed", rules.closed))
    if may_be_over and signs.rests >= rules.end_after:
        found.append(Ending("idle", rules.idle))
    surest = max(found, key=lambda ending: ending.confidence, default=None)
    if surest is not None and (surest.confidence < rules.least or surest.confidence <= 0):
        surest = None
    idle = signs.rests >= rules.idle_after and not signs.pending
    waits = [rules.idle_after] if not signs.pending else []
    waits += [rules.end_after] if may_be_over and surest is None and rules.idle >= rules.least else []
    return Verdict(idle, surest, min((wait - signs.rests for wait in waits if wait > signs.rests), default=None))


def surer(ending: Ending | None, before: Ending | None) -> bool:
    """Whether an end is worth telling after an earlier one."""
    return ending is not None and (before is None or ending.confidence > before.confidence)
