"""What speaks for a session's state, gathered from the live session; `status.state` judges it.

Nothing here runs on a clock of its own: a session is judged when it says something, and once more when time alone
can change the verdict. One that rests costs nothing.
"""

import time
import weakref
from dataclasses import dataclass
from typing import Final

from agentdeck.hub.session import LiveSession
from agentdeck.processes import foreground, resume
from agentdeck.providers import shell
from agentdeck.status.state import BUSY, SCREEN_ASKS, SessionFile, Signals, Verdict, find_dialog, judge

SEARCH_EVERY: Final = 1.0
"""Seconds between two searches below a wrapper for the process that keeps a session file."""

_TURN_OVER: Final = frozenset({"done", "idle", "needs_you", "error", "unknown"})


@dataclass(slots=True)
class _Memory:
    """What is kept of a session between two judgements and is nobody else's business."""

    fresh: bool
    """It has not had a turn yet: what looks like a first-start dialog is one."""
    agent: int = 0
    """The process that keeps the session file: the program itself, or one below it."""
    searched: float = 0.0


_memories: "weakref.WeakKeyDictionary[LiveSession, _Memory]" = weakref.WeakKeyDictionary()


def judge_session(session: LiveSession) -> None:
    """Bring the session's state up to date, and arrange a later look where the verdict wants one."""
    now = time.time()
    memory = _remember(session)
    verdict = judge(_signals(session, memory, now), session.provider, now)
    if verdict.state in ("working", "done", "limited", "error"):
        memory.fresh = False
    _apply(session, verdict, now)
    if session.running and verdict.again:
        session.judge_later(verdict.again)


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
        memory = _memories[session] = _Memory(fresh=info.state == "starting" or info.why.startswith(SCREEN_ASKS))
    return memory


def _apply(session: LiveSession, verdict: Verdict, now: float) -> None:
    info = session.info
    if verdict.state == info.state:
        session.update(why=verdict.why)
        return
    if info.state in BUSY or verdict.state == "done":
        session.seen = verdict.state != "done"
    if verdict.state in _TURN_OVER and session.provider.family != "claude":
        _learn_id(session)
    session.update(state=verdict.state, why=verdict.why, since=now)


def _signals(session: LiveSession, memory: _Memory, now: float) -> Signals:
    info = session.info
    over = info.ended is not None
    return Signals(
        started=info.started,
        before=info.state,
        before_why=info.why,
        ended=over,
        exit_status=info.exit_status,
        problem=info.problem,
        ran=info.pid > 0,
        status=info.status,
        file=None if over else _session_file(session, memory, now),
        dialog="" if over or not memory.fresh else _dialog(session),
        progress=info.progress,
        title=session.raw_title,
        title_at=session.title_at,
        foreground=None if over else _foreground(session),
        last_output=session.last_output,
        last_input=session.last_input,
        seen=session.watched if info.state in BUSY else session.seen,
    )


def _session_file(session: LiveSession, memory: _Memory, now: float) -> SessionFile | None:
    """Read Claude's own file. It names the conversation too, which `/clear` and `/resume` change."""
    if session.provider.family != "claude" or session.info.pid <= 0:
        return None
    places = _places(session)
    found = resume.claude_session(memory.agent or session.info.pid, places)
    if found is None and now - memory.searched >= SEARCH_EVERY:
        memory.searched = now
        for process in resume.descendants(session.info.pid):
            if (found := resume.claude_session(process, places)) is not None:
                memory.agent = process
                break
    if found is None:
        return None
    if found.id:
        session.update(resume_id=found.id)
    return SessionFile(status=found.status, waiting_for=found.waiting_for, at=found.at)


def _dialog(session: LiveSession) -> str:
    """Return the words of the first-start dialog that is on the screen, or an empty string."""
    if not session.provider.dialogs or session.info.status.state:
        return ""
    session.screen.refresh()
    screen = "\n".join(session.emulator.row(y).text for y in range(session.emulator.rows))
    return find_dialog(screen, session.provider)


def _foreground(session: LiveSession) -> bool | None:
    if not session.provider.foreground or session.info.pid <= 0 or not shell.prompts(session.info.argv):
        return None
    return foreground.is_busy(session.info.pid)


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
