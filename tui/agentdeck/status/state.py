"""From what a session shows to one state, with its evidence.

Every source (`status.sources`) says what it says, with an age and a weight; the heaviest decides, because mixed sources
fight. Changes are held back by evidence, not by timers: a rest that is younger than the lag between two sources of one
program waits for the other. Sources that together outweigh the decision, and have said otherwise for a while, make it
`unknown`: a session that seems idle while it waits for an answer is worse than `?`.
"""

import re
import signal
from typing import Final

from agentdeck.providers.base import Provider
from agentdeck.status.signals import BUSY, REST, SessionFile, Signal, Signals, Verdict
from agentdeck.status.sources import ECHO, QUIET, SPINNER, SPOKEN, STILL, title_state, told
from agentdeck.status.turn import Turn

__all__ = ["BUSY", "ECHO", "QUIET", "SessionFile", "Signal", "Signals", "Verdict", "differs", "judge"]

STARTING: Final = 10.0
"""Seconds that a program gets to say something of itself."""

LAG: Final = 0.15
"""Seconds that a session file may come after the title that changes with it: 20-60 ms were measured."""

PAUSE: Final = 0.08
"""Seconds for which a session file may say idle between two turns, when a prompt is queued: 15-32 ms were measured."""

LATE: Final = 1.0
"""Seconds that a session file may come after a title that says that it works: on a busy machine 220 ms were seen."""

BLINK: Final = 0.05
"""Seconds for which a program must report that it works: some do so for a moment at their start."""

LOOK: Final = 0.05
"""Seconds between two looks while a source is waited for."""

STEADY: Final = 0.1
"""Seconds for which a dialog must be on the screen: half a frame is none."""

DOUBT: Final = 5.0
"""Seconds for which sources that say otherwise are taken for late."""

LEAVING: Final = 3.0
"""Seconds that a program may take to end after it took back what it said of itself."""

EARLY: Final = 0.5
"""Seconds that a transcript may tell of a turn before it was seen to begin."""

INTERRUPT: Final = 3.0
"""Seconds after a key that interrupts in which the end of a turn is its work."""

DECIDES: Final = 0.3
"""The weight that a source needs to decide."""

_RESTS: Final = frozenset({REST, "idle", "error", "limited"})
_BACKGROUND: Final = re.compile(r"background|shells? still running")


def judge(signals: Signals, provider: Provider, now: float) -> Verdict:
    if signals.ended:
        verdict = _ended(signals)
        return verdict._replace(signals=(Signal("end", verdict.state, verdict.why, 0.0, 1.0),))
    if provider.foreground and signals.foreground is False:
        prompt = Signal("process", REST, "the shell shows its prompt", 0.0, 0.99)
        return _rest(signals, prompt.says, now)._replace(signals=(prompt,))
    spoken = told(signals, provider, now)
    winner = next((each for each in spoken if each.state and each.weight >= DECIDES), None)
    if winner is None or winner.source == "output":
        verdict = _leaving(signals, now) or _silent(signals, provider, winner, now)
    else:
        verdict = _hold(signals, provider, winner, now) or _conclude(signals, provider, winner, spoken, now)
    return verdict._replace(signals=tuple(spoken))


def differs(one: Signal, winner: Signal) -> bool:
    """Whether a source says what cannot be true together with the one that decides."""
    if not one.state or one.state == winner.state or (one.state in _RESTS and winner.state in _RESTS):
        return False
    if one.source == "output" or winner.source == "gate":
        return False  # output echoes and says good-bye; a call is held before the CLI knows that somebody is asked
    if winner.state == "needs_you" and one.state == "working":
        return one.source in ("status", "screen")  # the others do not stop for a question
    return not (winner.state == "working" and _BACKGROUND.search(winner.says))


def _conclude(signals: Signals, provider: Provider, winner: Signal, spoken: list[Signal], now: float) -> Verdict:
    against = [each for each in spoken if each.weight >= DECIDES and differs(each, winner)]
    ages = [now - max(each.at, winner.at) for each in against]
    steady = [each for each, age in zip(against, ages, strict=True) if age >= DOUBT]
    if sum(each.weight for each in steady) > winner.weight:
        return Verdict("unknown", f"{winner.says}, but {' and '.join(each.says for each in steady)}")
    late = [DOUBT - age for age in ages if 0 <= age < DOUBT]
    title_age, works = now - signals.title_at, title_state(signals, provider) == "working"
    if winner.source == "file" and works != (winner.state == "working") and signals.title_at > winner.at:
        late += [DOUBT - title_age] if 0 <= title_age < DOUBT else []  # nothing would tell of the file
    again = min(0.5, min(late) + 0.01) if late else 0.0
    verdict = _stated(signals, winner, spoken, now)
    return verdict._replace(again=min((each for each in (verdict.again, again) if each), default=0.0))


def _stated(signals: Signals, winner: Signal, spoken: list[Signal], now: float) -> Verdict:
    match winner.state:
        case "limited":
            return _limited(signals, winner.says, winner.until, now)
        case "working":
            retrying = next((each.says for each in spoken if each.source == "screen" and "etrying" in each.says), "")
            return Verdict("working", f"{winner.says}; {retrying}" if retrying else winner.says)
        case "needs_you":
            asked = next((each for each in spoken if each.asks == "question" and each.source != "file"), winner)
            better = winner.source == "gate" and asked.source in ("screen", "status")  # a question is no call to allow
            return Verdict("needs_you", asked.says if better else winner.says, asks=asked.asks)
        case "starting":
            return Verdict("starting", winner.says)
        case "idle" if signals.turn is None or not signals.turn.limited:
            return Verdict("idle", winner.says)
        case "error" if winner.source == "status":
            return Verdict("error", winner.says)
        case _:
            return _rest(signals, winner.says, now)


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


