"""What the hub concludes of sessions, folded from its pushes, and the words for it. Pure: values in, values out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from types import MappingProxyType
from typing import Final

from agentdeck.protocol import messages as m
from agentdeck.protocol.facts import FactsGone
from agentdeck.protocol.insight import Alert, Conflict, Insight, InsightChanged
from agentdeck.ui.figures import clean, count, cut

WORDS: Final = {"loop": "loop", "undo": "undoing", "error": "same error", "stall": "stalled", "memory": "memory"}
"""What an alert is called where there is room for a word."""

FACTORS: Final = ("context", "age", "rest", "errors")
"""What a health score is made of, in the order of its factors."""

STATUS_INKS: Final = {"healthy": "working", "warning": "needs-you", "critical": "error"}

TITLE: Final = 24
"""Cells of a title that stands for a name."""

Names = Callable[[str], str]
"""Key → what people call the session."""


def _nothing() -> Mapping[str, Insight]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class InsightState:
    known: Mapping[str, Insight] = field(default_factory=_nothing)

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """Each file once, the newest first."""
        found: dict[str, Conflict] = {}
        for insight in self.known.values():
            for conflict in insight.conflicts:
                if conflict.path not in found or found[conflict.path].at < conflict.at:
                    found[conflict.path] = conflict
        return tuple(sorted(found.values(), key=lambda each: (-each.at, each.path)))


def fold(state: InsightState, push: m.AnyReply) -> InsightState:
    """Return the state after `push`; the same object when the push changes nothing that is kept here."""
    match push:
        case InsightChanged():
            news = {each.key: each for each in push.insights if state.known.get(each.key) != each}
            return replace(state, known={**state.known, **news}) if news else state
        case FactsGone(key=key) | m.Gone(session=key) if key in state.known:
            return replace(state, known={k: each for k, each in state.known.items() if k != key})
        case _:
            return state


def word(insight: Insight | None) -> str:
    """The worst of it in a word or two; empty when nothing is wrong."""
    if insight is None:
        return ""
    if insight.alerts:
        return WORDS.get(insight.alerts[0].kind, clean(insight.alerts[0].kind))
    return "conflict" if insight.conflicts else ""


def sentences(insight: Insight | None, name_of: Names) -> list[str]:
    """What is wrong with a session and what to do about it, a sentence each."""
    if insight is None:
        return []
    found = [said(alert) for alert in insight.alerts]
    for conflict in insight.conflicts:
        others = " and ".join(clean(name_of(key)) for key in conflict.sessions if key != insight.key)
        found.append(f"{clean(PurePath(conflict.path).name)} was changed by {others}, too; let one of them finish it")
    return found


def known_as(session: m.Session) -> str:
    """What a session is called beside others: of those that are only watched many run in one directory."""
    title = " ".join(session.title.split()) if ":" in session.id else ""
    return cut(clean(title), TITLE) or session.name


def said(alert: Alert) -> str:
    return clean(f"{alert.evidence}; {alert.advice}")


def factors(insight: Insight) -> list[tuple[str, int]]:
    """The four factors by name, in percent: 100 is all well."""
    return [(name, round(100 * value)) for name, value in zip(FACTORS, insight.factors, strict=False)]


def left(insight: Insight | None) -> str:
    """What outlived the session, as a sentence; empty when nothing did."""
    if insight is None or not insight.remains:
        return ""
    names = ", ".join(f"{clean(each.name)} (pid {each.pid})" for each in insight.remains)
    return f"{count(len(insight.remains), 'process goes', 'processes go')} on after its end: {names}"


def age(seconds: float) -> str:
    """How long ago sessions met in a file: `now`, `3 min`, `1 h`."""
    if seconds < 60:
        return "now"
    return f"{int(seconds // 60)} min" if seconds < 3600 else f"{int(seconds // 3600)} h"
