"""Agents that somebody started elsewhere, watched: what they are, what they use, what is on their screen.

Looking is all: files, the process table, a multiplexer's own questions. No process hears of it. While nobody watches,
nothing here runs; while somebody does, one look a second, and four pictures a second of a screen that is in view.
"""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import Final

import msgspec

from agentdeck.errors import SessionError
from agentdeck.hub.desk import Answer, Desk
from agentdeck.hub.facts import FactsDesk
from agentdeck.hub.peer import Peer
from agentdeck.hub.picture import Canvas
from agentdeck.hub.resuming import resume_conversation
from agentdeck.hub.roster import Roster
from agentdeck.live import glance
from agentdeck.paths import Paths
from agentdeck.processes import conversations, detect, outside, screens, sessions
from agentdeck.processes.look import Look, system_look
from agentdeck.processes.screens import Picture, Seat, Unseen
from agentdeck.processes.source import Process
from agentdeck.processes.table import ProcessTable
from agentdeck.protocol import messages as m
from agentdeck.protocol import outside as o

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at an agent that somebody watches."""

PICTURE_EVERY: Final = 0.25
"""Seconds between two pictures of a screen that somebody has in view."""

RESOLVE_EVERY: Final = 5.0
"""Seconds between two searches for the conversation of an agent that does not name it itself."""

MEGABYTE: Final = 1024 * 1024


@dataclass(eq=False)
class _Watched:
    """One agent that somebody watches, or that has just ended under somebody's eyes."""

    process: sessions.Agent
    agent: o.Agent
    seat: Seat
    env: dict[str, str]
    table: ProcessTable
    canvas: Canvas
    peers: set[Peer] = field(default_factory=set)
    looking: dict[Peer, int] = field(default_factory=dict)
    """Who has its screen in view, and the last frame that each got."""
    told: o.Attached | None = None
    resolved: float = 0.0
    task: "asyncio.Task[None] | None" = None
    drawing: "asyncio.Task[None] | None" = None

    @property
    def over(self) -> bool:
        return self.agent.state == "gone"


