"""`agentdeck unshare`: end a share; returns when its last byte has been sent."""

import argparse

from agentdeck.cli.commands import Subparsers, add


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "unshare", run)
    parser.add_argument("session", metavar="ID", nargs="?", default="", help="a session; without it all of them")
    parser.add_argument("--server", metavar="URL", default="", help="only where it is shared through this gateway")
    parser.add_argument("--purge", action="store_true", help="also delete what was said and done in it")


def run(arguments: argparse.Namespace) -> int:
    import os

    from agentdeck.cli.output import print_line
    from agentdeck.cli.sharing import VARIABLES, resolved
    from agentdeck.cli.talk import with_hub
    from agentdeck.hub.client import HubClient
    from agentdeck.protocol import messages as m
    from agentdeck.protocol import share as s

    name = arguments.session or next((os.environ[each] for each in VARIABLES if os.environ.get(each)), "")

    async def work(client: HubClient) -> m.Done:
        session = await resolved(client, name) if name else ""
        return await client.ask(s.Unshare(session=session, server=arguments.server, purge=arguments.purge), m.Done)

    print_line(with_hub(work).note)
    return 0
