"""`agentdeck interrupt`: end the turn with the key that this CLI wants, never with a signal."""

import argparse

from agentdeck.cli.commands import Subparsers, add


def register(subparsers: Subparsers) -> None:
    more = "The session goes on. Most CLIs die of a real SIGINT, so none is sent.\n"
    add(subparsers, "interrupt", run, session=True, more=more)


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.talk import tell
    from agentdeck.protocol.messages import Interrupt

    tell(arguments.session, lambda session: Interrupt(session=session))
    return 0
