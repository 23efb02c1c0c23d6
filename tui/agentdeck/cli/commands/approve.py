"""`agentdeck approve`: let a tool call go on that waits for you."""

import argparse

from agentdeck.cli.commands import Subparsers, add

REF = "the id of what waits (agentdeck approvals), or a session in which only one thing waits"


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "approve", run)
    parser.add_argument("approval", metavar="ID", help=REF)
    parser.add_argument("--always", action="store_true", help="and what `always` covers, until its session ends")


def run(arguments: argparse.Namespace) -> int:
    return decide(arguments.approval, "always" if arguments.always else "allow")


def decide(approval: str, verb: str, reason: str = "") -> int:
    """Answer what waits, and say what came of it."""
    from agentdeck.cli.output import print_line
    from agentdeck.cli.talk import with_hub
    from agentdeck.hub.client import HubClient
    from agentdeck.protocol.approvals import Decide
    from agentdeck.protocol.messages import Done

    async def work(client: HubClient) -> Done:
        return await client.ask(Decide(approval=approval, verb=verb, reason=reason, who="command line"), Done)

    print_line(with_hub(work).note)
    return 0
