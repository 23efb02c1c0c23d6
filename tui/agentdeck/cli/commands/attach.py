"""`agentdeck attach`: the deck, opened on one session and typing into it."""

import argparse

from agentdeck.cli.commands import Subparsers, add


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "attach", run, session=True, more="Ctrl+Q leaves typing; q then leaves the deck.\n")
    parser.add_argument(
        "--at", metavar="TURN", help="read its conversation from this message on; ID may be provider:id then"
    )


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.deck import open_deck, require_terminal
    from agentdeck.cli.talk import find

    require_terminal(f"agentdeck screen {arguments.session} prints its screen anywhere")
    if arguments.at is not None:
        from agentdeck.cli.commands.deck import place

        own = ":" not in arguments.session
        key = find([arguments.session])[0].id if own else arguments.session
        return open_deck(at=place(f"{key}:{arguments.at}"))
    return open_deck(find([arguments.session])[0].id)
