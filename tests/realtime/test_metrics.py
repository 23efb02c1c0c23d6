"""Numbers over all sessions."""

import pytest

from agentdeck import events as e
from agentdeck.realtime import MetricsCollector
from agentdeck.realtime.metrics import NAMES, SESSIONS
from tests.realtime.happening import START, base, moment, returned, said, used


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return START.timestamp() + self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def metrics(clock: Clock) -> MetricsCollector:
    return MetricsCollector(now=clock, window=60, active_within=120)


def test_a_session_is_active_from_its_events_until_it_rests_idles_or_ends(
    clock: Clock, metrics: MetricsCollector
) -> None:
    for session, provider in (("s1", "claude"), ("s2", "claude"), ("s3", "codex")):
        metrics.apply(said(0, session=session, provider=provider))
    assert metrics.snapshot().active_sessions == 3
    assert metrics.snapshot().providers == {"claude": 2, "codex": 1}
    metrics.apply(e.SessionIdled(**base(1), seconds=120))
    metrics.apply(e.SessionEnded(**base(1, "s3", "codex"), reason="process_gone", confidence=0.99))
    assert metrics.snapshot().providers == {"claude": 1}
    metrics.apply(e.SessionResumed(**base(2)))
    assert metrics.snapshot().active_sessions == 2
    clock.seconds = 121
    assert metrics.snapshot().active_sessions == 1, "s1 went on at 2"
    clock.seconds = 200
    assert metrics.snapshot().active_sessions == 0
    assert metrics.snapshot().sessions == 3


def test_messages_per_minute_are_those_of_the_window(clock: Clock, metrics: MetricsCollector) -> None:
    for second in range(0, 60, 2):
        clock.seconds = second
        metrics.apply(said(second))
        metrics.apply(said(second, role="thinking"))
    assert metrics.snapshot().messages_per_minute == 30
    clock.seconds = 90
    assert metrics.snapshot().messages_per_minute == 14, "those after 30 s"
    clock.seconds = 1000
    assert metrics.snapshot().messages_per_minute == 0
    assert metrics.snapshot().messages == 30
    assert metrics.snapshot().kinds == {"message": 60}


def test_a_history_is_counted_but_is_no_storm(clock: Clock, metrics: MetricsCollector) -> None:
    for second in range(100):
        metrics.apply(said(-1000 - second))
        metrics.apply(returned(-1000 - second, "c", is_error=True))
    now = metrics.snapshot()
    assert (now.messages, now.failed) == (100, 100)
    assert (now.messages_per_minute, now.error_rate, now.active_sessions) == (0, None, 0)


def test_the_error_rate_is_the_share_of_failed_results_lately(clock: Clock, metrics: MetricsCollector) -> None:
    assert metrics.snapshot().error_rate is None
    for number in range(8):
        metrics.apply(returned(number / 10, f"c{number}", is_error=number < 2))
    clock.seconds = 1
    assert metrics.snapshot().error_rate == 0.25
    assert (metrics.snapshot().results, metrics.snapshot().failed) == (8, 2)
    metrics.apply(e.ErrorRaised(**base(1), text="overloaded"))
    assert metrics.snapshot().errors == 1
    clock.seconds = 100
    assert metrics.snapshot().error_rate is None


def test_calls_are_counted_by_tool_and_category(metrics: MetricsCollector) -> None:
    metrics.apply(used(0, "a"))
    metrics.apply(used(0, "b"))
    metrics.apply(used(0, "c", "Edit", "file_write"))
    now = metrics.snapshot()
    assert now.calls == 3
    assert now.tools == {"Bash": 2, "Edit": 1}
    assert now.categories == {"command": 2, "file_write": 1}


def test_the_output_of_a_response_is_counted_once_however_often_it_is_told(metrics: MetricsCollector) -> None:
    for output in (5, 20, 20):
        metrics.apply(said(0, name="m1", prompt=100, output=output, model="opus"))
    metrics.apply(said(1, name="m2", prompt=100, output=7, model="opus"))
    assert metrics.snapshot().output_tokens == {"opus": 27}


def test_memory_does_not_grow_with_what_is_counted(clock: Clock, metrics: MetricsCollector) -> None:
    for number in range(SESSIONS + 500):
        clock.seconds = number
        metrics.apply(said(number, session=f"s{number}", name="m", prompt=1, output=1, model=f"model-{number}"))
        metrics.apply(used(number, "c", f"tool-{number}"))
    now = metrics.snapshot()
    assert now.sessions == SESSIONS + 500
    assert len(now.tools) == len(now.output_tokens) == NAMES + 1
    assert sum(now.tools.values()) == SESSIONS + 500
    for table in (metrics._last, metrics._known, metrics._answers, metrics._seconds):
        assert len(table) <= SESSIONS


def test_times_that_cannot_be_leave_no_memory_behind(metrics: MetricsCollector) -> None:
    for year in range(1000):
        metrics.apply(said(10**7 * year))
        metrics.apply(said(-(10**6) * year))
    assert len(metrics._seconds) == 1
    assert metrics.snapshot().messages == 2000


def test_a_clock_that_jumps_back_leaves_no_rate_behind(clock: Clock, metrics: MetricsCollector) -> None:
    clock.seconds = 10_000
    metrics.apply(said(10_000))
    clock.seconds = 0
    assert metrics.snapshot().messages_per_minute == 0
    assert metrics.snapshot().at == moment(0).timestamp()
