"""A hub that is an object in the test's own process, with the client's interface.

It answers from a list of sessions and remembers every request, so that a test can say what the deck asked for and push
what a hub would push.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from agentdeck.errors import AgentdeckError, HubUnreachableError, UnknownSessionError
from agentdeck.protocol import messages as m
from agentdeck.protocol.base import Reply, Request
from agentdeck.protocol.screen import Cursor, Frame, Modes, Row

R = TypeVar("R", bound=Reply)
Q = TypeVar("Q", bound=Request)

NOW = 1_700_000_000.0


def session(number: int, **facts: object) -> m.Session:
    """A session as a hub would describe it; `facts` replace the plain ones."""
    plain = m.Session(
        id=f"{number:08x}",
        name=f"s{number}",
        provider="claude",
        cwd="/home/ana/shop",
        argv=("claude",),
        pid=1000 + number,
        state="idle",
        since=NOW,
        started=NOW,
    )
    return msgspec.structs.replace(plain, **facts)


def row(text: str, columns: int, style: int = 0, *, wrapped: bool = False, width: int | None = None) -> Row:
    """A row of one style; `width` is what `text` takes when that is not its length."""
    pad = " " * (columns - (len(text) if width is None else width))
    return Row(((text, style), (pad, 0)) if pad else ((text, style),), wrapped=wrapped)


def frame(
    of: str,
    lines: Sequence[str],
    columns: int,
    height: int,
    *,
    seq: int = 1,
    cursor: Cursor | None = None,
    modes: Modes | None = None,
    history: int = 0,
) -> Frame:
    """A full frame."""
    texts = [*lines, *[""] * (height - len(lines))][:height]
    return Frame(
        session=of,
        seq=seq,
        cols=columns,
        height=height,
        full=True,
        rows=tuple((y, row(text, columns)) for y, text in enumerate(texts)),
        cursor=cursor or Cursor(0, 0),
        modes=modes or Modes(),
        history=history,
    )


class FakeHub:
    def __init__(self, *sessions: m.Session) -> None:
        self.sessions = {session.id: session for session in sessions}
        self.lines: dict[str, list[str]] = {}
        """What each session's screen says."""
        self.history: dict[str, list[str]] = {}
        self.asked: list[m.AnyRequest] = []
        self.failing: dict[type[Request], AgentdeckError] = {}
        """Requests that this hub refuses, and how."""
        self.sizes: dict[str, tuple[int, int]] = {}
        self.connects: list[bool] = []
        self.down = False
        self.closed = False
        self.on_push: Callable[[m.AnyReply], None] = lambda message: None
        self.on_close: Callable[[], None] = lambda: None

    # what a test says

    async def connect(self, start: bool) -> "FakeHub":
        self.connects.append(start)
        if self.down:
            raise HubUnreachableError("no hub answers")
        return self

    def push(self, message: m.AnyReply) -> None:
        self.on_push(message)

    def change(self, id: str, **facts: object) -> None:
        """Change facts of a session and tell the deck."""
        self.sessions[id] = msgspec.structs.replace(self.sessions[id], **facts)
        self.push(m.Changed(session=self.sessions[id]))

    def die(self) -> None:
        self.on_close()

    def requests(self, kind: type[Q]) -> list[Q]:
        return [request for request in self.asked if isinstance(request, kind)]

    # what the deck calls

    def post(self, request: m.AnyRequest) -> None:
        self.asked.append(request)
        if isinstance(request, m.View):
            self._view(request)

    async def call(self, request: m.AnyRequest) -> m.AnyReply:
        self.asked.append(request)
        if (error := self.failing.get(type(request))) is not None:
            raise error
        match request:
            case m.Watch() | m.List():
                return m.Sessions(sessions=tuple(self.sessions.values()))
            case m.Spawn():
                return self._spawn(request)
            case m.ReadHistory():
                rows = self.history.get(request.session, [])
                wanted = rows[request.start : request.start + request.count]
                columns = self.sizes[request.session][0]
                return m.History(
                    start=request.start, total=len(rows), rows=tuple(row(text, columns) for text in wanted)
                )
            case m.Rename():
                self.change(request.session, name=request.name)
            case m.Stop():
                self.change(request.session, state="exited", ended=NOW, exit_status=143)
            case m.Forget():
                del self.sessions[request.session]
                self.push(m.Gone(session=request.session))
            case m.View():
                self._view(request)
            case _:
                pass
        return m.Done(session=getattr(request, "session", ""))

    async def ask(self, request: m.AnyRequest, kind: type[R]) -> R:
        reply = await self.call(request)
        assert isinstance(reply, kind)
        return reply

    async def resolve(self, ref: str) -> m.Session:
        for session in self.sessions.values():
            if ref in (session.id, session.name):
                return session
        raise UnknownSessionError(ref)

    async def close(self) -> None:
        self.closed = True

    def _view(self, request: m.View) -> None:
        if request.cols:
            self.sizes[request.session] = (request.cols, request.rows)
        if request.priority == "hidden" or request.session not in self.sizes:
            return
        columns, rows = self.sizes[request.session]
        history = len(self.history.get(request.session, ()))
        self.push(
            m.Screen(frame=frame(request.session, self.lines.get(request.session, []), columns, rows, history=history))
        )

    def _spawn(self, request: m.Spawn) -> m.AnyReply:
        number = len(self.sessions) + 1
        name = request.name or request.provider
        self.sessions[f"{number:08x}"] = new = session(number, name=name, provider=request.provider, cwd=request.cwd)
        self.push(m.Changed(session=new))
        return m.Done(session=new.id)
