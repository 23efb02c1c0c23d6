import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdeck.config import Limits
from agentdeck.protocol.messages import STATES
from agentdeck.status.limits import EXEMPT, Idleness, judge_idle

LIMITS = Limits()
HOUR = 3600.0


def idle(quiet: float, state: str = "idle", *, marked: bool = False, promised: float | None = None) -> Idleness:
    return Idleness(state=state, marked=marked, quiet=quiet, promised=promised)


def test_a_session_is_warned_ten_minutes_before_two_hours_and_then_stopped() -> None:
    assert judge_idle(idle(HOUR), LIMITS).stop_in is None
    warned = judge_idle(idle(2 * HOUR - 600), LIMITS)
    assert (warned.stop, warned.stop_in) == (False, 600)
    assert judge_idle(idle(2 * HOUR - 60, promised=60), LIMITS).stop_in == 60
    assert judge_idle(idle(2 * HOUR, promised=0), LIMITS).stop


def test_looks_are_five_minutes_apart_and_meet_the_warning() -> None:
    assert judge_idle(idle(0), LIMITS).look_in == 300
    assert judge_idle(idle(2 * HOUR - 600 - 40), LIMITS).look_in == 40


@pytest.mark.parametrize("state", sorted(EXEMPT))
def test_a_session_that_works_or_waits_for_somebody_is_never_stopped(state: str) -> None:
    assert judge_idle(idle(99 * HOUR, state), LIMITS) == judge_idle(idle(0), LIMITS)


def test_a_marked_session_is_never_stopped() -> None:
    verdict = judge_idle(idle(99 * HOUR, marked=True), LIMITS)
    assert not verdict.stop
    assert verdict.stop_in is None


def test_a_session_that_is_suddenly_over_the_limit_is_warned_first() -> None:
    verdict = judge_idle(idle(99 * HOUR), LIMITS)
    assert (verdict.stop, verdict.stop_in) == (False, 600)


def test_zero_means_never_and_no_warning() -> None:
    assert not judge_idle(idle(99 * HOUR), Limits(idle=0)).stop
    assert judge_idle(idle(2 * HOUR), Limits(idle_warning=0)).stop
    assert judge_idle(idle(2 * HOUR - 1), Limits(idle_warning=0)).stop_in is None


@given(
    st.sampled_from(STATES),
    st.booleans(),
    st.floats(0, 1e6),
    st.none() | st.floats(-100, 1000),
    st.floats(1, 1e5),
    st.floats(1, 1e4),
    st.floats(0, 1e4),
)
def test_nothing_is_stopped_without_a_warning_that_ran_out(
    state: str, marked: bool, quiet: float, promised: float | None, limit: float, check: float, warning: float
) -> None:
    limits = Limits(idle=limit, idle_check=check, idle_warning=warning)
    verdict = judge_idle(idle(quiet, state, marked=marked, promised=promised), limits)
    assert 0 < verdict.look_in <= check
    if verdict.stop:
        assert not marked
        assert state not in EXEMPT
        assert warning == 0 or (promised is not None and promised <= 0)
