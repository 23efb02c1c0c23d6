"""One session as its events tell it."""

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentdeck import events as e
from agentdeck.live import session as bounds
from agentdeck.live.kept import LONGEST_OUTPUT, LONGEST_TEXT, weight
from agentdeck.live.session import LiveSession
from agentdeck.transcripts.reading import EPOCH
from tests.realtime.happening import base, moment, returned, said, used


def session_of(*events: e.AnyEvent) -> LiveSession:
    session = LiveSession("claude", "s1")
    for event in events:
        session.apply(event)
    return session


def test_a_session_knows_who_it_is() -> None:
    session = session_of(
        e.SessionStarted(**base(0), cwd="/demo/shop", version="2.1.329", parent="s0"),
        e.TitleChanged(**base(1), title="Fix the till"),
        said(2, model="opus"),
    )
    frozen = session.to_session()
    assert (frozen.cwd, frozen.version, frozen.parent) == ("/demo/shop", "2.1.329", "s0")
    assert (frozen.name, frozen.model, frozen.seconds) == ("Fix the till", "opus", 2)
    assert (frozen.started, frozen.last_at) == (moment(0), moment(2))


def test_a_call_is_pending_until_its_result_and_timed() -> None:
    session = LiveSession("claude", "s1")
    call = used(0, "c1", input={"command": "make"})
    assert session.apply(call) == [call]
    assert session.to_session().pending == (call,)
    (told,) = session.apply(returned(3, "c1", "made"))
    assert isinstance(told, e.ToolReturned)
    assert (told.used, told.seconds) == (call, 3)
    assert session.to_session().pending == ()
    assert session.to_session().calls == (told,)


def test_a_call_that_is_told_twice_is_still_pending() -> None:
    session = session_of(used(0, "c1"), used(1, "c1"), used(1, "c2"))
    assert [call.call for call in session.to_session().pending] == ["c1", "c2"]


def test_many_large_results_are_kept_within_their_room() -> None:
    session = LiveSession("claude", "s1")
    for number in range(bounds.CALLS):
        session.apply(used(number, f"c{number}", input={"content": "x" * 10_000}))
        session.apply(returned(number, f"c{number}", "y" * 10_000))
    kept = session.to_session().calls
    assert sum(weight(call) for call in kept) <= bounds.TEXT
    assert kept[-1].call == f"c{bounds.CALLS - 1}"


def test_a_result_before_its_call_waits_for_it() -> None:
    session = LiveSession("claude", "s1")
    assert session.apply(returned(1, "c1")) == []
    assert session.has_orphans
    call = used(0, "c1")
    told = session.apply(call)
    assert [event.kind for event in told] == ["tool_use", "tool_result"]
    assert isinstance(told[1], e.ToolReturned)
    assert (told[1].used, told[1].seconds) == (call, 1)
    assert not session.has_orphans


def test_a_result_whose_call_does_not_come_is_told_alone() -> None:
    session = session_of(returned(1, "c1", "lonely"))
    (told,) = session.settle()
    assert isinstance(told, e.ToolReturned)
    assert (told.output, told.used, told.seconds) == ("lonely", None, None)
    assert session.settle() == []


def test_the_end_of_a_turn_gives_up_its_calls_but_a_late_result_finds_its_own() -> None:
    session = session_of(said(0, "user"), used(1, "c1"), used(1, "c2", agent="a1"))
    session.apply(e.TurnEnded(**base(2), interrupted=True))
    assert [call.call for call in session.pending.values()] == ["c2"], "an agent may go on in the background"
    assert not session.working
    (told,) = session.apply(returned(5, "c1"))
    assert isinstance(told, e.ToolReturned)
    assert told.used is not None


def test_sub_agents_have_conversations_of_their_own() -> None:
    session = session_of(
        used(0, "c1", "Agent", "agent"),
        e.AgentSpawned(**base(1), spawned="a1", description="look around", type="explorer", call="c1"),
        said(2, text="mine"),
        said(3, text="its own", agent="a1"),
        used(4, "c2", agent="a1"),
    )
    frozen = session.to_session()
    assert [message.text for message in frozen.messages] == ["mine"]
    (agent,) = frozen.agents
    assert (agent.id, agent.description, agent.type, agent.call) == ("a1", "look around", "explorer", "c1")
    assert ([message.text for message in agent.messages], agent.tools, agent.last_at) == (["its own"], 1, moment(4))


