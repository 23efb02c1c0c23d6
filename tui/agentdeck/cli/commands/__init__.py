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
    "screen": "print what is on a session's screen",
    "send": "send a text to a session and press Enter",
    "key": "press keys in a session",
    "interrupt": "end the turn of an agent, as its own interrupt key does",
    "stop": "end a session and everything that it started",
    "restart": "start an ended session again, resuming its conversation",
    "rename": "give a session another name",
    "mark": "mark a session, or unmark it",
    "forget": "drop an ended session from the list",
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
