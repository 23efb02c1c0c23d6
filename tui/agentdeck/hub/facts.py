"""What the transcripts say, for clients: live state folded from events, feeds, gauges, costs, conversations.

A worker process follows the files and keeps the ledger; its events are folded here. It runs while somebody wants
facts, is restarted when it dies, and nothing is lost by that: transcripts and ledger are on disk.
Long, because the fold, who listens and what was told are one state; reading on request is in `answers`.
"""

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from agentdeck import events as e
from agentdeck import events_wire
from agentdeck.config import Ending
from agentdeck.errors import SessionError, UnknownSessionError
from agentdeck.hub import answers
from agentdeck.hub.conversations import Conversations, transcript_of
from agentdeck.hub.courses import Courses
from agentdeck.hub.desk import Answer, Desk
from agentdeck.hub.elsewhere import Elsewhere
from agentdeck.hub.evidence import resume_id
from agentdeck.hub.peer import Peer
from agentdeck.hub.repeats import Repeats
from agentdeck.hub.roster import Roster
from agentdeck.hub.session import LiveSession as Session
from agentdeck.hub.summary import facts_of
from agentdeck.hub.worker import Worker
from agentdeck.live.feed import Feed
from agentdeck.live.session import LiveSession
from agentdeck.live.store import Key, LiveStore
from agentdeck.live.writers import Writers
from agentdeck.paths import Paths
from agentdeck.protocol import facts as f
from agentdeck.protocol import messages as m
from agentdeck.protocol import viewers as v
from agentdeck.protocol.worker import AnyFrame, Gauges, Limits, Problem, SessionGauge, Told, Totals
from agentdeck.transcripts.ending import Rules

FLUSH: Final = 0.1
"""Seconds for which changed facts are collected before they are pushed."""

TICK: Final = 10.0
"""Seconds between two looks at what time alone concludes."""

LINGER: Final = 60.0
"""Seconds for which the worker goes on when nobody wants facts any more."""

RECENT: Final = 30 * 60.0
"""Seconds after its last event for which a session of others is shown."""


Listener = Callable[[str, e.AnyEvent], None]
"""Called with a key and an event."""


