"""Every session that this machine knows of: those of the hub, if one runs, and those of all transcripts."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from agentdeck.protocol.messages import Session
    from agentdeck.search.portraits import Portrait
    from agentdeck.search.presence import Presence

LIVING: Final = frozenset(("live", "idle"))


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """One session, as `agentdeck sessions --json` prints it. Times are unix seconds."""

    provider: str
    session: str
    """The provider's own id; empty when it is not known yet."""
    id: str = ""
    """Our id, when the session is one of the deck's."""
    name: str = ""
    state: str
    """live, idle or ended."""
    why: str
    confidence: float | None = None
    """How sure it is that the session has ended, from 0 to 1."""
    pid: int | None = None
    project: str = ""
    title: str = ""
    prompt: str = ""
    parent: str = ""
    started: float | None = None
    last_at: float | None = None
    paths: tuple[str, ...] = ()


def everything(wanted: Callable[[str], bool] = lambda provider: True) -> list[Known]:
    """All sessions of the wanted providers, the one written last first. Starts no hub."""
    from agentdeck.paths import locate
    from agentdeck.search.portraits import portraits
    from agentdeck.search.presence import presences
    from agentdeck.transcripts.roots import everywhere

    seen = portraits(root for root in everywhere(locate().config, os.environ) if wanted(root.agent))
    states = presences(seen, os.environ)
    ours: dict[tuple[str, str], Session] = {}
    found: list[Known] = []
    for family, session in of_the_hub():
        if wanted(family) and (not session.resume_id or (family, session.resume_id) in ours):
            found.append(_known(family, session))
        elif wanted(family):
            ours[family, session.resume_id] = session
    for portrait in seen:
        key = portrait.provider, portrait.session
        found.append(_seen(portrait, states[key], ours.pop(key, None)))
    found += [_known(family, session) for (family, _), session in ours.items()]
    return sorted(found, key=lambda each: -(each.last_at or 0.0))


def _known(family: str, session: "Session") -> Known:
    """A session of the deck that has no transcript, or none yet."""
    return Known(
        provider=family,
        session=session.resume_id,
        id=session.id,
        name=session.name,
        state=_state(session),
        why=_why(session),
        confidence=1.0 if session.ended else None,
        pid=None if session.ended else session.pid or None,
        project=session.cwd,
        title=session.title,
        started=session.started or None,
        last_at=session.ended or session.last_output or session.since or None,
    )


def _seen(portrait: "Portrait", presence: "Presence", session: "Session | None") -> Known:
    ended = presence.confidence or None
    known = Known(
        provider=portrait.provider,
        session=portrait.session,
        state=presence.state,
        why=presence.why,
        confidence=ended,
        pid=presence.pid or None,
        project=portrait.project,
        title=portrait.title,
        prompt=portrait.prompt,
        parent=portrait.parent,
        started=portrait.started,
        last_at=portrait.last_at,
        paths=portrait.paths,
    )
    if session is None or (session.ended is not None and presence.state in LIVING and presence.pid):
        return known  # it was resumed elsewhere
    return msgspec.structs.replace(
        known,
        id=session.id,
        name=session.name,
        state=_state(session),
        why=_why(session),
        confidence=1.0 if session.ended else None,
        pid=None if session.ended else session.pid or None,
        project=known.project or session.cwd,
    )


def _state(session: "Session") -> str:
    return "ended" if session.ended else "idle" if session.state == "idle" else "live"


def _why(session: "Session") -> str:
    return f"{session.state}: {session.why}" if session.why else session.state


def of_the_hub() -> "list[tuple[str, Session]]":
    """The sessions of a running hub, each with its provider's family; none when no hub runs."""
    from agentdeck import config as configuration
    from agentdeck import providers
    from agentdeck.cli.talk import with_hub
    from agentdeck.errors import AgentdeckError
    from agentdeck.hub.client import HubClient
    from agentdeck.paths import locate
    from agentdeck.protocol import messages as m

    paths = locate()
    if not paths.hub_socket.exists():
        return []

    async def ask(client: HubClient) -> "list[Session]":
        return list((await client.ask(m.List(), m.Sessions)).sessions)

    try:
        sessions = with_hub(ask, start=False)
    except AgentdeckError:
        return []
    known = providers.known(configuration.load(paths.config)[0])
    return [
        (known[session.provider].family if session.provider in known else session.provider, session)
        for session in sessions
    ]
