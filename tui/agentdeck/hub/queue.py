"""Prompts are sent when their session is really free, once, and what the transcript does not confirm is said.

Nothing here runs while nothing waits. A session is free when its state says so, with its evidence, at the moment of
sending and again before Enter; a dialog never gets a prompt, and nor does a line that somebody has begun to type. Each
step is in the journal before it is taken (`queue.core` says why).
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

from agentdeck import events as e
from agentdeck.errors import SessionEndedError, SessionError, UsageError
from agentdeck.hub import free, verbs
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

CONFIRM: Final = 20.0
"""Seconds, while it rests, in which the transcript of a session must show a prompt that was sent."""

LOOK_EVERY: Final = (0.3, 5.0)
"""Seconds between two looks into the transcript while a prompt is to be confirmed: at first, and in the end."""

SLACK: Final = 2.0
"""Seconds by which a message may seem older than its sending."""


class QueueDesk(Desk):
    """`later` runs something in the background, `push` reaches whoever watches the deck."""

    requests = (
        q.Enqueue, q.ReadQueue, q.EditQueued, q.MoveQueued, q.CancelQueued, q.SendQueued,
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
        self._told: dict[str, tuple[q.Queued, ...]] = {}
        self._busy: dict[str, asyncio.Lock] = {}
        """Held while something is typed into a session or waits for its confirmation."""
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._ours: dict[str, float] = {}
        """When we typed into a session last: that was nobody's line."""
        self._news: dict[str, asyncio.Event] = {}
        self._shown: dict[str, float] = {}
        """The time of the newest message that was a queued prompt, by session."""
        self._interrupts = Interrupts(roster, facts, later=later, push=push)

    def start(self) -> None:
        try:
            self._journal.open()
            known = self._roster.sessions.keys()
            lost = [core.Dropped(each.n) for each in self._journal.prompts if each.session not in known]
            self._journal.note(*lost, *core.recovered(self._journal.prompts))
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
                return self._queues(*dict.fromkeys(each.session for each in self._journal.prompts))
            case q.EditQueued():
                return self._edit(request)
            case q.MoveQueued():
                return self._do(self._waiting(request.n), core.Moved(request.n, request.place))
            case q.CancelQueued():
                return self._cancel(request.n)
            case q.SendQueued():
                return self._send_now(request.n)
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
            )
            for place, session in enumerate(sessions, 1)
        ]
        self._note(*(core.Added(each, first=request.now) for each in prompts))
        for prompt in prompts:
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
        return self._do(prompt, core.Dropped(n))

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
        sessions = {each.session for each in self._journal.prompts}
        try:
            self._journal.note(*operations)
        except OSError as error:
            raise SessionError(
                f"the queue cannot be written down: {error.strerror}", hint="make room on the disk"
            ) from error
        for session in sessions | {each.session for each in self._journal.prompts}:
            self._tell(session)
        self._listen()

    def _listen(self) -> None:
        """Transcripts are followed while anything waits, and not for the queue's sake when nothing does."""
        self._facts.listen("queue", self._hear if self._journal.prompts else None)

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
        elif not await self._confirmed(session, prompt):
            self._doubt(prompt, "it was typed, but the transcript does not show it")

    def _write(self, session: LiveSession, data: bytes) -> None:
        session.write(data)
        self._ours[session.info.id] = session.last_input

    def _doubt(self, prompt: Prompt, why: str) -> None:
        if any(each.n == prompt.n and each.state == core.SENDING for each in self._journal.prompts):
            self._note(core.Doubted(prompt.n, why))
            self._push(
                m.Notice(text=f"a queued prompt may not have arrived: {why}", level="warning", session=prompt.session)
            )

    # ── what has arrived ───────────────────────────────────────────────────────────────────────

    async def _confirmed(self, session: LiveSession, prompt: Prompt) -> bool:
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

    async def _confirm_late(self, session: LiveSession, prompt: Prompt) -> None:
        """After a crash: the transcript may show that a prompt had arrived."""
        await self._confirmed(session, prompt)
        self._consider(prompt.session)

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

    def _hear(self, name: str, event: e.AnyEvent) -> None:
        if isinstance(event, e.MessageAdded) and event.role == "user" and not event.agent:
            self._take(name, event)
        if (news := self._news.get(name)) is not None:
            news.set()

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

    # ── what is told ───────────────────────────────────────────────────────────────────────────

    def _queues(self, *sessions: str) -> q.Queues:
        return q.Queues(sessions=sessions, prompts=tuple(each for name in sessions for each in self._listed(name)))

    def _listed(self, name: str) -> Iterable[q.Queued]:
        session = self._roster.sessions.get(name)
        for place, each in enumerate(core.of(self._journal.prompts, name), 1):
            why = each.why
            if each.state == core.WAITING and session is not None:
                why = self._hold(session, each)[0] if place == 1 else "waits for those before it"
            yield q.Queued(
                n=each.n, session=name, place=place, text=each.text, added=each.added, state=each.state, why=why
            )

    def _tell(self, name: str) -> None:
        if not self._watching:
            return
        listed = tuple(self._listed(name))
        if self._told.get(name, ()) == listed:
            return
        self._told[name] = listed
        for peer in tuple(self._watching):
            peer.send(q.Queues(sessions=(name,), prompts=listed))


def _checked(text: str) -> str:
    if not text.strip():
        raise UsageError("there is no text to queue", hint="")
    if len(text) > core.LONGEST:
        raise UsageError(f"a prompt can have {core.LONGEST} characters at most", hint="put it into a file")
    return text
