"""What transcripts tell, on the board: the event feed, the token panel, and who is watched.

It holds what the hub pushed and draws it; what a person does with it is in `telling.py`.
"""

from collections.abc import Iterable
from typing import Final

from textual.widget import Widget

from agentdeck.protocol import messages as m
from agentdeck.protocol.facts import Facts, Spent
from agentdeck.protocol.insight import Insight
from agentdeck.ui import facts_state, insight_state
from agentdeck.ui.facts_state import Account, FactsState
from agentdeck.ui.insight_state import InsightState, known_as
from agentdeck.ui.layout import Plan, Rect
from agentdeck.ui.state import DeckState
from agentdeck.ui.widgets.feed import EventFeed
from agentdeck.ui.widgets.token_gauge import TokenPanel

NOTHING_YET: Final = "nothing yet: its first prompt begins the transcript"
NO_TRANSCRIPT: Final = "a shell keeps no transcript"


class Panels:
    def __init__(self) -> None:
        self.told = FactsState()
        self.insight = InsightState()
        self.spent = Spent()
        self.trend: tuple[float, ...] = ()
        self.visitors: dict[str, m.Session] = {}
        """Conversations that the person asked for and that nobody has, by key."""
        self.attached: dict[str, m.Session] = {}
        """Agents that run elsewhere and that the person attached to, by key."""
        self.current = False
        """Whether keys go to the feed."""
        self.feed = EventFeed()
        self.tokens = TokenPanel()

    @property
    def widgets(self) -> Iterable[Widget]:
        return self.feed, self.tokens

    def places(self, plan: Plan) -> list[tuple[Widget, Rect | None]]:
        return [(self.feed, plan.feed), (self.tokens, plan.tokens)]

    def facts(self, session: str) -> Facts | None:
        """What is known of a session; of a conversation that is only read, what is known of the session that has it."""
        known = self.told.known.get(session)
        if known is None and session in self.visitors:
            named = (f for f in self.told.known.values() if f"{f.provider}:{f.provider_session}" == session)
            known = next(named, None)
        return known

    def insight_of(self, session: str) -> Insight | None:
        """What is concluded of a session, or of the one that has the conversation that is read."""
        facts = self.facts(session)
        return self.insight.known.get(facts.key if facts is not None else session)

    def fold(self, push: m.AnyReply) -> bool:
        """Take in what the hub pushed; returns whether anything here changed."""
        if isinstance(push, Spent):
            changed = push != self.spent
            self.spent = push
            return changed
        before, self.told = self.told, facts_state.fold(self.told, push)
        self.insight = insight_state.fold(self.insight, push)
        return self.told is not before

    @property
    def watched(self) -> tuple[m.Session, ...]:
        """Sessions that were started elsewhere, then the conversations that were asked for."""
        running = tuple(self.attached.get(facts.key) or facts_state.as_session(facts) for facts in self.told.watched)
        keys = {session.id for session in running}
        more = {**self.visitors, **self.attached}
        return (*running, *(session for key, session in more.items() if key not in keys))

    @property
    def account(self) -> Account:
        return facts_state.account(self.told.known.values(), self.spent, self.trend)

    def draw(self, plan: Plan, deck: DeckState, account: Account, now: float) -> None:
        self.current = self.current and plan.feed is not None
        session = deck.session
        if plan.feed is not None:
            self.feed.frame(plan.band in ("sidebar", "rail"))
            shown_elsewhere = plan.tokens is not None or plan.gauges is not None
            insight = self.insight_of(deck.selected)
            self.feed.warn(insight_state.sentences(insight, lambda key: _known_as(deck, key)))
            self.feed.foot(None if shown_elsewhere else self.facts(deck.selected), now)
            self.feed.show(
                deck.selected,
                _name(deck, session) if session is not None else "",
                self.told.feed(deck.selected),
                current=self.current,
                nothing=NO_TRANSCRIPT if session is not None and session.provider == "shell" else NOTHING_YET,
            )
        if plan.tokens is not None:
            names = {listed.id: _name(deck, listed, known_as(listed)) for listed in deck.listed}
            today = f"{account.today} today" if account.today else ""
            self.tokens.show(self.told.known, names, deck.selected, today, now, self.insight_of(deck.selected))


def _known_as(deck: DeckState, key: str) -> str:
    session = deck.find(key)
    return known_as(session) if session is not None else key


def _name(deck: DeckState, session: m.Session, known_as: str = "") -> str:
    return f"{deck.number(session.id) or ''} {known_as or session.name}".strip()
