"""`agentdeck stop`: end a session and everything that it started; returns when it is over."""

import argparse

from agentdeck.cli.commands import Subparsers, add
from agentdeck.errors import UsageError


def register(subparsers: Subparsers) -> None:
    more = "Its processes get SIGTERM, and SIGKILL after the grace. Its screen stays until it is forgotten.\n"
    parser = add(subparsers, "stop", run, session=True, more=more)
    parser.add_argument(
        "--grace", metavar="SECONDS", type=float, default=5.0, help="how long they get to end by themselves (5)"
    )


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.output import print_line
    from agentdeck.cli.talk import tell
    from agentdeck.protocol.messages import Stop

    if not 0 <= arguments.grace <= 3600:
        raise UsageError("--grace must be between 0 and 3600 seconds", hint="agentdeck stop --help")
    session, done = tell(arguments.session, lambda session: Stop(session=session, grace=arguments.grace))
    if done.note:
        print_line(done.note)
    if done.left_running:
        print_line(f"left running, because {session.provider} shares them: {', '.join(done.left_running)}")
    return 0
