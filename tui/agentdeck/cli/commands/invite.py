"""`agentdeck invite`: another link or code for a shared session; let in who waits; change what somebody may do."""

import argparse

from agentdeck.cli.commands import Subparsers, add


def register(subparsers: Subparsers) -> None:
    more = "A link never carries more than the role driver. With --code nobody gets in before you --admit them.\n"
    parser = add(subparsers, "invite", run, session=True, json=True, more=more)
    parser.add_argument("--role", default="observer", help="observer (default), commenter or driver")
    parser.add_argument("--expires", metavar="TIME", default="24h", help="30m, 8h, up to 24h")
    parser.add_argument("--max", metavar="N", type=int, default=1, help="how many people it lets in (1)")
    parser.add_argument(
        "--approve", action=argparse.BooleanOptionalAction, default=None,
        help="whoever comes waits until you admit them (default for drivers)",
    )  # fmt: skip
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--code", action="store_true", help="make a code to type instead of a link")
    what.add_argument("--admit", metavar="PERSON", default="", help="let in somebody who waits")
    what.add_argument("--deny", metavar="PERSON", default="", help="send away somebody who waits")
    what.add_argument("--give", metavar="PERSON", default="", help="give somebody the role of --role")
    parser.add_argument("--hands", action="store_true", help="with --give: a driver may also press keys")


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.output import emit, print_line
    from agentdeck.cli.sharing import moment, resolved, seconds
    from agentdeck.cli.talk import with_hub
    from agentdeck.hub.client import HubClient
    from agentdeck.protocol import messages as m
    from agentdeck.protocol import share as s

    expires = seconds(arguments.expires)
    approve = arguments.role == "driver" if arguments.approve is None else arguments.approve

    async def work(client: HubClient) -> m.AnyReply:
        session = await resolved(client, arguments.session)
        if arguments.admit or arguments.deny:
            person = arguments.admit or arguments.deny
            return await client.call(s.Admit(session=session, participant=person, on=bool(arguments.admit)))
        if arguments.give:
            return await client.call(
                s.SetRole(session=session, participant=arguments.give, role=arguments.role, hands=arguments.hands)
            )
        return await client.call(
            s.Invite(
                session=session, role=arguments.role, expires=expires, max_uses=arguments.max,
                approve=approve, code=arguments.code,
            )
        )  # fmt: skip

    told = with_hub(work)
    if not isinstance(told, s.Shared):
        return 0
    if arguments.json:
        emit({
            "url": told.url, "code": told.code, "role": told.role, "expires_at": moment(told.expires_at),
            "invite": told.invite,
        })  # fmt: skip
    else:
        print_line(told.url or told.code)
    return 0
