"""`agentdeck restart`: start a session again, resuming its conversation where its id is known."""

import argparse

from agentdeck.cli.commands import Subparsers, add


def register(subparsers: Subparsers) -> None:
    add(subparsers, "restart", run, session=True, more="A session that still runs is stopped first.\n")


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.output import print_line
    from agentdeck.cli.talk import environment, tell
    from agentdeck.protocol.messages import Restart

    _, done = tell(arguments.session, lambda session: Restart(session=session, env=environment()))
    if done.note:
        print_line(done.note)
    return 0
