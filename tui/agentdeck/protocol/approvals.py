"""Tool calls that wait for a person, on the wire: what waits, what was decided, and by whom.

Every client that watches the hub hears of each that begins to wait and of each that no longer does, and why. The first
answer wins; whoever comes second is told so by an error.
"""

import msgspec

from agentdeck.protocol.base import Reply, Request


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """A call that waits. Times are unix seconds."""

    id: str
    """6 hex digits."""
    session: str
    """One of ours."""
    name: str
    """The session's."""
    provider: str
    tool: str
    subject: str
    """The call in one line: its command, its file, its address."""
    input: str
    """All of the call's input, as indented JSON."""
    diff: str = ""
    cwd: str = ""
    agent: str = ""
    """The sub-agent that calls, empty for the main one."""
    risk: str = "medium"
    """low, medium or high."""
    rule: str = ""
    """The rule that caught it; empty when the CLI itself asks."""
    why: str = ""
    kind: str = "dialog"
    """dialog: the CLI asks, or is about to · gate: a rule holds it, the CLI shows nothing · screen: only a dialog on
    the screen is known, and keys answer it."""
    always: str = ""
    """What `always` would cover, in words; empty when it cannot be said."""
    reasons: bool = True
    """Whether the agent gets the reason of a refusal."""
    since: float = 0.0
    until: float | None = None
    """When it is handed back to the CLI's own dialog."""


class ListApprovals(Request, tag="list_approvals"):
    """Ask for `Approvals`."""


class WatchApprovals(Request, tag="watch_approvals"):
    """Push `Approvals` now, and `ApprovalAsked` and `ApprovalGone` from now on."""


class Decide(Request, tag="decide"):
    """Answer one. `verb`: allow, always, deny, or back: have the CLI itself ask.

    Raises `UnknownApprovalError`, `AlreadyAnsweredError`, `ApprovalError` when the answer could not be given.
    """

    approval: str
    """Its id, the beginning of one, or the name or id of a session in which exactly one waits."""
    verb: str
    reason: str = ""
    who: str = ""
    """For the log: deck, cli …"""


class ReadRules(Request, tag="read_rules"):
    """Ask for `Rules`: what is in force, and what is wrong with the person's file."""


class Approvals(Reply, tag="approvals"):
    """The longest wait first."""

    approvals: tuple[Approval, ...]


class ApprovalAsked(Reply, tag="approval_asked"):
    approval: Approval


class ApprovalGone(Reply, tag="approval_gone"):
    """It no longer waits. `how`: allow, always, deny, back, expired, there (answered in the CLI), ended."""

    approval: str
    session: str
    how: str
    who: str = ""


class Rules(Reply, tag="rules"):
    """Each rule as name, action, risk, reason and source."""

    rules: tuple[tuple[str, str, str, str, str], ...]
    errors: tuple[str, ...] = ()
