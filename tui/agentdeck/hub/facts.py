"""What the transcripts say, for clients: live state folded from events, feeds, gauges, costs, conversations.

A worker process follows the files and keeps the ledger; its events are folded here. It runs while somebody wants
facts, is restarted when it dies, and nothing is lost by that: transcripts and ledger are on disk.
"""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from agentdeck import events as e
from agentdeck import events_wire
from agentdeck.errors import SessionError, UnknownSessionError
from agentdeck.hub.desk import Answer, Desk
from agentdeck.hub.peer import Peer
from agentdeck.hub.roster import Roster
from agentdeck.hub.session import LiveSession as Session
from agentdeck.hub.worker import Worker
from agentdeck.live.conversation import render
from agentdeck.live.feed import Feed
from agentdeck.live.session import LiveSession
from agentdeck.live.store import Key, LiveStore
from agentdeck.live.wording import full_input, one_line, subject
from agentdeck.paths import Paths
from agentdeck.protocol import facts as f
from agentdeck.protocol import messages as m
from agentdeck.protocol.worker import AnyFrame, Gauges, Limits, Problem, SessionGauge, Told
from agentdeck.transcripts.follow import read_all
from agentdeck.usage.ledger import Ledger
from agentdeck.usage.prices import Prices
from agentdeck.usage.report import usage

FLUSH: Final = 0.1
"""Seconds for which changed facts are collected before they are pushed."""

TICK: Final = 15.0
"""Seconds between two looks at what time alone concludes."""

LINGER: Final = 60.0
"""Seconds for which the worker goes on when nobody wants facts any more."""

RECENT: Final = 30 * 60.0
"""Seconds after its last event for which a session of others is shown."""


Listener = Callable[[str, e.AnyEvent], None]
"""Called with a key and an event."""


