"""Which sessions there are: started, restarted, found again, ended, forgotten.

Sessions live in their holders; this is the hub's list of them, kept on disk as small records so that the next hub
has it too. A holder that is found without a record is listed all the same.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from operator import attrgetter
from typing import Any, Final

import msgspec

from agentdeck.config import Config
from agentdeck.errors import AgentdeckError, SessionEndedError, SessionLimitError, SpawnError, UnknownSessionError
from agentdeck.hub import launch, records, verbs
from agentdeck.hub.evidence import judge_session, resume_id
from agentdeck.hub.link import Exit, HolderLink, OrphanLink, exit_record, start_holder
from agentdeck.hub.peer import Peer, ScreenView
from agentdeck.hub.session import LiveSession, Outward
from agentdeck.paths import Paths, make_private
from agentdeck.protocol import messages as m
from agentdeck.providers import Provider, custom, known

SAVE_AFTER: Final = 0.2
"""Seconds; what a session shows changes in bursts. What it *is* is saved before anybody hears of it."""

_LASTING: Final = attrgetter(
    "name", "pid", "cwd", "argv", "started", "ended", "exit_status", "problem", "resume_id", "marked", "muted"
)

LOOK_AGAIN: Final = 2.0
"""Seconds between two tries to reach a holder that lives but does not answer."""

SILENT: Final = "its holder does not answer; the program itself goes on"
LOST: Final = "its holder was killed while no hub was running; the conversation can be resumed"


class Roster:
    """`push` reaches every watching client, `views` gives the open views of one session's screen."""

    def __init__(
        self,
        paths: Paths,
        config: Config,
        *,
        push: Callable[[m.AnyReply], None],
        views: Callable[[str], Iterable[tuple[Peer, ScreenView]]],
        later: Callable[[Coroutine[Any, Any, None]], None],
        problem: Callable[[str], None],
    ) -> None:
        self.sessions: dict[str, LiveSession] = {}
        self.on_running: Callable[[], None] = lambda: None
        """Called when a session began or ended to run."""
        self.on_changed: Callable[[LiveSession], None] = lambda session: None
        """Called when what clients know of a session has changed."""
        self.arguments: launch.Arguments = launch.as_given
        """What becomes of the person's arguments before a CLI gets them."""
        self._paths = paths
        self._config = config
        self._providers = known(config)
        self._push = push
        self._views = views
        self._later = later
        self._problem = problem
        self._outward = Outward(changed=self._changed, judge=judge_session, ended=self._ended, push=push, views=views)
        self._unsaved: set[str] = set()
        self._saved: dict[str, object] = {}
        """What is on disk of the facts that must not be lost, by session."""
        self._scanning = asyncio.Lock()

    @property
    def running(self) -> list[LiveSession]:
        return [session for session in self.sessions.values() if session.running]

    def find(self, session: str) -> LiveSession:
        """Raises `UnknownSessionError`."""
        try:
            return self.sessions[session]
        except KeyError:
            raise UnknownSessionError(session) from None

    def listed(self) -> m.Sessions:
        oldest_first = sorted(self.sessions.values(), key=lambda s: (s.info.started, s.info.id))
        return m.Sessions(sessions=tuple(session.info for session in oldest_first))

    def close(self) -> None:
        """Save what is unsaved and let go of every holder."""
        self._save_rest()
        for session in self.sessions.values():
            session.close()

    # ── begin ──────────────────────────────────────────────────────────────────────────────────

    async def spawn(self, request: m.Spawn) -> m.AnyReply:
        alive, limit = [s.info for s in self.sessions.values() if s.info.ended is None], self._config.limits.sessions
        if limit and len(alive) >= limit:
            raise SessionLimitError(limit, [info.name for info in alive if info.state in ("idle", "done")])
        plan = launch.plan(request, self._providers, self._taken(), self.arguments)
        now = time.time()
        info = m.Session(
            id=plan.spec.id,
            name=plan.name,
            provider=plan.provider.name,
            cwd=plan.spec.cwd,
            argv=plan.spec.argv,
            pid=0,
            state="starting",
            since=now,
            started=now,
            resume_id=plan.resume_id,
            cols=plan.spec.cols,
            rows=plan.spec.rows,
        )
        session = self._live(records.Record(session=info, args=request.args, argv=request.argv), plan.provider)
        self._save(session)  # first, so that a hub that dies now leaves no holder without its facts
        try:
            await start_holder(plan.spec, self._paths.run)
            session.env = request.env
            await self._follow_new(session)
        except AgentdeckError:
            self.forget(session)
            raise
        self._changed(session)
        if plan.type_prompt:
            self._later(verbs.first_prompt(session, plan.type_prompt))
        return m.Done(session=info.id)

    async def restart(self, session: LiveSession, env: dict[str, str]) -> m.AnyReply:
        """Start it again, resuming its conversation. Nothing changes when the new start cannot even be planned."""
        info = session.info
        spec, conversation = launch.again(
            session.record, session.provider, resume_id=resume_id(session), env=env, arguments=self.arguments
        )
        if session.running:
            await self.stop(session, 5.0)
        record = session.record
        session.close()
        records.forget(self._paths.run, info.id)
        now = time.time()
        fresh = m.Session(
            id=info.id,
            name=info.name,
            provider=info.provider,
            cwd=info.cwd,
            argv=spec.argv,
            pid=0,
            state="starting",
            since=now,
            started=now,
            resume_id=conversation,
            marked=info.marked,
            cols=info.cols,
            rows=info.rows,
        )
        again = self._live(msgspec.structs.replace(record, session=fresh), session.provider)
        again.env = env
        self._save(again)
        for _, view in self._views(info.id):
            view.since = 0
        try:
            await start_holder(spec, self._paths.run)
            await self._follow_new(again)
        except AgentdeckError as error:
            again.over.set()
            again.update(state="error", problem=str(error), ended=now)
            raise
        self._changed(again)
        return m.Done(session=info.id)

    def _taken(self) -> set[str]:
        return {*self.sessions, *(session.info.name for session in self.sessions.values())}

    def _live(self, record: records.Record, provider: Provider) -> LiveSession:
        session = LiveSession(record, provider, self._outward, scrollback=self._config.scrollback)
        self.sessions[record.session.id] = session
        return session

    async def _follow(self, session: LiveSession) -> None:
        link = await HolderLink.connect(
            self._paths.run / f"{session.info.id}.sock",
            on_output=session.on_output,
            on_exit=session.on_exit,
            on_lost=lambda: self._later(self._find_again(session)),
        )
        await session.follow(link)
        self.on_running()

    async def _follow_new(self, session: LiveSession) -> None:
        """Raises `SpawnError`: a holder that has just said that it listens must be there."""
        try:
            await self._follow(session)
        except OSError as error:
            raise SpawnError(f"the session's holder went away as soon as it had started: {error}") from error

    # ── end ────────────────────────────────────────────────────────────────────────────────────

    async def stop(self, session: LiveSession, grace: float) -> m.AnyReply:
        """End the whole process tree and wait for it. Raises `SessionEndedError`."""
        if session.link is None:
            raise SessionEndedError(session.info.name)
        session.stopping = True
        left = await session.link.stop(grace)
        await session.over.wait()
        return m.Done(session=session.info.id, left_running=left)

    def forget(self, session: LiveSession) -> None:
        session.close()
        self.sessions.pop(session.info.id, None)
        self._saved.pop(session.info.id, None)
        records.forget(self._paths.run, session.info.id)
        self._push(m.Gone(session=session.info.id))

    def _ended(self, session: LiveSession, ended: Exit) -> None:
        status = _shell_status(ended.status, ended.signal)
        session.over.set()
        again = status is not None and status == session.provider.restart_status
        if again and session.env and not session.stopping:
            session.update(state="starting", why="it asked to be started again", pid=0)
            self._later(self._start_again(session, status))
            return
        self._note_end(session, status)
        self.on_running()

    def _note_end(self, session: LiveSession, status: int | None, problem: str = "") -> None:
        session.seen = False
        session.update(ended=time.time(), exit_status=status, idle_stop=None, problem=problem or session.info.problem)
        judge_session(session)
        session.painter.touch()

    async def _start_again(self, session: LiveSession, status: int | None) -> None:
        try:
            await self.restart(session, session.env)
        except AgentdeckError as error:
            self._note_end(self.sessions.get(session.info.id, session), status, str(error))

    # ── find again ─────────────────────────────────────────────────────────────────────────────

    async def scan(self) -> None:
        """Take over every holder in the run directory that we do not have: earlier hubs' and strays."""
        async with self._scanning:
            for record in records.load(self._paths.run, known=self.sessions):
                await self._recover(record)

    async def _recover(self, record: records.Record) -> None:
        provider = self._providers.get(record.session.provider) or custom.unknown(record.session.provider)
        session = self._live(record, provider)
        if record.session.ended is not None:
            self._lay_out(session)
            return
        try:
            await self._follow(session)
        except TimeoutError:  # somebody listens but does not answer: a stopped holder, not a lost one
            session.update(state="unknown", problem=SILENT)
            self._later(self._wait_for(session))
        except (OSError, AgentdeckError):
            self._lay_out(session)
        else:
            self._changed(session)

    def _lay_out(self, session: LiveSession) -> None:
        """Show a session that ended while no hub ran, as far as its holder wrote down how."""
        info = session.info
        ended = exit_record(self._paths.run, info.id)
        if ended is not None:
            session.show_tail(ended.tail)
            status = _shell_status(ended.status, ended.signal)
            session.update(ended=ended.ended or time.time(), exit_status=status, problem=ended.error)
        elif info.pid == 0 and info.ended is None:
            self.forget(session)  # a hub died before its program had started
            return
        elif info.ended is None:
            session.update(ended=time.time(), problem=LOST)
        session.over.set()
        judge_session(session)

    async def _wait_for(self, session: LiveSession) -> None:
        while self.sessions.get(session.info.id) is session:
            await asyncio.sleep(LOOK_AGAIN)
            try:
                await self._follow(session)
            except TimeoutError:
                continue
            except (OSError, AgentdeckError):
                self._lay_out(session)
            else:
                session.update(problem="")
            return

    async def _find_again(self, session: LiveSession) -> None:
        """The holder's connection broke without an exit: only the socket failed, or the holder was killed."""
        lost = session.link
        if not isinstance(lost, HolderLink):
            return
        while self.sessions.get(session.info.id) is session and session.link is lost:
            try:
                await self._follow(session)
            except (OSError, AgentdeckError):
                if not lost.holder_is_alive:
                    self._go_on_without(session, lost)
                    return
                session.update(problem=SILENT)
                await asyncio.sleep(LOOK_AGAIN)
            else:
                lost.close()
                session.update(problem="")
                return

    def _go_on_without(self, session: LiveSession, lost: HolderLink) -> None:
        orphan = OrphanLink.rescue(
            lost,
            on_output=session.on_output,
            on_exit=session.on_exit,
            offset=session.offset,
            spare=session.provider.daemons,
        )
        if orphan is not None:
            session.link = orphan
            session.update(problem="its holder was killed: this session now depends on the hub")
        else:
            session.on_exit(Exit(status=None, signal=None, total=session.offset))
            session.update(problem="its holder was killed")

    # ── records ────────────────────────────────────────────────────────────────────────────────

    def _changed(self, session: LiveSession) -> None:
        if _LASTING(session.info) != self._saved.get(session.info.id):
            self._save(session)
        elif not self._unsaved:
            asyncio.get_running_loop().call_later(SAVE_AFTER, self._save_rest)
            self._unsaved.add(session.info.id)
        else:
            self._unsaved.add(session.info.id)
        self._push(m.Changed(session=session.info))
        self.on_changed(session)

    def save_everything(self) -> None:
        """After the run directory was lost: write all records again."""
        self._unsaved.update(self.sessions)
        self._save_rest()

    def _save_rest(self) -> None:
        unsaved, self._unsaved = self._unsaved, set()
        for name in unsaved & self.sessions.keys():
            self._save(self.sessions[name])

    def _save(self, session: LiveSession) -> None:
        try:
            make_private(self._paths.run)
            records.save(self._paths.run, session.record)
        except OSError as error:
            self._problem(f"session records cannot be written: {error.strerror}")
        else:
            self._saved[session.info.id] = _LASTING(session.info)


def _shell_status(status: int | None, signal: int | None) -> int | None:
    """The exit status as shells count it: 128 and the signal's number for what a signal ended."""
    return status if status is not None else 128 + signal if signal else None