def _rest(signals: Signals, why: str, now: float) -> Verdict:
    """A turn is over, or there was none: `done` until somebody has looked, unless the transcript knows better."""
    turn = _last_turn(signals)
    if turn is not None and turn.error:
        if turn.limited:
            return _limited(signals, f"the turn ended with a limit: {turn.error[:SPOKEN]}", turn.until, now)
        return Verdict("error", f"the turn ended with an error: {turn.error[:SPOKEN]}")
    told = signals.status.state == "done" and signals.status.at > signals.since
    if signals.before == "done" or told or (signals.turned and not _was_interrupted(signals, now)):
        return Verdict("idle" if signals.seen else "done", why)
    return Verdict("idle", why)


def _was_interrupted(signals: Signals, now: float) -> bool:
    """Who ends a turn with a key has seen its end."""
    by_key = signals.interrupted_at > signals.worked_at and now - signals.interrupted_at < INTERRUPT
    turn = _last_turn(signals)
    return by_key or (turn is not None and turn.interrupted)


def _last_turn(signals: Signals) -> Turn | None:
    """What the transcript says of the turn that is over; None when that is of an earlier one."""
    turn = signals.turn
    return turn if turn is not None and not turn.open and turn.at >= signals.worked_at - EARLY else None


def _limited(signals: Signals, why: str, until: float | None, now: float) -> Verdict:
    if until is not None and until <= now:
        return Verdict("idle" if signals.seen else "done", f"{why}; it should be lifted by now")
    return Verdict("limited", why, min(until - now + 0.5, 3600.0) if until is not None else 0.0, until=until)


def _hold(signals: Signals, provider: Provider, winner: Signal, now: float) -> Verdict | None:
    """Stay with the state until now when the evidence is too young to be the whole of it.

    A title changes a moment before or after the session file of the same program. A CLI with a queued prompt rests for
    some 50 ms between two turns. A dialog is drawn line by line.
    """
    rests, age = winner.state in _RESTS, now - winner.at
    wait = 0.0
    if winner.source == "file":
        works, title_age = title_state(signals, provider) == "working", now - signals.title_at
        lags = signals.title_at > winner.at and 0 <= title_age < (LATE if works else LAG)
        if (lags and works != (winner.state == "working")) or (works and rests and 0 <= age < LAG):
            if works and signals.before != "working":
                return Verdict("working", f"title: {SPINNER.sub('…', signals.title)}", LOOK)
            wait = LOOK
        elif rests and signals.before in BUSY and 0 <= age < PAUSE:
            wait = PAUSE - age + 0.01
    elif winner.source == "status" and winner.state == "working" and signals.before not in BUSY and 0 <= age < BLINK:
        wait = BLINK - age + 0.01 if now - signals.started < STARTING else 0.0
    elif winner.source in ("title", "hook") and rests and signals.before in BUSY and 0 <= age < LAG:
        wait = LAG - age + 0.01
    elif winner.source == "screen" and winner.state != "working" and 0 <= age < STEADY:
        wait = STEADY - age + 0.01
    return Verdict(signals.before, signals.before_why, wait, signals.before_asks) if wait else None


def _leaving(signals: Signals, now: float) -> Verdict | None:
    """CLIs take back their title and their report just before they end: that is no news of their state."""
    taken_back = max(signals.status.at, 0.0 if signals.title else signals.title_at)
    if signals.before == "starting" or not 0 <= now - taken_back < LEAVING:
        return None
    wait = LEAVING - (now - taken_back) + 0.05
    return Verdict(signals.before, signals.before_why, wait, signals.before_asks)


def _silent(signals: Signals, provider: Provider, output: Signal | None, now: float) -> Verdict:
    """Nothing but output to go by: it tells that a program works, never that it rests."""
    speaks = bool(provider.titles) or signals.foreground is not None
    if 0 <= now - signals.started < STARTING and (speaks or not signals.last_output) and not signals.turned:
        wait = min(0.5, signals.started + STARTING - now + 0.05)
        return Verdict("starting", "it has not said anything of itself yet", wait)
    quiet = now - signals.last_output
    if signals.reading is not None and signals.reading.state == "idle" and 0 <= quiet < STILL:
        if signals.before == "needs_you":
            return Verdict("working", "its dialog is gone", STILL - quiet + 0.01)
        return Verdict(signals.before, signals.before_why, STILL - quiet + 0.01)
    if output is not None:
        return Verdict("working", output.says, max(QUIET - quiet, LOOK))
    if title_state(signals, provider) == "unknown":
        again = 0.5 if 0 <= now - signals.title_at < DOUBT else 0.0
        if again and not signals.turned and signals.before != "done":
            return Verdict("starting", "it has not said anything of itself yet", again)
        return Verdict("unknown", "its title says the same at rest and while it asks", again)
    if not signals.last_output:
        return Verdict("unknown", "it has not printed anything")
    return Verdict("unknown", "it does not print, and says nothing of what it does")
