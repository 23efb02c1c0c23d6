"""The sessions that a program cares about."""

import threading
from datetime import datetime

import pytest

from agentdeck import events as e
from agentdeck.realtime import LiveSessionManager, filters
from agentdeck.transcripts.ending import Rules
from tests.realtime.happening import base, moment, returned, said, used


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> datetime:
        return moment(self.seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_events_become_sessions_that_can_be_asked_for(clock: Clock) -> None:
    manager = LiveSessionManager(now=clock)
    manager.apply(e.SessionStarted(**base(0, "s1"), cwd="/demo/shop"))
    manager.apply(said(1, "user", "hello", session="s2", provider="codex"))
    assert len(manager) == 2
    assert [session.id for session in manager.all()] == ["s2", "s1"], "the one in which something happened last"
    assert [session.id for session in manager.in_project("/demo/shop")] == ["s1"]
    found = manager.get("codex", "s2")
    assert found is not None
    assert found.messages[0].text == "hello"
    assert manager.get("claude", "s2") is None


def test_a_result_is_completed_with_its_call() -> None:
    manager = LiveSessionManager()
    call = used(0, "c1")
    manager.apply(call)
    (told,) = manager.apply(returned(2, "c1"))
    assert isinstance(told, e.ToolReturned)
    assert (told.used, told.seconds) == (call, 2)


def test_time_makes_sessions_idle_over_and_forgotten(clock: Clock) -> None:
    manager = LiveSessionManager(rules=Rules(idle_after=120, end_after=1800), forget_after=3600, now=clock)
    manager.apply(said(0))
    clock.seconds = 119
    assert manager.prune() == []
    clock.seconds = 121
    (idle,) = manager.prune()
    assert isinstance(idle, e.SessionIdled)
    assert idle.seconds == 121
    assert manager.prune() == [], "told once"
    assert manager.active() == []
    clock.seconds = 1801
    (ended,) = manager.prune()
    assert isinstance(ended, e.SessionEnded)
    assert (ended.reason, ended.confidence) == ("idle", 0.5)
    clock.seconds = 3800
    manager.prune()
    assert len(manager) == 0


def test_signs_of_a_process_end_a_session_and_its_next_event_resumes_it(clock: Clock) -> None:
    manager = LiveSessionManager(now=clock)
    manager.apply(said(0))
    manager.sign("claude", "s1", process=True)
    clock.seconds = 10_000
    assert [event.kind for event in manager.prune()] == ["session_idle"], "who lives has not ended"
    manager.sign("claude", "s1", process=False)
    (ended,) = manager.prune()
    assert isinstance(ended, e.SessionEnded)
    assert (ended.reason, ended.confidence) == ("process_gone", 0.99)
    assert [event.kind for event in manager.apply(said(10_001))] == ["session_resume", "message"]
    assert [session.id for session in manager.active()] == ["s1"]


def test_only_what_passes_its_filters_is_folded() -> None:
    manager = LiveSessionManager(filters.project("shop"))
    manager.apply(e.SessionStarted(**base(0, "s1"), cwd="/demo/shop"))
    manager.apply(e.SessionStarted(**base(0, "s2"), cwd="/demo/other"))
    assert manager.apply(said(1, session="s1"))
    assert manager.apply(said(1, session="s2")) == []
    assert [session.id for session in manager.all()] == ["s1"]


def test_the_health_of_a_session_can_be_asked_for(clock: Clock) -> None:
    manager = LiveSessionManager(now=clock)
    manager.apply(said(0, prompt=160_000, output=1, name="m1"))
    clock.seconds = 60
    health = manager.health("claude", "s1")
    assert health is not None
    assert (health.score, health.status) == (86, "healthy")
    assert manager.health("claude", "nobody") is None


def test_it_may_be_asked_while_it_is_fed() -> None:
    manager = LiveSessionManager(kept=20)
    over = threading.Event()
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            while not over.is_set():
                for session in manager.all():
                    assert len(session.messages) == session.counts["message"]
        except BaseException as error:
            failures.append(error)
            raise

    asking = threading.Thread(target=ask)
    asking.start()
    for number in range(3000):
        manager.apply(said(number, session=f"s{number % 30}"))
    over.set()
    asking.join()
    assert not failures
