"""What a session is doing, in a few words: the sentence beside the shape and the colour of its state."""

import os
from typing import Final

from agentdeck.protocol.messages import Session
from agentdeck.status import words
from agentdeck.ui.figures import clean, exit_words

INK_OF_STATE: Final = {
    "starting": "muted",
    "working": "working",
    "needs_you": "needs-you",
    "done": "done",
    "idle": "muted",
    "limited": "limited",
    "exited": "error",
    "error": "error",
    "unknown": "muted",
}
"""The ink (see `widgets.lines`) of each state's glyph."""

ASKS: Final = {
    "permission": "asks",
    "approval": "asks",
    "question": "asks",
    "setup": "asks",
    "auth": "sign-in",
    "login": "sign-in",
}


def ink_of(session: Session) -> str:
    """A clean exit is no error: it is drawn quietly."""
    if session.state == "exited" and session.exit_status == 0:
        return "muted"
    return INK_OF_STATE.get(session.state, "muted")


def condition(session: Session) -> str:
    """The state as words, with what is known about it: `asks: Edit refresh.py`, `exit 1`, `working`."""
    said = clean(session.status.message).strip()
    match session.state:
        case "needs_you":
            said = said or clean(words.question(session)).strip()
            kind = session.status.kind or session.asks
            verb = ASKS.get(kind, "needs you")
            return f"{verb}: {said}" if said else "needs you"
        case "exited":
            return exit_words(session.exit_status)
        case "error" if session.ended is None and not session.problem:
            return clean(session.why) or "error"
        case "error":
            return clean(session.problem) or exit_words(session.exit_status)
        case "limited" if session.until is not None:
            return f"limited until {words.clock(session.until)}"
        case "limited":
            return f"limited: {said}" if said else "limited"
        case "unknown":
            return "unknown"
        case state:
            return state.replace("_", " ")


def activity(session: Session, busiest: str = "") -> str:
    """What it is busy with, best source first: its own report, its busiest child, its title, its program."""
    own = session.status.title or (session.status.message if session.state == "working" else "")
    program = os.path.basename(session.argv[0]) if session.argv else session.provider  # noqa: PTH119
    return clean(own or busiest or session.title or program).strip()


def over(session: Session) -> bool:
    """Whether nothing runs in it any more."""
    return session.ended is not None or session.state in ("exited", "error")
