"""How well a session is doing: the definition's own vectors, and what a live session brings to it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdeck import events as e
from agentdeck.live.health import health, health_of
from agentdeck.live.session import LiveSession
from tests.realtime.happening import base, moment, returned, said, used

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "analytics" / "analytics.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", [pytest.param(v, id=v["why"]) for v in VECTORS if v["fn"] == "health"])
def test_health_is_as_defined(vector: dict[str, Any]) -> None:
    found = health(*vector["args"])
    expected = vector["expected"]
    assert found.score == expected["score"]
    assert found.status == expected.get("status", found.status)
    assert list(found.factors) == pytest.approx(expected.get("factors", list(found.factors)))


numbers = st.floats(0, 1e6)


@given(numbers, numbers, numbers, st.integers(0, 50), st.booleans())
def test_a_score_is_0_to_100_and_never_better_for_being_worse(
    pct: float, hours: float, idle: float, errors: int, waiting: bool
) -> None:
    found = health(pct, hours, idle, errors, waiting)
    assert 0 <= found.score <= 100
    assert all(0 <= factor <= 1 for factor in found.factors)
    assert health(pct + 5, hours + 1, idle + 5, errors + 1, waiting).score <= found.score
    assert health(pct, hours, idle, errors, True).score >= found.score


def test_a_live_session_brings_its_own_figures() -> None:
    session = LiveSession("claude", "s1", window=200_000)
    session.apply(said(0, prompt=190_000, output=1, name="m1"))
    for number in range(60):
        session.apply(used(number, f"c{number}"))
        session.apply(returned(number, f"c{number}", is_error=number < 16))
    session.apply(used(9 * 3600, "pending"))
    found = health_of(session, moment(10 * 3600))
    assert found.factors == pytest.approx((0.15, 0.3625, 0.35, 0.62), abs=1e-9), "6 of the last 50 calls failed"
    assert found.status == "critical"
    session.apply(e.TurnEnded(**base(9 * 3600)))
    assert health_of(session, moment(10 * 3600)).factors.activity == 1, "it waits for the person"
    assert health_of(session, moment(10 * 3600), compact_at=160_000).factors.tokens == 0


def test_a_session_without_any_event_is_well() -> None:
    assert health_of(LiveSession("claude", "s1"), moment(0)).score == 100
