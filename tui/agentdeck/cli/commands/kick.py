"""`agentdeck kick`: send somebody away from a shared session; they cannot come back with what they have."""

import argparse

from agentdeck.cli.commands import Subparsers, add


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "kick", run, session=True)
    parser.add_argument("person", metavar="PERSON", help="an id of agentdeck shares, or a name")


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.sharing import resolved
    from agentdeck.cli.talk import with_hub
    from agentdeck.hub.client import HubClient
    from agentdeck.protocol import messages as m
    from agentdeck.protocol import share as s

    async def work(client: HubClient) -> None:
        session = await resolved(client, arguments.session)
        await client.ask(s.Kick(session=session, participant=arguments.person), m.Done)

    with_hub(work)
    return 0
