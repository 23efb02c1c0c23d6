"""The desk for who needs the person, and why: brings what transcripts tell to the states, and explains them.

Transcripts are followed while a session runs whose CLI writes one, because the end of a turn, an error and a limit are
often told nowhere else.
"""

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from agentdeck import events as e
from agentdeck.config import Notify
from agentdeck.errors import AmbiguousSessionError, SessionError, UnknownSessionError
from agentdeck.hub import evidence
from agentdeck.hub.desk import Answer, Desk
from agentdeck.hub.facts import FactsDesk
from agentdeck.hub.peer import Peer
from agentdeck.hub.report import report
from agentdeck.hub.roster import Roster
from agentdeck.hub.session import LiveSession
from agentdeck.live import glance
from agentdeck.processes import outside, resume
from agentdeck.processes.look import system_look
from agentdeck.protocol import attention as a
from agentdeck.protocol import messages as m
from agentdeck.protocol.outside import Agent
from agentdeck.share import known
from agentdeck.share.redact import secrets_in
from agentdeck.status.signals import Signal, Verdict
from agentdeck.status.state import DECIDES, differs
from agentdeck.transcripts.parse import PARSERS

NAME: Final = "attention"
"""Under which this desk listens to the facts."""

ALERT_AFTER: Final = 1.0
"""Seconds for which a session must be in a state before somebody is told: a gate may answer at once."""

COMMAND_ENDS: Final = 10.0
"""Seconds that the person's notification program gets."""

LONGEST: Final = 200
"""Characters of a notification's text."""

WORDS: Final = {
    "needs_you": "needs you",
    "done": "is done",
    "limited": "is rate-limited",
    "error": "has stopped with an error",
    "exited": "has ended",
}


