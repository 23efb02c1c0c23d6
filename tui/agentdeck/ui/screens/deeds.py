"""What a person does to sessions: start, restart, interrupt, stop, rename, and the questions that go before.

Each `action_…` is one row of the action table. What changes something for good asks first; what the hub refuses is
told as its own sentence.
"""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from agentdeck import providers
from agentdeck.errors import AgentdeckError
from agentdeck.protocol import messages as m
from agentdeck.ui import state
from agentdeck.ui.figures import count
from agentdeck.ui.screens.board import Board
from agentdeck.ui.screens.confirm import Confirm
from agentdeck.ui.screens.first_contact import FirstContact
from agentdeck.ui.screens.new_session import NewSession, NewSessionChoice, ProviderChoice
from agentdeck.ui.screens.prompt import TextPrompt
from agentdeck.ui.screens.quit import Quit

NO_AGENT: Final = ("shell",)
"""Providers that are no agent CLI: having one of them is not having an agent."""


class Deeds(Board):
    env: Mapping[str, str] = {}
    """The environment that new sessions get, as agentdeck itself was given it."""

    # ── starting ───────────────────────────────────────────────────────────────────────────────

    async def action_new(self) -> None:
        await self._new(ask_prompt=False)

    async def action_new_prompt(self) -> None:
        await self._new(ask_prompt=True)

    async def _new(self, *, ask_prompt: bool) -> None:
        choice = await self.app.push_screen_wait(NewSession(self.choices(), self._here(), ask_prompt))
        if choice is not None:
            await self.start(choice)

    def _here(self) -> str:
        """Where a new session is likely wanted: where the selected one is."""
        selected = self.deck.session
        return selected.cwd if selected is not None and Path(selected.cwd).is_dir() else str(Path.cwd())

    def choices(self) -> list[ProviderChoice]:
        """Every provider, and whether this machine has its program."""
        path = self.env.get("PATH", os.defpath)
        return [
            ProviderChoice(
                name=provider.name,
                label=provider.label,
                found=providers.find_program(provider, path) is not None,
                install=provider.install,
            )
            for provider in providers.known(self.config).values()
        ]

    async def start(self, choice: NewSessionChoice) -> None:
        """Start a session, select it and type into it."""
        columns, rows = self.pane_size
        done = await self.bridge.ask(
            m.Spawn(
                provider=choice.provider,
                cwd=choice.cwd,
                env=dict(self.env),
                name=choice.name,
                prompt=choice.prompt,
                args=tuple(choice.args),
                cols=columns,
                rows=rows,
            ),
            m.Done,
        )
        await self.arrived(done.session)
        if done.note:
            self.say(done.note)

    async def arrived(self, session: str) -> None:
        """Select a session that has just been started."""
        if self.deck.find(session) is None:
            self.take(await self.bridge.ask(m.List(), m.Sessions))
        self.choose(session)
        self.type_into()

    async def action_restart(self) -> None:
        session = self.deck.session
        if session is None:
            return
        if state.is_running(session) and not await self._sure(
            f"restart {session.name}", "It is running. It is stopped first, with all its processes.", "Restart"
        ):
            return
        done = await self.bridge.ask(m.Restart(session=session.id, env=dict(self.env)), m.Done)
        self.bridge.again(session.id)
        if done.note:
            self.say(done.note)

    async def first_contact(self) -> None:
        """Welcome somebody who has no session and no agent CLI: say what was looked for, offer what works anyway."""
        choices = self.choices()
        agents = [choice for choice in choices if choice.name not in NO_AGENT]
        if self.deck.sessions or not agents or any(choice.found for choice in agents):
            return
        lines = ["None of the agent CLIs that agentdeck knows is on your PATH:", ""]
        lines += [f"  {choice.label:<14} {choice.install}".rstrip() for choice in agents]
        lines += ["", "Install one, or look around with a shell or the demo."]
        match await self.app.push_screen_wait(FirstContact(lines)):
            case "shell":
                await self.start(NewSessionChoice(provider="shell", cwd=self._here(), name="", prompt="", args=()))
            case "demo":
                self.desk.leave("demo")
            case None:
                pass

    # ── steering ───────────────────────────────────────────────────────────────────────────────

    async def action_ctrl_c(self) -> None:
        if (session := self.deck.session) is not None:
            await self.bridge.call(m.SendKeys(session=session.id, keys=("ctrl+c",)))

    async def action_signal(self) -> None:
        session = self.deck.session
        if session is None:
            return
        if await self._sure(
            f"send SIGINT to {session.name}",
            "A real signal to what runs in the foreground there.\n"
            f"It ends most agent CLIs; {self.keymap.keys_for('interrupt')} ends only the turn.",
            "Send SIGINT",
        ):
            await self.bridge.call(m.Signal(session=session.id))

    async def action_mark(self) -> None:
        if (session := self.deck.session) is not None:
            await self.bridge.call(m.Mark(session=session.id, on=not session.marked))

    async def action_rename(self) -> None:
        session = self.deck.session
        if session is None:
            return
        name = await self.app.push_screen_wait(TextPrompt("rename", session.name))
        if name is not None and name.strip() != session.name:
            await self.bridge.call(m.Rename(session=session.id, name=name))

    # ── ending ─────────────────────────────────────────────────────────────────────────────────

    async def action_stop(self) -> None:
        session = self.deck.session
        if session is None:
            return
        if not state.is_running(session):
            self.say(f"{session.name} has ended already")
        elif await self._sure(f"stop {session.name}", "All its processes end: TERM, 5 seconds, KILL.", "Stop"):
            await self._stop(session)

    async def _stop(self, session: m.Session) -> None:
        done = await self.bridge.ask(m.Stop(session=session.id), m.Done)
        if done.left_running:
            self.say(f"{session.name} has ended; left running: {', '.join(done.left_running)}")

    async def action_forget(self) -> None:
        if (session := self.deck.session) is not None:
            await self.bridge.call(m.Forget(session=session.id))

    async def action_quit(self) -> None:
        match await self.app.push_screen_wait(Quit(self.deck.running)):
            case "detach":
                self.desk.leave()
            case "stop":
                running = [session for session in self.deck.sessions if state.is_running(session)]
                self.say(f"stopping {count(len(running), 'session', 'sessions')}")
                results = await asyncio.gather(*(self._stop(session) for session in running), return_exceptions=True)
                refused = [result for result in results if isinstance(result, BaseException)]
                for error in refused:
                    if not isinstance(error, AgentdeckError):
                        raise error
                    self.tell(error)
                if not refused:
                    self.desk.leave()
            case None:
                pass

    # ── what the deeds need of the deck ────────────────────────────────────────────────────────

    def choose(self, session: str) -> None:
        """Select a session."""
        raise NotImplementedError

    def take(self, push: m.AnyReply) -> None:
        """Take in what the hub says."""
        raise NotImplementedError

    def type_into(self) -> None:
        """Hand the keys to the selected session."""
        raise NotImplementedError

    def tell(self, error: AgentdeckError) -> None:
        """Show why something did not happen, and what helps."""
        self.say(f"{error} ({error.hint})" if error.hint else str(error), "error")

    async def _sure(self, title: str, body: str, yes: str) -> bool:
        answer: bool = await self.app.push_screen_wait(Confirm(title, body, yes))
        return answer
