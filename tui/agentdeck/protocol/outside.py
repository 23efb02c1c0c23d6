"""Agents that somebody started elsewhere, on the wire: which there are, what one shows, and taking one over.

They are only looked at. Nothing here reaches the process: what it was is told by its processes, files and multiplexer.
"""

import msgspec

from agentdeck.protocol.base import Reply, Request


class Candidate(msgspec.Struct, frozen=True, array_like=True):
    """A conversation that an agent may be in. `changed` is unix time."""

    session: str
    transcript: str
    changed: float = 0.0


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """One agent CLI that runs for this user, in agentdeck or anywhere else. Times are unix seconds."""

    provider: str
    pid: int
    start: int
    """With the pid it names this process and no later one."""
    began: float
    cwd: str = ""
    session: str = ""
    """The provider's own session id; empty when it is not known for sure enough."""
    transcript: str = ""
    how: str = "none"
    """How the session is known: certain, probable, ambiguous (one of `candidates`), chosen (by a person) or none."""
    why: str = ""
    """The evidence for that, in a few words."""
    candidates: tuple[Candidate, ...] = ()
    state: str = "unknown"
    """As a session's; gone when the process has ended."""
    state_why: str = ""
    terminal: str = ""
    """As `ps` writes it, pts/3; empty when it has none."""
    headless: bool = False
    """It was asked for one answer, or has no terminal."""
    screen: str = ""
    """What shows its screen to us: tmux, screen, zellij, or empty."""
    screen_why: str = ""
    """Why its screen cannot be seen; empty when it can."""
    ours: str = ""
    """The session of this agentdeck that it runs in; empty for one that was started elsewhere."""

    @property
    def key(self) -> str:
        """What facts, feeds and frames call it."""
        return self.ours or (f"{self.provider}:{self.session}" if self.session else f"pid:{self.pid}")


class ListAgents(Request, tag="list_agents"):
    """Ask for `Agents`."""


class Attach(Request, tag="attach"):
    """Watch a foreign agent: ask for `Attached`, and have `Attached` pushed at every change of it until `Detach`.

    `session` chooses one of its candidates. Raises `SessionError`: no such process, another user's, no agent, ours.
    """

    pid: int
    session: str = ""


class Detach(Request, tag="detach"):
    pid: int


class LookAt(Request, tag="look_at"):
    """Have the frames of an attached agent's screen pushed, as `Screen`s of its key; `on` False ends it."""

    pid: int
    on: bool = True


class Adopt(Request, tag="adopt"):
    """Resume the conversation of an attached agent that has ended, in a session of ours. Answered with `Done`."""

    pid: int
    env: dict[str, str]
    cols: int = 80
    rows: int = 24


class Agents(Reply, tag="agents"):
    agents: tuple[Agent, ...]
    """Oldest first."""


class Attached(Reply, tag="attached"):
    agent: Agent
    cpu: float = 0.0
    """Percent of one core that its processes use together."""
    rss: int = 0
    processes: tuple[tuple[int, str, float, int], ...] = ()
    """Its process tree: pid, name, CPU percent and bytes of each."""
