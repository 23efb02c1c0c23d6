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
    parser.add_argument("--lan", action="store_true", help="also for other machines of the network, with TLS")
    parser.add_argument(
        "--host", metavar="HOST", default="",
        help="what the link for them names; an address of this machine: only there they come in",
    )  # fmt: skip
    parser.add_argument("--cert", metavar="FILE", default="", help="a certificate chain, PEM (otherwise one is made)")
    parser.add_argument("--key", metavar="FILE", default="", help="its key, PEM")
    parser.add_argument(
        "--url", metavar="URL", default="",
        help="for others, by way of a proxy on this machine that you trust: https://name.example",
    )  # fmt: skip
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
    far = bool(arguments.lan or arguments.url)
    request = s.Share(
        session=sharing.named(arguments.session), role=arguments.role, expires=sharing.seconds(arguments.expires),
        max_uses=arguments.max, approve=approve or (far and arguments.approve is not False),
        lan=arguments.lan, host=arguments.host, cert=_absolute(arguments.cert), key=_absolute(arguments.key),
        url=arguments.url,
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
    from agentdeck.share.certificate import unsealed

    request.session = await resolved(client, request.session)
    told = await asyncio.wait_for(_link(client, request), arguments.timeout)
    if arguments.json:
        emit({
            "url": told.url, "code": told.code, "role": told.role, "expires_at": moment(told.expires_at),
            "share": told.share, "session": told.session, "fingerprint": told.fingerprint, "local": told.near,
        })  # fmt: skip
        return 0
    _say(f"link  {told.url}")
    for line in _codes(told):
        _say(line)
    _say(f"role  {told.role}, until {moment(told.expires_at)}")
    if told.role != request.role:
        _say(f"      it was shared before; agentdeck invite {told.session} --role {request.role} makes another link")
    if not arguments.no_qr:
        _draw(unsealed(told.url))
    _say("Shared until you press Ctrl+C. What leaves is redacted as well as can be, not perfectly.")
    try:
        await _watch(client, told.session)
    except asyncio.CancelledError:
        with contextlib.suppress(AgentdeckError):
            await client.ask(s.Unshare(session=told.share), m.Done)
        _say("not shared any more")
        raise
    return 0


def _codes(told: "s.Shared") -> list[str]:
    """How somebody comes with the code, and what their programs must see then."""
    from agentdeck.join.link import base_of
    from agentdeck.share.certificate import pin, readable

    base, pinned = base_of(told.url), "." in told.url.partition("#")[2]
    far = base != told.near and not told.fingerprint
    if base.startswith("http:") and not far:
        return [f"code  {told.code}   for agentdeck join; you let in whoever types it"]
    seal = f" --fingerprint={pin(told.fingerprint)}" if pinned else ""
    lines = [
        f"code  {told.code}   at {base}/join; you let in whoever types it",
        f"join  agentdeck join {told.code} --server {base}{seal}",
    ]
    if told.fingerprint:
        shown = readable(told.fingerprint)
        lines += [f"cert  {shown[:48]}", f"      {shown[48:]}"]
    if far:
        lines.append(f"proxy {base} must pass requests on to {told.near}")
    if pinned:
        lines.append("      Nobody vouches for it, so browsers warn: this is its SHA-256, to compare.")
    return lines


async def _link(client: "HubClient", request: "s.Share") -> "s.Shared":
    from agentdeck.cli.sharing import allowed
    from agentdeck.errors import RepositoryError
    from agentdeck.protocol import share as s

    try:
        return await client.ask(request, s.Shared)
    except RepositoryError as error:
        if not await allowed(client, error.repository, error.server):
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