class AttentionDesk(Desk):
    requests = (a.Explain, a.MakeReport, a.Looking, a.Mute)

    def __init__(
        self,
        roster: Roster,
        facts: FactsDesk,
        settings: Notify,
        *,
        push: Callable[[m.AnyReply], None],
        problem: Callable[[str], None],
        later: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._roster = roster
        self._facts = facts
        self._settings = settings
        self._push = push
        self._problem = problem
        self._later = later
        self._listening = False
        self._known: dict[str, tuple[str, float]] = {}
        """The state of each session, and when it entered it: what was, when this hub began, is no news."""
        self._due: dict[str, asyncio.TimerHandle] = {}

    # ── the hub's side ─────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        self._known = {name: _entered(session) for name, session in self._roster.sessions.items()}
        self._adjust()

    def stop(self) -> None:
        for timer in self._due.values():
            timer.cancel()
        self._due.clear()
        if self._listening:
            self._listening = False
            self._facts.listen(NAME, None)

    def changed(self, session: LiveSession) -> None:
        self._adjust()
        self._consider(session)

    def _adjust(self) -> None:
        wanted = any(session.provider.family in PARSERS for session in self._roster.running)
        if wanted != self._listening:
            self._listening = wanted
            self._facts.listen(NAME, self._hear if wanted else None)

    def _hear(self, key: str, event: e.AnyEvent) -> None:
        session = self._roster.sessions.get(key)
        if session is not None:
            evidence.hear(session, event)

    # ── alerts ─────────────────────────────────────────────────────────────────────────────────

    def _consider(self, session: LiveSession) -> None:
        """Plan an alert for a state that was entered just now: one that is left at once again is worth none."""
        name = session.info.id
        if self._known.get(name) == _entered(session):
            return
        self._known[name] = _entered(session)
        if (timer := self._due.pop(name, None)) is not None:
            timer.cancel()
        if name not in self._roster.sessions:
            self._known.pop(name, None)
        elif session.info.state in self._settings.states and not session.info.muted:
            self._due[name] = asyncio.get_running_loop().call_later(ALERT_AFTER, self._alert, session)

    def _alert(self, session: LiveSession) -> None:
        info = session.info
        self._due.pop(info.id, None)
        if info.muted:
            return
        title, text = f"{info.name} {WORDS.get(info.state, info.state)}", plain(info.why)
        self._push(a.Alert(session=info.id, state=info.state, title=title, text=text))
        if self._settings.command and not session.watched:
            self._later(self._run((*self._settings.command, title, text)))

    async def _run(self, command: tuple[str, ...]) -> None:
        """Run the person's own program. What it prints is nobody's; what does not end is ended."""
        quiet = asyncio.subprocess.DEVNULL
        try:
            process = await asyncio.create_subprocess_exec(*command, stdin=quiet, stdout=quiet, stderr=quiet)
        except (OSError, ValueError) as error:
            self._problem(f"notify.command does not start: {error}")
            return
        try:
            await asyncio.wait_for(process.wait(), COMMAND_ENDS)
        except TimeoutError:
            process.kill()
            await process.wait()
            self._problem(f"notify.command did not end within {COMMAND_ENDS:.0f} s and was ended")

    # ── questions ──────────────────────────────────────────────────────────────────────────────

    def answer(self, peer: Peer, request: m.AnyRequest) -> Answer:
        match request:
            case a.Explain():
                session = self._find(request.ref)
                if session is not None:
                    return self._explain(session)
                return self._explain_other(request.ref)
            case a.MakeReport():
                return self._report(self._roster.find(request.session))
            case a.Looking():
                peer.away = not request.on
                return m.Done()
            case a.Mute():
                session = self._roster.find(request.session)
                session.update(muted=request.on)
                return m.Done(session=session.info.id)
        raise SessionError(f"{type(request).__name__} is no question about attention", hint="")

    def _find(self, ref: str) -> LiveSession | None:
        """One of ours, by id, pid, name or the beginning of an id. Raises `AmbiguousSessionError`."""
        sessions = self._roster.sessions
        if ref in sessions:
            return sessions[ref]
        tests: tuple[Callable[[LiveSession], bool], ...] = (
            lambda each: ref.isdecimal() and each.running and each.info.pid == int(ref),
            lambda each: each.info.name == ref,
            lambda each: bool(ref) and each.info.id.startswith(ref),
        )
        for test in tests:
            found = [session for session in sessions.values() if test(session)]
            if len(found) > 1:
                raise AmbiguousSessionError(ref, [session.info.id for session in found])
            if found:
                return found[0]
        return None

    @staticmethod
    def _explain(session: LiveSession) -> a.Explained:
        verdict, info = evidence.explained(session), session.info
        return a.Explained(
            session=info.id,
            name=info.name,
            provider=info.provider,
            pid=info.pid,
            state=info.state,
            why=info.why,
            since=info.since,
            asks=info.asks,
            until=info.until,
            signals=spoken(verdict, time.time()),
        )

    async def _explain_other(self, ref: str) -> a.Explained:
        """An agent that was started elsewhere: few of its signals can be seen from here."""
        if not ref.isdecimal():
            raise UnknownSessionError(ref)
        look = system_look()
        agents = await asyncio.to_thread(outside.survey, look, lambda _: False, glance.state)
        agent = next((each for each in agents if each.pid == int(ref)), None)
        if agent is None:
            raise UnknownSessionError(ref)
        return _of_other(agent, await asyncio.to_thread(glance.state, agent.provider, agent.transcript))

    def _report(self, session: LiveSession) -> a.Report:
        environment = session.env or resume.environment(session.info.pid)
        own = secrets_in(os.environ.items())
        redactor = known.redactor([environment], session.info.cwd, own, {"HOME": str(Path.home()), **os.environ})
        return a.Report(files=report(session, evidence.heard(session), self._explain(session), redactor))


def _entered(session: LiveSession) -> tuple[str, float]:
    return session.info.state, session.info.since


def plain(text: str) -> str:
    """One short line without anything that a terminal would obey."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:LONGEST]


def spoken(verdict: Verdict, now: float) -> tuple[a.Spoken, ...]:
    """What each source says, and what part it has in the verdict."""
    winner = next((each for each in verdict.signals if each.state and each.weight >= DECIDES), None)
    return tuple(
        a.Spoken(
            each.source, each.state, each.says, max(0.0, now - each.at) if each.at else None, each.weight,
            _part(each, winner),
        )
        for each in verdict.signals
    )  # fmt: skip


def _part(one: Signal, winner: Signal | None) -> str:
    if not one.state or winner is None:
        return "silent"
    if one is winner:
        return "won"
    return "differs" if differs(one, winner) else "agrees"


def _of_other(agent: Agent, transcript: str) -> a.Explained:
    signals = []
    if "session file" in agent.state_why:
        signals.append(a.Spoken("file", agent.state, agent.state_why, None, 0.9, "won"))
    if agent.transcript:
        decided = not signals and agent.state == transcript
        part = "silent" if transcript == "unknown" else "won" if decided or not signals else "agrees"
        if signals and transcript not in ("unknown", agent.state):
            part = "differs"
        says = f"the last records of its transcript: {transcript}"
        state = "" if transcript == "unknown" else transcript
        signals.append(a.Spoken("transcript", state, says, None, 0.5, part))
    return a.Explained(
        session="",
        name="",
        provider=agent.provider,
        pid=agent.pid,
        state=agent.state,
        why=agent.state_why,
        since=agent.began,
        signals=tuple(signals),
    )
