"""`agentdeck attach`: the deck, opened on one session and typing into it."""

import argparse

from agentdeck.cli.commands import Subparsers, add


def register(subparsers: Subparsers) -> None:
    add(subparsers, "attach", run, session=True, more="Ctrl+Q leaves typing; q then leaves the deck.\n")


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.deck import open_deck, require_terminal
    from agentdeck.cli.talk import find

    require_terminal(f"agentdeck screen {arguments.session} prints its screen anywhere")
    return open_deck(find([arguments.session])[0].id)