class FactsDesk(Desk):
    requests = (f.WatchFacts, f.FollowFeed, f.ReadFeed, f.ReadCall, f.ReadConversation, f.ReadUsage)

    def __init__(
        self,
        paths: Paths,
        roster: Roster,
        problem: Callable[[str], None],
    ) -> None:
        self._roster = roster
        self._watching: set[Peer] = set()
        self._following: dict[Peer, set[str]] = {}
        """Whose feeds a client follows, by key."""
        self._listeners: dict[str, Listener] = {}
        self._problem = problem
        self._store = LiveStore()
        self._feeds: dict[Key, Feed] = {}
        self._gauges: dict[str, SessionGauge] = {}
        self._limits: dict[str, tuple[f.Limit, ...]] = {}
        self._dirty: set[Key] = set()
        self._told: dict[str, f.Facts] = {}
        """What clients have, by key."""
        self._flushing: asyncio.TimerHandle | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._worker = Worker(self._take, problem)
        self._files: dict[Key, dict[str, None]] = {}
        """The transcripts of each session's main conversation, in the order in which they were met."""
        self._usage_path = paths.state / "usage.db"
        self._idle: asyncio.TimerHandle | None = None

    # ── clients ────────────────────────────────────────────────────────────────────────────────

    def listen(self, name: str, listener: "Listener | None") -> None:
        """Tell another part of the hub, under its name, every event as it happens; None ends it."""
        if listener is None:
            self._listeners.pop(name, None)
        else:
            self._listeners[name] = listener
        self._adjust()

    def live(self, session: str) -> LiveSession | None:
        """What the transcripts tell of one of our sessions, or of `provider:id`; None before the first record."""
        try:
            return self._store.sessions[self._find(session)]
        except UnknownSessionError:
            return None

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
        if wanted and not self._worker.running:
            self._worker.start()
            self._tick()
        elif not wanted and self._worker.running and self._idle is None:
            self._idle = loop.call_later(LINGER, self.stop)

    def stop(self) -> None:
        for timer in (self._flushing, self._ticking, self._idle):
            if timer is not None:
                timer.cancel()
        self._flushing = self._ticking = self._idle = None
        self._worker.stop()

    def answer(self, peer: Peer, request: m.AnyRequest) -> Answer:
        match request:
            case f.WatchFacts():
                self._watching.add(peer)
                self._adjust()
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
            case f.ReadConversation():
                return asyncio.to_thread(_conversation, request, tuple(self._files.get(self._find(request.key), ())))
            case f.ReadUsage():
                limits = tuple(limit for each in self._limits.values() for limit in each)
                return asyncio.to_thread(_usage, self._usage_path, limits)
        raise SessionError(f"{type(request).__name__} is no question about facts", hint="")

    def changed(self, session: Session) -> None:
        key = session.provider.family, session.info.resume_id
        if key in self._store.sessions:  # it may have found out just now that this conversation is its own
            self._dirty.add(key)
            self._flush_soon()

    # ── the worker ─────────────────────────────────────────────────────────────────────────────

    def _take(self, frame: AnyFrame) -> None:
        match frame:
            case Told():
                for data in frame.events:
                    self._fold(events_wire.decode(data), history=frame.history)
            case Gauges():
                for gauge in frame.sessions:
                    self._gauges[gauge.key] = gauge
                    provider, _, session = gauge.key.partition(":")
                    self._dirty.add((provider, session))
            case Limits():
                self._limits[frame.provider] = frame.limits
                self._dirty.update(key for key in self._store.sessions if key[0] == frame.provider)
            case Problem():
                self._problem(frame.text)
        self._flush_soon()

    def _fold(self, event: e.AnyEvent, *, history: bool) -> None:
        key = event.provider, event.session
        if event.source is not None and not event.agent:
            self._files.setdefault(key, {})[event.source.path] = None
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = Feed()
        lines = {}
        for told in self._store.apply(event):
            line = feed.add(told)
            if line is not None:
                lines[line.n] = line
            if not history:
                for listener in tuple(self._listeners.values()):
                    listener(self.key_of(key), told)
        self._dirty.add(key)
        if lines:
            self._push_lines(self.key_of(key), tuple(lines.values()))

    def _push_lines(self, key: str, lines: tuple[f.FeedLine, ...]) -> None:
        for peer, keys in self._following.items():
            if key in keys:
                peer.send(f.FeedLines(key=key, lines=lines))

    def _tick(self) -> None:
        self._ticking = asyncio.get_running_loop().call_later(TICK, self._tick)
        now = datetime.now(UTC)
        for event in self._store.tick(now):
            self._dirty.add((event.provider, event.session))
        self._feeds = {key: feed for key, feed in self._feeds.items() if key in self._store.sessions}
        self._dirty.update(key for key in self._store.sessions if f"{key[0]}:{key[1]}" in self._told)
        self._flush_soon()

    # ── facts ──────────────────────────────────────────────────────────────────────────────────

    def key_of(self, key: Key) -> str:
        """The id of our session that has this conversation, else `provider:id`."""
        for session in self._roster.sessions.values():
            if session.info.resume_id == key[1] and session.provider.family == key[0]:
                return session.info.id
        return f"{key[0]}:{key[1]}"

    def _flush_soon(self) -> None:
        if self._flushing is None and self._dirty:
            self._flushing = asyncio.get_running_loop().call_later(FLUSH, self._flush)

    def _flush(self) -> None:
        self._flushing = None
        dirty, self._dirty = self._dirty, set()
        changed: list[f.Facts] = []
        gone: set[str] = set()
        now = time.time()
        for key in dirty:
            live = self._store.sessions.get(key)
            foreign = f"{key[0]}:{key[1]}"
            name = self.key_of(key) if live is not None else foreign
            if foreign in self._told and (name != foreign or not self._is_shown(live, now)):
                gone.add(foreign)
            if live is None or (name == foreign and not self._is_shown(live, now)):
                continue
            facts = self._facts(name, live)
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

    @staticmethod
    def _is_shown(live: LiveSession | None, now: float) -> bool:
        return live is not None and live.last_at is not None and now - live.last_at.timestamp() < RECENT

    def _facts(self, name: str, live: LiveSession) -> f.Facts:
        known = self._gauges.get(f"{live.provider}:{live.id}")
        doing = next(reversed(live.pending.values()), None)
        said = {message.role: message.text for message in live.messages if message.role != "thinking"}
        return f.Facts(
            key=name,
            provider=live.provider,
            provider_session=live.id,
            cwd=live.cwd,
            title=live.title,
            model=live.model,
            watched=":" in name,
            state="working" if live.working else "ended" if live.ended else "idle" if live.idle else "unknown",
            started=live.started.timestamp() if live.started else 0.0,
            last_at=live.last_at.timestamp() if live.last_at else 0.0,
            gauge=known.gauge if known else None,
            tokens=known.tokens if known else None,
            cost_usd=known.cost_usd if known else None,
            hidden_usd=known.hidden_usd if known else None,
            unpriced=known.unpriced if known else False,
            burn_usd_hour=known.burn_usd_hour if known else None,
            cache_hit_pct=known.cache_hit_pct if known else None,
            messages=live.counts.get("message", 0),
            tools=live.counts.get("tool_use", 0),
            errors=live.errors,
            agents=len(live.agents),
            files=len(live.files),
            added=sum(touch.added for touch in live.files.values()),
            removed=sum(touch.removed for touch in live.files.values()),
            doing=f"{doing.tool} {subject(doing, live.cwd)}".strip() if doing else "",
            doing_since=doing.at.timestamp() if doing else None,
            last_prompt=one_line(said.get("user", "")),
            last_message=one_line(said.get("assistant", "")),
            limits=self._limits.get(live.provider, ()),
        )

    # ── questions ──────────────────────────────────────────────────────────────────────────────

    def _find(self, name: str) -> Key:
        """Raises `UnknownSessionError` for a session that no transcript is known of."""
        session = self._roster.sessions.get(name)
        if session is not None:
            key = session.provider.family, session.info.resume_id
        else:
            provider, _, own = name.partition(":")
            key = provider, own
        if key not in self._store.sessions:
            raise UnknownSessionError(name)
        return key

    def _lines(self, name: str, before: int, count: int) -> f.FeedLines:
        try:
            feed = self._feeds.get(self._find(name))
        except UnknownSessionError:
            feed = None  # its first record has not come yet
        return f.FeedLines(key=name, lines=tuple(feed.before(before, count)) if feed is not None else ())

    def _call(self, request: f.ReadCall) -> f.CallDetail:
        live = self._store.sessions[self._find(request.key)]
        returned = next((call for call in reversed(live.calls) if call.call == request.call), None)
        used = live.pending.get(request.call) or (returned.used if returned is not None else None)
        if used is None and returned is None:
            raise UnknownSessionError(request.call)
        return f.CallDetail(
            key=request.key,
            call=request.call,
            tool=used.tool if used is not None else "",
            input=full_input(used) if used is not None else "",
            output=returned.output if returned is not None else "",
            status="pending" if returned is None else "error" if returned.is_error else "ok",
            seconds=returned.seconds if returned is not None else None,
            diff="\n".join(change.diff for change in returned.files if change.diff) if returned is not None else "",
        )


def _conversation(request: f.ReadConversation, paths: Sequence[str]) -> f.Conversation:
    """Read and render a whole conversation; takes as long as its transcript is large."""
    told = (event for path in paths for event in read_all(path))
    lines = render(told, request.width)
    end = min(request.before or len(lines), len(lines))
    if request.find:
        wanted = request.find.casefold()
        end = next((n + 1 for n in range(end - 1, -1, -1) if wanted in lines[n].text.casefold()), end)
    start = max(0, end - min(request.count, 2000))
    return f.Conversation(key=request.key, start=start, total=len(lines), lines=tuple(lines[start:end]))


def _usage(path: Path, limits: tuple[f.Limit, ...]) -> f.UsageTold:
    with Ledger(path) as ledger:
        report = usage(ledger, Prices.load(), os.environ)
    return f.UsageTold(report=msgspec.json.encode(report), limits=limits)
