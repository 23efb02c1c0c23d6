"""All live sessions, and what time and signs conclude of them."""

from datetime import timedelta

import pytest

from agentdeck import events as e
from agentdeck.live import store as bounds
from agentdeck.live.store import LiveStore
from agentdeck.transcripts.ending import Rules
from tests.realtime.happening import moment, returned, said, used

KEY = ("claude", "s1")


def kinds(events: list[e.AnyEvent]) -> list[str]:
    return [event.kind for event in events]


def test_events_find_their_sessions() -> None:
    store = LiveStore()
    store.apply(said(0, session="s1"))
    store.apply(said(0, session="s1", provider="codex"))
    store.apply(said(0, session=""))
    assert set(store.sessions) == {("claude", "s1"), ("codex", "s1")}


def test_a_session_that_waits_for_a_call_is_not_idle_for_an_hour() -> None:
    store = LiveStore()
    store.apply(used(0, "c1"))
    store.sign(KEY, process=True)
    assert store.tick(moment(600)) == []
    assert kinds(store.tick(moment(3700))) == ["session_idle"], "nothing takes that long: it was lost"


def test_an_end_is_told_once_and_again_only_when_it_is_surer() -> None:
    store = LiveStore()
    store.apply(said(0))
    store.sign(KEY, open=False)
    (ended,) = store.tick(moment(0))
    assert isinstance(ended, e.SessionEnded)
    assert (ended.reason, ended.confidence) == ("closed", 0.8)
    assert store.tick(moment(2)) == []
    assert store.end(KEY, reason="idle", confidence=0.5, at=moment(3)) == []
    assert kinds(store.end(KEY, reason="explicit", confidence=0.95, at=moment(4))) == ["session_end"]


def test_rules_switch_signs_off() -> None:
    store = LiveStore(rules=Rules(idle=0, least=0.9))
    store.apply(said(0))
    store.sign(KEY, open=False)
    assert kinds(store.tick(moment(100_000))) == ["session_idle"]
    assert store.end(KEY, reason="closed", confidence=0.8, at=moment(0)) == []


def test_a_result_without_its_call_is_told_after_a_few_seconds() -> None:
    store = LiveStore()
    assert store.apply(returned(0, "c1")) == []
    assert store.tick(moment(1)) == []
    assert store.tick(moment(5)) == []
    assert kinds(store.tick(moment(6))) == ["tool_result"]
    assert store.tick(moment(60)) == []


def test_it_says_when_to_look_again() -> None:
    store = LiveStore()
    assert store.idle_in(moment(0)) is None
    store.apply(said(0))
    assert store.idle_in(moment(20)) == timedelta(seconds=100)
    store.tick(moment(121))
    assert store.idle_in(moment(121)) == timedelta(seconds=1800 - 121)


def test_the_sessions_that_rested_longest_go_first() -> None:
    store = LiveStore(kept=3)
    for number in range(5):
        store.apply(said(number, session=f"s{number}"))
    store.tick(moment(5))
    assert {session for _, session in store.sessions} == {"s2", "s3", "s4"}


def test_a_history_of_any_length_leaves_no_more_than_are_kept_and_a_crowd() -> None:
    store = LiveStore(kept=10)
    for number in range(1000):
        for _ in range(30):
            store.apply(said(number, session=f"s{number}"))
        assert len(store.sessions) <= 10 + bounds.CROWD
    assert len(store._known) == len(store.sessions)
    assert "s999" in {session for _, session in store.sessions}


def test_a_session_is_forgotten_by_time_it_was_seen_to_rest_not_by_its_date() -> None:
    """A transcript that was copied from an old machine has just begun to be of interest."""
    store = LiveStore(forget_after=3600)
    store.apply(said(-(10**7)))
    store.tick(moment(0))
    assert KEY in store.sessions
    store.tick(moment(3601))
    assert KEY not in store.sessions


def test_what_all_hold_together_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "ROOM", 2_000_000)
    store = LiveStore()
    for session in range(20):
        for number in range(50):
            store.apply(said(session + number / 100, text="x" * 10_000, session=f"s{session}"))
    assert store.tick(moment(20)) == [], "nobody rests"
    assert sum(session.size for session in store.sessions.values()) <= 2_000_000
    assert len(store.sessions["claude", "s19"].messages) == 50, "the newest are whole"
    assert len(store.sessions["claude", "s0"].messages) == 5


def test_the_window_follows_the_model() -> None:
    store = LiveStore(window=lambda provider, model: {"": 100, "large": 1000}[model])
    store.apply(said(0))
    assert store.sessions[KEY].window == 100
    store.apply(said(1, model="large"))
    assert store.sessions[KEY].window == 1000
    store.apply(said(2, prompt=5, output=1, name="m", model="large", agent="a1"))
    assert store.sessions[KEY].window == 1000


def test_a_clock_that_jumps_back_idles_nobody() -> None:
    store = LiveStore()
    store.apply(said(0))
    assert store.tick(moment(-10_000)) == []
    assert store.tick(moment(10)) == []


def test_events_of_a_day_leave_memory_flat() -> None:
    store, held = LiveStore(kept=20), list[int]()
    for minute in range(24 * 60):
        for number in range(5):
            session, at = f"s{minute // 30 + number}", 60.0 * minute + number
            store.apply(said(at, "user", "x" * 2000, session=session))
            store.apply(used(at, f"c{minute}", session=session, input={"command": "y" * 2000}))
            store.apply(returned(at, f"c{minute}", "z" * 5000, session=session))
        store.tick(moment(60 * minute + 30))
        held.append(sum(session.size for session in store.sessions.values()))
    assert max(held[720:]) <= 1.2 * max(held[:720])
    assert all(isinstance(event, e.SessionIdled | e.SessionEnded) for event in store.tick(moment(10**6)))
