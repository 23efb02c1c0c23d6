"""`agentdeck demo`: the deck on recorded sessions of real agents, with none installed and nothing left behind."""

import argparse

from agentdeck.cli.commands import Subparsers, add


def register(subparsers: Subparsers) -> None:
    more = "Its hub and its sessions are its own and end with it. Nothing is sent anywhere.\n"
    add(subparsers, "demo", run, more=more)


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.deck import require_terminal

    require_terminal("run it in a terminal of 80×24 or more")
    return show()


def show() -> int:
    """Set the stage, open the deck on it, and clear up whatever happens."""
    from agentdeck.cli.deck import open_deck
    from agentdeck.demo.stage import stage

    with stage() as paths:
        return open_deck(paths=paths)
