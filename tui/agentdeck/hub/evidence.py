"""What speaks for a session's state, gathered from the live session; `status.state` judges it.

Nothing here runs on a clock of its own: a session is judged when it says something, and once more when time alone
can change the verdict. One that rests costs nothing.
"""

import time
import weakref
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, Protocol

from agentdeck import events as e
from agentdeck.hub.session import LiveSession
from agentdeck.processes import foreground, resume, tools
from agentdeck.providers import shell
from agentdeck.status import rules
from agentdeck.status.signals import BUSY, Held, SessionFile, Signals, Verdict
from agentdeck.status.state import judge
from agentdeck.status.turn import Turn, fold

SEARCH_EVERY: Final = 1.0
"""Seconds between two searches below a wrapper for the process that keeps a session file, or for a running tool."""

TOOL_EVERY: Final = 2.0
"""Seconds between two looks at a tool that is the only sign of work."""

FACTS_AFTER: Final = 0.03
"""Seconds after news from a transcript or a hook in which more of it is waited for."""

HEARD: Final = 400
"""Signals beside the terminal's that are kept for a report."""

_TURN_OVER: Final = frozenset({"done", "idle", "needs_you", "error", "unknown"})


class Heard(NamedTuple):
    """A signal that did not come through the terminal. `kind`: file, hook, held or event; `at` is unix time."""

    at: float
    kind: str
    value: object


@dataclass(slots=True)
class _Memory:
    """What is kept of a session between two judgements and is nobody else's business."""

    turned: bool
    """It has worked since it last rested."""
    worked_at: float = 0.0
    """When it last began to work."""
    agent: int = 0
    """The process that keeps the session file: the program itself, or one below it."""
    searched: float = 0.0
    reading: rules.Reading | None = None
    read_at: float = 0.0
    read_offset: int = -1
    """How much output the screen had taken in when it was read."""
    turn: Turn | None = None
    hook: str = ""
    hook_at: float = 0.0
    held: dict[str, Held] = field(default_factory=dict)
    child: str = ""
    child_at: float = 0.0
    verdict: Verdict | None = None
    file: SessionFile | None = None
    heard: deque[Heard] = field(default_factory=lambda: deque(maxlen=HEARD))


_memories: "weakref.WeakKeyDictionary[LiveSession, _Memory]" = weakref.WeakKeyDictionary()


class Outside(Protocol):
    """What is read from beyond the session itself."""

    def file(self, session: LiveSession, now: float) -> SessionFile | None: ...

    def foreground(self, session: LiveSession) -> bool | None: ...

    def child(self, session: LiveSession) -> str: ...


class _Machine:
    def file(self, session: LiveSession, now: float) -> SessionFile | None:
        return _session_file(session, _remember(session), now)

    def foreground(self, session: LiveSession) -> bool | None:
        if not session.provider.foreground or session.info.pid <= 0 or not shell.prompts(session.info.argv):
            return None
        return foreground.is_busy(session.info.pid)

    def child(self, session: LiveSession) -> str:
        return tools.running(_remember(session).agent or session.info.pid)


MACHINE: Final = _Machine()


def judge_session(session: LiveSession, now: float | None = None, outside: Outside = MACHINE) -> None:
    """Bring the session's state up to date, and arrange a later look where the verdict wants one."""
    now = time.time() if now is None else now
    memory = _remember(session)
    verdict = _judge(session, memory, now, outside)
    memory.verdict = verdict
    _apply(session, memory, verdict, now)
    if session.running and verdict.again:
        session.judge_later(verdict.again)


def explained(session: LiveSession) -> Verdict:
    """Return the last verdict with everything that spoke for it and against it."""
    memory = _remember(session)
    if memory.verdict is None:
        judge_session(session)
    return memory.verdict or Verdict(session.info.state, session.info.why)


def heard(session: LiveSession) -> tuple[Heard, ...]:
    """Return the last signals beside the terminal's, oldest first."""
    return tuple(_remember(session).heard)


def hear(session: LiveSession, event: e.AnyEvent, now: float | None = None) -> None:
    """Take in what a transcript told of this session."""
    memory = _remember(session)
    now = time.time() if now is None else now
    memory.turn = fold(memory.turn or Turn(), event, now)
    memory.heard.append(Heard(now, "event", event))
    if session.running:
        session.judge_later(FACTS_AFTER)


def hooked(session: LiveSession, event: str, now: float | None = None) -> None:
    """Take in that the CLI told this event to its hooks."""
    memory = _remember(session)
    memory.hook, memory.hook_at = event, time.time() if now is None else now
    memory.heard.append(Heard(memory.hook_at, "hook", event))
    if session.running:
        session.judge_later(FACTS_AFTER)


def hold(session: LiveSession, call: str, what: str, asks: str = "approval", now: float | None = None) -> None:
    """Take in that a call waits at our gate for the person's word; `release` ends it."""
    memory = _remember(session)
    held = memory.held[call] = Held(what=what, at=time.time() if now is None else now, asks=asks)
    memory.heard.append(Heard(held.at, "held", what))
    if session.running:
        session.judge_later(FACTS_AFTER)


def release(session: LiveSession, call: str) -> None:
    memory = _remember(session)
    if memory.held.pop(call, None) is None:
        return
    memory.heard.append(Heard(time.time(), "held", ""))
    if memory.hook == "PermissionRequest":
        memory.hook = ""  # it is answered, and no hook tells of that
    if session.running:
        session.judge_later(FACTS_AFTER)


def resume_id(session: LiveSession) -> str:
    """Return the id of the conversation that a restart resumes, empty when there is none yet."""
    _remember(session)
    _learn_id(session)
    known = session.info.resume_id
    return known if known and resume.exists(session.provider.family, known, _places(session)) else ""


