"""`agentdeck ps`: every agent that runs for this user, in agentdeck or anywhere else."""

import argparse
import time
from typing import TYPE_CHECKING, Final

from agentdeck.cli.commands import Subparsers, add
from agentdeck.cli.output import ago, emit, table

if TYPE_CHECKING:
    from agentdeck.protocol.outside import Agent

MORE: Final = """\
Looks at processes, their files and their multiplexers, and changes nothing. Desktop applications, daemons, updaters and
helpers are left out; a wrapper and what it wraps are one. `ours` is the session of this agentdeck that one runs in.
--json prints a list of objects with provider, pid, began, cwd, session, transcript, how, why, candidates, state,
state_why, terminal, headless, screen, screen_why and ours. Times are unix seconds. how says how the session is known:
certain, probable, ambiguous (it is one of the candidates) or none.
"""


def register(subparsers: Subparsers) -> None:
    add(subparsers, "ps", run, json=True, more=MORE)


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.live import glance
    from agentdeck.paths import locate
    from agentdeck.processes.look import system_look
    from agentdeck.processes.outside import survey

    directory = locate().run
    agents = survey(system_look(), lambda session: (directory / f"{session}.json").exists(), glance.state)
    agents = with_states(agents)
    if arguments.json:
        emit([as_object(agent) for agent in agents])
    elif agents:
        print(listing(agents, time.time()))
    else:
        print("no agents run; agentdeck run PROVIDER starts one")
    return 0


def with_states(agents: "list[Agent]") -> "list[Agent]":
    """Take the states of our own sessions from the hub, which knows them best, if one runs."""
    import msgspec

    from agentdeck.cli.talk import with_hub
    from agentdeck.errors import HubError
    from agentdeck.hub.client import HubClient
    from agentdeck.protocol import messages as m

    if not any(agent.ours for agent in agents):
        return agents

    async def ask(client: HubClient) -> m.Sessions:
        return await client.ask(m.List(), m.Sessions)

    try:
        known = {session.id: session for session in with_hub(ask, start=False).sessions}
    except HubError:
        return agents
    return [
        msgspec.structs.replace(agent, state=known[agent.ours].state, state_why=known[agent.ours].why)
        if agent.ours in known and known[agent.ours].provider == agent.provider
        else agent
        for agent in agents
    ]


def as_object(agent: "Agent") -> dict[str, object]:
    """An agent for other programs: everything by name, also what is a bare list on the wire."""
    import msgspec

    candidates = [msgspec.structs.asdict(each) for each in agent.candidates]
    return {**msgspec.structs.asdict(agent), "candidates": candidates}


def listing(agents: "list[Agent]", now: float) -> str:
    head = ("pid", "provider", "state", "for", "where", "session", "", "directory")
    rows = [
        (
            str(agent.pid),
            agent.provider,
            agent.state.replace("_", " "),
            ago(now - agent.began),
            agent.ours or agent.screen or agent.terminal or "no terminal",
            agent.session[:8] or "-",
            _doubt(agent),
            agent.cwd,
        )
        for agent in agents
    ]
    return table([head, *rows], right=frozenset({0, 3}))


def _doubt(agent: "Agent") -> str:
    if agent.how == "ambiguous":
        return f"one of {len(agent.candidates)}"
    return "" if agent.how == "certain" else agent.how
