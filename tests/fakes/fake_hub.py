"""A hub that is an object in the test's own process, with the client's interface.

It answers from a list of sessions and remembers every request, so that a test can say what the deck asked for and push
what a hub would push.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from agentdeck.errors import AgentdeckError, HubUnreachableError, UnknownSessionError
from agentdeck.protocol import attention as w
from agentdeck.protocol import facts as f
from agentdeck.protocol import insight as i
from agentdeck.protocol import messages as m
from agentdeck.protocol import outside as o
from agentdeck.protocol import queue as q
from agentdeck.protocol import search as se
from agentdeck.protocol import share as s
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
        self.facts: dict[str, f.Facts] = {}
        """What transcripts tell, by key."""
        self.feeds: dict[str, list[f.FeedLine]] = {}
        self.calls: dict[str, f.CallDetail] = {}
        self.conversations: dict[str, list[f.ConversationLine]] = {}
        """Whole conversations, by key, as lines of any width."""
        self.report = b"{}"
        self.queue: dict[str, q.Queued] = {}
        """The one prompt that waits in a session."""
        self.would_end: dict[str, q.InterruptTold] = {}
        self.insights: dict[str, i.Insight] = {}
        """What is concluded of sessions, by key."""
        self.absences: dict[str, i.AwayTold] = {}
        self.left_at = 0.0
        """When the last deck before went."""
        self.agents: dict[int, o.Attached] = {}
        """Agents that run elsewhere, by pid."""
        self.places: list[se.Place] = []
        """What was said anywhere, newest first; a search finds the words as they stand."""
        self.titles: dict[str, str] = {}
        """Of conversations, by `provider:id`."""
        self.indexing = se.Indexing(complete=True)
        self.shares: dict[str, s.ShareFacts] = {}
        """What is shared, by share."""
        self.said: dict[str, list[s.ShareEvent]] = {}
        self.explained = w.Explained(session="", name="", provider="", pid=0, state="idle", why="", since=0.0)
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

    def tell(self, facts: f.Facts) -> None:
        """Say what a transcript tells now."""
        self.facts[facts.key] = facts
        self.push(f.FactsChanged(facts=(facts,)))

    def conclude(self, insight: i.Insight) -> None:
        """Say what is concluded of a session now."""
        self.insights[insight.key] = insight
        self.push(i.InsightChanged(insights=(insight,)))

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
            case f.WatchFacts():
                return f.FactsChanged(facts=tuple(self.facts.values()))
            case f.FollowFeed() if request.on:
                return f.FeedLines(key=request.key, lines=tuple(self.feeds.get(request.key, ())))
            case f.ReadFeed():
                older = [line for line in self.feeds.get(request.key, ()) if line.n < request.before]
                return f.FeedLines(key=request.key, lines=tuple(older[-request.count :]))
            case f.ReadCall():
                return self.calls[request.call]
            case f.ReadMessage():
                return f.CallDetail(key=request.key, call="", tool="message", input="", output="the whole message")
            case f.ReadConversation():
                return self._conversation(request)
            case f.ReadUsage():
                return f.UsageTold(report=self.report)
            case q.ReadQueue():
                return q.Queues(sessions=tuple(self.queue), prompts=tuple(self.queue.values()))
            case q.Enqueue() | q.EditQueued() | q.MoveQueued() | q.CancelQueued() | q.SendQueued():
                return q.Queues(sessions=(), prompts=())
            case q.AskInterrupt():
                return self.would_end.get(request.session, q.InterruptTold(session=request.session, state="working"))
            case i.WatchInsight():
                return i.InsightChanged(insights=tuple(self.insights.values()), left_at=self.left_at)
            case i.ReadAway():
                if request.key not in self.absences:
                    raise UnknownSessionError(request.key)
                return self.absences[request.key]
            case s.FollowShare() | s.ReadShare() | s.Share() | s.Panic() | s.SetRole():
                return self._sharing(request)
            case se.OpenSearch():
                return msgspec.structs.replace(self.indexing)
            case se.Search():
                return self._search(request)
            case se.ReadNames():
                return se.Names(names={key: self.titles[key] for key in request.keys if key in self.titles})
            case o.ListAgents():
                return o.Agents(agents=tuple(each.agent for each in self.agents.values()))
            case o.Attach():
                return self.agents[request.pid]
            case w.Explain():
                return self.explained
            case m.ReadScreen():
                size = self.sizes.get(request.session, (80, 24))
                return m.Screen(frame=frame(request.session, self.lines.get(request.session, []), *size))
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

    def _conversation(self, request: f.ReadConversation) -> f.Conversation:
        if request.key not in self.conversations:
            raise UnknownSessionError(request.key)
        lines = self.conversations[request.key]
        end, found = min(request.before or len(lines), len(lines)), -1
        if request.turn >= 0:
            said = [n for n, line in enumerate(lines) if line.style in ("user", "assistant")]
            found = said[request.turn] if request.turn < len(said) else -1
            end = min(len(lines), max(0, found) + request.count)
        elif request.find:
            wanted = request.find.casefold()
            found = next((n for n in range(end - 1, -1, -1) if wanted in lines[n].text.casefold()), -1)
            end = found + 1 if found >= 0 else end
        start = max(0, end - request.count)
        return f.Conversation(key=request.key, start=start, total=len(lines), lines=tuple(lines[start:end]), line=found)

    def _search(self, request: se.Search) -> se.Hits:
        found: list[se.Place] = []
        fuller: set[str] = set()
        for place in self.places:
            at = place.snippet.find(request.text.strip())
            if at < 0 or request.within not in ("", place.key):
                continue
            if request.each and sum(each.key == place.key for each in found) >= request.each:
                fuller.add(place.key)
                continue
            found.append(msgspec.structs.replace(place, marks=((at, at + len(request.text.strip())),)))
        more = len(found) > request.count
        return se.Hits(text=request.text, places=tuple(found[: request.count]), more=more, fuller=tuple(sorted(fuller)))

    def share(self, facts: s.ShareFacts) -> None:
        """Say what a share is like now."""
        self.shares[facts.share] = facts
        self.push(s.ShareTold(facts=facts))

    def _sharing(self, request: m.AnyRequest) -> m.AnyReply:
        match request:
            case s.FollowShare(session=""):
                return s.SharesTold(shares=tuple(self.shares.values()))
            case s.FollowShare():
                return s.ShareTold(facts=self.shares[request.session])
            case s.ReadShare():
                events = tuple(self.said.get(request.session, ()))
                return s.ShareEvents(share=request.session, session="", events=events)
            case s.Share():
                facts = next(facts for facts in self.shares.values() if facts.session == request.session)
                return s.Shared(
                    share=facts.share, url=facts.url, code="7KQ2-M9XD", role=facts.role, expires_at=facts.expires_at,
                    invite="i1",
                )  # fmt: skip
            case s.Panic():
                self.shares.clear()
                return m.Done(note="1 shares cut off")
            case _:
                return m.Done()

    def _spawn(self, request: m.Spawn) -> m.AnyReply:
        number = len(self.sessions) + 1
        name = request.name or request.provider
        self.sessions[f"{number:08x}"] = new = session(number, name=name, provider=request.provider, cwd=request.cwd)
        self.push(m.Changed(session=new))
        return m.Done(session=new.id)
