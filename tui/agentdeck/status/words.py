"""A state and its evidence in words: for the command line, for the deck, and for a line in a list."""

import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from agentdeck.protocol.attention import Explained
from agentdeck.protocol.messages import Session

MARKS: Final = {"won": ">", "agrees": "+", "differs": "!"}
"""How the part of a signal is marked; one that is silent has no mark."""

_ASKED: Final = ("the screen asks: ", "waits for your word: ")


class SignalRow(NamedTuple):
    mark: str
    source: str
    weight: str
    age: str
    says: str
    part: str


def rows(explained: Explained) -> list[SignalRow]:
    """One for each signal, the columns filled to the same widths."""
    found = [
        (MARKS.get(each.part, " "), each.source, f"{each.weight:.2f}", age_of(each.age), each.says, each.part)
        for each in explained.signals
    ]
    wide = [max((len(row[column]) for row in found), default=0) for column in range(4)]
    return [
        SignalRow(mark, f"{source:<{wide[1]}}", weight, f"{age:>{wide[3]}}", says, part)
        for mark, source, weight, age, says, part in found
    ]


def headline(explained: Explained) -> tuple[str, str]:
    """What it is, and why."""
    who = explained.name or f"{explained.provider} (pid {explained.pid})"
    asks = f" ({explained.asks})" if explained.asks else ""
    until = f" until {clock(explained.until)}" if explained.until is not None else ""
    return f"{who}: {explained.state.replace('_', ' ')}{asks}{until}", f"because {explained.why or 'nothing tells'}"


def age_of(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{seconds:.1f}s"
    if seconds < 7200:
        return f"{seconds:.0f}s" if seconds < 120 else f"{seconds / 60:.0f}m"
    return f"{seconds / 3600:.0f}h"


def clock(at: float) -> str:
    """A time of the next days, as people write it."""
    then = time.localtime(at)
    today = time.localtime()
    same = (then.tm_year, then.tm_yday) == (today.tm_year, today.tm_yday)
    return time.strftime("%H:%M" if same else "%a %H:%M", then)


def question(session: Session) -> str:
    """What a session asks the person, without how that is known; empty when it does not say."""
    if session.state != "needs_you":
        return ""
    if session.status.state == "blocked" and session.status.message:
        return session.status.message
    return next((session.why[len(start) :] for start in _ASKED if session.why.startswith(start)), "")


def summary(sessions: Sequence[Session]) -> str:
    """The whole deck in a few words, what needs the person first; empty when nothing goes on."""
    needs = sum(session.state == "needs_you" for session in sessions)
    works = sum(session.state == "working" for session in sessions)
    parts = [f"{needs} need{'s' * (needs == 1)} you"] if needs else []
    return " · ".join([*parts, *([f"{works} working"] if works else [])])


def progress(sessions: Sequence[Session]) -> int:
    """The deck as an OSC 9;4 state: 4 (somebody is waited for), 3 (something works) or 0."""
    states = {session.state for session in sessions}
    return 4 if "needs_you" in states else 3 if "working" in states else 0
