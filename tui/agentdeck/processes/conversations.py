"""Which conversation a running agent is in: certain, probable, one of several, or none yet. Never a guess told as fact.

What a process wrote of itself or holds open is certain. Of the others only time and place speak: each of them begins
its conversation a moment after its start, so one that began in that moment, in that directory, and that no other
process could have begun, is probably its own. Where two could be, both are named and the person chooses.
"""

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from agentdeck.processes import detect, resume
from agentdeck.processes.look import Look
from agentdeck.processes.resume import Places
from agentdeck.processes.sessions import Agent

MOMENT: Final = 60.0
"""Seconds after its start in which a CLI begins its conversation. Measured: 1 to 4; 21 when twenty start together."""

SKEW: Final = 0.05
"""Seconds by which a file may seem older than the process that wrote it: starts are told in ticks."""

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LOCK: Final = re.compile(rf"/thread-writer-locks/({_UUID.pattern})\.lock$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    id: str
    """The provider's own."""
    path: str = ""
    """Its transcript; empty before the first record."""
    began: float | None = None
    """Unix time, None when that is not told."""
    changed: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """What is known of one agent's conversation. `how`: certain, probable, ambiguous or none."""

    how: str
    why: str
    """The evidence, in a few words."""
    conversation: Conversation | None = None
    candidates: tuple[Conversation, ...] = ()
    """When ambiguous: those it can be, the newest first."""
    status: str = ""
    """What Claude says of its state: idle, busy, waiting or shell."""
    waiting_for: str = ""


_NOT_YET: Final = Whose(how="none", why="it has not begun a conversation yet")


def resolve(agents: Collection[Agent], look: Look) -> dict[int, Whose]:
    """Return, by pid, what is known of the conversation of each; all together, because they exclude each other."""
    places = {agent.pid: Places.of(look.environment(agent.inner[-1] if agent.inner else agent.pid)) for agent in agents}
    found: dict[int, Whose] = {}
    for agent in agents:
        whose = _certain(agent, places[agent.pid], look)
        if whose is not None:
            found[agent.pid] = whose
    claimed = {whose.conversation.id for whose in found.values() if whose.conversation is not None}
    for candidates, group in _groups(agents, places, look):
        free = [each for each in candidates if each.id not in claimed]
        open_ones = [agent for agent in group if agent.pid not in found]
        if group[0].provider == "gemini":
            named = [agent for agent in group if agent.pid in found]
            found |= {agent.pid: _still(found[agent.pid], candidates, free, len(open_ones)) for agent in named}
        found |= _by_time(open_ones, free)
    return {agent.pid: found[agent.pid] for agent in agents}


# ── what is certain ────────────────────────────────────────────────────────────────────────────


def _certain(agent: Agent, places: Places, look: Look) -> Whose | None:
    match agent.provider:
        case "claude":
            return _claude(agent, places, look)
        case "codex":
            return _codex(agent, places, look)
        case _:
            return _named(agent, places)


def _claude(agent: Agent, places: Places, look: Look) -> Whose:
    for pid in agent.pids:
        session = resume.claude_session(pid, places, look)
        if session is not None and session.id:
            return Whose(
                how="certain",
                why="its own session file names it",
                conversation=_on_disk("claude", session.id, places),
                status=session.status,
                waiting_for=session.waiting_for,
            )
    named = _named(agent, places)
    if named is not None:
        return named
    recent = [each for each in _claude_chats(agent, places) if each.changed >= agent.began - SKEW]
    if not recent:
        return _NOT_YET
    return Whose(how="ambiguous", why="it names none, and these grew since it started", candidates=_newest(recent))


def _codex(agent: Agent, places: Places, look: Look) -> Whose | None:
    """The process itself, when it runs its turns: its thread's lock from the start on, its rollout after a prompt."""
    open_files = [path for pid in agent.pids for path in look.open_files(pid)]
    rollouts = {match[1]: path for path in open_files if (match := resume.ROLLOUT.search(path))}
    ids = [match[1] for path in open_files if (match := _LOCK.search(path))] or list(rollouts)
    own = sorted({each for each in ids if not _is_sub_agent(rollouts.get(each, ""))})
    if len(own) > 1:
        several = [_on_disk("codex", each, places, rollouts.get(each, "")) for each in own]
        return Whose(how="ambiguous", why="it has several open", candidates=_newest(several))
    if own:
        conversation = _on_disk("codex", own[0], places, rollouts.get(own[0], ""))
        return Whose(how="certain", why="it holds it open", conversation=conversation)
    return None


def _is_sub_agent(rollout: str) -> bool:
    payload = resume.first_record(Path(rollout)).get("payload") if rollout else None
    return isinstance(payload, dict) and isinstance(payload.get("source"), dict)


def _named(agent: Agent, places: Places) -> Whose | None:
    """Its command line names the conversation."""
    words = detect.own_arguments(agent.argv)
    for index, word in enumerate(words):
        option, _, value = word.partition("=")
        if option in ("--session-id", "--resume", "-r", "resume"):
            chosen = value or (words[index + 1] if index + 1 < len(words) else "")
            if _UUID.fullmatch(chosen):
                conversation = _on_disk(agent.provider, chosen, places)
                return Whose(how="certain", why="its command line names it", conversation=conversation)
    return None


# ── what is probable ───────────────────────────────────────────────────────────────────────────


def _still(named: Whose, chats: Collection[Conversation], free: Collection[Conversation], others: int) -> Whose:
    """Gemini goes on to another conversation with /clear, whatever its command line says.

    One that began later, grew since, and can be none of the `others` that run in the same directory may be its own.
    """
    mine = next((each for each in chats if named.conversation is not None and each.id == named.conversation.id), None)
    if mine is None:
        return named
    later = [each for each in free if (each.began or each.changed) > (mine.began or 0) and each.changed > mine.changed]
    if len(later) > others:
        why = "it may have begun another one since"
        return Whose(how="ambiguous", why=why, candidates=_newest([mine, *later]))
    return replace(named, how="probable" if later else "certain")


def _groups(
    agents: Iterable[Agent], places: Mapping[int, Places], look: Look
) -> Iterator[tuple[list[Conversation], list[Agent]]]:
    """Yield agents that could be in the same conversations, with these."""
    groups: dict[tuple[str, Places, str], list[Agent]] = {}
    for agent in agents:
        groups.setdefault((agent.provider, places[agent.pid], os.path.realpath(agent.cwd)), []).append(agent)
    for (provider, where, cwd), group in groups.items():
        chats: Callable[[str, Places], list[Conversation]]
        chats = {"gemini": _gemini_chats, "cursor": _cursor_chats}.get(provider, _no_chats)
        yield _daemon_threads(cwd, where, look) if provider == "codex" else chats(cwd, where), group


def _by_time(agents: Collection[Agent], candidates: Collection[Conversation]) -> dict[int, Whose]:
    mine = {agent.pid: [each for each in candidates if _could_be(agent, each)] for agent in agents}
    found: dict[int, Whose] = {}
    for agent in agents:
        possible = mine[agent.pid]
        at_start = [each for each in possible if _began_with(agent, each)]
        only = at_start[0] if len(at_start) == 1 else None
        rivals = only is not None and any(only in mine[other.pid] for other in agents if other is not agent)
        later = only is not None and any(each.changed > only.changed for each in possible if each is not only)
        if not possible:
            found[agent.pid] = _NOT_YET
        elif only is None or rivals or later:
            why = f"{len(possible)} in its directory could be its own" if len(possible) > 1 else "it may be another's"
            found[agent.pid] = Whose(how="ambiguous", why=why, candidates=_newest(possible))
        else:
            why = "the only one that began in its directory when it did"
            found[agent.pid] = Whose(how="probable", why=why, conversation=only)
    return found


def _could_be(agent: Agent, each: Conversation) -> bool:
    return (each.changed if each.began is None else max(each.began, each.changed)) >= agent.began - SKEW


def _began_with(agent: Agent, each: Conversation) -> bool:
    return each.began is not None and -SKEW <= each.began - agent.began <= MOMENT


def _newest(found: Iterable[Conversation]) -> tuple[Conversation, ...]:
    return tuple(sorted(found, key=lambda each: (-each.changed, each.id)))


# ── what there is ──────────────────────────────────────────────────────────────────────────────


def _on_disk(provider: str, session: str, places: Places, path: str = "") -> Conversation:
    found = path or _transcript(provider, session, places)
    return Conversation(id=session, path=found, changed=_changed(found))


def _transcript(provider: str, session: str, places: Places) -> str:
    match provider:
        case "claude":
            paths = (places.claude / "projects").glob(f"*/{session}.jsonl")
        case "codex":
            paths = (places.codex / "sessions").glob(f"*/*/*/rollout-*-{session}.jsonl")
        case "gemini":
            chats = (places.gemini / "tmp").glob(f"*/chats/session-*-{session[:8]}*")
            paths = iter(chat for chat in chats if resume.gemini_id(chat) in ("", session))
        case "cursor":
            paths = (places.cursor / "projects").glob(f"*/agent-transcripts/**/{session}.*")
        case _:
            return ""
    return max(map(str, paths), key=_changed, default="")


def _changed(path: str | Path) -> float:
    try:
        return os.stat(path).st_mtime if path else 0.0
    except OSError:
        return 0.0


def _no_chats(cwd: str, places: Places) -> list[Conversation]:
    return []


def _claude_chats(agent: Agent, places: Places) -> list[Conversation]:
    folder = places.claude / "projects" / resume.claude_folder(os.path.realpath(agent.cwd))
    return [Conversation(id=path.stem, path=str(path), changed=_changed(path)) for path in folder.glob("*.jsonl")]


def _gemini_chats(cwd: str, places: Places) -> list[Conversation]:
    """The chats of a directory. One whose header was lost has a shortened id, and nobody knows when it began."""
    found = []
    for path in resume.gemini_chats(cwd, places):
        header = resume.first_record(path)
        session = header.get("sessionId")
        began = _seconds(header.get("startTime")) if isinstance(session, str) else None
        name = session if isinstance(session, str) else path.stem.rpartition("-")[2]
        found.append(Conversation(id=name, path=str(path), began=began, changed=_changed(path)))
    return found


def _cursor_chats(cwd: str, places: Places) -> list[Conversation]:
    return [
        Conversation(id=path.stem, path=str(path), changed=_changed(path))
        for path in resume.cursor_chats(cwd, places)
        if _UUID.fullmatch(path.stem)
    ]


def _daemon_threads(cwd: str, places: Places, look: Look) -> list[Conversation]:
    """The threads that Codex's daemon runs for its clients. One without a rollout may be in any directory."""
    found = []
    for pid, process in look.table().items():
        if not process.comm.startswith("codex") or "app-server" not in look.arguments(pid):
            continue
        if Places.of(look.environment(pid)).codex != places.codex:
            continue
        for session in {match[1] for path in look.open_files(pid) if (match := _LOCK.search(path))}:
            path = _transcript("codex", session, places)
            payload = resume.first_record(Path(path)).get("payload") if path else None
            known = payload if isinstance(payload, dict) else {}
            if os.path.realpath(known.get("cwd", cwd)) == cwd and not isinstance(known.get("source"), dict):
                began = _uuid_time(session)
                found.append(Conversation(id=session, path=path, began=began, changed=_changed(path) or began))
    return found


def _uuid_time(session: str) -> float:
    """When a UUID of version 7 was made: its first 48 bits are milliseconds."""
    return int(session.replace("-", "")[:12], 16) / 1000


def _seconds(stamp: object) -> float | None:
    try:
        return datetime.fromisoformat(str(stamp)).timestamp()
    except ValueError:
        return None
