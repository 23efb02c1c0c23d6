"""Real records, mutilated: whatever a transcript holds, nothing escapes from what reads it."""

import json
from collections.abc import Iterable
from copy import deepcopy
from functools import cache
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentdeck import events_wire
from agentdeck.events import AnyEvent, Source
from agentdeck.live.conversation import render
from agentdeck.live.feed import Feed
from agentdeck.live.store import LiveStore
from agentdeck.transcripts.parse import PARSERS
from agentdeck.usage.claude import ClaudeReader
from agentdeck.usage.codex import CodexReader
from agentdeck.usage.gemini import GeminiReader
from agentdeck.worker.outlet import short
from tests.fakes import recorded

PATHS = {
    "claude": "/h/.claude/projects/p/0b6d7a52-7f0c-4a5e-8f5e-2d1f0a9c3e11.jsonl",
    "codex": "/h/.codex/sessions/2026/11/21/rollout-2026-11-21T00-00-00-0b6d7a52-7f0c-4a5e-8f5e-2d1f0a9c3e11.jsonl",
    "gemini": "/h/.gemini/tmp/x/chats/session-2026-11-21T00-00-0b6d7a52.jsonl",
    "cursor": "/h/.cursor/projects/p/agent-transcripts/0b6d7a52/0b6d7a52.jsonl",
}

CURSOR = [
    b'{"role":"user","message":{"content":[{"type":"text","text":"hello"}]}}',
    b'{"role":"assistant","message":{"content":[{"type":"tool_use","id":"c","name":"Read","input":{"path":"a"}}]}}',
]

ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**53,
    2**64,
    -(2**70),
    1.5,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x",
    "\ud800",
    "\0\x1b[31m",
    "9999-12-31T23:59:59+14:00",
    "0001-01-01T00:00:00Z",
    [],
    {},
    [[]],
    [None, 1, "a", {}],
    {"": None},
    {"type": 1, "id": [], "text": {}},
)


SHARDS = (b"", b"\0", b"\xff", b'"', b"{", b"]", b"\\ud83d", b"1e999", b"\xed\xa0\x80")
STRANGE = (b"", b"[" * 5000, b'{"a":' * 3000, b"null", b"1", b'{"type":null}')


@cache
def records() -> tuple[bytes, ...]:
    """One real record of every shape that any CLI writes."""
    shapes: dict[str, bytes] = {}
    lines = [line for each in (*recorded.transcripts(), *recorded.foreign()) for line in each.lines]
    for line in (*lines, *CURSOR):
        if 0 < len(line) < 8_000:
            shapes.setdefault(_shape(json.loads(line)), line)
    return tuple(shapes.values())


def _shape(value: Any, depth: int = 3) -> str:
    if isinstance(value, dict) and depth:
        kind = value.get("type"), value.get("subtype")
        return f"{kind}{{{','.join(f'{key}:{_shape(inner, depth - 1)}' for key, inner in sorted(value.items()))}}}"
    if isinstance(value, list) and depth:
        return f"[{','.join(sorted({_shape(inner, depth - 1) for inner in value}))}]"
    return type(value).__name__


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a record with every key of it."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        container = waiting.pop()
        keys: Iterable[Any] = container.keys() if isinstance(container, dict) else range(len(container))
        for key in keys:
            found.append((container, key))
            if isinstance(container[key], dict | list):
                waiting.append(container[key])
    return found


def mutated(chance: Random) -> bytes:
    """A record in which some values are odd, missing, or another record's."""
    record = json.loads(chance.choice(records()))
    for _ in range(chance.randint(1, 4)):
        found = places(record)
        if not found:
            break
        container, key = chance.choice(found)
        match chance.randint(0, 4):
            case 0 | 4:
                container[key] = deepcopy(chance.choice(ODD))
            case 1 if isinstance(container, dict):
                del container[key]
            case 2:
                container[key] = json.loads(chance.choice(records()))
            case _:
                container[key] = [container[key], deepcopy(container[key])]
    return json.dumps(record).encode()


def damaged(chance: Random) -> bytes:
    """A line of which some bytes are others, or gone."""
    line = bytearray(chance.choice(records()))
    for _ in range(chance.randint(1, 5)):
        start = chance.randint(0, len(line))
        line[start : start + chance.randint(0, 20)] = chance.choice(SHARDS)
    return bytes(line).replace(b"\n", b"")


def line_of(seed: int) -> bytes:
    chance = Random(seed)
    return chance.choice((mutated, mutated, mutated, damaged, damaged, lambda chance: chance.choice(STRANGE)))(chance)


lines = st.lists(st.integers(0, 2**32).map(line_of), max_size=8)


def go_through(events: list[AnyEvent]) -> None:
    """Everything that happens to an event on its way to a person."""
    store, feed = LiveStore(), Feed()
    for event in events:
        hash(event.session)
        event.at.timestamp()
        try:
            data = events_wire.encode(short(event))
        except (OverflowError, UnicodeEncodeError, RecursionError):
            continue
        for told in store.apply(events_wire.decode(data)):
            feed.add(told)
    msgspec.msgpack.encode(feed.before(0, 1000))
    msgspec.msgpack.encode(render(events, 40))
    for session in store.sessions.values():
        session.to_session()


@pytest.mark.parametrize("provider", sorted(PARSERS))
@settings(max_examples=150, deadline=None)
@given(given_lines=lines)
def test_no_line_makes_a_parser_or_what_follows_it_fail(provider: str, given_lines: list[bytes]) -> None:
    parser = PARSERS[provider](PATHS[provider])
    events: list[AnyEvent] = []
    for number, line in enumerate(given_lines):
        events += parser.feed(line, Source(path=PATHS[provider], offset=number))
    assert 0 <= parser.bad_lines <= len(given_lines)
    go_through(events)


@settings(max_examples=300, deadline=None)
@given(given_lines=lines)
def test_no_line_makes_the_accounting_fail(given_lines: list[bytes]) -> None:
    text = b"".join(line + b"\n" for line in given_lines)
    for reader in (
        ClaudeReader(PATHS["claude"], b"", lambda response: None),
        CodexReader(PATHS["codex"], b"", ancestors=lambda thread: [], is_known=lambda key: False),
        GeminiReader(PATHS["gemini"], b""),
    ):
        reader.feed(bytearray(text), 0, len(text))
        list(reader.take())
        reader.saved()


@given(st.binary(max_size=200))
def test_bytes_that_are_no_record_are_a_bad_line_or_none(line: bytes) -> None:
    for provider, parser in PARSERS.items():
        fed = parser(PATHS[provider])
        fed.feed(line, Source(path="", offset=0))
        assert fed.bad_lines in (0, 1)


def test_there_are_real_records_of_many_shapes() -> None:
    assert len(records()) > 150
