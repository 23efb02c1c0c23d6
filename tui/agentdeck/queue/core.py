"""The queue itself, pure: operations in, the list of waiting prompts out, and which of them may go next.

Every change is one operation, written down before it takes effect. That a prompt is about to be sent is written down
before its first byte leaves, so whoever finds that note after a crash knows that it may have arrived, and does not send
it again: it is *unsure* until the transcript shows it or a person decides.
"""

import re
from typing import Final, TypeAlias

import msgspec

LONGEST: Final = 1_000_000
"""Characters of one prompt."""

MOST: Final = 200
"""Prompts that wait in one session at most."""

WAITING, SENDING, UNSURE = "waiting", "sending", "unsure"

ARRIVED, CANCELLED, LOST = "arrived", "cancelled", "lost"
"""How a prompt leaves the queue; lost: with its session."""


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    n: int
    """Its number; no two ever have the same."""
    session: str
    text: str
    added: float
    """Unix time."""
    state: str = WAITING
    """waiting, sending or unsure: it may have arrived."""
    at: float = 0.0
    """When its sending began."""
    why: str = ""
    """What is unsure."""
    conversation: str = ""
    """The provider's own id of the conversation that it was meant for, when that was known."""
    by: str = ""
    """Who wants it; empty: the person whose machine this is."""
    ref: str = ""
    """What whoever queued it calls it; no two ever have the same one."""


class Added(msgspec.Struct, frozen=True, tag="add"):
    prompt: Prompt
    first: bool = False
    """Before all others that wait."""


class Edited(msgspec.Struct, frozen=True, tag="edit"):
    n: int
    text: str


class Moved(msgspec.Struct, frozen=True, tag="move"):
    n: int
    place: int
    """From 1 among those of its session."""


class Sending(msgspec.Struct, frozen=True, tag="send"):
    n: int
    at: float


class Doubted(msgspec.Struct, frozen=True, tag="doubt"):
    n: int
    why: str


class Released(msgspec.Struct, frozen=True, tag="release"):
    """It certainly did not arrive, or a person says so: it waits again."""

    n: int
    conversation: str = ""


class Dropped(msgspec.Struct, frozen=True, tag="drop"):
    """It is over: it has arrived, was cancelled, or its session is no more."""

    n: int
    how: str = ARRIVED


class Paused(msgspec.Struct, frozen=True, tag="pause"):
    """Nothing of a session goes out until somebody resumes it."""

    session: str
    on: bool = True


class Counted(msgspec.Struct, frozen=True, omit_defaults=True, tag="count"):
    """What a journal that is written anew keeps of what is no more."""

    last: int
    """The highest number that was ever given."""
    over: dict[str, str] = {}
    """How the newest ones that had a `ref` left the queue."""


Operation: TypeAlias = Counted | Added | Edited | Moved | Sending | Doubted | Released | Dropped | Paused

Prompts: TypeAlias = tuple[Prompt, ...]
"""All of them, in the order in which they go out; those of one session keep theirs."""


def apply(prompts: Prompts, operation: Operation) -> Prompts:
    """Return the queue after an operation; one that names a prompt that is no more changes nothing."""
    match operation:
        case Added(prompt, first):
            if any(each.n == prompt.n or (each.ref and each.ref == prompt.ref) for each in prompts):
                return prompts
            place = _first_waiting(prompts, prompt.session) if first else len(prompts)
            return (*prompts[:place], prompt, *prompts[place:])
        case Moved():
            return _moved(prompts, operation)
        case Dropped(n):
            return tuple(each for each in prompts if each.n != n)
        case Counted() | Paused():
            return prompts
        case _:
            return tuple(_changed(each, operation) if each.n == operation.n else each for each in prompts)


def _changed(prompt: Prompt, operation: Edited | Sending | Doubted | Released) -> Prompt:
    replace = msgspec.structs.replace
    match operation:
        case Edited(_, text) if prompt.state == WAITING:
            return replace(prompt, text=text)
        case Sending(_, at):
            return replace(prompt, state=SENDING, at=at, why="")
        case Doubted(_, why):
            return replace(prompt, state=UNSURE, why=why)
        case Released(_, conversation):
            return replace(prompt, state=WAITING, at=0.0, why="", conversation=conversation)
        case _:
            return prompt


def _first_waiting(prompts: Prompts, session: str) -> int:
    places = (n for n, each in enumerate(prompts) if each.session == session and each.state == WAITING)
    return next(places, len(prompts))


def _moved(prompts: Prompts, move: Moved) -> Prompts:
    prompt = next((each for each in prompts if each.n == move.n), None)
    if prompt is None or prompt.state != WAITING:
        return prompts
    own = [each for each in prompts if each.session == prompt.session]
    fixed = sum(each.state != WAITING for each in own)
    own.remove(prompt)
    own.insert(max(fixed, min(move.place - 1, len(own))), prompt)
    order = iter(own)
    return tuple(next(order) if each.session == prompt.session else each for each in prompts)


def recovered(prompts: Prompts) -> list[Operation]:
    """What is to be noted after a crash: what was being sent may have arrived."""
    why = "agentdeck was interrupted while it sent this; it may have arrived"
    return [Doubted(each.n, why) for each in prompts if each.state == SENDING]


def of(prompts: Prompts, session: str) -> Prompts:
    return tuple(each for each in prompts if each.session == session)


def next_to_send(prompts: Prompts, session: str) -> Prompt | None:
    """Return the prompt that goes out when its session is free; none while another one is under way or in doubt."""
    own = of(prompts, session)
    if not own or any(each.state != WAITING for each in own):
        return None
    return own[0]


def arrived(prompts: Prompts, session: str, text: str, at: float, slack: float) -> Prompt | None:
    """Return the prompt that a message of the person's in the transcript is. `at` is the message's time."""
    for each in of(prompts, session):
        if each.state != WAITING and at >= each.at - slack and fits(each.text, text):
            return each
    return None


_SPACE: Final = re.compile(r"\s+")


def fits(prompt: str, message: str) -> bool:
    """Whether a message is this prompt. CLIs trim and break lines as they like, and may wrap or add something."""
    wanted, found = _SPACE.sub("", prompt), _SPACE.sub("", message)
    return bool(wanted) and (wanted == found or (len(wanted) >= 8 and wanted in found))


def is_command(text: str) -> bool:
    """Whether a CLI takes this for a command of its own, of which transcripts tell nothing, or something else."""
    return text.lstrip()[:1] in ("/", "!")
