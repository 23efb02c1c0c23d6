"""What is told of a session in one piece: its live state, and what the ledger knows of it."""

from collections.abc import Sequence

from agentdeck.live.session import LiveSession
from agentdeck.live.wording import one_line, subject
from agentdeck.protocol import facts as f
from agentdeck.protocol.worker import SessionGauge


def facts_of(name: str, live: LiveSession, known: SessionGauge | None, limits: Sequence[f.Limit], pid: int) -> f.Facts:
    """`name` is the key under which clients know the session."""
    doing = next(reversed(live.pending.values()), None)
    said = {message.role: message.text for message in live.messages if message.role != "thinking"}
    return f.Facts(
        key=name,
        provider=live.provider,
        provider_session=live.id,
        cwd=live.cwd,
        title=live.title,
        model=live.model,
        watched=":" in name,
        pid=pid,
        state=_state(live),
        started=live.started.timestamp() if live.started else 0.0,
        last_at=live.last_at.timestamp() if live.last_at else 0.0,
        gauge=known.gauge if known else None,
        tokens=known.tokens if known else None,
        cost_usd=known.cost_usd if known else None,
        hidden_usd=known.hidden_usd if known else None,
        unpriced=known.unpriced if known else False,
        burn_usd_hour=known.burn_usd_hour if known else None,
        cache_hit_pct=known.cache_hit_pct if known else None,
        messages=live.counts.get("message", 0),
        tools=live.counts.get("tool_use", 0),
        errors=live.errors,
        agents=len(live.agents),
        files=len(live.files),
        added=sum(touch.added for touch in live.files.values()),
        removed=sum(touch.removed for touch in live.files.values()),
        doing=f"{doing.tool} {subject(doing, live.cwd)}".strip() if doing else "",
        doing_since=doing.at.timestamp() if doing else None,
        last_prompt=one_line(said.get("user", "")),
        last_message=one_line(said.get("assistant", "")),
        limits=tuple(limits),
    )


def _state(live: LiveSession) -> str:
    if live.ended is not None:
        return "ended"
    if live.working:
        return "working"
    return "idle" if live.idle or live.turns else "unknown"