def test_files_are_touched_by_calls_with_their_lines_and_time() -> None:
    change = e.FileChange(path="a.py", added=3, removed=1, diff="+x")
    session = session_of(
        used(0, "c1", "Edit", "file_write"),
        returned(1, "c1", files=(change, e.FileChange(path="b.py"))),
        used(2, "c2", "Edit", "file_write"),
        returned(3, "c2", files=(change,)),
    )
    frozen = session.to_session()
    b, a = frozen.files
    assert (a.path, a.added, a.removed, a.at, a.call, a.times) == ("a.py", 6, 2, moment(3), "c2", 2)
    assert (b.path, b.added, b.removed, b.at, b.call, b.times) == ("b.py", 0, 0, moment(1), "c1", 1)
    assert (frozen.added, frozen.removed) == (6, 2)


def test_counts_are_of_everything() -> None:
    session = session_of(
        said(0, "user"), said(1), said(2, "thinking"), used(3, "c1"), used(3, "c2", "Read", "file_read"),
        returned(4, "c1", is_error=True), e.ErrorRaised(**base(5), text="x"), e.TurnEnded(**base(6)),
    )  # fmt: skip
    frozen = session.to_session()
    assert frozen.counts["message"] == 3
    assert frozen.counts["message.user"] == frozen.counts["message.assistant"] == frozen.counts["message.thinking"] == 1
    assert frozen.tools == {"Bash": 1, "Read": 1}
    assert (frozen.errors, frozen.turns) == (2, 1)


def test_growth_and_summaries_follow_from_responses() -> None:
    session = session_of(said(0, prompt=20_000, output=300, name="m1"), used(1, "c1", "Read", "file_read"))
    session.apply(returned(2, "c1", "x" * 36_000))
    told = session.apply(said(3, prompt=29_300, output=200, name="m2"))
    assert [event.kind for event in told] == ["message", "context_growth"]
    assert isinstance(told[1], e.ContextGrew)
    assert (told[1].tokens, told[1].cause) == (9000, "Read")
    told = session.apply(e.Compacted(**base(4), before=168_050, after=14_000))
    assert isinstance(told[1], e.Summarized)
    assert (told[1].how, told[1].before, told[1].after) == ("record", 168_050, 14_000)
    assert session.to_session().prompt_tokens == 14_000


def test_an_event_after_idling_or_the_end_resumes_it() -> None:
    session = session_of(said(0))
    session.apply(e.SessionIdled(**base(120), seconds=120))
    assert not session.to_session().active
    assert [event.kind for event in session.apply(said(130, "user"))] == ["session_resume", "message"]
    assert session.to_session().active
    session.apply(e.SessionEnded(**base(200), reason="closed", confidence=0.8))
    assert [event.kind for event in session.apply(said(199))] == ["message"], "written before the end, read after it"
    assert [event.kind for event in session.apply(e.TitleChanged(**base(201), title="t"))] == ["title"]
    assert not session.to_session().active
    assert [event.kind for event in session.apply(said(210))] == ["session_resume", "message"]


def test_a_record_without_a_time_does_not_make_a_session_old() -> None:
    undated = e.MessageAdded(provider="claude", session="s1", at=EPOCH, role="user", text="x")
    session = session_of(undated, said(5))
    assert (session.started, session.last_at, session.seconds) == (moment(5), moment(5), 0)


def test_a_snapshot_does_not_change_any_more() -> None:
    session = session_of(said(0, text="one"), used(1, "c1"))
    frozen = session.to_session()
    before = dataclasses.replace(frozen)
    for event in (said(2, text="two"), returned(3, "c1", files=(e.FileChange(path="a", added=1),)), used(4, "c2")):
        session.apply(event)
    assert frozen == before
    assert session.to_session() != frozen
    with pytest.raises(dataclasses.FrozenInstanceError):
        frozen.title = "x"  # type: ignore[misc]


def test_what_is_told_is_whole_and_what_is_kept_is_cut() -> None:
    session = LiveSession("claude", "s1")
    long, deep = "x" * 3_000_000, {"content": "y" * 3_000_000, "more": [{"a": ["b" * 100_000]}] * 50}
    call = used(0, "c1", "Write", "file_write", input=deep)
    (told,) = session.apply(said(0, text=long))
    assert isinstance(told, e.MessageAdded)
    assert told.text is long
    session.apply(call)
    change = e.FileChange(path="a", added=1, diff=long)
    (result,) = session.apply(returned(1, "c1", long, files=(change,) * 200))
    assert isinstance(result, e.ToolReturned)
    assert result.used is call
    assert result.output is long
    (message,), (kept,) = session.to_session().messages, session.to_session().calls
    assert len(message.text) == LONGEST_TEXT
    assert len(kept.output) == LONGEST_OUTPUT
    assert session.size < 100_000


