"""Stop sessions that nobody uses, after a warning.

`status.limits` has the rule; this looks at the sessions now and then. Time is the loop's monotonic clock, which
stands still while the machine sleeps: a laptop that wakes up finds its sessions as it left them.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from agentdeck.config import Limits
from agentdeck.errors import AgentdeckError
from agentdeck.hub.roster import Roster
from agentdeck.hub.session import LiveSession
from agentdeck.processes.table import ProcessTable
from agentdeck.protocol import messages as m
from agentdeck.status.limits import Idleness, IdleVerdict, judge_idle

GRACE: Final = 5.0
"""Seconds between TERM and KILL."""

MEASURE: Final = 5.0
"""Seconds over which the CPU of a session is measured at least before it is stopped."""

BUSY_CPU: Final = 5.0
"""Percent of a core above which a tree that prints nothing is still at work; resting CLIs were seen to need two."""


@dataclass(slots=True)
class _Quiet:
    """Since when a session has been quiet, and what it showed then. `since` is the loop's time."""

    since: float
    output: float
    input: float
    stop_at: float | None = None
    """The stop that was promised, in the loop's time."""


class IdleLimit:
    def __init__(
        self,
        roster: Roster,
        limits: Limits,
        push: Callable[[m.AnyReply], None],
        spawn_task: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._roster = roster
        self._limits = limits
        self._push = push
        self._spawn_task = spawn_task
        self._quiet: dict[str, _Quiet] = {}
        self._table: ProcessTable | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to look. Without a limit there is no timer at all."""
        if self._limits.idle > 0 and self._limits.idle_check > 0:
            self._look()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        sessions = [session for session in self._roster.running if not session.stopping]
        self._quiet = {name: quiet for name, quiet in self._quiet.items() if name in self._roster.sessions}
        next_look = self._limits.idle_check
        verdicts = [(session, self._judge(session, now)) for session in sessions]
        close = [session for session, verdict in verdicts if verdict.stop or verdict.stop_in is not None]
        measured, burning = self._burning(close)
        for session, verdict in verdicts:
            quiet = self._quiet[session.info.id]
            if session.info.id in burning:
                quiet.since, quiet.stop_at = now, None
                verdict = judge_idle(self._idleness(session, quiet, now), self._limits)
            if verdict.stop and not measured:
                wait = min(MEASURE, self._limits.idle)
                verdict = IdleVerdict(stop_in=wait, look_in=wait)
            next_look = min(next_look, verdict.look_in)
            self._act(session, quiet, verdict, now)
        self._timer = asyncio.get_running_loop().call_later(next_look, self._look)

    def _judge(self, session: LiveSession, now: float) -> IdleVerdict:
        quiet = self._quiet.get(session.info.id)
        if quiet is None:
            quiet = self._quiet[session.info.id] = _Quiet(now, session.last_output_at, session.last_input)
        if session.last_output_at > quiet.output:
            quiet.since, quiet.output = max(quiet.since, session.last_output_at), session.last_output_at
            quiet.stop_at = None
        if session.last_input > quiet.input or session.watched:
            quiet.since, quiet.input, quiet.stop_at = now, session.last_input, None
        return judge_idle(self._idleness(session, quiet, now), self._limits)

    @staticmethod
    def _idleness(session: LiveSession, quiet: _Quiet, now: float) -> Idleness:
        return Idleness(
            state=session.info.state,
            marked=session.info.marked,
            quiet=now - quiet.since,
            promised=None if quiet.stop_at is None else quiet.stop_at - now,
        )

    def _burning(self, sessions: list[LiveSession]) -> tuple[bool, set[str]]:
        """Return whether CPU could be measured, and the sessions that are at work though they print nothing."""
        if not sessions:
            self._table = None
            return False, set()
        measured = self._table is not None
        if self._table is None:
            self._table = ProcessTable()
        roots = {session.info.id: session.info.holder_pid or session.info.pid for session in sessions}
        self._table.scan(roots.values())
        return measured, {name for name, pid in roots.items() if self._table.usage(pid).cpu >= BUSY_CPU}

    def _act(self, session: LiveSession, quiet: _Quiet, verdict: IdleVerdict, now: float) -> None:
        name = session.info.name
        if verdict.stop:
            self._spawn_task(self._stop(session))
        elif verdict.stop_in is None:
            quiet.stop_at = None
            session.update(idle_stop=None)
        elif quiet.stop_at is None:
            quiet.stop_at = now + verdict.stop_in
            session.update(idle_stop=time.time() + verdict.stop_in)
            self._push(
                m.Notice(
                    text=f"{name} is idle and will be stopped in {_spoken(verdict.stop_in)}; mark it to keep it",
                    level="warning",
                    session=session.info.id,
                )
            )

    async def _stop(self, session: LiveSession) -> None:
        name, resting = session.info.name, _spoken(self._limits.idle)
        try:
            await self._roster.stop(session, GRACE)
        except AgentdeckError:
            return  # it ended by itself meanwhile
        self._push(m.Notice(text=f"{name} was idle for {resting} and was stopped", session=session.info.id))


def _spoken(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:g} h"