class FactsDesk(Desk):
    requests = (f.WatchFacts, f.FollowFeed, f.ReadFeed, f.ReadCall, f.ReadMessage, f.ReadConversation, f.ReadUsage)

    def __init__(
        self,
        paths: Paths,
        roster: Roster,
        problem: Callable[[str], None],
        ending: Ending | None = None,
    ) -> None:
        self._roster = roster
        self._watching: set[Peer] = set()
        self._following: dict[Peer, set[str]] = {}
        """Whose feeds a client follows, by key."""
        self._listeners: dict[str, Listener] = {}
        self._recallers: dict[str, Callable[[str], None]] = {}
        self.annotate: Callable[[str, f.FeedLine], f.FeedLine] = lambda key, line: line
        """Called with each line that is pushed; returns it with what others know of it."""
        self._problem = problem
        self._store = LiveStore(rules=Rules.of(ending or Ending()))
        self._feeds: dict[Key, Feed] = {}
        self._gauges: dict[str, SessionGauge] = {}
        self._limits: dict[str, tuple[f.Limit, ...]] = {}
        self._dirty: set[Key] = set()
        self._told: dict[str, f.Facts] = {}
        """What clients have, by key."""
        self._flushing: asyncio.TimerHandle | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._paths = paths
        self._repeats = Repeats()
        self._writers = Writers(os.environ)
        self._pids: dict[Key, int] = {}
        self._elsewhere = Elsewhere()
        self._ours: dict[Key, float] = {}
        """Conversations that are or were our sessions', and when they last were."""
        self._conversation_of: dict[str, Key] = {}
        """What the feed of each of our sessions was last told of."""
        self.worker = Worker(self._arguments, began=self._repeats.began, take=self._take, problem=problem)
        self._files: dict[Key, dict[str, None]] = {}
        """The transcripts of each session's main conversation, in the order in which they were met."""
        self._agent_files: dict[Key, dict[str, None]] = {}
        self._conversations = Conversations()
        self._courses = Courses(paths.state / "usage.db")
        self._spent: f.Spent | None = None
        self._idle: asyncio.TimerHandle | None = None

    # ── clients ────────────────────────────────────────────────────────────────────────────────

    def listen(
        self, name: str, listener: "Listener | None", *, recalled: "Callable[[str], None] | None" = None
    ) -> None:
        """Tell another part of the hub, under its name, every event as it happens; None ends it.

        `recalled` is called with the key of each session of which something that happened before was read.
        """
        self._listeners.pop(name, None)
        self._recallers.pop(name, None)
        if listener is not None:
            self._listeners[name] = listener
        if recalled is not None:
            self._recallers[name] = recalled
        self._adjust()

    def live(self, session: str) -> LiveSession | None:
        """What the transcripts tell of one of our sessions, or of `provider:id`; None before the first record."""
        try:
            return self._store.sessions[self._find(session)]
        except UnknownSessionError:
            return None

    def sessions(self) -> dict[str, LiveSession]:
        """All sessions that transcripts tell of, by key."""
        names = self._names()
        return {names.get(key, f"{key[0]}:{key[1]}"): live for key, live in self._store.sessions.items()}

    def told(self, key: str) -> f.Facts | None:
        """What clients have been told of a session."""
        return self._told.get(key)

    def course(self, key: str) -> v.UsageUpdate | None:
        """How the usage of a session grew; None while that is not known. Who watches facts hears when it changes."""
        facts = self._told.get(key)
        return self._courses.of(facts, lambda: self._again(key)) if facts is not None else None

    def _again(self, key: str) -> None:
        if (facts := self._told.get(key)) is not None:
            for peer in tuple(self._watching):
                peer.send(f.FactsChanged(facts=(facts,)))

    def gone(self, peer: Peer) -> None:
        self._watching.discard(peer)
        self._following.pop(peer, None)
        self._adjust()

    def _adjust(self) -> None:
        """Start the worker when somebody wants facts, stop it a while after nobody does."""
        wanted = bool(self._watching or self._listeners)
        loop = asyncio.get_running_loop()
        if self._idle is not None and wanted:
            self._idle.cancel()
            self._idle = None
        if wanted and not self.worker.running:
            self.worker.start()
            self._tick()
        elif not wanted and self.worker.running and self._idle is None:
            self._idle = loop.call_later(LINGER, self.stop)

    def stop(self) -> None:
        for timer in (self._flushing, self._ticking, self._idle):
            if timer is not None:
                timer.cancel()
        self._flushing = self._ticking = self._idle = None
        self.worker.stop()

    def answer(self, peer: Peer, request: m.AnyRequest) -> Answer:
        match request:
            case f.WatchFacts():
                self._watching.add(peer)
                self._adjust()
                if self._spent is not None:
                    peer.send(self._spent)
                return f.FactsChanged(facts=tuple(self._told.values()))
            case f.FollowFeed():
                followed = self._following.setdefault(peer, set())
                if not request.on:
                    followed.discard(request.key)
                    return m.Done()
                followed.add(request.key)
                return self._lines(request.key, 0, 200)
            case f.ReadFeed():
                return self._lines(request.key, request.before, min(request.count, 1000))
            case f.ReadCall():
                return self._call(request)
            case f.ReadMessage():
                return self._message(request)
            case f.ReadConversation():
                return self._conversation(request)
            case f.ReadUsage():
                limits = tuple(limit for each in self._limits.values() for limit in each)
                return asyncio.to_thread(answers.usage_told, self._paths, request.since, limits)
        raise SessionError(f"{type(request).__name__} is no question about facts", hint="")

    def changed(self, session: Session) -> None:
        key = session.provider.family, session.info.resume_id
        if key[1]:
            self._ours[key] = time.time()
        if self._elsewhere.take_note(session, self._roster.sessions):
            self.worker.again()
        if key in self._store.sessions:  # it may have found out just now that this conversation is its own
            self._store.sign(key, process=session.running)
            self._dirty.add(key)
            self._flush_soon()
            if not session.running:
                self._conclude()
        if key[1] and self._conversation_of.get(session.info.id) != key:
            self._conversation_of[session.info.id] = key
            feed = self._feeds.get(key)
            self._send_lines(session.info.id, tuple(feed.before(0, 200)) if feed is not None else (), anew=True)

    def _arguments(self) -> list[str]:
        more = (f"--root={root.agent}={root.path}" for root in self._elsewhere.roots())
        return [f"--state={self._paths.state}", f"--config={self._paths.config}", *more]

    # ── the worker ─────────────────────────────────────────────────────────────────────────────

    def _take(self, frame: AnyFrame) -> None:
        match frame:
            case Told():
                self._take_told(frame)
            case Gauges():
                for gauge in frame.sessions:
                    self._gauges[gauge.key] = gauge
                    provider, _, session = gauge.key.partition(":")
                    self._dirty.add((provider, session))
            case Limits():
                self._limits[frame.provider] = frame.limits
                self._dirty.update(key for key in self._store.sessions if key[0] == frame.provider)
            case Totals():
                self._spend(frame)
            case Problem():
                self._problem(frame.text)
        self._flush_soon()

    def _spend(self, totals: Totals) -> None:
        spent = f.Spent(
            today_tokens=totals.today_tokens,
            today_usd=totals.today_usd,
            week_tokens=totals.week_tokens,
            week_usd=totals.week_usd,
            unpriced=any(model.usd is None for model in totals.models.values()),
        )
        if spent != self._spent:
            self._spent = spent
            for peer in self._watching:
                peer.send(spent)

    def _take_told(self, frame: Told) -> None:
        names = self._names()
        for data in frame.events:
            try:
                event = events_wire.decode(data)
            except msgspec.MsgspecError:  # the worker is of another version, after an update
                continue
            if self._repeats.knows(data, event.source, history=frame.history):
                continue
            key = event.provider, event.session
            if key not in self._store.sessions and not frame.history:
                self._learn(event.provider)
                names = self._names()
            if event.source is not None:
                (self._agent_files if event.agent else self._files).setdefault(key, {})[event.source.path] = None
            self._pass_on(key, names.get(key, f"{key[0]}:{key[1]}"), self._store.apply(event), history=frame.history)

    def _learn(self, family: str) -> None:
        """A new conversation: perhaps one of our sessions has just begun it, and does not say so by itself."""
        for session in self._roster.running:
            if session.provider.family == family and not session.info.resume_id:
                resume_id(session)

    def _pass_on(self, key: Key, name: str, events: list[e.AnyEvent], *, history: bool = False) -> None:
        """Tell the feed and whoever listens."""
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = Feed()
        lines = {}
        for told in events:
            line = feed.add(told)
            if line is not None:
                lines[line.n] = self.annotate(name, line)
            if not history:
                for listener in tuple(self._listeners.values()):
                    listener(name, told)
        if history:
            for recaller in tuple(self._recallers.values()):
                recaller(name)
        self._dirty.add(key)
        if lines:
            self._push_lines(key, name, tuple(lines.values()))

    def _push_lines(self, key: Key, name: str, lines: tuple[f.FeedLine, ...]) -> None:
        for each in {name, f"{key[0]}:{key[1]}"}:
            self._send_lines(each, lines)

    def _send_lines(self, name: str, lines: tuple[f.FeedLine, ...], *, anew: bool = False) -> None:
        for peer, followed in self._following.items():
            if name in followed:
                peer.send(f.FeedLines(key=name, lines=lines, anew=anew))

    def _tick(self) -> None:
        self._ticking = asyncio.get_running_loop().call_later(TICK, self._tick)
        for writer in self._writers.look():
            key = writer.provider, writer.session
            self._pids[key] = writer.pid
            self._store.sign(key, process=writer.process, open=writer.open)
        self._conclude()
        self._forget()
        self._dirty.update(key for key in self._store.sessions if f"{key[0]}:{key[1]}" in self._told)
        self._flush_soon()

    def _conclude(self) -> None:
        """Tell what time and processes conclude."""
        names = self._names()
        for event in self._store.tick(datetime.now(UTC)):
            key = event.provider, event.session
            if key in self._store.sessions:
                self._pass_on(key, names.get(key, f"{key[0]}:{key[1]}"), [event])

    def _forget(self) -> None:
        """What belongs to sessions that the store has dropped goes, too."""
        kept = self._store.sessions
        for files in (self._files, self._agent_files):
            for key in files.keys() - kept.keys():
                for path in files.pop(key):
                    self._repeats.forget(path)
        self._feeds = {key: feed for key, feed in self._feeds.items() if key in kept}
        self._pids = {key: pid for key, pid in self._pids.items() if pid and key in kept}
        self._ours = {key: at for key, at in self._ours.items() if key in kept or time.time() - at < RECENT}
        ours = self._roster.sessions
        self._conversation_of = {name: key for name, key in self._conversation_of.items() if name in ours}
        keys = {f"{key[0]}:{key[1]}" for key in kept}
        self._gauges = {key: gauge for key, gauge in self._gauges.items() if key in keys}
        self._told = {key: facts for key, facts in self._told.items() if key in keys or key in ours}

    # ── facts ──────────────────────────────────────────────────────────────────────────────────

    def key_of(self, key: Key) -> str:
        """The id of our session that has this conversation, else `provider:id`."""
        return self._names().get(key, f"{key[0]}:{key[1]}")

    def _names(self) -> dict[Key, str]:
        """The conversations that our sessions have now."""
        return {
            (session.provider.family, session.info.resume_id): session.info.id
            for session in self._roster.sessions.values()
            if session.info.resume_id
        }

    def _flush_soon(self) -> None:
        if self._flushing is None and self._dirty:
            self._flushing = asyncio.get_running_loop().call_later(FLUSH, self._flush)

    def _flush(self) -> None:
        self._flushing = None
        dirty, self._dirty = self._dirty, set()
        changed: list[f.Facts] = []
        gone: set[str] = set()
        names = self._names()
        for key in dirty:
            live = self._store.sessions.get(key)
            foreign = f"{key[0]}:{key[1]}"
            name = names.get(key, foreign)
            shown = live is not None and (name != foreign or self._is_shown(live))
            if foreign in self._told and (name != foreign or not shown):
                gone.add(foreign)
            if live is None or not shown:
                continue
            pid, gauge = self._pids.get(key, 0), self._gauges.get(foreign)
            facts = facts_of(name, live, gauge, self._limits.get(live.provider, ()), pid)
            if facts != self._told.get(name):
                self._told[name] = facts
                changed.append(facts)
        for name in gone:
            del self._told[name]
        for peer in self._watching:
            if changed:
                peer.send(f.FactsChanged(facts=tuple(changed)))
            for name in gone:
                peer.send(f.FactsGone(key=name))

    def _is_shown(self, live: LiveSession) -> bool:
        """Whether a session of others is shown: lately active, and not a conversation that one of ours has left."""
        last = live.last_at.timestamp() if live.last_at is not None else 0.0
        left = self._ours.get((live.provider, live.id), 0.0)
        return time.time() - last < RECENT and last > left

    # ── questions ──────────────────────────────────────────────────────────────────────────────

    def _find(self, name: str) -> Key:
        """Raises `UnknownSessionError` for a session that no transcript is known of."""
        key = self._identity(name)
        if key not in self._store.sessions:
            raise UnknownSessionError(name)
        return key

    def _identity(self, name: str) -> Key:
        session = self._roster.sessions.get(name)
        if session is not None:
            return session.provider.family, session.info.resume_id
        provider, _, own = name.partition(":")
        return provider, own

    def _lines(self, name: str, before: int, count: int) -> f.FeedLines:
        try:
            key = self._find(name)
        except UnknownSessionError:  # its first record has not come yet
            return f.FeedLines(key=name, lines=())
        feed, known_as = self._feeds.get(key), self.key_of(key)
        lines = feed.before(before, count) if feed is not None else ()
        return f.FeedLines(key=name, lines=tuple(self.annotate(known_as, line) for line in lines))

    def _conversation(self, request: f.ReadConversation) -> Coroutine[Any, Any, f.Conversation]:
        """Raises `UnknownSessionError` when there is no transcript, also none that rests since long."""
        try:
            known = tuple(self._files.get(self._find(request.key), ()))
        except UnknownSessionError:
            known = ()
        provider, own = self._identity(request.key)

        def read() -> f.Conversation:
            paths = known or transcript_of(provider, own, os.environ)
            if not paths:
                raise UnknownSessionError(request.key)
            return self._conversations.read(request, paths)

        return asyncio.to_thread(read)

    def _message(self, request: f.ReadMessage) -> f.CallDetail:
        live = self._store.sessions[self._find(request.key)]
        told = (message for message in live.messages if message.at.timestamp() == request.at)
        text = "\n\n".join(message.text for message in told)
        return f.CallDetail(key=request.key, call="", tool="message", input="", output=text)

    def _call(self, request: f.ReadCall) -> Answer:
        """From memory if it is whole there, else from the transcripts."""
        key = self._find(request.key)
        live = self._store.sessions[key]
        returned = next((call for call in reversed(live.calls) if call.call == request.call), None)
        used = live.pending.get(request.call) or (returned.used if returned is not None else None)
        if answers.is_whole(used, returned):
            return answers.detail(request, used, returned)
        paths = (*self._files.get(key, ()), *self._agent_files.get(key, ()))
        return asyncio.to_thread(answers.call_detail, request, paths, used, returned)
