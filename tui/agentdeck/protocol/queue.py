"""Prompts that wait until their session is free, and interrupts that say first what they end, on the wire.

`n` is a prompt's number: no two ever have the same. What names a prompt that is no more is refused.
"""

import msgspec

from agentdeck.protocol.base import Reply, Request


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt that has not certainly arrived yet."""

    n: int
    session: str
    place: int
    """From 1 among those of its session."""
    text: str
    added: float
    """Unix time."""
    state: str
    """waiting, sending, or unsure: it may have arrived, and goes out again only when a person says so."""
    why: str = ""
    """What it waits for, or what is unsure."""


class Enqueue(Request, tag="enqueue"):
    """Queue a text for each of these sessions; `now` sends it at once, also into a turn, but never into a dialog.

    Answered with `Queues` of these sessions. Raises `SessionError`; then nothing was queued for any of them.
    """

    sessions: tuple[str, ...]
    text: str
    now: bool = False


class ReadQueue(Request, tag="read_queue"):
    """Ask for `Queues`: of one session, or of all when `session` is empty. `watch`: push every change from now on."""

    session: str = ""
    watch: bool = False


class EditQueued(Request, tag="edit_queued"):
    """Change one that waits."""

    n: int
    text: str


class MoveQueued(Request, tag="move_queued"):
    n: int
    place: int


class CancelQueued(Request, tag="cancel_queued"):
    """Drop one that is not being sent just now."""

    n: int


class SendQueued(Request, tag="send_queued"):
    """Send it now, whatever it waits for; one that is unsure is sent again."""

    n: int


class AskInterrupt(Request, tag="ask_interrupt"):
    """Ask for `InterruptTold`."""

    session: str


class GuardedInterrupt(Request, tag="guarded_interrupt"):
    """End the turn, now or once the call that runs has returned, and hold its queue until somebody goes on with it."""

    session: str
    after_tool: bool = False


class Queues(Reply, tag="queues"):
    """The queue of the sessions that are named; pushed when it has changed."""

    sessions: tuple[str, ...]
    prompts: tuple[Queued, ...]


class InterruptTold(Reply, tag="interrupt_told"):
    """What an interrupt would end."""

    session: str
    state: str
    tools: tuple[str, ...] = ()
    """Calls that run now, in a few words."""
    agents: int = 0
    """Sub-agents at work."""
    queued: int = 0
