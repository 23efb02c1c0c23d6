"""`agentdeck forget`: drop an ended session, and its last screen, from the list."""

import argparse

from agentdeck.cli.commands import Subparsers, add


def register(subparsers: Subparsers) -> None:
    more = "Only agentdeck's own record goes; the conversation stays with its CLI.\n"
    add(subparsers, "forget", run, session=True, more=more)


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.talk import tell
    from agentdeck.protocol.messages import Forget

    tell(arguments.session, lambda session: Forget(session=session))
    return 0
