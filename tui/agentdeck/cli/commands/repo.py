"""`agentdeck repo`: which repositories may be shared. Nothing is, until its owner has allowed it once."""

import argparse

from agentdeck.cli.commands import Subparsers, add


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "repo", run, json=True)
    parser.add_argument("what", choices=("allow", "deny", "list"), help="allow or deny a repository, or list them")
    parser.add_argument("path", metavar="DIRECTORY", nargs="?", default=".", help="in the repository (here)")
    parser.add_argument("--server", default="local", help="local (default): this machine; lan: beyond it")


def run(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from agentdeck.cli.output import emit, print_line
    from agentdeck.cli.talk import with_hub
    from agentdeck.errors import UsageError
    from agentdeck.hub.client import HubClient
    from agentdeck.protocol import messages as m
    from agentdeck.protocol import share as s

    if arguments.server not in ("local", "lan"):
        raise UsageError(f"there is no server {arguments.server!r}", hint="servers: local, lan")
    path = Path(arguments.path).absolute()
    if arguments.what == "allow" and not path.is_dir():
        raise UsageError(f"the directory {path} does not exist", hint="name a directory in the repository")

    async def work(client: HubClient) -> dict[str, tuple[str, ...]]:
        if arguments.what != "list":
            on = arguments.what == "allow"
            await client.ask(s.AllowRepository(path=str(path), on=on, server=arguments.server), m.Done)
        return (await client.ask(s.ListRepositories(), s.RepositoriesTold)).repositories

    listed = with_hub(work)
    if arguments.json:
        emit(listed)
    elif arguments.what == "list":
        for server, paths in sorted(listed.items()):
            for each in paths:
                print_line(f"{server}  {each}")
    return 0
