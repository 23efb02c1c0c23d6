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
    by: str = ""
    """Who wants it; empty: the person whose machine this is."""
    ref: str = ""
    """What whoever queued it calls it."""


class Enqueue(Request, tag="enqueue"):
    """Queue a text for each of these sessions; `now` sends it at once, also into a turn, but never into a dialog.

    Answered with `Queues` of these sessions. Raises `SessionError`; then nothing was queued for any of them.
    """

    sessions: tuple[str, ...]
    text: str
    now: bool = False
    by: str = ""
    """Whose wish it is, when it is somebody else's; it does not resume what was paused or interrupted."""
    ref: str = ""
    """A name for it, with one session: a second prompt of the same name is not queued, now or later."""


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


class PauseQueued(Request, tag="pause_queued"):
    """Let nothing of this session's queue go out, or let it go on. Answered with `Queues`."""

    session: str
    on: bool = True


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
    paused: tuple[str, ...] = ()
    """Those of these sessions of which nothing goes out until it is resumed."""
    over: dict[str, str] = msgspec.field(default_factory=dict)
    """By their `ref`: how prompts left the queue, arrived, cancelled or lost (with their session)."""


class InterruptTold(Reply, tag="interrupt_told"):
    """What an interrupt would end."""

    session: str
    state: str
    tools: tuple[str, ...] = ()
    """Calls that run now, in a few words."""
    agents: int = 0
    """Sub-agents at work."""
    queued: int = 0
