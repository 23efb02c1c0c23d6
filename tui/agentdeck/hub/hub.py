"""The hub: owns everything that can crash. One per user, restartable at any time.

A plain class, so that tests and `--no-daemon` run it inside the client's process. It answers requests and fans out what
changes; the sessions are the roster's. Persistence is the holders' work: nothing here is lost for good when it dies.
"""

import asyncio
import os
import socket
import time
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any

from agentdeck.config import Config
from agentdeck.errors import AgentdeckError, ProtocolError, SessionEndedError, SessionError
from agentdeck.hub import verbs
from agentdeck.hub.approvals import ApprovalDesk
from agentdeck.hub.attention import AttentionDesk
from agentdeck.hub.desk import Answer, Desk
from agentdeck.hub.facts import FactsDesk
from agentdeck.hub.idle import IdleLimit
from agentdeck.hub.insight import InsightDesk
from agentdeck.hub.meter import Meter
from agentdeck.hub.outside import OutsideDesk
from agentdeck.hub.peer import INTERVALS, Peer, ScreenView
from agentdeck.hub.queue import QueueDesk
from agentdeck.hub.roster import Roster
from agentdeck.hub.searching import SearchDesk
from agentdeck.hub.session import LiveSession
from agentdeck.hub.share import ShareDesk
from agentdeck.paths import Paths, make_private
from agentdeck.protocol import messages as m
from agentdeck.protocol.base import Reply, Request
from agentdeck.providers import Provider, plugin


