"""Why a session is in its state, and what is kept of it when that was wrong, on the wire."""

import msgspec

from agentdeck.protocol.base import Reply, Request


class Spoken(msgspec.Struct, frozen=True, array_like=True):
    """One source and what it says."""

    source: str
    """end, gate, status, file, hook, screen, transcript, progress, title, process or output."""
    state: str
    """The state that it speaks for; empty when it says nothing that decides."""
    says: str
    age: float | None
    """Seconds since it last said something new; None where that is not known."""
    weight: float
    """0 to 1: how much it is believed."""
    part: str
    """won, agrees, differs or silent."""


class Explain(Request, tag="explain"):
    """Ask for `Explained`. `ref`: id, beginning of one, or name of a session, or the pid of any agent.

    Raises `UnknownSessionError`, `AmbiguousSessionError`.
    """

    ref: str


class MakeReport(Request, tag="make_report"):
    """Ask for `Report`: what was seen of a session lately, without secrets, places and names."""

    session: str


class Looking(Request, tag="looking"):
    """The person looks at this client's terminal, or no longer does, as far as the terminal tells."""

    on: bool


class Mute(Request, tag="mute"):
    """Have nobody notified of this session, or again."""

    session: str
    on: bool


class Explained(Reply, tag="explained"):
    session: str
    """Its id; empty for one that was started elsewhere."""
    name: str
    provider: str
    pid: int
    state: str
    why: str
    since: float
    asks: str = ""
    until: float | None = None
    signals: tuple[Spoken, ...] = ()
    """The heaviest first."""


class Alert(Reply, tag="alert"):
    """A session has come to a state that is worth a notification; pushed to all who watch, whether they look or not."""

    session: str
    state: str
    title: str
    text: str


class Report(Reply, tag="report"):
    """Files by name."""

    files: dict[str, bytes]
