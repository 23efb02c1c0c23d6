"""One module per command; this table is all that is known of them before one is named.

Each module offers `register(subparsers)`, which adds its parser with `add`, and a `run` that gets the parsed words and
returns the exit code.
"""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    Subparsers: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Subparsers = object  # argparse's class is generic for type checkers only

COMMANDS: Final = {
    "deck": "the deck on a full screen; what `agentdeck` alone does",
    "attach": "the deck, opened on one session and typing into it",
    "run": "start a session",
    "ls": "list the sessions",
    "ps": "list every agent that runs for you, in agentdeck or elsewhere",
    "screen": "print what is on a session's screen",
    "send": "send a text to a session and press Enter",
    "queue": "queue a prompt for a session until it is free, or show what waits",
    "key": "press keys in a session",
    "interrupt": "end the turn of an agent, as its own interrupt key does",
    "stop": "end a session and everything that it started",
    "restart": "start an ended session again, resuming its conversation",
    "rename": "give a session another name",
    "mark": "mark a session, or unmark it",
    "forget": "drop an ended session from the list",
    "approvals": "what waits for your permission, and what was decided",
    "approve": "let a tool call go on that waits for you",
    "deny": "refuse a tool call that waits for you",
    "explain": "say why a session is in its state, or any agent by its pid",
    "health": "say how a session does, what is wrong with it and what to do",
    "report": "save what was seen of a session, without secrets, to show why its state was wrong",
    "watch": "what happens in all agent sessions, as it happens",
    "sessions": "every agent session on this machine, live and ended, by project",
    "search": "find words in every conversation of this machine",
    "export": "write down a whole conversation: Markdown, a page to read, or its events",
    "share": "let others watch a session live, and help if they may",
    "join": "watch a session that somebody shares with you, talk, and help if you may",
    "unshare": "end a share",
    "shares": "what is shared, and with whom",
    "invite": "make another link or code, let in who waits, give somebody a role",
    "kick": "send somebody away from a shared session",
    "revoke": "withdraw a link and send away who came by it",
    "repo": "which repositories may be shared",
    "plugin": "share and unshare as commands inside Claude Code",
    "usage": "tokens and cost of all agent sessions on this machine",
    "hub": "look at, stop or restart the process behind the deck",
    "doctor": "say what agentdeck finds on this machine and what is wrong",
    "config": "show, find or edit the configuration",
    "demo": "see the deck working on recorded sessions",
}
"""Each is a module of this name in `commands/`."""


class Command(Protocol):
    """What a module of this package offers."""

    def register(self, subparsers: Subparsers) -> None: ...


def add(
    subparsers: Subparsers,
    name: str,
    run: Callable[[argparse.Namespace], int],
    *,
    session: bool = False,
    json: bool = False,
    more: str = "",
) -> argparse.ArgumentParser:
    """Add the parser of one command. `more` goes below its one-line help."""
    parser = subparsers.add_parser(
        name,
        help=COMMANDS[name],
        description=f"{COMMANDS[name][0].upper()}{COMMANDS[name][1:]}.",
        epilog=more or None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    if session:
        parser.add_argument("session", metavar="ID", help="a session's id, the beginning of one, or its name")
    if json:
        parser.add_argument("--json", action="store_true", help="answer with JSON")
    return parser