class Hub:
    """An async context manager: inside it `protocol` and `connect` take clients."""

    def __init__(self, paths: Paths, config: Config, problems: tuple[str, ...] = ()) -> None:
        self.paths = paths
        self.peers: set[Peer] = set()
        self.done = asyncio.Event()
        """Set when a client asked the hub to end."""
        self.problems = problems
        self._over = False
        self.roster = Roster(
            paths, config, push=self.push, views=self.views, later=self.spawn_task, problem=self.problem
        )
        self._started = time.time()
        self._tasks: set[asyncio.Task[None]] = set()
        self._meter = Meter(lambda: self.roster.running, self.peers)
        self._idle = IdleLimit(self.roster, config.limits, self.push, self.spawn_task)
        self.roster.on_running = self._meter.adjust
        self.facts = FactsDesk(paths, self.roster, self.problem, config.ending)
        self.approvals = ApprovalDesk(
            paths,
            self.roster,
            push=self.push,
            problem=self.problem,
            later=self.spawn_task,
            listen=self.facts.listen,
        )
        self.roster.arguments = self._arguments
        queue = QueueDesk(paths, self.roster, self.facts, later=self.spawn_task, push=self.push, problem=self.problem)
        self.sharing = ShareDesk(
            paths, self.roster, self.facts, queue, peers=self.peers, later=self.spawn_task, push=self.push,
            problem=self.problem,
        )  # fmt: skip
        insight = InsightDesk(self.roster, self.facts, push=self.push, later=self.spawn_task)
        self.facts.annotate, self._meter.on_scan = insight.annotate, insight.scanned
        self.approvals.advisers.append(insight.advise)
        self.searching = SearchDesk(paths, self.roster, self.problem)
        self._desks: tuple[Desk, ...] = (
            self.facts,
            self.searching,
            insight,
            OutsideDesk(paths, self.roster, self.facts),
            queue,
            self.approvals,
            AttentionDesk(
                self.roster, self.facts, config.notify, push=self.push, problem=self.problem, later=self.spawn_task
            ),
            self.sharing,
        )
        self._desk_of: dict[type[Request], Desk] = {kind: desk for desk in self._desks for kind in desk.requests}
        self.roster.on_changed = self._on_changed

    async def __aenter__(self) -> "Hub":
        make_private(self.paths.run)
        make_private(self.paths.state)
        await self.roster.scan()
        self._idle.start()
        for desk in self._desks:
            desk.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over = True
        for desk in reversed(self._desks):
            desk.stop()
        await self.facts.worker.over()
        await self.searching.indexer.over()
        self._idle.stop()
        self._meter.stop()
        for task in tuple(self._tasks):
            task.cancel()
        for peer in tuple(self.peers):
            peer.close()
        self.roster.close()

    def _arguments(self, provider: Provider, given: Sequence[str]) -> tuple[str, ...]:
        """The arguments of a new session: the person's, and those that bring our hooks and commands into its CLI."""
        return (*plugin.arguments(provider.family), *self.approvals.arguments(provider, given))

    # ── clients ────────────────────────────────────────────────────────────────────────────────

    def protocol(self) -> Peer:
        """One connection's protocol object, for `create_unix_server`."""
        peer = Peer(self._on_request, self._on_gone)
        peer.on_writable = self._on_writable
        self.peers.add(peer)
        return peer

    async def connect(self) -> socket.socket:
        """Return a socket that is connected to this hub, for clients in the same process."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        ours.setblocking(False)
        theirs.setblocking(False)
        await asyncio.get_running_loop().connect_accepted_socket(self.protocol, ours)
        return theirs

    def push(self, message: m.AnyReply) -> None:
        for peer in tuple(self.peers):
            if peer.watching:
                peer.send(message)

    def views(self, session: str) -> Iterator[tuple[Peer, ScreenView]]:
        for peer in self.peers:
            if (view := peer.views.get(session)) is not None:
                yield peer, view

    def problem(self, sentence: str) -> None:
        """Show, once, something that is wrong with the hub's surroundings; `hub status` repeats it."""
        if sentence not in self.problems:
            self.problems = (*self.problems, sentence)
            self.push(m.Notice(text=sentence, level="warning"))

    def spawn_task(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the background for as long as the hub lives."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _on_gone(self, peer: Peer) -> None:
        self.peers.discard(peer)
        if self._over:
            return  # its leaving must start nothing anew
        self._meter.adjust()
        for desk in self._desks:
            desk.gone(peer)

    def _on_changed(self, session: LiveSession) -> None:
        self._meter.changed(session)
        for desk in self._desks:
            desk.changed(session)

    def _on_writable(self, peer: Peer) -> None:
        for name in peer.views.keys() & self.roster.sessions.keys():
            self.roster.sessions[name].painter.touch()

    # ── requests ───────────────────────────────────────────────────────────────────────────────

    def _on_request(self, peer: Peer, request: m.AnyRequest) -> None:
        if not peer.greeted and not isinstance(request, m.Hello):
            raise ProtocolError("the first message must be hello")
        try:
            answer = self._answer(peer, request)
        except AgentdeckError as error:
            answer = _failed(error)
        if isinstance(answer, Reply):
            _reply(peer, request, answer)
        else:
            self.spawn_task(_answer_later(peer, request, answer))

    def _answer(self, peer: Peer, request: m.AnyRequest) -> Answer:
        match request:
            case m.Input():  # first, because nothing may stand between a key and its PTY
                _running(self.roster.find(request.session)).write(request.data)
                return m.Done(session=request.session)
            case m.Hello():
                if request.version != m.VERSION:
                    raise ProtocolError(
                        f"this hub speaks version {m.VERSION} of the protocol and the client version {request.version}"
                    )
                peer.greeted = True
                return m.Welcome(version=m.VERSION, pid=os.getpid())
            case m.Status():
                return self._status()
            case m.List():
                return self.roster.listed()
            case m.Spawn():
                return self.roster.spawn(request)
            case m.Watch():
                peer.watching, peer.wants_resources = True, request.resources
                self._meter.adjust()
                for problem in self.problems:
                    peer.send(m.Notice(text=problem, level="warning"))
                return self.roster.listed()
            case m.Shutdown():
                self.done.set()
                return m.Done()
            case m.View():
                return self._view(peer, self.roster.find(request.session), request)
            case m.Stop():
                return self.roster.stop(self.roster.find(request.session), request.grace)
            case m.Restart():
                return self.roster.restart(self.roster.find(request.session), request.env)
            case m.Forget():
                return self._forget(self.roster.find(request.session))
            case m.ReadScreen() | m.ReadHistory() | m.Rename() | m.Mark() | m.Seen() | m.AllowClipboard():
                return verbs.ask(self.roster.find(request.session), request)
            case m.SendText() | m.SendKeys() | m.Mouse() | m.Focus() | m.Interrupt() | m.Signal():
                return verbs.act(_running(self.roster.find(request.session)), request, self.spawn_task)
            case _:
                return self._desk_of[type(request)].answer(peer, request)

    def _status(self) -> m.HubStatus:
        return m.HubStatus(
            pid=os.getpid(),
            version=m.VERSION,
            started=self._started,
            sessions=len(self.roster.running),
            clients=sum(peer.greeted for peer in self.peers),
            problems=self.problems,
        )

    def _view(self, peer: Peer, session: LiveSession, request: m.View) -> m.AnyReply:
        if request.cols > 0 and request.rows > 0:
            session.resize(request.cols, request.rows)
        interval = INTERVALS.get(request.priority)
        if interval is None:
            peer.views.pop(session.info.id, None)
        else:
            peer.views.setdefault(session.info.id, ScreenView(interval)).interval = interval
            session.painter.touch()
        return m.Done(session=session.info.id)

    def _forget(self, session: LiveSession) -> m.AnyReply:
        if session.running:
            raise SessionError(
                f"session {session.info.name} is still running", hint=f"agentdeck stop {session.info.id} ends it"
            )
        self.roster.forget(session)
        return m.Done(session=session.info.id)


def _running(session: LiveSession) -> LiveSession:
    if not session.running:
        raise SessionEndedError(session.info.name)
    return session


def _reply(peer: Peer, request: m.AnyRequest, reply: m.AnyReply) -> None:
    if request.id:
        reply.id = request.id
        peer.send(reply)


async def _answer_later(peer: Peer, request: m.AnyRequest, pending: Coroutine[Any, Any, m.AnyReply]) -> None:
    try:
        reply = await pending
    except AgentdeckError as error:
        reply = _failed(error)
    except BaseException:
        peer.close()  # a bug, or the hub ends: the client must not wait for an answer that never comes
        raise
    _reply(peer, request, reply)


def _failed(error: AgentdeckError) -> m.Failed:
    return m.Failed(error=type(error).__name__, text=str(error), hint=error.hint, exit_code=error.exit_code)
