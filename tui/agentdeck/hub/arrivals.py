"""Which prompts have arrived: the transcript shows them as messages of the person, or they are in doubt."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from agentdeck import events as e
from agentdeck.hub.facts import FactsDesk
from agentdeck.hub.session import LiveSession
from agentdeck.queue import core
from agentdeck.queue.core import Prompt
from agentdeck.queue.journal import Journal

CONFIRM: Final = 20.0
"""Seconds, while it rests, in which the transcript of a session must show a prompt that was sent."""

LOOK_EVERY: Final = (0.3, 5.0)
"""Seconds between two looks into the transcript while a prompt is to be confirmed: at first, and in the end."""

SLACK: Final = 2.0
"""Seconds by which a message may seem older than its sending."""


class Arrivals:
    """`note` writes down what is over."""

    def __init__(self, journal: Journal, facts: FactsDesk, note: Callable[[core.Operation], None]) -> None:
        self._journal = journal
        self._facts = facts
        self._note = note
        self._news: dict[str, asyncio.Event] = {}
        self._shown: dict[str, float] = {}
        """The time of the newest message that was a queued prompt, by session."""

    async def confirmed(self, session: LiveSession, prompt: Prompt) -> bool:
        """Wait until the transcript shows a prompt, for as long as its session works and a while after that."""
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + CONFIRM, LOOK_EVERY[0]
        while not self._has_arrived(prompt):
            if session.info.state == "working":
                deadline = loop.time() + CONFIRM
            if loop.time() > deadline or not session.running:
                return False
            await self._news_of(prompt.session, pause)
            pause = min(pause * 1.2, LOOK_EVERY[1])
        return True

    def hear(self, name: str, event: e.AnyEvent) -> None:
        """Something happened in a session."""
        if isinstance(event, e.MessageAdded) and event.role == "user" and not event.agent:
            self._take(name, event)
        if (news := self._news.get(name)) is not None:
            news.set()

    async def _news_of(self, name: str, seconds: float) -> None:
        """Wait until something happened in a session, or for so long."""
        news = self._news.setdefault(name, asyncio.Event())
        news.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(news.wait(), seconds)

    def _has_arrived(self, prompt: Prompt) -> bool:
        """Whether a prompt is over; one that the transcript shows is from now on."""
        if not any(each.n == prompt.n for each in self._journal.prompts):
            return True
        live = self._facts.live(prompt.session)
        said = [each for each in live.messages if each.role == "user"] if live is not None else []
        return any(self._take(prompt.session, each) == prompt.n for each in said)

    def _take(self, name: str, message: e.MessageAdded) -> int | None:
        at = message.at.timestamp()
        if at <= self._shown.get(name, 0.0):
            return None  # it was another prompt of the same words
        prompt = core.arrived(self._journal.prompts, name, message.text, at, SLACK)
        if prompt is None:
            return None
        self._shown[name] = at
        self._note(core.Dropped(prompt.n))
        return prompt.n
