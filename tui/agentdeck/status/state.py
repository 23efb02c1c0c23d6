"""From what a session shows to one state, with its evidence.

Sources, best first: how it ended; what the program reports of itself (OSC 7501); the file in which Claude keeps its
status; a dialog of the first start on the screen; OSC 9;4 progress; the window title; for a shell, what has the
foreground; at last, whether it prints. The first source that says something decides, because mixed sources fight.
A state that nothing supports is `unknown`: a session that seems idle while it waits for an answer is worse than `?`.
"""

import re
import signal
from dataclasses import dataclass
from typing import Final, NamedTuple

from agentdeck.protocol.messages import ProgramStatus, Progress
from agentdeck.providers.base import Provider

STARTING: Final = 10.0
"""Seconds that a program gets to say something of itself."""

ECHO: Final = 0.6
"""Seconds after a key in which output is taken for its echo."""

QUIET: Final = 3.0
"""Seconds without output after which a program that says nothing of itself no longer counts as printing."""

LAG: Final = 0.15
"""Seconds that a session file may come after the title that changes with it: 20-60 ms were measured."""

DOUBT: Final = 5.0
"""Seconds for which a file that contradicts a newer title is read again: a slow disk must not freeze a state."""

LEAVING: Final = 3.0
"""Seconds that a program may take to end after it took back what it said of itself."""

SPOKEN: Final = 120
"""Characters of a program's message that the evidence repeats."""

BUSY: Final = frozenset({"working", "needs_you", "limited"})
"""States whose end is worth a look."""

_SILENT: Final = ProgramStatus()
_NO_PROGRESS: Final = Progress()

SCREEN_ASKS: Final = "the screen asks"
"""How the evidence of a first-start dialog begins."""

_SPINNER: Final = re.compile("[\u2801-\u28ff◐◓◑◒]|\\[ [.!] \\]")

