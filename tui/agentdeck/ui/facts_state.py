"""What the deck knows from transcripts, folded from the hub's pushes. Pure: values in, values out.

Facts belong to a key: the id of one of our sessions, or `provider:id` of one that was started elsewhere and is only
watched. Lines of a feed are kept up to a bound; a line that is told again (its call has returned) replaces itself.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from pathlib import PurePath
from types import MappingProxyType
from typing import Final

from agentdeck.protocol import messages as m
from agentdeck.protocol.facts import Facts, FactsChanged, FactsGone, FeedLine, FeedLines, Limit, Spent
from agentdeck.ui.amounts import cost_of

KEPT: Final = 2000
"""Lines of one feed; older ones can be asked for again."""

_STATES: Final = {"working": "working", "idle": "idle", "ended": "exited", "needs_you": "needs_you"}
"""What a transcript tells of a state, as one of the deck's states; anything else is unknown."""


def _no_facts() -> Mapping[str, Facts]:
    return MappingProxyType({})


def _no_feeds() -> Mapping[str, tuple[FeedLine, ...]]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class FactsState:
    known: Mapping[str, Facts] = field(default_factory=_no_facts)
    feeds: Mapping[str, tuple[FeedLine, ...]] = field(default_factory=_no_feeds)
    """By key, oldest first."""

    @property
    def watched(self) -> tuple[Facts, ...]:
        """Sessions that were started elsewhere, in an order that their news do not change."""
        return tuple(
            sorted((f for f in self.known.values() if f.watched), key=lambda facts: (facts.started, facts.key))
        )

    def feed(self, key: str) -> tuple[FeedLine, ...]:
        return self.feeds.get(key, ())


def fold(state: FactsState, push: m.AnyReply) -> FactsState:
    """Return the state after `push`; the same object when the push changes nothing that is kept here."""
    match push:
        case FactsChanged():
            news = {facts.key: facts for facts in push.facts if state.known.get(facts.key) != facts}
            return replace(state, known={**state.known, **news}) if news else state
        case FactsGone():
            return _without(state, push.key)
        case FeedLines() if push.anew:
            return replace(state, feeds={**state.feeds, push.key: merge((), push.lines)})
        case FeedLines() if push.lines or push.anew:
            before = state.feed(push.key)
            after = merge(() if push.anew else before, push.lines)
            return state if after == before else replace(state, feeds={**state.feeds, push.key: after})
        case m.Gone():
            return _without(state, push.session)
        case _:
            return state


def _without(state: FactsState, key: str) -> FactsState:
    if key not in state.known and key not in state.feeds:
        return state
    known = {k: facts for k, facts in state.known.items() if k != key}
    return replace(state, known=known, feeds={k: lines for k, lines in state.feeds.items() if k != key})


def merge(known: Sequence[FeedLine], told: Sequence[FeedLine]) -> tuple[FeedLine, ...]:
    """Return the lines in order of their numbers, each once, as it was told last; the oldest go beyond `KEPT`.

    Pages of older lines are kept beyond it: somebody is reading them.
    """
    if not told:
        return tuple(known)
    if not known or told[0].n > known[-1].n:
        return (*known, *sorted(told, key=attrgetter("n")))[-KEPT:]
    lines = list(known)
    for line in told:
        place = bisect_left(lines, line.n, key=attrgetter("n"))
        if place < len(lines) and lines[place].n == line.n:
            lines[place] = line
        else:
            lines.insert(place, line)
    return tuple(lines)


def forget_feed(state: FactsState, key: str) -> FactsState:
    """Drop a feed that nobody looks at any more: it is told anew when somebody does."""
    if key not in state.feeds:
        return state
    return replace(state, feeds={k: lines for k, lines in state.feeds.items() if k != key})


@dataclass(frozen=True, slots=True)
class Account:
    """What all sessions together have cost, and what is left of what the providers allow."""

    today: str = ""
    """What today has cost, as words; empty when nothing was used or nobody knows."""
    trend: tuple[float, ...] = ()
    """Dollars of the last days, today last."""
    limits: tuple[Limit, ...] = ()
    """The fullest first."""


def account(facts: Iterable[Facts], spent: Spent, trend: Sequence[float]) -> Account:
    limits = {(each.provider, limit.name): limit for each in facts for limit in each.limits}
    words = ""
    if spent.today_tokens:
        words = cost_of(spent.today_tokens, spent.today_usd, unpriced=spent.unpriced)
    days = (*trend[:-1], spent.today_usd) if trend else ()
    return Account(words, days, tuple(sorted(limits.values(), key=lambda limit: (-limit.used_pct, limit.name))))


def name_of(facts: Facts) -> str:
    """What a watched session is called: its directory, else its provider."""
    return PurePath(facts.cwd).name or facts.provider


def as_session(facts: Facts) -> m.Session:
    """A watched session as one that titles and lists can draw. It has no program that we could reach."""
    return m.Session(
        id=facts.key,
        name=name_of(facts),
        provider=facts.provider,
        cwd=facts.cwd,
        argv=(),
        pid=facts.pid,
        state=_STATES.get(facts.state, "unknown"),
        since=facts.doing_since or facts.last_at,
        started=facts.started,
        title=facts.title or facts.last_prompt,
        resume_id=facts.provider_session,
    )
