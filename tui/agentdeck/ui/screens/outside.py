"""Agents that were started elsewhere, in the hands of a person: attach to one, look at it, take it over when it ended.

They stand among the watched sessions under `provider:id` (or `pid:N` before their first prompt). Where its multiplexer
shows it, the pane has the live screen with the conversation above it; elsewhere the conversation alone.
"""

from contextlib import suppress
from dataclasses import replace
from pathlib import PurePath

from agentdeck.errors import AgentdeckError
from agentdeck.protocol import messages as m
from agentdeck.protocol import outside as o
from agentdeck.ui import glyphs, state
from agentdeck.ui.replica import Replica
from agentdeck.ui.screens.attach import AboutAgent, Chooser, agents_to_choose, candidates_to_choose
from agentdeck.ui.screens.confirm import Confirm
from agentdeck.ui.screens.telling import Telling
from agentdeck.ui.told import Told


class Outside(Telling):
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._attached: dict[int, o.Attached] = {}
        """By pid, as the hub told it last."""
        self._looking: set[int] = set()
        """Whose screens the hub pushes."""
        self._attached_on = 0
        """The line to the hub on which they were asked for."""

    # ── attaching ──────────────────────────────────────────────────────────────────────────────

    async def action_attach(self) -> None:
        """About the selected one if it is watched, else choose one to watch."""
        attached = self._selected_agent()
        if attached is None:
            await self._choose_agent()
        elif attached.agent.state == "gone":
            await self._adopt(attached)
        else:
            about = AboutAgent(attached, self.panels.facts(attached.agent.key), self.now())
            await self.app.push_screen_wait(about)
            if about.another:
                await self._choose_agent()

    async def _choose_agent(self) -> None:
        found = await self.bridge.ask(o.ListAgents(), o.Agents)
        rows = agents_to_choose(found.agents, self.now())
        if not rows:
            self.say("no agent runs outside of agentdeck")
            return
        chosen = await self.app.push_screen_wait(Chooser("watch an agent that runs elsewhere", rows))
        if chosen is not None:
            await self.attach(int(chosen))

    async def attach(self, pid: int) -> None:
        """Watch a process and select it. Raises `SessionError` when it cannot be watched."""
        await self._show_agent(await self.bridge.ask(o.Attach(pid=pid), o.Attached))

    async def _show_agent(self, attached: o.Attached) -> None:
        if attached.agent.how == "ambiguous" and not attached.agent.session:
            attached = await self._ask_which(attached)
        self._attached_on = self.bridge.lines
        self.take_attached(attached)
        self.choose(attached.agent.key)
        self.draw()  # it may have been selected already, as one that is only watched
        self.watch_sessions()
        if attached.agent.screen_why:
            self.say(f"its screen cannot be seen: {attached.agent.screen_why}")

    async def attach_first(self, pid: int) -> None:
        """Watch a process as the deck begins. Raises `SessionError`; what is to be shown waits until it is drawn."""
        attached = await self.bridge.ask(o.Attach(pid=pid), o.Attached)
        self.call_after_refresh(self._begin_with, attached)

    def _begin_with(self, attached: o.Attached) -> None:
        self.run_worker(self._see_through(self._show_agent(attached)), group="deeds")

    async def _ask_which(self, attached: o.Attached) -> o.Attached:
        agent = attached.agent
        rows = candidates_to_choose(
            agent.candidates, lambda session: self.panels.facts(f"{agent.provider}:{session}"), self.now()
        )
        words = f"Nothing tells for sure which one process {agent.pid} has: {agent.why}."
        chosen = await self.app.push_screen_wait(Chooser("which conversation is its own?", rows, words))
        if chosen is None:
            return attached
        return await self.bridge.ask(o.Attach(pid=agent.pid, session=chosen), o.Attached)

    def _selected_agent(self) -> o.Attached | None:
        return next((each for each in self._attached.values() if each.agent.key == self.deck.selected), None)

    # ── the hub's news ─────────────────────────────────────────────────────────────────────────

    def take_attached(self, push: o.Attached) -> None:
        """Take in what the hub tells of an agent that we watch."""
        before = self._attached.get(push.agent.pid)
        self._attached[push.agent.pid] = push
        selected, key = self.deck.selected, push.agent.key
        if before is not None and before.agent.key != key:
            self.panels.attached.pop(before.agent.key, None)
            self.replicas.pop(before.agent.key, None)
        self.panels.attached[key] = as_session(push)
        self.deck = state.watch(self.deck, self.panels.watched)
        if before is not None and selected == before.agent.key != key:
            self.choose(key)
        if before is not None and before.agent.state != push.agent.state:
            self.watch_sessions()
        self.draw_soon()

    def subscribe(self) -> None:
        super().subscribe()
        if self._attached and self._attached_on != self.bridge.lines:
            self._attached_on, self._looking = self.bridge.lines, set()
            for attached in self._attached.values():
                self.run_worker(self._attach_again(attached.agent), group="facts")

    async def _attach_again(self, agent: o.Agent) -> None:
        with suppress(AgentdeckError):  # it has ended while there was no hub: what was seen of it stays
            session = agent.session if agent.how == "chosen" else ""
            self.take_attached(await self.bridge.ask(o.Attach(pid=agent.pid, session=session), o.Attached))
            self.watch_sessions()

    # ── looking ────────────────────────────────────────────────────────────────────────────────

    def replica(self, session: str) -> Replica:
        """A screen for an agent whose screen can be seen, else its conversation."""
        attached = next((each for each in self._attached.values() if each.agent.key == session), None)
        seen = attached is not None and bool(attached.agent.screen) and attached.agent.state != "gone"
        known = self.replicas.get(session)
        if seen and (known is None or isinstance(known, Told)):
            self.replicas[session] = Replica(session)
        elif attached is not None and not seen and known is not None and not isinstance(known, Told):
            del self.replicas[session]
        return super().replica(session)

    def watch_sessions(self) -> None:
        super().watch_sessions()
        shown = {session.id for session in self.shown}
        wanted = {
            pid
            for pid, each in self._attached.items()
            if each.agent.key in shown and each.agent.screen and each.agent.state != "gone"
        }
        for pid in self._looking ^ wanted:
            self.run_worker(self._look(pid, on=pid in wanted), group="facts")
        self._looking = wanted

    async def _look(self, pid: int, *, on: bool) -> None:
        with suppress(AgentdeckError):
            await self.bridge.call(o.LookAt(pid=pid, on=on))

    def draw(self) -> None:
        if self._attached:
            usages = dict(self.deck.usages)
            for each in self._attached.values():
                usages[each.agent.key] = m.Usage(cpu=each.cpu, rss=each.rss, processes=len(each.processes))
            self.deck = replace(self.deck, usages=usages)
        super().draw()

    def _notes(self, session: m.Session | None) -> tuple[str, ...]:
        attached = self._selected_agent() if session is not None and session.id == self.deck.selected else None
        if attached is None:
            return super()._notes(session)
        dot = glyphs.active().dot
        if attached.agent.state == "gone":
            return (f"its process has ended {dot} {self.keymap.keys_for('attach')} resumes its conversation here",)
        if attached.agent.screen and not attached.agent.screen_why:
            return ()
        return (f"its screen cannot be seen: {attached.agent.screen_why}",)

    # ── taking over ────────────────────────────────────────────────────────────────────────────

    async def _adopt(self, attached: o.Attached) -> None:
        agent = attached.agent
        words = (
            f"Process {agent.pid} has ended. {agent.provider} goes on with the same conversation here,\nin {agent.cwd}."
        )
        if not await self.app.push_screen_wait(Confirm("resume it here", words, "Resume")):
            return
        columns, rows = self.pane_size
        done = await self.bridge.ask(o.Adopt(pid=agent.pid, env=dict(self.env), cols=columns, rows=rows), m.Done)
        self._attached.pop(agent.pid, None)
        self.panels.attached.pop(agent.key, None)
        self.bridge.post(o.Detach(pid=agent.pid))
        self.deck = state.watch(self.deck, self.panels.watched)
        await self.arrived(done.session)


def as_session(attached: o.Attached) -> m.Session:
    """An agent that is only watched as one that titles and lists can draw."""
    agent = attached.agent
    return m.Session(
        id=agent.key,
        name=PurePath(agent.cwd).name or agent.provider,
        provider=agent.provider,
        cwd=agent.cwd,
        argv=(),
        pid=agent.pid,
        state="exited" if agent.state == "gone" else agent.state,
        why=agent.state_why,
        started=agent.began,
        ended=agent.began if agent.state == "gone" else None,
        resume_id=agent.session,
    )
