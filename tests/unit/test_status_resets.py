"""When a limit is lifted, out of the words of the CLIs."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdeck import events as e
from agentdeck.protocol.messages import ProgramStatus
from agentdeck.providers import builtin
from agentdeck.status.resets import is_limit, lifted_at
from agentdeck.status.signals import Signals
from agentdeck.status.state import judge
from agentdeck.status.turn import Turn, fold

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("You've hit your session limit · resets 4pm (UTC)", 4),
        ("You've hit your limit · resets 4:30pm (UTC)", 4.5),
        ("You've hit your weekly limit · resets Nov 23 at 9am (UTC)", 45),
        ("Claude usage limit reached. Your limit will reset at 3am (UTC).", 15),
        (f"Claude AI usage limit reached|{int(NOON) + 7200}", 2),
        ("You've hit your usage limit. Try again in 3 hours 30 minutes.", 3.5),
        ("You've hit your usage limit, try again in 2 days 1 hour", 49),
        ("Rate limit reached; try again in 90s", 0.025),
        ("Quota exceeded. Your quota will reset after 18h36m", 18.6),
    ],
)
def test_the_words_say_when(text: str, hours: float) -> None:
    assert is_limit(text)
    assert lifted_at(text, NOON) == pytest.approx(NOON + hours * 3600)


@pytest.mark.parametrize("text", ["rate limit exceeded", "429 Too Many Requests", "usage limit; tried again 3 times"])
def test_words_without_a_time_say_none(text: str) -> None:
    assert is_limit(text)
    assert lifted_at(text, NOON) is None


@pytest.mark.parametrize("text", ["API Error: 500 Internal server error", "the limit of trees is the sky", ""])
def test_other_errors_are_no_limits(text: str) -> None:
    assert not is_limit(text)


@given(st.text(max_size=80), st.floats(0, 4e9))
def test_no_text_is_too_odd(text: str, now: float) -> None:
    found = lifted_at(f"resets {text}", now)
    assert found is None or found == found


def test_a_turn_that_ended_with_a_limit_is_limited_until_then_and_rests_after() -> None:
    at = datetime.fromtimestamp(NOON, UTC)
    turn = fold(Turn(), e.MessageAdded(provider="claude", session="s", at=at, role="user", text="go"), NOON)
    error = e.ErrorRaised(provider="claude", session="s", at=at, text="You've hit your limit · resets 2pm (UTC)")
    turn = fold(turn, error, NOON)
    done = ProgramStatus(state="done", at=NOON)
    signals = Signals(started=NOON - 60, before="working", turned=True, status=done, turn=turn, seen=False)
    limited = judge(signals, builtin()["claude"], NOON + 1)
    assert (limited.state, limited.until) == ("limited", NOON + 7200)
    assert 0 < limited.again <= 7200
    assert judge(signals, builtin()["claude"], NOON + 7300).state == "done"
