"""What speaks for a state: every source that there is, as values. Times are unix seconds, 0 when it never happened."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from agentdeck.protocol.messages import ProgramStatus, Progress
from agentdeck.status.rules import Reading
from agentdeck.status.turn import Turn

BUSY: Final = frozenset({"working", "needs_you", "limited"})
"""States whose end is worth a look."""

REST: Final = "rest"
"""What a signal says when a turn is over or there was none: `done` until somebody has looked, `idle` afterwards."""

_SILENT: Final = ProgramStatus()
_NO_PROGRESS: Final = Progress()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFile:
    """What a CLI's own session file says. `at` is when it last changed its status, unix time."""

    status: str
    """idle, busy, waiting, shell (an empty prompt with a background command), or empty."""
    waiting_for: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A call that waits for the person's word at our own gate, or for which the CLI asks through its hook."""

    what: str
    at: float
    asks: str = "approval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """Everything that speaks for a state of one session."""

    started: float
    before: str = "starting"
    """The state until now."""
    before_why: str = ""
    before_asks: str = ""
    since: float = 0.0
    """When that began."""
    turned: bool = False
    """It has worked since it last rested: only the end of a turn is worth a look."""
    worked_at: float = 0.0
    """When it last began to work: what a transcript said of an earlier end is past."""
    ended: bool = False
    exit_status: int | None = None
    problem: str = ""
    ran: bool = True
    """Whether the program itself was ever running."""
    held: Held | None = None
    status: ProgramStatus = _SILENT
    file: SessionFile | None = None
    reading: Reading | None = None
    """What the rules found on the screen."""
    read_at: float = 0.0
    """When they first found it."""
    turn: Turn | None = None
    hook: str = ""
    """The last event that the CLI told its hooks."""
    hook_at: float = 0.0
    progress: Progress = _NO_PROGRESS
    title: str = ""
    title_at: float = 0.0
    foreground: bool | None = None
    """Whether something else than the shell has the foreground; None when it is no shell or cannot be told."""
    child: str = ""
    """A command that runs below the program in a session of its own, as tools do; empty when none or not looked for."""
    last_output: float = 0.0
    last_input: float = 0.0
    interrupted_at: float = 0.0
    """When the person last pressed a key that interrupts."""
    seen: bool = True
    """Whether somebody has looked since it last stopped working."""


class Signal(NamedTuple):
    """One source and what it says."""

    source: str
    """end, gate, status, file, hook, screen, transcript, progress, title, process or output."""
    state: str
    """A state, `rest`, or empty when it says nothing that decides."""
    says: str
    at: float
    weight: float
    """0 to 1: how much it is believed now. The heaviest decides."""
    asks: str = ""
    until: float | None = None


class Verdict(NamedTuple):
    state: str
    """One of `protocol.messages.STATES`."""
    why: str
    again: float = 0.0
    """Seconds after which time alone may change the verdict; 0 when only a new signal can."""
    asks: str = ""
    """What it needs the person for: approval, question, login, setup."""
    until: float | None = None
    """For `limited`: when the limit is lifted, where that is known."""
    signals: tuple[Signal, ...] = ()
    """All that spoke, heaviest first."""
