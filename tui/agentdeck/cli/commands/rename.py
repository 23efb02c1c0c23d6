"""`agentdeck rename`: give a session another name."""

import argparse

from agentdeck.cli.commands import Subparsers, add


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "rename", run, session=True)
    parser.add_argument("name", metavar="NAME", help="the new name")


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.talk import tell
    from agentdeck.protocol.messages import Rename

    tell(arguments.session, lambda session: Rename(session=session, name=arguments.name))
    return 0
