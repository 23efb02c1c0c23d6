"""`agentdeck share`: let others watch a session, and help if they may. Ctrl+C ends it; after `--json` it goes on."""

import argparse
from typing import TYPE_CHECKING, Final

from agentdeck.cli.commands import Subparsers, add

if TYPE_CHECKING:
    from agentdeck.hub.client import HubClient
    from agentdeck.protocol import messages as m
    from agentdeck.protocol import share as s

UNKNOWN: Final = 1
NO_LINK: Final = 4
"""Exit codes of this command alone: an unknown session, and a link that did not come in time."""


def register(subparsers: Subparsers) -> None:
    more = (
        "Without an ID it is the session that this runs in (CLAUDE_SESSION_ID, CLAUDE_CODE_SESSION_ID).\n"
        "What leaves is redacted as well as can be. Exit codes: 1 unknown session, 2 repository not allowed,\n"
        "4 no link in time.\n"
    )
    parser = add(subparsers, "share", run, json=True, more=more)
    parser.add_argument("session", metavar="ID", nargs="?", default="", help="a session; also the CLI's own id of it")
    parser.add_argument("--role", default="observer", help="observer (default), commenter or driver")
    parser.add_argument("--expires", metavar="TIME", default="24h", help="how long it lasts: 30m, 8h, up to 24h")
    parser.add_argument("--max", metavar="N", type=int, default=16, help="how many people the link lets in (16)")
    parser.add_argument(
        "--approve", action=argparse.BooleanOptionalAction, default=None,
        help="let in nobody whom you have not approved (default for drivers)",
    )  # fmt: skip
    parser.add_argument("--lan", action="store_true", help="also for other machines; needs --cert and --key")
    parser.add_argument("--cert", metavar="FILE", default="", help="certificate chain, PEM")
    parser.add_argument("--key", metavar="FILE", default="", help="its key, PEM")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, default=25.0, help="how long to wait for the link")
    parser.add_argument("--no-qr", action="store_true", help="do not draw the link as a QR code")


def run(arguments: argparse.Namespace) -> int:
    import sys

    from agentdeck.cli import sharing
    from agentdeck.cli.main import complain
    from agentdeck.cli.talk import with_hub
    from agentdeck.errors import GatewayError, UnknownSessionError, UsageError
    from agentdeck.protocol import share as s

    if not 1 <= arguments.max <= 1000:
        raise UsageError("--max must be between 1 and 1000", hint="agentdeck share --help")
    approve = arguments.approve if arguments.approve is not None else arguments.role == "driver"
    request = s.Share(
        session=sharing.named(arguments.session), role=arguments.role, expires=sharing.seconds(arguments.expires),
        max_uses=arguments.max, approve=approve or (arguments.lan and arguments.approve is not False),
        lan=arguments.lan, cert=_absolute(arguments.cert), key=_absolute(arguments.key),
    )  # fmt: skip
    try:
        return with_hub(lambda client: _share(client, request, arguments))
    except UnknownSessionError as error:
        complain(error)
        return UNKNOWN
    except (GatewayError, TimeoutError) as error:
        text = str(error) or f"no link after {arguments.timeout:.0f} s"
        print(f"agentdeck: {text}", file=sys.stderr)
        return NO_LINK


def _say(text: str) -> None:
    """Print at once: somebody may read this through a pipe, and it goes on for hours."""
    import sys

    from agentdeck.cli.output import print_line

    print_line(text)
    sys.stdout.flush()


def _absolute(path: str) -> str:
    from pathlib import Path

    return str(Path(path).absolute()) if path else ""


async def _share(client: "HubClient", request: "s.Share", arguments: argparse.Namespace) -> int:
    import asyncio
    import contextlib

    from agentdeck.cli.output import emit
    from agentdeck.cli.sharing import moment, resolved
    from agentdeck.errors import AgentdeckError
    from agentdeck.protocol import messages as m
    from agentdeck.protocol import share as s

    request.session = await resolved(client, request.session)
    told = await asyncio.wait_for(_link(client, request), arguments.timeout)
    if arguments.json:
        emit({
            "url": told.url, "code": told.code, "role": told.role, "expires_at": moment(told.expires_at),
            "share": told.share, "session": told.session,
        })  # fmt: skip
        return 0
    _say(f"link  {told.url}")
    _say(f"code  {told.code}   for agentdeck join; you let in whoever types it")
    _say(f"role  {told.role}, until {moment(told.expires_at)}")
    if not arguments.no_qr:
        _draw(told.url)
    _say("Shared until you press Ctrl+C. What leaves is redacted as well as can be, not perfectly.")
    try:
        await _watch(client, told.session)
    except asyncio.CancelledError:
        with contextlib.suppress(AgentdeckError):
            await client.ask(s.Unshare(session=told.share), m.Done)
        _say("not shared any more")
        raise
    return 0


async def _link(client: "HubClient", request: "s.Share") -> "s.Shared":
    from agentdeck.cli.sharing import allowed
    from agentdeck.errors import RepositoryError
    from agentdeck.protocol import share as s

    try:
        return await client.ask(request, s.Shared)
    except RepositoryError as error:
        server = "lan" if request.lan else "local"
        if not await allowed(client, error.repository, server):
            raise
        return await client.ask(request, s.Shared)


def _draw(url: str) -> None:
    import sys

    if sys.stdout.isatty():
        import segno

        segno.make(url, error="l").terminal(border=1, compact=True)


async def _watch(client: "HubClient", session: str) -> None:
    """Say who comes and goes, until the share has ended."""
    import asyncio

    from agentdeck.protocol import messages as m
    from agentdeck.protocol import share as s

    over = asyncio.Event()
    waiting: set[str] = set()

    def take(message: "m.AnyReply") -> None:
        match message:
            case s.ShareEvents():
                for event in message.events:
                    if event.kind in ("system", "chat", "command", "interrupt"):
                        _say(f"{event.name}: {event.text}" if event.kind != "system" else event.text)
            case s.ShareTold():
                for person in message.facts.people:
                    if person.pending and person.id not in waiting:
                        waiting.add(person.id)
                        _say(
                            f"{person.name} ({person.address}) waits, and should see the words: {person.words}\n"
                            f"  agentdeck invite {session} --admit {person.id}"
                        )
            case s.ShareGone() if message.session == session:
                _say(message.text)
                over.set()

    client.on_push = take
    client.on_close = over.set
    await client.ask(m.Watch(resources=False), m.Sessions)
    take(await client.ask(s.FollowShare(session=session), s.ShareTold))
    await over.wait()
