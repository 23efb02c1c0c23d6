"""All that can be known of the agents that run for this user without touching one, in one survey."""

import os
import pwd
from collections.abc import Callable, Collection
from typing import Final

from agentdeck.errors import SessionError
from agentdeck.processes import conversations, screens, sessions
from agentdeck.processes.conversations import Conversation, Whose
from agentdeck.processes.look import Look
from agentdeck.processes.screens import Seat
from agentdeck.protocol.outside import Agent, Candidate

Glance = Callable[[str, str], str]
"""Provider and transcript → the state that its last records tell, or `unknown`."""

_CLAUDE: Final = {
    "busy": ("working", "its session file: busy"),
    "shell": ("working", "its session file: a background command runs"),
    "idle": ("idle", "its session file: idle"),
}

HINT: Final = "agentdeck ps lists the agents that run"


def survey(look: Look, ours: Callable[[str], bool], glance: Glance) -> list[Agent]:
    """Return every agent of this user, oldest first. `ours` tells whether a holder's session is this agentdeck's."""
    found = sessions.find(look)
    known = conversations.resolve(found, look)
    table = look.table()
    return [told(each, known[each.pid], screens.find_seat(each, look, table), ours, glance) for each in found]


def told(agent: sessions.Agent, whose: Whose, seat: Seat, ours: Callable[[str], bool], glance: Glance) -> Agent:
    conversation = whose.conversation or Conversation(id="")
    state, why = _state(agent, whose, conversation, glance)
    return Agent(
        provider=agent.provider,
        pid=agent.pid,
        start=agent.start,
        began=agent.began,
        cwd=agent.cwd,
        session=conversation.id,
        transcript=conversation.path,
        how=whose.how,
        why=whose.why,
        candidates=tuple(Candidate(each.id, each.path, each.changed) for each in whose.candidates),
        state=state,
        state_why=why,
        terminal=agent.terminal,
        headless=agent.headless,
        screen=seat.kind if seat.command else "",
        screen_why=seat.why,
        ours=agent.held if agent.held and ours(agent.held) else "",
    )


def _state(agent: sessions.Agent, whose: Whose, conversation: Conversation, glance: Glance) -> tuple[str, str]:
    if whose.status == "waiting":
        return "needs_you", f"its session file: waits for {whose.waiting_for or 'an answer'}"
    if whose.status in _CLAUDE:
        return _CLAUDE[whose.status]
    if conversation.path and (state := glance(agent.provider, conversation.path)) != "unknown":
        return state, "the last records of its transcript"
    return "unknown", "nothing tells"


def require(pid: int, look: Look, agents: Collection[sessions.Agent] | None = None) -> sessions.Agent:
    """Return the agent that `pid` is, belongs to, or wraps. Raises `SessionError` with the reason why it is none."""
    owner = look.owner(pid) if pid > 0 else None
    if owner is None or look.start(pid) is None:
        raise SessionError(f"there is no process {pid}", hint=HINT)
    if owner != os.getuid():
        raise SessionError(
            f"process {pid} belongs to another user ({_user(owner)}); only your own can be watched", hint=HINT
        )
    agent = sessions.including(sessions.find(look) if agents is None else agents, pid, look)
    if agent is None:
        name = " ".join(look.arguments(pid))[:60] or "it has no command line"
        raise SessionError(f"process {pid} is no agent CLI that agentdeck knows: {name}", hint=HINT)
    return agent


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
