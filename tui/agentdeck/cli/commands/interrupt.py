"""`agentdeck interrupt`: end the turn with the key that this CLI wants, never with a signal."""

import argparse

from agentdeck.cli.commands import Subparsers, add


def register(subparsers: Subparsers) -> None:
    more = "The session goes on. Most CLIs die of a real SIGINT, so none is sent. With --say, nothing is interrupted.\n"
    parser = add(subparsers, "interrupt", run, session=True, more=more)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--after-tool", action="store_true", help="once the call that runs now has returned")
    choice.add_argument("--say", action="store_true", help="say what an interrupt would end, and do nothing")


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.talk import tell
    from agentdeck.protocol.messages import Interrupt
    from agentdeck.protocol.queue import GuardedInterrupt

    if arguments.say:
        return say(arguments.session)
    if arguments.after_tool:
        _, done = tell(arguments.session, lambda session: GuardedInterrupt(session=session, after_tool=True))
        print(done.note)
    else:
        tell(arguments.session, lambda session: Interrupt(session=session))
    return 0


def say(ref: str) -> int:
    """Print what an interrupt would end: the calls, sub-agents and queued prompts, a line each."""
    from agentdeck.cli.output import print_line
    from agentdeck.cli.talk import with_hub
    from agentdeck.hub.client import HubClient
    from agentdeck.protocol.queue import AskInterrupt, InterruptTold

    async def ask(client: HubClient) -> InterruptTold:
        session = await client.resolve(ref)
        return await client.ask(AskInterrupt(session=session.id), InterruptTold)

    told = with_hub(ask)
    lines = [f"the call that runs: {tool}" for tool in told.tools]
    lines += [f"sub-agents at work: {told.agents}"] * bool(told.agents)
    lines += [f"queued prompts that would be held: {told.queued}"] * bool(told.queued)
    print_line("\n".join(lines) or f"nothing but the turn; the session is {told.state.replace('_', ' ')}")
    return 0
