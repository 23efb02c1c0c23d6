"""The size of a context, response by response."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdeck.live.context import MOST_CAUSES, ContextMeter, Growth, Shrink

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "analytics" / "analytics.json").read_text("utf-8"))


def vectors(name: str) -> list[Any]:
    return [pytest.param(*v["args"], v["expected"], id=v["why"]) for v in VECTORS if v["fn"] == name]


def told(rows: list[dict[str, Any]], window: int) -> list[tuple[int, Growth | Shrink]]:
    meter, found = ContextMeter(window), []
    for number, row in enumerate(rows):
        for cause, size in row.get("between", {}).items():
            meter.add(cause, size, is_result=cause == "tool_result")
        change = (
            meter.boundary(row["pre"], row["post"])
            if row.get("boundary")
            else meter.respond(f"m{number}", row["prompt"], row["out"])
        )
        if change is not None:
            found.append((number, change))
    return found


@pytest.mark.parametrize(("rows", "window", "expected"), vectors("growth"))
def test_growth_is_as_defined(rows: list[dict[str, Any]], window: int, expected: list[dict[str, Any]]) -> None:
    assert [
        {"i": i, "tokens_added": change.tokens, "source": change.cause, "cumulative": change.prompt}
        for i, change in told(rows, window)
        if isinstance(change, Growth)
    ] == expected


@pytest.mark.parametrize(("rows", "window", "expected"), vectors("summarization"))
def test_a_summarization_is_as_defined(rows: list[dict[str, Any]], window: int, expected: list[dict[str, Any]]) -> None:
    assert [
        {"i": i, "kind": change.how, "before": change.before, "after": change.after, "ratio": round(change.ratio, 4)}
        for i, change in told(rows, window)
        if isinstance(change, Shrink)
    ] == expected


def test_a_response_that_is_told_several_times_is_one() -> None:
    meter = ContextMeter()
    meter.respond("m1", 10_000, 5)
    meter.respond("m1", 10_000, 80)
    meter.respond("m2", 10_080, 20)
    assert (meter.responses, meter.sum_prompt, meter.sum_answer) == (2, 20_080, 100)
    assert (meter.prompt, meter.answer) == (10_080, 20)


def test_a_response_without_counts_changes_nothing() -> None:
    meter = ContextMeter()
    assert meter.respond("m1", 0, 0) is None
    assert (meter.prompt, meter.responses, meter.overhead) == (0, 0, None)


def test_a_boundary_that_tells_no_size_is_no_summary_but_still_a_boundary() -> None:
    meter = ContextMeter()
    meter.respond("m1", 150_000, 10)
    assert meter.boundary(None, None) is None
    assert meter.respond("m2", 20_000, 10) is None, "nothing is compared across it"


def test_a_prompt_that_does_not_fit_proves_a_larger_window() -> None:
    meter = ContextMeter(200_000)
    meter.respond("m1", 200_000, 1)
    assert (meter.window, meter.assumed) == (200_000, False)
    meter.respond("m2", 200_001, 1)
    assert (meter.window, meter.assumed) == (1_000_000, True)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**5), st.booleans()), max_size=50))
def test_no_sequence_breaks_it(rows: list[tuple[int, int, bool]]) -> None:
    meter = ContextMeter()
    for number, (prompt, answer, is_boundary) in enumerate(rows):
        for cause in range(MOST_CAUSES + 5):
            meter.add(f"cause {cause}", prompt % 7)
        change = meter.boundary(prompt or None, answer or None) if is_boundary else meter.respond("", prompt, answer)
        if isinstance(change, Growth):
            assert change.tokens >= 2000, number
        if isinstance(change, Shrink) and change.how != "record":
            assert change.after < change.before
        assert len(meter._between) <= MOST_CAUSES + 1
        assert meter.prompt <= meter.window
