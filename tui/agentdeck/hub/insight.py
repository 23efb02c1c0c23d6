"""What can be concluded of sessions: health, loops, conflicts, growing helpers; and which call burned the machine.

All of it is made from what others tell: the transcripts' events, and the process table that the meter reads anyway.
While no client asks for it, nothing here runs; only when a session ends, its remains are looked for.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any, Final

import msgspec

from agentdeck import events as e
from agentdeck.approvals.call import ToolCall
from agentdeck.approvals.gate import Verdict
from agentdeck.errors import AmbiguousSessionError, UnknownSessionError
from agentdeck.hub.burning import Burning
from agentdeck.hub.desk import Answer, Desk
from agentdeck.hub.facts import FactsDesk
from agentdeck.hub.peer import Peer
from agentdeck.hub.roster import Roster
from agentdeck.hub.session import LiveSession as Session
from agentdeck.live.alerts import Alert, alerts
from agentdeck.live.away import Spending, away
from agentdeck.live.health import health_of
from agentdeck.live.radar import WITHIN, Radar
from agentdeck.processes.remains import remains
from agentdeck.processes.table import ProcessTable
from agentdeck.processes.worktree import identity
from agentdeck.protocol import facts as f
from agentdeck.protocol import insight as i
from agentdeck.protocol import messages as m

FLUSH: Final = 0.5
"""Seconds for which changes are collected."""

TICK: Final = 60.0
"""Seconds between two looks at what time alone changes: rest, age, silence."""

SHOWN: Final = 3
"""Conflicts of a session that are told."""

REMAINS_AFTER: Final = 1.0
"""Seconds after the end of a session: what hears that its terminal is gone ends by then."""

ANSWER_WITHIN: Final = 5.0
"""Seconds for which somebody who asks waits until the transcripts are read."""

SETTLED: Final = 0.3
"""Seconds without a new record after which they are."""


class InsightDesk(Desk):
    requests = (i.WatchInsight, i.ReadInsight, i.ReadAway)

    def __init__(
        self,
        roster: Roster,
        facts: FactsDesk,
        *,
        push: Callable[[m.AnyReply], None],
        later: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._roster = roster
        self._facts = facts
        self._push = push
        self._later = later
        self._watching: set[Peer] = set()
        self._radar = Radar(identity)
        self._burning = Burning(facts)
        self._asking = 0
        """Who waits for an answer, beside those who watch."""
        self._left_at = 0.0
        self._spent: dict[str, Spending] = {}
        self._over: set[str] = set()
        """Our sessions that have ended."""
        self._remains: dict[str, tuple[i.Remain, ...]] = {}
        self._waits: dict[str, list[float]] = {}
        """When each of our sessions began to wait for the person."""
        self._told: dict[str, i.Insight] = {}
        self._dirty: set[str] = set()
        self._unread: set[str] = set()
        """Sessions of whose past the radar has not heard yet."""
        self._flushing: asyncio.TimerHandle | None = None
        self._ticking: asyncio.TimerHandle | None = None

    def start(self) -> None:
        for session in self._roster.sessions.values():
            self._see_end(session)

    def stop(self) -> None:
        for timer in (self._flushing, self._ticking):
            if timer is not None:
                timer.cancel()
        self._flushing = self._ticking = None

    def answer(self, peer: Peer, request: m.AnyRequest) -> Answer:
        if isinstance(request, i.ReadAway):
            return self._away(request)
        if isinstance(request, i.ReadInsight):
            return self._read(request.ref)
        left_at = 0.0 if self._watching else self._left_at
        self._watching.add(peer)
        self._adjust()
        return i.InsightChanged(insights=tuple(self._told.values()), left_at=left_at)

    def gone(self, peer: Peer) -> None:
        if peer in self._watching:
            self._watching.discard(peer)
            if not self._watching:
                self._left_at = time.time()
                for key in self._facts.sessions():
                    self._note_cost(key)
            self._adjust()

    def changed(self, session: Session) -> None:
        key, info = session.info.id, session.info
        waits = self._waits.setdefault(key, [])
        if info.state == "needs_you" and (not waits or waits[-1] != info.since):
            waits.append(info.since)
            del waits[:-100]
        if info.ended is not None:
            self._radar.gone(key)
            self._burning.forget(key)
        self._see_end(session)
        self._touch(key)

    def annotate(self, key: str, line: f.FeedLine) -> f.FeedLine:
        """Add to the line of a finished call what its processes burned."""
        words = self._burning.of(key, line.call) if line.call and line.status != "pending" else ""
        return msgspec.structs.replace(line, burned=words) if words else line

    def advise(self, session: Session, call: ToolCall) -> Verdict | None:
        """Warn before a call that changes a file which another live session has changed; None for all others."""
        if call.kind != "edit" or not self._watching:
            return None
        now = time.time()
        for path in call.paths:
            conflict = self._radar.before(session.info.id, str(Path(call.cwd, path)), now)
            if conflict is not None:
                others = ", ".join(self._name(key) for key in conflict.sessions[:-1])
                return Verdict("warn", "conflict", f"{others} changed {path} in the last two hours, too", "medium")
        return None

    def _name(self, key: str) -> str:
        session, told = self._roster.sessions.get(key), self._facts.told(key)
        if session is not None:
            return session.info.name
        if told is None:
            return key
        return told.title or PurePath(told.cwd).name or told.provider

    # ── what comes in ──────────────────────────────────────────────────────────────────────────

    def _adjust(self) -> None:
        wanted = bool(self._watching or self._asking)
        if wanted and self._ticking is None:
            self._unread.update(self._facts.sessions())
            self._facts.listen("insight", self._heard, recalled=self._recalled)
            self._tick()
        elif not wanted and self._ticking is not None:
            self.stop()
            self._facts.listen("insight", None)
            self._told.clear()

    def _recalled(self, key: str) -> None:
        self._unread.add(key)
        self._touch(key)

    def _heard(self, key: str, event: e.AnyEvent) -> None:
        match event:
            case e.ToolReturned():
                for change in event.files:
                    conflict = self._radar.touch(key, change.path, event.at.timestamp())
                    for other in conflict.sessions if conflict is not None else ():
                        self._touch(other)
            case e.SessionEnded():
                self._radar.gone(key)
        self._touch(key)

    def scanned(self, table: ProcessTable, roots: Mapping[str, int], usages: Mapping[str, m.Usage]) -> None:
        """The meter has read the process table."""
        if self._watching:
            for key in self._burning.scanned(table, roots, usages):
                self._touch(key)

    def _note_cost(self, key: str) -> None:
        told = self._facts.told(key)
        if told is not None and told.cost_usd is not None:
            self._spent.setdefault(key, Spending()).note(time.time(), told.cost_usd)

    # ── what is left of a session ──────────────────────────────────────────────────────────────

    def _see_end(self, session: Session) -> None:
        key = session.info.id
        if session.info.ended is None:
            self._over.discard(key)
            self._remains.pop(key, None)
        elif key not in self._over:
            self._over.add(key)
            if not session.stopping:  # who stops it is told what was spared
                asyncio.get_running_loop().call_later(REMAINS_AFTER, self._look_for_remains, key)

    def _look_for_remains(self, key: str) -> None:
        session = self._roster.sessions.get(key)
        if session is not None and session.info.ended is not None:
            self._later(self._find_remains(session))

    async def _find_remains(self, session: Session) -> None:
        info = session.info
        found = await asyncio.to_thread(remains, info.id, info.pid, session.provider.daemons)
        if self._roster.sessions.get(info.id) is not session or session.info.ended is None:
            return  # it was started again, or forgotten, meanwhile
        before = self._remains.get(info.id)
        self._remains[info.id] = tuple(i.Remain(*each) for each in found)
        if found and before is None:
            names = ", ".join(f"{name} (pid {pid})" for name, pid in found)
            go_on = "1 process goes on" if len(found) == 1 else f"{len(found)} processes go on"
            self._push(m.Notice(text=f"{go_on} after its end: {names}", level="warning", session=info.id))
        if self._remains[info.id] != (before or ()):
            self._touch(info.id)

    # ── what goes out ──────────────────────────────────────────────────────────────────────────

    def _touch(self, key: str) -> None:
        if self._ticking is None:
            return
        self._dirty.add(key)
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(FLUSH, self._flush)

    def _tick(self) -> None:
        self._ticking = asyncio.get_running_loop().call_later(TICK, self._tick)
        sessions = self._facts.sessions()
        gone = self._told.keys() - sessions.keys()
        for key in gone:
            if key not in self._roster.sessions:
                self._told.pop(key, None)
                self._spent.pop(key, None)
                self._remains.pop(key, None)
                self._burning.forget(key)
        for key in sessions:
            self._touch(key)
        for key, left in self._remains.items():
            if left:
                self._look_for_remains(key)

    def _flush(self) -> None:
        self._flushing = None
        self._read_past()
        dirty, self._dirty = self._dirty, set()
        conflicts = [i.Conflict(*found) for found in self._radar.conflicts(time.time())]
        changed = []
        for key in dirty:
            insight = self._insight(key, tuple(found for found in conflicts if key in found.sessions)[:SHOWN])
            if insight is not None and insight != self._told.get(key):
                self._told[key] = insight
                changed.append(insight)
        if changed:
            for peer in self._watching:
                peer.send(i.InsightChanged(insights=tuple(changed)))

    def _read_past(self) -> None:
        unread, self._unread = self._unread, set()
        recent = time.time() - WITHIN
        for key in unread:
            live = self._facts.live(key)
            for touched in live.files.values() if live is not None and live.ended is None else ():
                if touched.at is not None and touched.at.timestamp() > recent:
                    conflict = self._radar.touch(key, touched.path, touched.at.timestamp())
                    self._dirty.update(conflict.sessions if conflict is not None else ())

    def _insight(self, key: str, conflicts: tuple[i.Conflict, ...]) -> i.Insight | None:
        live, now, left = self._facts.live(key), datetime.now(UTC), self._remains.get(key, ())
        growing = [Alert("memory", words, "restart it") for words in self._burning.growing(key)]
        self._note_cost(key)
        if live is None:
            servers = self._burning.servers(key)
            if not (left or servers or key in self._told):
                return None
            warned = tuple(i.Alert(*alert) for alert in growing)
            return i.Insight(key=key, alerts=warned, servers=servers, remains=left)
        found = (*alerts(live, now, self._burning.cpu.get(key)), *growing)
        told = self._facts.told(key)
        gauge = told.gauge if told is not None else None
        health = health_of(live, now, compact_at=gauge.compact_at if gauge is not None else None)
        return i.Insight(
            key=key,
            score=health.score,
            status=health.status,
            factors=tuple(round(factor, 2) for factor in health.factors),
            alerts=tuple(i.Alert(*alert) for alert in found),
            conflicts=conflicts,
            servers=self._burning.servers(key),
            remains=left,
        )

    # ── questions ──────────────────────────────────────────────────────────────────────────────

    async def _read(self, ref: str) -> i.InsightTold:
        """Raises `UnknownSessionError`, `AmbiguousSessionError`."""
        self._asking += 1
        self._adjust()
        try:
            key = await self._settled(ref)
            self._read_past()
            conflicts = tuple(i.Conflict(*each) for each in self._radar.conflicts(time.time()) if key in each.sessions)
            insight = self._insight(key, conflicts[:SHOWN]) or i.Insight(key=key)
        finally:
            self._asking -= 1
            self._adjust()
        keys = {key, *(each for conflict in insight.conflicts for each in conflict.sessions)}
        return i.InsightTold(insight=insight, names={each: self._name(each) for each in keys})

    async def _settled(self, ref: str) -> str:
        """Find the session that is meant, and wait until its transcript has been read, or there seems to be none."""
        loop = asyncio.get_running_loop()
        end, quiet, before = loop.time() + ANSWER_WITHIN, loop.time(), None
        while True:
            key = self._find(ref)
            live = self._facts.live(key) if key else None
            if live is None or live.last_at != before:
                quiet, before = loop.time(), live.last_at if live is not None else None
            elif loop.time() - quiet >= SETTLED:
                return key
            if loop.time() >= end:
                break
            await asyncio.sleep(SETTLED / 4)
        if not key:
            raise UnknownSessionError(ref)
        return key

    def _find(self, ref: str) -> str:
        """The key that `ref` means; empty while nothing is known by it."""
        ours = {key: session.info for key, session in self._roster.sessions.items()}
        others = {key: told for key in self._facts.sessions() if (told := self._facts.told(key)) and key not in ours}
        tests = (
            [key for key in (*ours, *others) if key == ref],
            [key for key, info in ours.items() if info.name == ref],
            [key for key, info in ours.items() if info.ended is None and ref == str(info.pid)],
            [key for key, told in others.items() if told.pid and ref == str(told.pid)],
            [key for key in ours if ref and key.startswith(ref)],
            [key for key, told in others.items() if ref and told.provider_session.startswith(ref)],
        )
        found: list[str] = next(filter(None, tests), [])
        if len(found) > 1:
            raise AmbiguousSessionError(ref, found)
        return found[0] if found else ""

    def _away(self, request: i.ReadAway) -> m.AnyReply:
        live = self._facts.live(request.key)
        if live is None:
            raise UnknownSessionError(request.key)
        did = away(live, datetime.fromtimestamp(request.since, UTC))
        told = self._facts.told(request.key)
        self._note_cost(request.key)
        spent, began = self._spent.get(request.key), live.started.timestamp() if live.started is not None else 0.0
        return i.AwayTold(
            key=request.key,
            prompts=did.prompts,
            calls=did.calls,
            failures=did.failures,
            files=did.files,
            added=did.added,
            removed=did.removed,
            test_runs=did.test_runs,
            tests_passed=did.tests_passed,
            tests_failed=did.tests_failed,
            last_run_failed=did.last_run_failed,
            last_message=did.last_message,
            waits=sum(at > request.since for at in self._waits.get(request.key, ())),
            cost_usd=told.cost_usd if told is not None else None,
            cost_since_usd=spent.since(request.since, began) if spent is not None else None,
        )
