"""Guests' prompts on their way to the agent: in the hub's own queue, behind what was there before them.

That queue types a prompt when the session rests and nobody is in the way, never into a dialog, and tells from the
transcript whether it arrived. A prompt is in the share's log before it is queued, and is queued under its id, so that
one whose queueing a crash has cut off is queued once by the next hub.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from agentdeck.errors import AgentdeckError, SessionError
from agentdeck.hub.desk import Desk
from agentdeck.hub.free import FREE
from agentdeck.hub.peer import Peer
from agentdeck.hub.session import LiveSession
from agentdeck.protocol import messages as m
from agentdeck.protocol import queue as q
from agentdeck.share.log import Item
from agentdeck.share.prompts import InLine, Prompt, Prompts
from agentdeck.share.refusal import RefusedError

SHORT_TURN: Final = 3.0
"""Seconds after which a session that rests has had its turn, however short it was."""


class GuestQueue:
    """`store` keeps what changed; `tell` says that something did."""

    def __init__(
        self, share: str, prompts: Prompts, queue: Desk, peer: Callable[[], Peer], *,
        session: Callable[[], LiveSession | None], store: Callable[[list[Item]], Awaitable[None]],
        tell: Callable[[], None], later: Callable[[Awaitable[None]], None],
    ) -> None:  # fmt: skip
        self._share = share
        self._prompts = prompts
        self._queue = queue
        self._peer = peer
        self._session = session
        self._store = store
        self._tell = tell
        self._later = later
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
        if not any(prompt.state == "queued" for prompt in self._prompts.items):
            return ""
        if session is None or not session.running:
            return "the session, which has ended"
        if self._prompts.paused:
            return "somebody to resume the queue"
        if any(prompt.state == "maybe" for prompt in self._prompts.items):
            return "the owner, about one that may have arrived"
        if session.info.state == "needs_you":
            return "an answer of the owner's"
        return "" if session.info.state in FREE else "the end of the turn"

    def begin(self) -> None:
        told = self._queue.answer(self._peer(), q.ReadQueue(watch=True))
        if isinstance(told, q.Queues):
            self.hear(told, everything=True)
        self.settle()

    def stop(self) -> None:
        """The hub ends: what waits goes on waiting."""
        self._stopped = True
        self._queue.gone(self._peer())
        if self._timer is not None:
            self._timer.cancel()

    def end(self) -> None:
        """The share ends: what guests wanted and did not get is not wanted any more."""
        for prompt in self._prompts.waiting:
            self._prompts.drop(prompt.id)
        self.settle()
        session = self._session()
        if self._prompts.paused and session is not None:
            with contextlib.suppress(RefusedError):
                self._ask(q.PauseQueued(session=session.info.id, on=False))

    # ── people ─────────────────────────────────────────────────────────────────────────────────

    def require_running(self) -> LiveSession:
        """Raises `RefusedError`."""
        session = self._session()
        if session is None:
            raise RefusedError("UNAVAILABLE", "this session runs elsewhere and can only be watched")
        if not session.running:
            raise RefusedError("UNAVAILABLE", "the session has ended")
        return session

    def add(self, prompt: Prompt) -> int:
        """Take a prompt that is stored; return its position, 0 when it is on its way already."""
        self._prompts.add(prompt)
        self.settle()
        return self._prompts.position(prompt.id)

    def cancel(self, item: str, *, by: str = "") -> None:
        """Raises `RefusedError`."""
        self._prompts.check_cancel(item, by=by)
        if number := self._prompts.number(item):
            self._ask(q.CancelQueued(n=number))
        else:
            self._prompts.drop(item)
        self._save()

    def move(self, item: str, position: int) -> None:
        """Bring a prompt to this position among those that wait. Raises `RefusedError`."""
        if not self._prompts.position(item):
            raise RefusedError("BAD_MESSAGE", "it does not wait")
        before = sum(prompt.state in ("delivering", "maybe") for prompt in self._prompts.items)
        self._ask(q.MoveQueued(n=self._prompts.number(item), place=position + before))

    def pause(self, on: bool) -> None:
        """Raises `RefusedError`."""
        self._ask(q.PauseQueued(session=self.require_running().info.id, on=on))

    def interrupt(self) -> None:
        """End the turn; the queue pauses. Raises `RefusedError`."""
        session = self.require_running()
        self._ask(q.PauseQueued(session=session.info.id))
        self._prompts.interrupted()
        self._save()
        self._ask(q.GuardedInterrupt(session=session.info.id))

    def settle(self) -> None:
        """Give the queue what it does not know yet, and take back what nobody wants any more."""
        session = self._session()
        if session is not None and session.running:
            wishes: list[m.AnyRequest] = [
                q.Enqueue(
                    sessions=(session.info.id,), text=f"[{prompt.name} via agentdeck] {prompt.text}", by=prompt.name,
                    ref=f"{self._share}/{prompt.id}",
                )
                for prompt in self._prompts.unknown
            ]  # fmt: skip
            wishes += [q.CancelQueued(n=number) for number in self._prompts.unwanted]
            for wish in wishes:
                with contextlib.suppress(RefusedError):
                    self._ask(wish)
        self._save()

    # ── the queue and the agent ────────────────────────────────────────────────────────────────

    def hear(self, queues: q.Queues, *, everything: bool = False) -> None:
        """What the hub's queue tells; `everything`: also of sessions that it does not name."""
        session = self._session()
        if session is None or not (everything or session.info.id in queues.sessions):
            return
        ours = f"{self._share}/"
        self._prompts.hear(
            [
                InLine(n=p.n, id=p.ref.removeprefix(ours) if p.ref.startswith(ours) else "", text=p.text, at=p.added,
                       state=p.state)
                for p in queues.prompts if p.session == session.info.id
            ],
            {ref.removeprefix(ours): how for ref, how in queues.over.items() if ref.startswith(ours)},
        )  # fmt: skip
        self._prompts.paused = session.info.id in queues.paused
        self._worked = self._worked and self._prompts.running is not None
        self._save()
        self.consider()

    def consider(self) -> None:
        """Note the end of what runs."""
        session, running = self._session(), self._prompts.running
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._stopped or session is None:
            return
        if running is None:
            self._worked = False
        elif not session.running:
            self._prompts.ended(failed=True)
            self._save()
        elif session.info.state not in FREE:
            self._worked = self._worked or session.info.state in ("working", "needs_you")
        elif self._worked or session.provider.foreground or session.info.state == "done":
            self._worked = False
            self._prompts.ended()
            self._save()
        else:
            self._timer = asyncio.get_running_loop().call_later(SHORT_TURN, self._had_its_turn)

    def _had_its_turn(self) -> None:
        self._worked = True
        self.consider()

    def _ask(self, request: m.AnyRequest) -> None:
        """Raises `RefusedError`."""
        try:
            told = self._queue.answer(self._peer(), request)
        except AgentdeckError as error:
            code = "DUPLICATE" if isinstance(error, SessionError) else "UNAVAILABLE"
            raise RefusedError(code, str(error)) from error
        if isinstance(told, q.Queues):
            self.hear(told)

    # ── keeping ────────────────────────────────────────────────────────────────────────────────

    def _save(self) -> None:
        changed, self._prompts.changed = self._prompts.changed, set()
        found = ((name, self._prompts.get(name)) for name in changed)
        items = [Item("prompt", name, None if p is None else msgspec.msgpack.encode(p)) for name, p in found]
        if items and not self._stopped:
            self._later(self._store(items))
        self._tell()
