"""Who needs the person: explaining a state, a peek with a reply, notifications, and what the terminal itself says."""

from agentdeck.errors import AgentdeckError
from agentdeck.protocol import attention as w
from agentdeck.protocol import facts as f
from agentdeck.protocol import messages as m
from agentdeck.protocol import queue as q
from agentdeck.status import words
from agentdeck.ui import notify, state
from agentdeck.ui.figures import clean
from agentdeck.ui.screens.explain import ExplainScreen
from agentdeck.ui.screens.peek import PeekScreen, last_rows, last_words
from agentdeck.ui.screens.steering import Steering

LOOKED_AT = 60
"""Lines of a conversation's end in which the last message is looked for."""


class Attending(Steering):
    _reports_focus = False
    """The terminal has told once whether somebody looks at it."""
    _looked = True

    # ── why ────────────────────────────────────────────────────────────────────────────────────

    async def action_explain(self) -> None:
        session = self.deck.session
        if session is None:
            return
        ref = session.id if state.is_ours(session) else str(session.pid)
        if ref == "0":
            self.say(f"{session.name}: only its transcript is known, and that says {session.state.replace('_', ' ')}")
            return
        explained = await self.bridge.ask(w.Explain(ref=ref), w.Explained)
        await self.app.push_screen_wait(ExplainScreen(explained))

    # ── a look and a reply ─────────────────────────────────────────────────────────────────────

    async def action_peek(self) -> None:
        session = self.deck.session
        if session is None:
            return
        asks = session.state == "needs_you"
        text = await self._last_of(session, asks)
        wanted = await self.app.push_screen_wait(PeekScreen(session.name, text or "nothing was said yet", asks=asks))
        if wanted is None:
            return
        if wanted.deed == "type":
            self.choose(session.id)
            self.type_into()
        elif not state.is_ours(session):
            self.say(f"{session.name} was started elsewhere: it can only be watched")
        else:
            request = q.Enqueue(sessions=(session.id,), text=wanted.text, now=wanted.deed == "now")
            told = await self.bridge.ask(request, q.Queues)
            self.take_queues(told)
            waiting = [each for each in told.prompts if each.state == "waiting" and each.why]
            if wanted.deed == "queue" and waiting:
                self.say(f"queued: {waiting[-1].why}")

    async def _last_of(self, session: m.Session, asks: bool) -> str:
        """The question that it asks, else what it said last."""
        if not asks:
            try:
                told = await self.bridge.ask(
                    f.ReadConversation(key=session.id, width=94, count=LOOKED_AT), f.Conversation
                )
                if said := last_words(told.lines):
                    return said
            except AgentdeckError:
                pass  # no transcript tells of it: its screen does
        if not state.is_ours(session):
            return ""
        frame = (await self.bridge.ask(m.ReadScreen(session=session.id), m.Screen)).frame
        rows = last_rows([row.text for _, row in sorted(frame.rows, key=lambda numbered: numbered[0])])
        asked = clean(words.question(session)) if asks else ""
        return rows if not asked or asked in rows else f"{asked}\n\n{rows}"

    async def action_mute(self) -> None:
        session = self.deck.own
        if session is None:
            return
        await self.bridge.call(w.Mute(session=session.id, on=not session.muted))
        self.say(f"{session.name}: {'notifications again' if session.muted else 'no notifications'}")

    # ── the terminal ───────────────────────────────────────────────────────────────────────────

    def take_alert(self, alert: w.Alert) -> None:
        """Tell of a session that nobody looks at. In a terminal that is looked at its row and the strip tell."""
        looks = self._looked if self._reports_focus else alert.session == self.deck.selected
        if not looks:
            how = notify.choose(self.config.notify.how, self.env)
            self.desk.send(notify.sequence(how, f"agentdeck: {alert.title}", alert.text))

    def hear_focus(self, on: bool) -> None:
        """The terminal got or lost the focus of the desktop."""
        self._reports_focus, self._looked = True, on
        self.bridge.post(w.Looking(on=on))

    def name_terminal(self) -> None:
        """Let title and progress of the terminal say what the deck says, for whoever sees only these."""
        said = words.summary(self.deck.sessions)
        self.desk.name_terminal(f"agentdeck · {said}" if said else "agentdeck")
        if notify.shows_progress(self.env):
            self.desk.show_progress(words.progress(self.deck.sessions))
