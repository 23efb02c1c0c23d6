"""A whole conversation as blocks to write down: what was said, calls with what came of them, sub-agents inside.

Nothing is left out or cut here; how it looks is for the modules that write it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from agentdeck import events as e
from agentdeck.live.wording import full_input, subject

if TYPE_CHECKING:
    from agentdeck.search.portraits import Portrait


@dataclass(slots=True)
class Said:
    role: str
    """user, assistant or thinking."""
    text: str
    at: datetime
    model: str = ""


@dataclass(slots=True)
class Called:
    """A tool call. `output` None: no result is in the transcript."""

    tool: str
    subject: str
    input: str
    at: datetime
    output: str | None = None
    is_error: bool = False
    seconds: float | None = None
    files: tuple[e.FileChange, ...] = ()


@dataclass(slots=True)
class Noted:
    """Something that happened: a compaction, an error, an interruption."""

    text: str
    at: datetime
    is_error: bool = False


@dataclass(slots=True)
class Spawned:
    """A sub-agent and its own conversation."""

    description: str
    at: datetime
    blocks: "list[Block]" = field(default_factory=list)


Block = Said | Called | Noted | Spawned


@dataclass(slots=True)
class Conversation:
    """One session, ready to be written down."""

    portrait: "Portrait"
    blocks: list[Block]
    model: str = ""


SPEAKERS: Final = {"user": "Person", "assistant": "Agent", "thinking": "Thoughts"}


def facts(conversation: Conversation) -> list[tuple[str, str]]:
    """What is known of a session as a whole, by name."""
    portrait = conversation.portrait
    started = datetime.fromtimestamp(portrait.started).astimezone() if portrait.started else None
    named = [
        ("agent", portrait.provider),
        ("session", portrait.session),
        ("directory", portrait.project),
        ("model", conversation.model),
        ("started", stamp(started) if started else ""),
        ("forked from", portrait.parent),
    ]
    return [(name, value) for name, value in named if value]


def outcome(call: Called) -> str:
    """How long a call took and whether it went well, behind its name."""
    took = f" · {call.seconds:.1f} s" if call.seconds is not None else ""
    return took + (" · failed" if call.is_error else " · no result" if call.output is None else "")


def has_more(call: Called) -> bool:
    """Whether the input is more than what the call is about."""
    return bool(call.input) and call.input.split() != call.subject.split()


def changed(change: e.FileChange) -> str:
    """Lines added and removed, where that is known."""
    if change.added is None and change.removed is None:
        return ""
    return f" +{change.added or 0} −{change.removed or 0}"


def stamp(at: datetime) -> str:
    """A time on the clock of this machine; a record without one has none."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if at.timestamp() > 0 else "?"


def read(portrait: "Portrait") -> Iterator[e.AnyEvent]:
    """Yield all events of a session in their order, each sub-agent's after the record that started it, or at the end.

    A record that stands in several transcripts of the session (archived, or continued elsewhere) comes once.
    """
    from agentdeck.transcripts.follow import read_all

    waiting = dict(_subagents(portrait.paths))
    told: set[tuple[datetime, str]] = set()
    for path in portrait.paths:
        before = set(told)
        for event in read_all(path):
            if len(portrait.paths) > 1:
                key = event.at, repr(_content(event))
                if key in before:
                    continue
                told.add(key)
            yield event
            if isinstance(event, e.AgentSpawned) and event.spawned in waiting:
                yield from read_all(waiting.pop(event.spawned))
    for path in waiting.values():
        yield from read_all(path)


def blocks(events: Iterable[e.AnyEvent], cwd: str = "") -> list[Block]:
    """Put the events of a session together."""
    main: list[Block] = []
    agents: dict[str, Spawned] = {}
    calls: dict[tuple[str, str], Called] = {}
    for event in events:
        into = main
        if event.agent:
            if event.agent not in agents:
                agents[event.agent] = Spawned("", event.at)
                main.append(agents[event.agent])
            into = agents[event.agent].blocks
        match event:
            case e.MessageAdded() if event.text.strip():
                into.append(Said(event.role, event.text, event.at, event.model))
            case e.ToolUsed():
                call = Called(event.tool, subject(event, cwd), full_input(event), event.at)
                calls[event.agent, event.call] = call
                into.append(call)
            case e.ToolReturned():
                _answer(event, calls.get((event.agent, event.call)), into)
            case e.AgentSpawned():
                if event.spawned in agents:
                    agents[event.spawned].description = event.description
                else:
                    agents[event.spawned] = Spawned(event.description, event.at)
                    into.append(agents[event.spawned])
            case _:
                noted = _noted(event)
                if noted is not None:
                    into.append(noted)
    return main


def _answer(event: e.ToolReturned, call: Called | None, into: list[Block]) -> None:
    if call is None or call.output is not None:
        used = event.used
        call = Called(used.tool if used is not None else "result", "", full_input(used) if used else "", event.at)
        into.append(call)
    call.output, call.is_error, call.files = event.output, event.is_error, event.files
    call.seconds = event.seconds if event.seconds is not None else max(0.0, (event.at - call.at).total_seconds())


def _noted(event: e.AnyEvent) -> Noted | None:
    match event:
        case e.Compacted():
            sizes = f": {event.before:,} → {event.after:,} tokens" if event.before and event.after else ""
            return Noted(f"the context was compacted{sizes}", event.at)
        case e.ErrorRaised():
            return Noted(event.text, event.at, is_error=True)
        case e.TurnEnded() if event.interrupted:
            return Noted("interrupted by the person", event.at)
        case e.TitleChanged():
            return Noted(f"the session is now called “{event.title}”", event.at)
    return None


def _content(event: e.AnyEvent) -> object:
    match event:
        case e.MessageAdded():
            return event.kind, event.role, event.message, event.text
        case e.ToolUsed() | e.ToolReturned():
            return event.kind, event.call
        case _:
            return event.kind


def _subagents(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the sub-agents of Claude Code's transcripts, by their ids."""
    from pathlib import Path

    for path in paths:
        folder = Path(path.removesuffix(".jsonl")) / "subagents"
        if path.endswith(".jsonl") and folder.is_dir():
            yield from (
                (found.stem.removeprefix("agent-"), str(found)) for found in sorted(folder.rglob("agent-*.jsonl"))
            )


def model_of(blocks: Iterable[Block]) -> str:
    """The models that answered, in the order in which they came."""
    return ", ".join(dict.fromkeys(block.model for block in blocks if isinstance(block, Said) and block.model))
