"""`agentdeck join`: watch somebody's shared session in this terminal, talk, and help if they let you."""

import argparse

from agentdeck.cli.commands import Subparsers, add
from agentdeck.errors import UsageError


def register(subparsers: Subparsers) -> None:
    more = (
        "Put a link in quotes; or leave it out and paste it when asked, so that no list of processes shows it.\n"
        "Whoever comes with a code waits until the owner lets them in.\n"
        "Exit codes: 0 you left, 2 no link or code, 9 refused, unreachable, sent away or over.\n"
    )
    parser = add(subparsers, "join", run, more=more)
    parser.add_argument(
        "link", metavar="LINK|CODE", nargs="?", default="", help="the link that its owner gave you, or the code"
    )
    parser.add_argument("--name", default="", help="what the others call you (your user name)")
    parser.add_argument("--server", metavar="URL", default="", help="where a code belongs: http://HOST:PORT")
    parser.add_argument(
        "--fingerprint", metavar="SHA256", default="",
        help="of the server's certificate, for a code: no other server is believed (a link carries it)",
    )  # fmt: skip
    parser.add_argument("--ca", metavar="FILE", default="", help="a certificate to trust besides the system's")


def run(arguments: argparse.Namespace) -> int:
    import asyncio
    import getpass
    import sys
    from dataclasses import replace

    from agentdeck import config as configuration
    from agentdeck.cli.deck import require_terminal
    from agentdeck.join import door, link
    from agentdeck.paths import locate

    what = link.read(arguments.link or _asked(), arguments.server, arguments.fingerprint)
    if isinstance(what, link.Code) and not what.base:
        base, fingerprint = asyncio.run(_own_server())
        what = replace(what, base=base, fingerprint=what.fingerprint or fingerprint)
    require_terminal("open the link in a browser, or follow it with curl: docs/protocol.md")
    name = arguments.name.strip() or getpass.getuser()
    way = asyncio.run(door.enter(what, name, arguments.ca))
    from agentdeck.ui.screens.joined_app import run_joined

    paths = locate()
    config, problems = configuration.load(paths.config)
    for problem in problems:
        print(f"agentdeck: {problem}", file=sys.stderr)
    print(run_joined(way, paths, config))
    return 0


def _asked() -> str:
    """Raises `UsageError` where nobody can be asked."""
    import sys

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("no link and no code is given", hint="agentdeck join 'LINK', in a terminal")
    print("Link or code: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


async def _own_server() -> tuple[str, str]:
    """Where a code of this machine belongs, and the fingerprint there. Raises `UsageError` when nothing is shared."""
    from agentdeck.errors import AgentdeckError
    from agentdeck.hub.client import HubClient
    from agentdeck.join.link import Link, base_of, read
    from agentdeck.paths import locate
    from agentdeck.protocol import share as s

    hint = "give --server URL: the beginning of the link, http://HOST:PORT"
    try:
        client = await HubClient.connect(locate(), start=False)
    except AgentdeckError as error:
        raise UsageError("a code alone does not say where it belongs", hint=hint) from error
    try:
        shares = (await client.ask(s.ListShares(), s.SharesTold)).shares
    finally:
        await client.close()
    urls = [share.url for share in sorted(shares, key=lambda share: share.server != "local") if share.url]
    if not urls:
        raise UsageError("nothing is shared from this machine, so the code belongs to another", hint=hint)
    what = read(urls[0]) if "#" in urls[0] else None
    return (what.base, what.fingerprint) if isinstance(what, Link) else (base_of(urls[0]), "")
