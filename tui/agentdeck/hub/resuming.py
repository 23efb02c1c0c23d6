"""Go on, in a session of ours, with a conversation that nobody has at the moment."""

import asyncio
from collections.abc import Mapping

from agentdeck.errors import SessionError
from agentdeck.hub.roster import Roster
from agentdeck.live import glance
from agentdeck.processes import outside, resume
from agentdeck.processes.look import Look
from agentdeck.processes.resume import Places
from agentdeck.protocol import messages as m


async def resume_conversation(roster: Roster, look: Look, spawn: m.Spawn, home: Mapping[str, str]) -> m.AnyReply:
    """Start what `spawn` says, which names a conversation. `home` is the environment whose files have it.

    Two must not write one conversation. Raises `SessionError` when somebody has it, or it was never written down.
    """
    others = await asyncio.to_thread(outside.survey, look, lambda session: session in roster.sessions, glance.state)
    if other := next((each for each in others if each.session == spawn.resume), None):
        raise SessionError(f"process {other.pid} has gone on with this conversation", hint=outside.HINT)
    if not await asyncio.to_thread(resume.exists, spawn.provider, spawn.resume, Places.of(home)):
        raise SessionError("its conversation has not been written down, so it cannot be resumed", hint="")
    return await roster.spawn(spawn)
