"""Why a line ended, as one sentence for the person; and whether it is worth dialling again. Pure."""

import time
from dataclasses import dataclass
from typing import Final

from agentdeck.errors import ShareError
from agentdeck.protocol import viewers as v

SENTENCES: Final = {
    "BAD_MESSAGE": "the server did not understand us: it may be of another version",
    "UNAUTHENTICATED": "the server does not know us any more",
    "FORBIDDEN": "the owner did not let you in",
    "NO_SUCH_SHARE": "there is no such share, or its secret is wrong",
    "NOT_APPROVED": "the owner has not let you in",
    "SLOW_CONSUMER": "this side read too slowly",
    "DUPLICATE": "the same message was sent twice",
    "REVOKED": "the owner has taken your access away",
    "EXPIRED": "the link or the share has expired",
    "TOO_LARGE": "a message was too large",
    "RATE_LIMITED": "too many tries: wait a minute",
    "FULL": "as many people as allowed are here",
    "UNAVAILABLE": "the owner is away",
    "ENDED": "the owner has ended the share",
}
HINTS: Final = {
    "BAD_MESSAGE": "agentdeck --version on both sides says more",
    "UNAUTHENTICATED": "join again with the link",
    "NO_SUCH_SHARE": "ask the owner for a new link, and paste all of it, in quotes",
    "EXPIRED": "ask the owner for a new one",
    "RATE_LIMITED": "then try once more",
    "FULL": "try again later, or ask the owner for another link",
    "UNAVAILABLE": "try again in a moment",
}
BY_CLOSE: Final = {code.close: code for code in v.CODES}

TRANSIENT: Final = ("NO_SUCH_SHARE", "UNAUTHENTICATED")
"""A server that was just started anew says so until it has been told of its shares again."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What a closed socket means."""

    code: str
    """A name of `viewers.CODES`, or empty: the line broke."""
    again: bool
    text: str


def ending(close: int | None, said: v.Ended | None = None) -> Ending:
    """Judge a close code and the last words that came before it."""
    code = BY_CLOSE.get(close or 0)
    if code is None and said is not None:
        code = v.CODE.get(said.code)
    if code is None:
        return Ending("", True, "the line broke")
    return Ending(code.name, code.reconnect != "no", SENTENCES.get(code.name, code.about))


def outlived(since: float) -> Ending:
    """The share's time is over, and nobody was there to say so since `since`, in unix time; 0: ever."""
    away = f" since {time.strftime('%H:%M', time.localtime(since))}" if since else ""
    return Ending("EXPIRED", False, f"the share has expired; its owner could not be reached{away}")


def refused(problem: v.Problem) -> ShareError:
    """What to raise for a door that stays closed."""
    text = SENTENCES.get(problem.code, problem.text) or problem.text
    if problem.code == "FORBIDDEN":
        text = f"the server refuses: {problem.text}"
    return ShareError(text, hint=HINTS.get(problem.code, ""))


def parted(end: Ending) -> ShareError:
    """What to raise for a line that has ended for good."""
    return ShareError(end.text, hint=HINTS.get(end.code, ""))
