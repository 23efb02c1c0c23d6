"""`agentdeck shares`: what is shared, with whom, and what waits."""

import argparse
from typing import TYPE_CHECKING

from agentdeck.cli.commands import Subparsers, add

if TYPE_CHECKING:
    from agentdeck.protocol.share import PersonTold, ShareFacts


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "shares", run, json=True)
    parser.add_argument("--panic", action="store_true", help="cut off every viewer of every session at once")


def run(arguments: argparse.Namespace) -> int:
    import time

    from agentdeck.cli.output import ago, emit, print_line, table
    from agentdeck.cli.talk import with_hub
    from agentdeck.hub.client import HubClient
    from agentdeck.protocol import messages as m
    from agentdeck.protocol import share as s

    async def work(client: HubClient) -> tuple[s.ShareFacts, ...]:
        if arguments.panic:
            print_line((await client.ask(s.Panic(), m.Done)).note)
        return (await client.ask(s.ListShares(), s.SharesTold)).shares

    shares = with_hub(work)
    if arguments.json:
        emit([_without_secret(share) for share in shares])
        return 0
    if not shares:
        print_line("nothing is shared")
        return 0
    now = time.time()
    for share in shares:
        print_line(
            f"{share.name}  {share.session}  {share.url.partition('#')[0]}  ends in {ago(share.expires_at - now)}"
        )
        for invite in share.invites:
            if not invite.revoked and invite.expires_at > now:
                what = "code" if invite.code else "link"
                print_line(f"  {what} {invite.id}  {invite.role}  used {invite.uses} of {invite.max_uses}")
        rows = [
            ("  ", person.id, person.name, person.role, _presence(person), person.words)
            for person in share.people
            if not person.gone
        ]
        if rows:
            print(table(rows))
        for prompt in share.queue:
            if prompt.position:
                print_line(f"  {prompt.position}. {prompt.name}: {prompt.text[:80]}")
    return 0


def _presence(person: "PersonTold") -> str:
    return "waits" if person.pending else "here" if person.online else "away"


def _without_secret(share: "ShareFacts") -> "ShareFacts":
    """Links are shown when they are made, and not to whoever reads a list later."""
    import msgspec

    return msgspec.structs.replace(share, url=share.url.partition("#")[0])