class OutsideDesk(Desk):
    """`look` is how processes are looked at."""

    requests = (o.ListAgents, o.Attach, o.Detach, o.LookAt, o.Adopt)

    def __init__(
        self,
        paths: Paths,
        roster: Roster,
        facts: FactsDesk,
        *,
        look: Look | None = None,
    ) -> None:
        self._paths = paths
        self._roster = roster
        self._facts = facts
        self._look = look or system_look()
        self._watched: dict[int, _Watched] = {}

    def stop(self) -> None:
        for watched in self._watched.values():
            _cancel(watched)
        self._watched.clear()

    def gone(self, peer: Peer) -> None:
        for pid in list(self._watched):
            self._leave(pid, peer)

    def answer(self, peer: Peer, request: m.AnyRequest) -> Answer:
        match request:
            case o.ListAgents():
                return self._list()
            case o.Attach():
                return self._attach(peer, request)
            case o.Detach():
                self._leave(request.pid, peer)
                return m.Done()
            case o.LookAt():
                return self._look_at(peer, request)
            case o.Adopt():
                return self._adopt(request)
        raise SessionError(f"{type(request).__name__} is no question about other agents", hint="")

    def _is_ours(self, session: str) -> bool:
        return session in self._roster.sessions

    async def _list(self) -> o.Agents:
        found = await asyncio.to_thread(outside.survey, self._look, self._is_ours, glance.state)
        return o.Agents(agents=tuple(found))

    # ── watching ───────────────────────────────────────────────────────────────────────────────

    async def _attach(self, peer: Peer, request: o.Attach) -> o.Attached:
        watched = next((each for each in self._watched.values() if request.pid in each.process.pids), None)
        if watched is None or not self._look.is_alive(watched.process.pid, watched.process.start):
            watched = await asyncio.to_thread(self._meet, request.pid)
            if (held := watched.agent.ours) != "":
                name = self._roster.find(held).info.name
                raise SessionError(
                    f"process {request.pid} runs in session {name}", hint=f"agentdeck attach {held} opens it"
                )
            before = self._watched.get(watched.agent.pid)
            if before is not None:
                _cancel(before)
            self._watched[watched.agent.pid] = watched
        if request.session:
            watched.agent = _choose(watched.agent, request.session)
        watched.peers.add(peer)
        if watched.task is None:
            watched.task = asyncio.get_running_loop().create_task(self._follow(watched))
        return watched.told or o.Attached(agent=watched.agent)

    def _meet(self, pid: int) -> _Watched:
        """Look who a process is. Waits for the disk. Raises `SessionError`."""
        found = sessions.find(self._look)
        process = outside.require(pid, self._look, found)
        seat = screens.find_seat(process, self._look)
        whose = conversations.resolve(found, self._look)[process.pid]
        env = self._look.environment(process.inner[-1] if process.inner else process.pid)
        agent = outside.told(process, whose, seat, self._is_ours, glance.state)
        table = ProcessTable(read=self._look.table)
        return _Watched(process, agent, seat, env, table, Canvas(agent.key), resolved=time.monotonic())

    def _leave(self, pid: int, peer: Peer) -> None:
        watched = self._watched.get(pid)
        if watched is None:
            return
        watched.peers.discard(peer)
        watched.looking.pop(peer, None)
        if not watched.peers:
            _cancel(watched)
            watched.canvas.close()
            del self._watched[pid]

    async def _follow(self, watched: _Watched) -> None:
        while not watched.over:
            try:
                await asyncio.to_thread(self._look_again, watched)
            except OSError as error:
                watched.agent = msgspec.structs.replace(watched.agent, state_why=str(error))
            self._tell(watched)
            await asyncio.sleep(LOOK_EVERY)

    def _look_again(self, watched: _Watched) -> None:
        """Bring what is known of an agent up to date. Waits for the disk."""
        process, agent = watched.process, watched.agent
        if not self._look.is_alive(process.pid, process.start):
            watched.agent = msgspec.structs.replace(agent, state="gone", state_why="its process has ended")
            return
        due = time.monotonic() - watched.resolved >= RESOLVE_EVERY
        if agent.provider == "claude" or (due and agent.how != "chosen"):
            watched.agent = self._resolved(watched, others=agent.provider != "claude")
        elif due:
            state = glance.state(agent.provider, agent.transcript)
            watched.agent = msgspec.structs.replace(agent, state=state, state_why="the last records of its transcript")
        if due:
            watched.resolved = time.monotonic()

    def _resolved(self, watched: _Watched, *, others: bool) -> o.Agent:
        """Who it is and what it does, again. Agents that do not name their conversation exclude each other's."""
        found = sessions.find(self._look) if others else [watched.process]
        process = next((each for each in found if each.pid == watched.process.pid), None)
        if process is None:
            return watched.agent
        watched.process = process
        whose = conversations.resolve(found, self._look)[process.pid]
        fresh = outside.told(process, whose, watched.seat, self._is_ours, glance.state)
        if watched.agent.session and not fresh.session:  # known a moment ago: doubt now is no news
            return msgspec.structs.replace(watched.agent, state=fresh.state, state_why=fresh.state_why)
        return fresh

    def _tell(self, watched: _Watched) -> None:
        attached = o.Attached(agent=self._with_facts(watched.agent))
        if not watched.over:
            attached = _measured(attached, watched)
        if attached != watched.told:
            watched.told = attached
            for peer in tuple(watched.peers):
                peer.send(attached)

    def _with_facts(self, agent: o.Agent) -> o.Agent:
        """Where only the transcript tells of its state, whoever follows it knows best."""
        live = self._facts.live(agent.key) if agent.session and agent.state in ("working", "idle", "unknown") else None
        if live is None or agent.provider == "claude" or live.pending:
            return agent
        return msgspec.structs.replace(agent, state="working" if live.working else "idle", state_why="its transcript")

    # ── its screen ─────────────────────────────────────────────────────────────────────────────

    def _look_at(self, peer: Peer, request: o.LookAt) -> m.AnyReply:
        watched = self._watched.get(request.pid)
        if watched is None or peer not in watched.peers:
            raise SessionError(f"process {request.pid} is not being watched", hint=outside.HINT)
        if not request.on:
            watched.looking.pop(peer, None)
            return m.Done()
        if not watched.seat.command:
            raise SessionError(
                f"the screen of process {request.pid} cannot be seen: {watched.seat.why}",
                hint="its conversation can be; start it with agentdeck to see both",
            )
        watched.looking[peer] = 0
        if watched.drawing is None:
            watched.drawing = asyncio.get_running_loop().create_task(self._draw(watched))
        else:
            self._send(watched)
        return m.Done()

    async def _draw(self, watched: _Watched) -> None:
        scratch = self._paths.run / f"look.{watched.process.pid}.tmp"
        try:
            while watched.looking and not watched.over:
                picture = await asyncio.to_thread(screens.take, watched.seat, scratch)
                self._show(watched, picture)
                await asyncio.sleep(PICTURE_EVERY)
        finally:
            watched.drawing = None
            with contextlib.suppress(OSError):
                scratch.unlink(missing_ok=True)

    def _show(self, watched: _Watched, picture: Picture | Unseen) -> None:
        why = picture.why if isinstance(picture, Unseen) else ""
        if isinstance(picture, Picture) and watched.canvas.draw(picture):
            self._send(watched)
        if why != watched.agent.screen_why:
            watched.agent = msgspec.structs.replace(watched.agent, screen_why=why)

    def _send(self, watched: _Watched) -> None:
        if watched.canvas.rename(watched.agent.key):
            watched.looking = dict.fromkeys(watched.looking, 0)
        for peer, since in tuple(watched.looking.items()):
            if peer.writable and watched.canvas.seq > since:
                peer.send(m.Screen(frame=watched.canvas.frame(since)))
                watched.looking[peer] = watched.canvas.seq

    # ── taking over ────────────────────────────────────────────────────────────────────────────

    async def _adopt(self, request: o.Adopt) -> m.AnyReply:
        watched = self._watched.get(request.pid)
        if watched is None:
            raise SessionError(f"process {request.pid} is not being watched", hint=outside.HINT)
        agent = watched.agent
        if self._look.is_alive(watched.process.pid, watched.process.start):
            raise SessionError(
                f"process {request.pid} still runs: two must not write one conversation",
                hint="end it where it runs; then it can be taken over",
            )
        if not agent.session:
            raise SessionError("nobody knows which conversation it had", hint="attach again and choose one of them")
        spawn = m.Spawn(
            provider=agent.provider,
            cwd=agent.cwd,
            env=request.env,
            resume=agent.session,
            cols=request.cols,
            rows=request.rows,
        )
        return await resume_conversation(self._roster, self._look, spawn, watched.env)


