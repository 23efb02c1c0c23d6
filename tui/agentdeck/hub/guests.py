"""Guests' prompts on their way to the agent: one at a time, through the same queue as the owner's own.

A prompt waits here, where its author may take it back, until the session rests; then it is handed to the hub's queue,
which types it when nobody is in the way and never into a dialog, and tells from the transcript whether it arrived.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from agentdeck.errors import AgentdeckError
from agentdeck.hub.desk import Answer, Desk
from agentdeck.hub.peer import Peer
from agentdeck.hub.session import LiveSession
from agentdeck.protocol import messages as m
from agentdeck.protocol import queue as q
from agentdeck.share.log import Item
from agentdeck.share.prompts import Prompt, Prompts
from agentdeck.share.refusal import RefusedError

FREE: Final = ("idle", "done")

AGAIN: Final = 0.3
"""Seconds between two looks at a prompt that was handed over."""


class GuestQueue:
    """`store` keeps what changed; `tell` says that something did."""

    def __init__(
        self, prompts: Prompts, queue: Desk, peer: Callable[[], Peer], *, session: Callable[[], LiveSession | None],
        store: Callable[[list[Item]], Awaitable[None]], tell: Callable[[], None],
        later: Callable[[Awaitable[None]], None],
    ) -> None:  # fmt: skip
        self.prefix = True
        """Say in front of each prompt whose it is."""
        self._prompts = prompts
        self._queue = queue
        self._peer = peer
        self._session = session
        self._store = store
        self._tell = tell
        self._later = later
        self._number = 0
        """Of the prompt in the hub's queue that is ours; 0 when there is none."""
        self._worked = False
        """The agent has been seen working on what runs."""
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    @property
    def busy(self) -> bool:
        session = self._session()
        return session is not None and session.info.state == "working"

    @property
    def waits_for(self) -> str:
        session = self._session()
        if not self._prompts.waiting:
            return ""
        if self._prompts.paused:
            return "somebody to resume the queue"
        if session is None or not session.running:
            return "the session, which has ended"
        if self._prompts.running is not None:
            return "the prompt before"
        if session.info.state == "needs_you":
            return "an answer of the owner's"
        return "" if session.info.state in FREE else "the end of the turn"

    def begin(self) -> None:
        self._queue.answer(self._peer(), q.ReadQueue(watch=True))
        self._save()
        self.consider()

    def stop(self) -> None:
        self._stopped = True
        self._queue.gone(self._peer())
        if self._timer is not None:
            self._timer.cancel()

    # ── people ─────────────────────────────────────────────────────────────────────────────────

    def add(self, prompt: Prompt) -> int:
        """Take a prompt that is stored; return its position, 0 when it is on its way already."""
        self._prompts.add(prompt)
        self.consider()
        self._tell()
        return self._prompts.position(prompt.id)

    async def cancel(self, item: str, *, by: str = "") -> None:
        """Raises `RefusedError`."""
        self._prompts.cancel(item, by=by)
        await self._changed()

    async def move(self, item: str, position: int) -> None:
        """Raises `RefusedError`."""
        self._prompts.move(item, position)
        await self._changed()

    def pause(self, on: bool) -> None:
        self._prompts.pause(on)
        self.consider()
        self._tell()

    async def interrupt(self) -> None:
        """End the turn; the queue pauses. Raises `RefusedError`."""
        session = self._session()
        if session is None or not session.running:
            raise RefusedError("UNAVAILABLE", "the session has ended")
        self._prompts.interrupted()
        await self._changed()
        try:
            await self._ask(q.GuardedInterrupt(session=session.info.id))
        except AgentdeckError as error:
            raise RefusedError("UNAVAILABLE", str(error)) from error

    # ── the agent ──────────────────────────────────────────────────────────────────────────────

    def hear(self, queues: q.Queues) -> None:
        """What the hub's queue tells of our session."""
        session = self._session()
        running = self._prompts.running
        if session is None or running is None or not self._number or session.info.id not in queues.sessions:
            return
        ours = next((each for each in queues.prompts if each.n == self._number), None)
        if ours is None:
            self._number = 0
            self._prompts.sent(running.id)
            self._save()
            self.consider()
        elif ours.state == "unsure":
            self._number = 0
            self._prompts.ended(failed=True)
            self._save()

    def consider(self) -> None:
        """Note the end of what runs, and send the next one if the session rests."""
        session = self._session()
        if self._stopped or session is None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        running = self._prompts.running
        if not session.running:
            if running is not None:
                self._prompts.ended(failed=True)
                self._save()
            return
        if running is not None and not self._number:
            self._worked = self._worked or session.info.state in ("working", "needs_you")
            quiet = session.provider.foreground or session.info.state == "done"
            if session.info.state in FREE and (self._worked or quiet):
                self._prompts.ended()
                self._save()
            elif session.info.state in FREE:
                self._look_again()
        if session.info.state in FREE and (prompt := self._prompts.next()) is not None:
            self._worked = False
            self._later(self._send(session, prompt))

    def _look_again(self) -> None:
        """A turn may have been so short that nobody saw it."""
        self._worked = True
        self._timer = asyncio.get_running_loop().call_later(AGAIN * 10, self.consider)

    async def _send(self, session: LiveSession, prompt: Prompt) -> None:
        await self._store(self._items())  # that it is on its way: should we die now, it is not sent twice
        text = f"[{prompt.name} via agentdeck] {prompt.text}" if self.prefix else prompt.text
        try:
            queues = await self._ask(q.Enqueue(sessions=(session.info.id,), text=text))
        except AgentdeckError:
            self._prompts.ended(failed=True)
        else:
            if isinstance(queues, q.Queues):
                self._number = max((each.n for each in queues.prompts), default=0)
            if not self._number:
                self._prompts.sent(prompt.id)
        self._save()

    async def _ask(self, request: m.AnyRequest) -> m.AnyReply:
        answer: Answer = self._queue.answer(self._peer(), request)
        return answer if isinstance(answer, msgspec.Struct) else await answer

    # ── keeping ────────────────────────────────────────────────────────────────────────────────

    async def _changed(self) -> None:
        await self._store(self._items())
        self.consider()
        self._tell()

    def _save(self) -> None:
        items = self._items()
        if items:
            self._later(self._store(items))
        self._tell()

    def _items(self) -> list[Item]:
        changed, self._prompts.changed = self._prompts.changed, set()
        found = ((name, self._prompts.get(name)) for name in changed)
        return [Item("prompt", name, None if p is None else msgspec.msgpack.encode(p)) for name, p in found]
