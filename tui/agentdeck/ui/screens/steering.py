"""Prompts and interrupts with their guards: queued until the session is free, and said first what would end."""

from agentdeck.errors import AgentdeckError
from agentdeck.protocol import messages as m
from agentdeck.protocol import queue as q
from agentdeck.ui import state
from agentdeck.ui.figures import count
from agentdeck.ui.screens.outside import Outside
from agentdeck.ui.screens.queue import InterruptScreen, QueueScreen, Wanted, ending


class Steering(Outside):
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.queues: dict[str, tuple[q.Queued, ...]] = {}
        """What waits, by session, as the hub told it last."""
        self._queues_on = 0

    def subscribe(self) -> None:
        super().subscribe()
        if self._queues_on != self.bridge.lines:
            self._queues_on = self.bridge.lines
            self.run_worker(self._watch_queues(), group="facts")

    async def _watch_queues(self) -> None:
        try:
            told = await self.bridge.ask(q.ReadQueue(watch=True), q.Queues)
        except AgentdeckError:
            return  # the line broke again: with the next one comes another try
        self.queues = {}
        self.take_queues(told)

    def take_queues(self, push: q.Queues) -> None:
        for session in push.sessions:
            self.queues[session] = tuple(each for each in push.prompts if each.session == session)
        self.draw_soon()

    # ── prompts ────────────────────────────────────────────────────────────────────────────────

    async def action_message(self) -> None:
        session = self.deck.own
        if session is None:
            return
        told = await self.bridge.ask(q.ReadQueue(session=session.id), q.Queues)
        wanted = await self.app.push_screen_wait(QueueScreen(f"message to {session.name}", told.prompts))
        if wanted is not None and wanted.deed == "edit" and not wanted.text:
            prompt = next((each for each in told.prompts if each.n == wanted.n), None)
            if prompt is None:
                return
            wanted = await self.app.push_screen_wait(QueueScreen(f"change prompt {prompt.place}", editing=prompt))
        if wanted is not None:
            await self._do_with_queue((session,), wanted)

    async def action_broadcast(self) -> None:
        marked = tuple(each for each in self.deck.sessions if each.marked and state.is_running(each))
        if not marked:
            self.say(f"mark sessions with {self.keymap.keys_for('mark')} first")
            return
        names = ", ".join(each.name for each in marked)
        title = f"message to {count(len(marked), 'session', 'sessions')}: {names}"
        wanted = await self.app.push_screen_wait(QueueScreen(title))
        if wanted is not None:
            await self._do_with_queue(marked, wanted)

    async def _do_with_queue(self, sessions: tuple[m.Session, ...], wanted: Wanted) -> None:
        ids = tuple(each.id for each in sessions)
        match wanted.deed:
            case "queue" | "now":
                request: m.AnyRequest = q.Enqueue(sessions=ids, text=wanted.text, now=wanted.deed == "now")
            case "edit":
                request = q.EditQueued(n=wanted.n, text=wanted.text)
            case "cancel":
                request = q.CancelQueued(n=wanted.n)
            case "first":
                request = q.MoveQueued(n=wanted.n, place=1)
            case "send":
                if wanted.text:
                    await self.bridge.ask(q.EditQueued(n=wanted.n, text=wanted.text), q.Queues)
                request = q.SendQueued(n=wanted.n)
        told = await self.bridge.ask(request, q.Queues)
        self.take_queues(told)
        waiting = [each for each in told.prompts if each.state == "waiting" and each.why]
        if wanted.deed == "queue" and waiting:
            self.say(f"queued: {waiting[-1].why}")

    # ── interrupts ─────────────────────────────────────────────────────────────────────────────

    async def action_interrupt(self) -> None:
        session = self.deck.own
        if session is None:
            return
        told = await self.bridge.ask(q.AskInterrupt(session=session.id), q.InterruptTold)
        choice: str | None = "now"
        if ending(told):
            choice = await self.app.push_screen_wait(InterruptScreen(session.name, told))
        if choice:
            request = q.GuardedInterrupt(session=session.id, after_tool=choice == "after")
            done = await self.bridge.ask(request, m.Done)
            self.say(f"{session.name}: {done.note}" if done.note else f"interrupted the turn of {session.name}")