def _remember(session: LiveSession) -> _Memory:
    memory = _memories.get(session)
    if memory is None:
        info = session.info
        turned = info.state in ("working", "limited") or info.asks in ("approval", "question")
        memory = _memories[session] = _Memory(turned=turned)
    return memory


def _judge(session: LiveSession, memory: _Memory, now: float, outside: Outside) -> Verdict:
    signals = _signals(session, memory, now, outside)
    verdict = judge(signals, session.provider, now)
    if verdict.state != "unknown" or session.provider.foreground or not session.running:
        return verdict
    if now - memory.child_at >= SEARCH_EVERY:
        memory.child, memory.child_at = outside.child(session), now
    if memory.child:
        verdict = judge(replace(signals, child=memory.child), session.provider, now)
        verdict = verdict._replace(again=min(each for each in (verdict.again, TOOL_EVERY) if each))
    return verdict


def _apply(session: LiveSession, memory: _Memory, verdict: Verdict, now: float) -> None:
    info = session.info
    if verdict.state == "working":
        if info.state not in BUSY:
            memory.worked_at = now
        memory.turned = True
    elif verdict.state in ("done", "idle", "error"):
        memory.turned = False
    if verdict.state == info.state:
        session.update(why=verdict.why, asks=verdict.asks, until=verdict.until)
        return
    if info.state in BUSY or verdict.state == "done":
        session.seen = verdict.state != "done"
    if verdict.state in _TURN_OVER and session.provider.family != "claude":
        _learn_id(session)
    session.update(state=verdict.state, why=verdict.why, asks=verdict.asks, until=verdict.until, since=now)


def _signals(session: LiveSession, memory: _Memory, now: float, outside: Outside) -> Signals:
    info = session.info
    over = info.ended is not None
    if not over:
        _read_screen(session, memory, now)
    typed = info.state == "done" and session.last_input > info.since
    return Signals(
        started=info.started,
        before=info.state,
        before_why=info.why,
        before_asks=info.asks,
        since=info.since,
        turned=memory.turned,
        worked_at=memory.worked_at,
        ended=over,
        exit_status=info.exit_status,
        problem=info.problem,
        ran=info.pid > 0,
        held=None if over else next(iter(memory.held.values()), None),
        status=info.status,
        file=None if over else _file(session, memory, now, outside),
        reading=memory.reading,
        read_at=memory.read_at,
        turn=memory.turn,
        hook=memory.hook,
        hook_at=memory.hook_at,
        progress=info.progress,
        title=session.raw_title,
        title_at=session.title_at,
        foreground=None if over else outside.foreground(session),
        last_output=session.last_output,
        last_input=session.last_input,
        interrupted_at=session.interrupted_at,
        seen=session.seen or typed if info.state == "done" else session.watched,
    )


def _file(session: LiveSession, memory: _Memory, now: float, outside: Outside) -> SessionFile | None:
    file = outside.file(session, now)
    if file != memory.file:
        memory.file = file
        memory.heard.append(Heard(now, "file", None if file is None else [file.status, file.waiting_for, file.at]))
    return file


def _read_screen(session: LiveSession, memory: _Memory, now: float) -> None:
    """Look what the rules find on the screen, once for what it shows."""
    if memory.read_offset == session.offset:
        return
    memory.read_offset = session.offset
    known = rules.builtin(session.provider.family)
    if not known.rules:
        return
    session.screen.refresh()
    screen = [session.emulator.row(y).text for y in range(session.emulator.rows)]
    reading = known.read(screen, memory.turn.version if memory.turn is not None else "")
    if reading is None or memory.reading is None or reading.rule != memory.reading.rule:
        memory.read_at = now
    memory.reading = reading


def _session_file(session: LiveSession, memory: _Memory, now: float) -> SessionFile | None:
    """Read Claude's own file. It names the conversation too, which `/clear` and `/resume` change."""
    if session.provider.family != "claude" or session.info.pid <= 0:
        return None
    places = _places(session)
    found = resume.claude_session(memory.agent or session.info.pid, places)
    if found is not None:
        memory.agent = memory.agent or session.info.pid
    elif memory.agent and not resume.start_ticks(memory.agent):
        memory.agent = 0  # a wrapper has started it again
    elif not memory.agent and not 0 <= now - memory.searched < SEARCH_EVERY:
        memory.searched = now
        for process in resume.descendants(session.info.pid):
            if (found := resume.claude_session(process, places)) is not None:
                memory.agent = process  # from now on this one alone: below it others may run as its tools
                break
    if found is None:
        return None
    if found.id:
        session.update(resume_id=found.id)
    return SessionFile(status=found.status, waiting_for=found.waiting_for, at=found.at)


def _learn_id(session: LiveSession) -> None:
    """Ask the running program's traces which conversation it is in. What others have is not it."""
    info = session.info
    if not session.running or info.pid <= 0 or session.provider.foreground:
        return
    family, places = session.provider.family, _places(session)
    known = info.resume_id
    if family == "gemini" and known and not resume.exists(family, known, places):
        known = ""  # ours was not used: the person's arguments chose another conversation, or it has none yet
    others = {other.info.resume_id for other in _memories if other is not session}
    found = resume.running_id(family, info.pid, places, cwd=info.cwd, started=info.started, known=known, others=others)
    if found:
        session.update(resume_id=found)


def _places(session: LiveSession) -> resume.Places:
    """A hub that was restarted does not know the environment any more; the process does."""
    env = session.env or resume.environment(session.info.pid)
    return resume.Places.of({**session.provider.environment, **env})
