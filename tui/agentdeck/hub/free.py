"""Whether a session is free for a queued prompt at this moment, and why not.

Its state must say so, with its evidence; what is not known is not free. A dialog never gets a prompt, and nor does a
line that somebody has begun to type.
"""

import time
from typing import Final

from agentdeck.errors import SessionError
from agentdeck.hub.evidence import judge_session
from agentdeck.hub.session import LiveSession
from agentdeck.queue.core import Prompt

FREE: Final = ("idle", "done")

SETTLE: Final = 0.7
"""Seconds that a session must have been free: some CLIs seem so for a moment between two calls."""

TYPING: Final = 10.0
"""Seconds after somebody's last key in which a line that they have begun is not touched."""

_WAITS: Final = {"needs_you": "an answer", "limited": "its limit to reset", "unknown": "a sign of what it does"}


def hold(session: LiveSession, prompt: Prompt, *, ours: float) -> tuple[str, float]:
    """Why a prompt must wait, empty when it need not; and in how many seconds time alone may have changed that.

    `ours` is when the queue itself typed into the session last: that was nobody's line.
    """
    info, now = session.info, time.time()
    if not session.running:
        return "its session has ended", 0.0
    if info.state not in FREE:
        return f"waits for {_WAITS.get(info.state, 'the end of the turn')}", 0.0
    if prompt.conversation and info.resume_id and prompt.conversation != info.resume_id:
        return "its session is in another conversation now: send it now, or cancel it", 0.0
    if session.last_input != ours:
        if (rest := TYPING - (now - session.last_input)) > 0:
            return "somebody types there", rest
        if has_draft(session):
            return "somebody has begun to type there", TYPING
    settled = SETTLE - (now - info.since)
    return ("waits for it to settle", settled + 0.05) if 0 < settled <= SETTLE else ("", 0.0)


def has_draft(session: LiveSession) -> bool:
    """Whether a line seems to stand in its prompt: somebody typed since it rests, and left of the cursor is text.

    Where a CLI hides the cursor, or a shell's prompt itself is text, nobody can tell.
    """
    if session.last_input <= session.info.since or session.provider.foreground:
        return False
    session.screen.refresh()
    cursor = session.emulator.cursor
    if not cursor.visible or not 0 <= cursor.y < session.emulator.rows:
        return False
    return any(character.isalnum() for character in session.emulator.row(cursor.y).text[: cursor.x])


def refuse_dialog(session: LiveSession) -> None:
    """Raises `SessionError` when a prompt would answer a dialog."""
    judge_session(session)
    if session.info.state == "needs_you":
        raise SessionError(
            f"{session.info.name} asks for an answer, and a prompt would be taken for one",
            hint="answer it first, or queue the prompt without sending it now",
        )
