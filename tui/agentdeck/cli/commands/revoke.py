"""`agentdeck revoke`: withdraw a link or code, and send away everybody who came by it."""

import argparse

from agentdeck.cli.commands import Subparsers, add


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "revoke", run, session=True)
    parser.add_argument(
        "invite", metavar="INVITE", nargs="?", default="", help="an id of agentdeck shares; without it all"
    )


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.sharing import resolved
    from agentdeck.cli.talk import with_hub
    from agentdeck.hub.client import HubClient
    from agentdeck.protocol import messages as m
    from agentdeck.protocol import share as s

    async def work(client: HubClient) -> None:
        session = await resolved(client, arguments.session)
        await client.ask(s.Revoke(session=session, invite=arguments.invite), m.Done)

    with_hub(work)
    return 0
