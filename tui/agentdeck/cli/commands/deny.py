"""`agentdeck deny`: refuse a tool call that waits for you, and tell the agent why."""

import argparse

from agentdeck.cli.commands import Subparsers, add
from agentdeck.cli.commands.approve import REF, decide


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "deny", run)
    parser.add_argument("approval", metavar="ID", help=REF)
    parser.add_argument("--reason", default="", help="what the agent is told")
    parser.add_argument("--ask-there", action="store_true", help="have the CLI itself ask, in its own dialog")


def run(arguments: argparse.Namespace) -> int:
    return decide(arguments.approval, "back" if arguments.ask_there else "deny", arguments.reason)
