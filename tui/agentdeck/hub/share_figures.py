"""A shared session in figures: for viewers, redacted; and the share itself, for its owner."""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from agentdeck.hub.facts import FactsDesk
from agentdeck.hub.session import LiveSession
from agentdeck.live.health import health_of
from agentdeck.protocol import share as s
from agentdeck.protocol import viewers as v

if TYPE_CHECKING:
    from agentdeck.hub.shared import SharedRoom

FILES: Final = 200
"""Files that are told, the ones touched last."""


def figures(
    session: LiveSession | None, desk: FactsDesk, key: str, text: Callable[[str], str]
) -> dict[str, msgspec.Struct | None]:
    """Tokens, cost, their course, health and files of a session, by kind. `text` redacts."""
    live, facts = desk.live(key), desk.told(key)
    data = v.DataUpdate(started=session.info.started if session is not None else 0.0)
    if session is not None:
        data = msgspec.structs.replace(data, title=text(session.info.title), ended=session.info.ended)
    if facts is None or live is None:
        return {"session_data_update": data}
    gauge = facts.gauge
    data = msgspec.structs.replace(
        data, model=facts.model, tokens=facts.tokens, cost_usd=facts.cost_usd, unpriced=facts.unpriced,
        burn_usd_hour=facts.burn_usd_hour, context_used=gauge.used if gauge else None,
        context_window=gauge.window if gauge else None, context_pct=gauge.used_pct if gauge else None,
        messages=facts.messages, tools=facts.tools, errors=facts.errors, agents=facts.agents, files=facts.files,
        added=facts.added, removed=facts.removed, doing=text(facts.doing), doing_since=facts.doing_since,
        title=text(facts.title) or data.title, started=data.started or facts.started,
    )  # fmt: skip
    health = health_of(live, datetime.now(UTC), compact_at=gauge.compact_at if gauge else None)
    touched = [
        v.FileTouched(
            path=text(_within(touch.path, live.cwd)), added=touch.added, removed=touch.removed, times=touch.times,
            at=touch.at.timestamp() if touch.at else 0.0, first=touch.first.timestamp() if touch.first else 0.0,
        )
        for touch in list(live.files.values())[-FILES:]
    ]  # fmt: skip
    return {
        "session_data_update": data,
        "session_usage_update": desk.course(key),
        "session_health_update": v.HealthUpdate(
            score=health.score,
            status=health.status,
            factors={name: round(value, 3) for name, value in health.factors._asdict().items()},
        ),
        "session_file_update": v.FileUpdate(files=tuple(touched)),
    }


def described(shared: "SharedRoom", session: LiveSession | None, server: str, link: str) -> s.ShareFacts:
    """A share as its owner sees it."""
    facts, room = shared.room.facts, shared.room
    return s.ShareFacts(
        share=facts.share,
        session=shared.key,
        provider_session=facts.provider_session,
        name=session.info.name if session is not None else shared.key,
        url=link,
        role=facts.role,
        created=facts.created,
        expires_at=facts.expires_at,
        server=server,
        viewers=sum(map(bool, room.online.values())),
        invites=tuple(
            s.InviteTold(
                id=i.id, role=i.role, created=i.created, expires_at=i.expires_at, uses=i.uses, max_uses=i.max_uses,
                code=i.code, revoked=i.revoked,
            )
            for i in room.invites.values()
        ),
        people=tuple(
            s.PersonTold(
                id=p.id, name=p.name, role=p.role, invite=p.invite, address=p.address, joined=p.joined,
                online=room.online.get(p.id, 0), pending=p.pending, words=p.words if p.pending else "",
                hands=p.hands, gone=p.gone,
            )
            for p in room.people.values()
        ),
        queue=tuple(
            s.PromptTold(
                id=p.id, by=p.by, name=p.name, text=p.text, state=p.state, position=room.prompts.position(p.id),
                at=p.at,
            )
            for p in room.prompts.items
        ),
        paused=room.prompts.paused,
        waits_for=shared.guests.waits_for,
        last_seq=shared.last_seq,
        problem=shared.problem,
    )  # fmt: skip


def _within(path: str, directory: str) -> str:
    """A path as people in that directory write it."""
    with contextlib.suppress(ValueError):
        return path[len(directory) + 1 :] if directory and path.startswith(f"{directory}/") else path
    return path