# ── bounds ─────────────────────────────────────────────────────────────────────────────────────

names = st.sampled_from(["", "a1", "a2", "a3"]) | st.text(max_size=3)
calls = st.integers(0, 30).map(lambda number: f"c{number}")
texts = st.builds(lambda text, times: text * times, st.text(max_size=10), st.sampled_from([1, 100, 5000]))
times = st.one_of(st.just(EPOCH), st.integers(-(10**6), 10**6).map(lambda s: moment(0) + timedelta(seconds=s)))
json_values = st.recursive(
    st.none() | st.integers() | texts, lambda v: st.lists(v) | st.dictionaries(texts, v), max_leaves=8
)


@st.composite
def anything(draw: st.DrawFn) -> e.AnyEvent:
    at: datetime = draw(times)
    agent = draw(names)
    same: dict[str, Any] = {"provider": "claude", "session": "s1", "at": at, "agent": agent}
    tokens = draw(st.none() | st.builds(e.Tokens, input=st.integers(0, 10**7), output=st.integers(0, 10**6)))
    changes = st.builds(e.FileChange, path=texts, added=st.none() | st.integers(0, 99), diff=texts)
    every: list[e.AnyEvent] = [
        e.SessionStarted(**same, cwd=draw(texts)),
        e.MessageAdded(**same, role=draw(names), text=draw(texts), message=draw(names), tokens=tokens),
        e.ToolUsed(**same, call=draw(calls), tool=draw(texts), input={"a": draw(json_values)}, tokens=tokens),
        e.ToolReturned(**same, call=draw(calls), output=draw(texts), files=tuple(draw(st.lists(changes, max_size=3)))),
        e.AgentSpawned(**same, spawned=draw(names), description=draw(texts)),
        e.Compacted(**same, before=draw(st.none() | st.just(9)), after=draw(st.none() | st.just(5))),
        e.ErrorRaised(**same, text=draw(texts)),
        e.TurnEnded(**same),
        e.TitleChanged(**same, title=draw(texts)),
        e.UnknownRecord(**same, type="x", record={}),
        e.SessionIdled(**same, seconds=1),
        e.SessionResumed(**same),
        e.SessionEnded(**same, reason="idle", confidence=0.5),
    ]
    return draw(st.sampled_from(every))


@settings(max_examples=60, deadline=None)
@given(st.lists(anything(), max_size=60), st.integers(1, 30))
def test_no_event_is_refused_and_nothing_grows_beyond_its_bound(events: list[e.AnyEvent], again: int) -> None:
    """Whatever comes in whatever order, and however often: the session can be frozen, and stays small."""
    small = {
        "MESSAGES": 10, "CALLS": 10, "TEXT": 30_000, "AGENTS": 3, "AGENT_MESSAGES": 3, "AGENT_TEXT": 10_000,
        "PENDING": 10, "LATE": 5, "ORPHANS": 5, "WAITING_TEXT": 60_000, "FILES": 5, "NAMES": 5,
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in small.items():
            patch.setattr(bounds, name, value)
        session = LiveSession("claude", "s1")
        results = 0
        for event in events * again:
            told = session.apply(event)
            assert all(each.session == "s1" for each in told)
            results += sum(isinstance(each, e.ToolReturned) for each in told)
        frozen = session.to_session()
        results += len(session.settle())
        assert results == again * sum(isinstance(event, e.ToolReturned) for event in events), "each is told once"
        assert len(frozen.messages) <= 10
        assert len(frozen.calls) <= 10
        assert len(frozen.pending) <= 10
        assert len(frozen.agents) <= 3
        assert len(frozen.files) <= 5
        assert len(frozen.tools) <= 6
        newest = 6 * 50_000  # the newest item always fits
        assert sum(weight(call) for call in frozen.calls) <= 30_000 + newest
        assert sum(len(message.text) for message in frozen.messages) <= 30_000 + newest
        assert session.size <= 2 * 30_000 + 3 * 10_000 + 3 * 60_000 + newest
        session.rest()
        assert len(session.messages) <= bounds.RESTING