_LIMIT: Final = re.compile(
    r"(usage|rate|session|weekly|hour) limit|limit (reached|exceeded)|quota|\b429\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFile:
    """What a CLI's own session file says. `at` is when it last changed its status, unix time."""

    status: str
    """idle, busy, waiting, shell (an empty prompt with a background command), or empty."""
    waiting_for: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """Everything that speaks for a state. Times are unix seconds, 0 when it never happened."""

    started: float
    before: str = "starting"
    """The state until now: the end of a turn is `done` only if there was one."""
    before_why: str = ""
    ended: bool = False
    exit_status: int | None = None
    problem: str = ""
    ran: bool = True
    """Whether the program itself was ever running."""
    status: ProgramStatus = _SILENT
    file: SessionFile | None = None
    dialog: str = ""
    """The words of a known first-start dialog that are on the screen."""
    progress: Progress = _NO_PROGRESS
    title: str = ""
    title_at: float = 0.0
    foreground: bool | None = None
    """Whether something else than the shell has the foreground; None when it is no shell or cannot be told."""
    last_output: float = 0.0
    last_input: float = 0.0
    seen: bool = True
    """Whether somebody has looked since it last stopped working."""


class Verdict(NamedTuple):
    state: str
    """One of `protocol.messages.STATES`."""
    why: str
    again: float = 0.0
    """Seconds after which time alone may change the verdict; 0 when only a new signal can."""


def judge(signals: Signals, provider: Provider, now: float) -> Verdict:
    if signals.ended:
        return _ended(signals)
    if provider.foreground and signals.foreground is False:
        return _rest(signals, "the shell shows its prompt")
    return (
        _reported(signals)
        or _filed(signals, provider, now)
        or _asking(signals)
        or _progressing(signals)
        or _titled(signals, provider, now)
        or _foreground(signals)
        or _leaving(signals, now)
        or _printing(signals, provider, now)
    )


def find_dialog(screen: str, provider: Provider) -> str:
    """Return the words of the first-start dialog that this screen shows, or an empty string."""
    found = next((match for dialog in provider.dialogs if (match := dialog.search(screen))), None)
    return " ".join(found[0].split()) if found else ""


def _ended(signals: Signals) -> Verdict:
    if not signals.ran and signals.problem:
        return Verdict("error", signals.problem)
    status = signals.exit_status
    if status is None:
        return Verdict("exited", signals.problem or "ended, and nobody saw how")
    return Verdict("exited", f"exit status {status}{_signal_name(status)}")


def _signal_name(status: int) -> str:
    try:
        return f" ({signal.Signals(status - 128).name})" if status > 128 else ""
    except ValueError:
        return ""


def _rest(signals: Signals, why: str) -> Verdict:
    """A turn is over, or there was none: `done` until somebody has looked."""
    if _had_turn(signals) or signals.before == "done":
        return Verdict("idle" if signals.seen else "done", why)
    return Verdict("idle", why)


def _had_turn(signals: Signals) -> bool:
    """Whether what it did until now was a turn, and not a dialog of its first start."""
    return signals.before in BUSY and not signals.before_why.startswith(SCREEN_ASKS)


def _reported(signals: Signals) -> Verdict | None:
    status = signals.status
    message = f": {status.message[:SPOKEN]}" if status.message else ""
    match status.state:
        case "blocked":
            return Verdict("needs_you", f"asks for {status.kind or 'an answer'}{message}")
        case "working":
            return Verdict("working", f"reports working{message}")
        case "error" if _LIMIT.search(status.message):
            return Verdict("limited", f"reports a limit{message}")
        case "error":
            return Verdict("error", f"reports an error{message}")
        case "done":
            return _rest(signals, "reports done")
        case "idle":
            return Verdict("idle", "reports idle")
        case _:
            return None


def _filed(signals: Signals, provider: Provider, now: float) -> Verdict | None:
    """The title changes a moment before the file does: until the file has caught up, a title that works is believed
    and one that rests is not."""
    file = signals.file
    if file is None or not file.status:
        return None
    works = _title_state(signals, provider) == "working"
    title_age = now - signals.title_at
    newer = signals.title_at > file.at
    if newer and title_age < LAG:
        if works:
            why = signals.before_why if signals.before == "working" else _title_evidence(signals)
            return Verdict("working", why, LAG - title_age + 0.01)
        return Verdict(signals.before, signals.before_why, LAG - title_age + 0.01)
    again = 0.5 if newer and title_age < DOUBT and works != (file.status == "busy") else 0.0
    match file.status:
        case "waiting":
            return Verdict("needs_you", f"its session file: waits for {file.waiting_for or 'an answer'}", again)
        case "busy":
            return Verdict("working", "its session file: busy", again)
        case "shell":
            return Verdict("working", "its session file: a background command runs", again)
        case "idle":
            return _rest(signals, "its session file: idle")._replace(again=again)
        case _:
            return None


def _asking(signals: Signals) -> Verdict | None:
    return Verdict("needs_you", f"{SCREEN_ASKS}: {signals.dialog}") if signals.dialog else None


def _progressing(signals: Signals) -> Verdict | None:
    progress = signals.progress
    if progress.state == 1:
        return Verdict("working", f"reports progress: {progress.percent} %")
    return Verdict("working", "reports progress") if progress.state == 3 else None


def _title_state(signals: Signals, provider: Provider) -> str:
    return next((rule.state for rule in provider.titles if rule.pattern.search(signals.title)), "")


def _title_evidence(signals: Signals) -> str:
    """Name the title without what turns in it: evidence that changes ten times a second is none."""
    return f"title: {_SPINNER.sub('…', signals.title)}"


def _titled(signals: Signals, provider: Provider, now: float) -> Verdict | None:
    state, why = _title_state(signals, provider), _title_evidence(signals)
    match state:
        case "":
            return None
        case "idle" | "done":
            return _rest(signals, why)
        case "unknown":
            again = 0.5 if now - signals.title_at < DOUBT else 0.0
            if again and not _had_turn(signals):
                return Verdict("starting", "it has not said anything of itself yet", again)
            return Verdict("unknown", f"{why}; it says the same at rest and while it asks", again)
        case _:
            return Verdict(state, why)


def _foreground(signals: Signals) -> Verdict | None:
    return Verdict("working", "a command has the foreground") if signals.foreground else None


def _starting(signals: Signals, now: float) -> Verdict:
    return Verdict(
        "starting", "it has not said anything of itself yet", min(0.5, signals.started + STARTING - now + 0.05)
    )


def _leaving(signals: Signals, now: float) -> Verdict | None:
    """CLIs take back their title and their report just before they end: that is no news of their state."""
    taken_back = max(signals.status.at, 0.0 if signals.title else signals.title_at)
    if signals.before == "starting" or now - taken_back >= LEAVING:
        return None
    return Verdict(signals.before, signals.before_why, LEAVING - (now - taken_back) + 0.05)


def _printing(signals: Signals, provider: Provider, now: float) -> Verdict:
    """Nothing but output to go by: it tells that a program works, never that it rests."""
    speaks = bool(provider.titles) or signals.foreground is not None
    if now - signals.started < STARTING and (speaks or not signals.last_output):
        return _starting(signals, now)
    quiet = now - signals.last_output
    if signals.last_output > signals.last_input + ECHO and quiet < QUIET:
        return Verdict("working", "it prints", max(QUIET - quiet, 0.05))
    if not signals.last_output:
        return Verdict("unknown", "it has not printed anything")
    return Verdict("unknown", "it does not print, and says nothing of what it does")
