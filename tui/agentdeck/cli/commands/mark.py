"""`agentdeck mark`: mark a session, as `*` does in the deck."""

import argparse

from agentdeck.cli.commands import Subparsers, add


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "mark", run, session=True)
    parser.add_argument("--off", action="store_true", help="remove the mark")


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.talk import tell
    from agentdeck.protocol.messages import Mark

    tell(arguments.session, lambda session: Mark(session=session, on=not arguments.off))
    return 0
