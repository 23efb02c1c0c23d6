"""Prompts are sent when their session is really free, once, and what the transcript does not confirm is said.

Nothing here runs while nothing waits. A session is free when its state says so, with its evidence, at the moment of
sending and again before Enter; a dialog never gets a prompt, and nor does a line that somebody has begun to type. Each
step is in the journal before it is taken (`queue.core` says why).
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from agentdeck.errors import SessionEndedError, SessionError, UsageError
from agentdeck.hub import free, verbs
from agentdeck.hub.arrivals import Arrivals
from agentdeck.hub.desk import Answer, Desk
from agentdeck.hub.evidence import judge_session
from agentdeck.hub.facts import FactsDesk
from agentdeck.hub.interrupts import Interrupts
from agentdeck.hub.peer import Peer
from agentdeck.hub.roster import Roster
from agentdeck.hub.session import LiveSession
from agentdeck.paths import Paths
from agentdeck.protocol import messages as m
from agentdeck.protocol import queue as q
from agentdeck.queue import core
from agentdeck.queue.core import Prompt
from agentdeck.queue.journal import Journal
from agentdeck.terminal import keys


class QueueDesk(Desk):
    """`later` runs something in the background, `push` reaches whoever watches the deck."""

    requests = (
        q.Enqueue, q.ReadQueue, q.EditQueued, q.MoveQueued, q.CancelQueued, q.SendQueued, q.PauseQueued,
        q.AskInterrupt, q.GuardedInterrupt,
    )  # fmt: skip

    def __init__(
        self,
        paths: Paths,
        roster: Roster,
        facts: FactsDesk,
        *,
        later: Callable[[Coroutine[Any, Any, None]], None],
        push: Callable[[m.AnyReply], None],
        problem: Callable[[str], None],
    ) -> None:
        self._roster = roster
        self._facts = facts
        self._later = later
        self._push = push
        self._problem = problem
        self._journal = Journal(paths.state / "queue.journal")
        self._watching: set[Peer] = set()
        self._told: dict[str, q.Queues] = {}
        self._busy: dict[str, asyncio.Lock] = {}
        """Held while something is typed into a session or waits for its confirmation."""
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._ours: dict[str, float] = {}
        """When we typed into a session last: that was nobody's line."""
        self._arrivals = Arrivals(self._journal, facts, self._note)
        self._interrupts = Interrupts(roster, facts, later=later, push=push)

    def start(self) -> None:
        try:
            self._journal.open()
            known = self._roster.sessions.keys()
            lost = [core.Dropped(each.n, core.LOST) for each in self._journal.prompts if each.session not in known]
            resumed = [core.Paused(session, on=False) for session in self._journal.paused - known]
            self._journal.note(*lost, *resumed, *core.recovered(self._journal.prompts))
        except OSError as error:
            self._problem(f"queued prompts cannot be kept: {error.strerror}")
        for prompt in self._journal.prompts:
            if prompt.state == core.UNSURE:
                self._later(self._confirm_late(self._roster.sessions[prompt.session], prompt))
        for session in {each.session for each in self._journal.prompts}:
            self._consider(session)
        self._listen()

    def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._interrupts.stop()
        self._journal.close()

    def gone(self, peer: Peer) -> None:
        self._watching.discard(peer)

    def changed(self, session: LiveSession) -> None:
        self._interrupts.changed(session)
        if any(each.session == session.info.id for each in self._journal.prompts):
            self._consider(session.info.id)
            self._tell(session.info.id)

    def answer(self, peer: Peer, request: m.AnyRequest) -> Answer:
        match request:
            case q.Enqueue():
                return self._enqueue(request)
            case q.ReadQueue():
                if request.watch:
                    self._watching.add(peer)
                if request.session:
                    return self._queues(self._roster.find(request.session).info.id)
                return self._queues(*dict.fromkeys(each.session for each in self._journal.prompts), over=True)
            case q.EditQueued():
                return self._edit(request)
            case q.MoveQueued():
                return self._do(self._waiting(request.n), core.Moved(request.n, request.place))
            case q.CancelQueued():
                return self._cancel(request.n)
            case q.SendQueued():
                return self._send_now(request.n)
            case q.PauseQueued():
                return self._pause(self._roster.find(request.session).info.id, on=request.on)
            case q.AskInterrupt():
                session = self._roster.find(request.session)
                return self._interrupts.told(session, len(core.of(self._journal.prompts, request.session)))
            case q.GuardedInterrupt():
                return self._interrupts.interrupt(self._running(request.session), after_tool=request.after_tool)
        raise SessionError(f"{type(request).__name__} is no question about a queue", hint="")

    # ── what people ask ────────────────────────────────────────────────────────────────────────

    def _enqueue(self, request: q.Enqueue) -> m.AnyReply:
        text = _checked(request.text)
        sessions = [self._running(name) for name in dict.fromkeys(request.sessions)]
        if not sessions:
            raise UsageError("no session is named", hint="mark sessions with * or name them")
        if request.ref and self._knows(request.ref):
            return self._queues(*(each.info.id for each in sessions), over=True)
        for session in sessions:
            if len(core.of(self._journal.prompts, session.info.id)) >= core.MOST:
                raise SessionError(f"{core.MOST} prompts wait for {session.info.name} already", hint="cancel some")
            if request.now:
                free.refuse_dialog(session)
        prompts = [
            Prompt(
                n=self._journal.last + place,
                session=session.info.id,
                text=text,
                added=time.time(),
                conversation=session.info.resume_id,
                by=request.by,
                ref=request.ref,
            )
            for place, session in enumerate(sessions, 1)
        ]
        self._note(*(core.Added(each, first=request.now) for each in prompts))
        for prompt in prompts:
            if not request.by:
                self._interrupts.go_on(prompt.session)
            if request.now:
                self._later(self._deliver(prompt.n, now=True))
            else:
                self._consider(prompt.session)
        return self._queues(*(each.session for each in prompts))

    def _edit(self, request: q.EditQueued) -> m.AnyReply:
        return self._do(self._waiting(request.n), core.Edited(request.n, _checked(request.text)))

    def _cancel(self, n: int) -> m.AnyReply:
        prompt = self._find(n)
        if prompt.state == core.SENDING:
            raise SessionError(f"prompt {n} is being sent just now", hint="")
        return self._do(prompt, core.Dropped(n, core.CANCELLED))

    def _knows(self, ref: str) -> bool:
        return ref in self._journal.over or any(each.ref == ref for each in self._journal.prompts)

    def _pause(self, session: str, *, on: bool) -> m.AnyReply:
        if on != (session in self._journal.paused):
            self._note(core.Paused(session, on))
        if not on:
            self._interrupts.go_on(session)
        self._tell(session)
        self._consider(session)
        return self._queues(session)

    def _send_now(self, n: int) -> m.AnyReply:
        prompt = self._find(n)
        session = self._running(prompt.session)
        free.refuse_dialog(session)
        if prompt.state == core.SENDING:
            raise SessionError(f"prompt {n} is being sent just now", hint="")
        if prompt.state == core.UNSURE:
            self._note(core.Released(n, session.info.resume_id))
        self._interrupts.go_on(prompt.session)
        self._later(self._deliver(n, now=True))
        return self._queues(prompt.session)

    def _do(self, prompt: Prompt, operation: core.Operation) -> m.AnyReply:
        self._note(operation)
        self._consider(prompt.session)
        return self._queues(prompt.session)

    def _find(self, n: int) -> Prompt:
        prompt = next((each for each in self._journal.prompts if each.n == n), None)
        if prompt is None:
            raise SessionError(f"no prompt {n} waits", hint="agentdeck queue ID --list shows those that do")
        return prompt

    def _waiting(self, n: int) -> Prompt:
        prompt = self._find(n)
        if prompt.state != core.WAITING:
            raise SessionError(f"prompt {n} does not wait any more: it is {prompt.state}", hint="")
        return prompt

    def _running(self, name: str) -> LiveSession:
        session = self._roster.find(name)
        if not session.running:
            raise SessionEndedError(session.info.name)
        return session

    def _note(self, *operations: core.Operation) -> None:
        """Write down what changes. Raises `SessionError`, and then nothing has changed."""
        before = self._journal.prompts
        try:
            self._journal.note(*operations)
        except OSError as error:
            raise SessionError(
                f"the queue cannot be written down: {error.strerror}", hint="make room on the disk"
            ) from error
        gone = {each.n: each.ref for each in before if each.ref}
        over = {gone[each.n]: each.how for each in operations if isinstance(each, core.Dropped) and each.n in gone}
        for session in {each.session for each in (*before, *self._journal.prompts)}:
            self._tell(session, over)
        self._listen()

    def _listen(self) -> None:
        """Transcripts are followed while anything waits, and not for the queue's sake when nothing does."""
        self._facts.listen("queue", self._arrivals.hear if self._journal.prompts else None)

    # ── when to send ───────────────────────────────────────────────────────────────────────────

    def _consider(self, name: str) -> None:
        """Send the next prompt of a session if it is free, or look again when that may be so."""
        if (timer := self._timers.pop(name, None)) is not None:
            timer.cancel()
        prompt = core.next_to_send(self._journal.prompts, name)
        session = self._roster.sessions.get(name)
        if prompt is None or session is None or self._lock(name).locked():
            return
        why, again = self._hold(session, prompt)
        if not why:
            self._later(self._deliver(prompt.n, now=False))
        elif again:
            self._timers[name] = asyncio.get_running_loop().call_later(again, self._consider, name)

    def _hold(self, session: LiveSession, prompt: Prompt) -> tuple[str, float]:
        """Why a prompt must wait, empty when it need not; and in how many seconds time alone may have changed that."""
        if session.info.id in self._journal.paused:
            return "its queue is paused", 0.0
        if self._interrupts.holds(session.info.id):
            return "you interrupted it: send it now, or queue another, to go on", 0.0
        return free.hold(session, prompt, ours=self._ours.get(session.info.id, 0.0))

    def _lock(self, name: str) -> asyncio.Lock:
        return self._busy.setdefault(name, asyncio.Lock())

    async def _deliver(self, n: int, *, now: bool) -> None:
        prompt = next((each for each in self._journal.prompts if each.n == n), None)
        session = self._roster.sessions.get(prompt.session) if prompt is not None else None
        if prompt is None or session is None:
            return
        async with self._lock(prompt.session):
            prompt = next((each for each in self._journal.prompts if each.n == n), None)  # it may have gone meanwhile
            if prompt is None or prompt.state != core.WAITING or not session.running:
                return
            judge_session(session)
            if session.info.state == "needs_you" or (not now and self._hold(session, prompt)[0]):
                return
            try:
                self._note(core.Sending(n, time.time()))
            except SessionError as error:
                self._problem(str(error))
                return
            await self._type(session, self._find(n))
        self._consider(prompt.session)

    async def _type(self, session: LiveSession, prompt: Prompt) -> None:
        self._write(session, keys.paste(prompt.text, session.emulator.modes))
        await asyncio.sleep(verbs.PASTE_TO_ENTER)
        judge_session(session)
        if session.info.state == "needs_you" or not session.running:
            self._doubt(prompt, "it began to ask something while this was typed; Enter was not pressed")
            return
        self._write(session, b"\r")
        if session.provider.foreground or core.is_command(prompt.text):
            self._note(core.Dropped(prompt.n))  # no transcript will tell of it
        elif not await self._arrivals.confirmed(session, prompt):
            self._doubt(prompt, "it was typed, but the transcript does not show it")

    async def _confirm_late(self, session: LiveSession, prompt: Prompt) -> None:
        """After a crash: the transcript may show that a prompt had arrived."""
        await self._arrivals.confirmed(session, prompt)
        self._consider(prompt.session)

    def _write(self, session: LiveSession, data: bytes) -> None:
        session.write(data)
        self._ours[session.info.id] = session.last_input

    def _doubt(self, prompt: Prompt, why: str) -> None:
        if any(each.n == prompt.n and each.state == core.SENDING for each in self._journal.prompts):
            self._note(core.Doubted(prompt.n, why))
            self._push(
                m.Notice(text=f"a queued prompt may not have arrived: {why}", level="warning", session=prompt.session)
            )

    # ── what is told ───────────────────────────────────────────────────────────────────────────

    def _queues(self, *sessions: str, over: bool = False) -> q.Queues:
        """`over`: also how prompts have left it that had a name."""
        return q.Queues(
            sessions=sessions,
            prompts=tuple(each for name in sessions for each in self._listed(name)),
            paused=tuple(self._journal.paused) if over else tuple(self._journal.paused.intersection(sessions)),
            over=self._journal.over if over else {},
        )

    def _listed(self, name: str) -> Iterable[q.Queued]:
        session = self._roster.sessions.get(name)
        for place, each in enumerate(core.of(self._journal.prompts, name), 1):
            why = each.why
            if each.state == core.WAITING and session is not None:
                why = self._hold(session, each)[0] if place == 1 else "waits for those before it"
            yield q.Queued(
                n=each.n, session=name, place=place, text=each.text, added=each.added, state=each.state, why=why,
                by=each.by, ref=each.ref,
            )  # fmt: skip

    def _tell(self, name: str, over: Mapping[str, str] = MappingProxyType({})) -> None:
        """`over`: how prompts with a name have just left the queue."""
        if not self._watching:
            return
        told = self._queues(name)
        if self._told.get(name, q.Queues(sessions=(name,), prompts=())) == told and not over:
            return
        self._told[name] = told
        for peer in tuple(self._watching):
            peer.send(msgspec.structs.replace(told, over=dict(over)))


def _checked(text: str) -> str:
    if not text.strip():
        raise UsageError("there is no text to queue", hint="")
    if len(text) > core.LONGEST:
        raise UsageError(f"a prompt can have {core.LONGEST} characters at most", hint="put it into a file")
    return text
