"""What the hub concludes, in the hands of a person: alerts, how a session does, what happened in an absence."""

import time
from contextlib import suppress
from typing import Final

from agentdeck.errors import AgentdeckError
from agentdeck.protocol import insight as i
from agentdeck.protocol import messages as m
from agentdeck.ui import insight_state, state
from agentdeck.ui.amounts import minutes
from agentdeck.ui.figures import count
from agentdeck.ui.insight_state import InsightState
from agentdeck.ui.screens.attending import Attending
from agentdeck.ui.screens.away import Absent, AwayScreen
from agentdeck.ui.screens.health import HealthScreen

AWAY: Final = 5 * 60.0
"""Seconds without anybody looking after which it is told what happened."""

RECENT: Final = 3600.0
"""Seconds that are summed up when somebody asks who was not away."""

SETTLE: Final = 1.5
"""Seconds after the deck opened in which the transcripts are read."""

TELLING: Final = frozenset({"needs_you", "done", "limited", "exited", "error"})
"""States worth a line although nothing else happened."""


class Concluding(Attending):
    _insight_line = 0
    """Which line to the hub we have asked for insights."""
    _away_since = 0.0
    """When the absence began that was told last, or that goes on."""
    _left_at = 0.0
    """When the terminal lost the focus; 0.0 while it has it."""

    def subscribe(self) -> None:
        super().subscribe()
        if self._insight_line != self.bridge.lines:
            first, self._insight_line = not self._insight_line, self.bridge.lines
            self.panels.insight = InsightState()
            self.run_worker(self._watch_insight(first), group="facts")

    async def _watch_insight(self, first: bool) -> None:
        with suppress(AgentdeckError):  # the line broke again: with the next one comes another try
            told = await self.bridge.ask(i.WatchInsight(), i.InsightChanged)
            self.panels.insight = insight_state.fold(self.panels.insight, told)
            self.draw_soon()
            if first and told.left_at and self.now() - told.left_at > AWAY:
                self._away_since = told.left_at
                self.set_timer(SETTLE, lambda: self._tell_absence(told.left_at))

    def take_insight(self, push: i.InsightChanged) -> None:
        before, self.panels.insight = self.panels.insight, insight_state.fold(self.panels.insight, push)
        if self.panels.insight is before:
            return
        for insight in push.insights:
            known = before.known.get(insight.key)
            old = {alert.kind for alert in known.alerts} if known is not None else set()
            for alert in insight.alerts if known is not None else ():  # what was wrong before we looked is no news
                if alert.kind not in old:
                    self.say(f"{self.name_of(insight.key)}: {insight_state.said(alert)}", "warning")
        self.draw_soon()

    # ── how it does ────────────────────────────────────────────────────────────────────────────

    async def action_health(self) -> None:
        session = self.deck.session
        if session is not None:
            screen = HealthScreen(session.name, self.panels.insight_of(session.id), self.name_of)
            await self.app.push_screen_wait(screen)

    def _notes(self, session: m.Session | None) -> tuple[str, ...]:
        notes = super()._notes(session)
        if session is None or state.is_running(session):
            return notes
        left = insight_state.left(self.panels.insight_of(session.id))
        return (left, *notes) if left else notes

    # ── what happened meanwhile ────────────────────────────────────────────────────────────────

    def hear_focus(self, on: bool) -> None:
        super().hear_focus(on)
        if not on:
            self._left_at = self._left_at or self.now()
            return
        left, self._left_at = self._left_at, 0.0
        if left and self.now() - left > AWAY:
            self._away_since = left
            self._tell_absence(left)

    def _tell_absence(self, since: float) -> None:
        self.run_worker(self._see_through(self._absence(since)), group="deeds")

    async def _absence(self, since: float) -> None:
        absent = await self._absent(since)
        if not absent:
            return
        if self.typing or not self.is_current:  # never under the fingers of somebody who types
            did = f"{count(len(absent), 'session', 'sessions')} did something while you were away"
            self.say(f"{did}; {self.keymap.keys_for('away')} tells what")
        else:
            await self._show_absence(since, absent)

    async def action_away(self) -> None:
        since = self._away_since or self.now() - RECENT
        absent = await self._absent(since)
        if absent:
            await self._show_absence(since, absent)
        else:
            self.say(f"nothing happened in the last {minutes(self.now() - since)}")

    async def _show_absence(self, since: float, absent: list[Absent]) -> None:
        clock = time.strftime("%H:%M", time.localtime(since))
        title = "while you were away" if self._away_since else "lately"
        await self.app.push_screen_wait(AwayScreen(f"{title}: since {clock}, {minutes(self.now() - since)}", absent))

    async def _absent(self, since: float) -> list[Absent]:
        """Those that did something, the ones that need the person first."""
        found: list[Absent] = []
        for session in (*self.deck.waiting, *self.deck.listed):
            if any(session.id == each.session.id for each in found):
                continue
            did = None
            with suppress(AgentdeckError):  # no transcript tells of it
                did = await self.bridge.ask(i.ReadAway(key=session.id, since=since), i.AwayTold)
            changed = session.state in TELLING and max(session.since, session.ended or 0.0) > since
            found.append(Absent(session, self.deck.number(session.id), did, changed))
        return [each for each in found if each.happened]

    def name_of(self, key: str) -> str:
        session = self.deck.find(key)
        return insight_state.known_as(session) if session is not None else key