def _cancel(watched: _Watched) -> None:
    for task in (watched.task, watched.drawing):
        if task is not None:
            task.cancel()


def _choose(agent: o.Agent, session: str) -> o.Agent:
    """Take a person's word for which conversation it is. Raises `SessionError`."""
    fits = [each for each in agent.candidates if each.session.startswith(session)]
    if agent.session.startswith(session):
        return agent
    if len(fits) != 1:
        raise SessionError(f"process {agent.pid} cannot be in conversation {session!r}", hint=outside.HINT)
    return msgspec.structs.replace(
        agent, session=fits[0].session, transcript=fits[0].transcript, how="chosen", why="somebody chose it"
    )


def _measured(attached: o.Attached, watched: _Watched) -> o.Attached:
    """Add what its processes use, without the digits that nobody reads."""
    table, pid = watched.table, watched.process.pid
    table.scan([pid])
    usage = table.usage(pid)
    members = tuple(
        (each.pid, _name(table, each), float(round(table.percent(each))), _rounded(each.rss))
        for each in table.tree(pid)
    )
    return msgspec.structs.replace(attached, cpu=float(round(usage.cpu)), rss=_rounded(usage.rss), processes=members)


def _name(table: ProcessTable, process: Process) -> str:
    return detect.spoken_name(table.arguments(process), process.comm)


def _rounded(size: int) -> int:
    return round(size / MEGABYTE) * MEGABYTE
