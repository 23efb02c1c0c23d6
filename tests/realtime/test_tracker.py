"""The development of a context, as the events of a session tell it."""

import json
from pathlib import Path
from typing import Any

import pytest

from agentdeck import events as e
from agentdeck.realtime import ContextTracker
from agentdeck.realtime.tracker import SESSIONS, SNAPSHOTS
from tests.realtime.happening import base, moment, returned, said, used

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "analytics" / "analytics.json").read_text("utf-8"))


def vectors(name: str) -> list[Any]:
    return [pytest.param(each, id=each["why"]) for each in VECTORS if each["fn"] == name]


def tracked(rows: list[dict[str, Any]], window: int) -> ContextTracker:
    """Tell a tracker of responses, of what came between them, and of recorded boundaries."""
    tracker = ContextTracker(window=lambda provider, model: window)
    for number, row in enumerate(rows):
        for cause, size in row.get("between", {}).items():
            if cause == "user":
                tracker.apply(said(number, "user", "x" * size))
            else:
                tracker.apply(used(number, f"c{number}", cause, "other"))
                tracker.apply(returned(number, f"c{number}", "x" * size))
        if row.get("boundary"):
            tracker.apply(e.Compacted(**base(number), before=row["pre"], after=row["post"]))
        else:
            tracker.apply(said(number, prompt=row["prompt"], output=row["out"], name=f"m{number}"))
    return tracker


@pytest.mark.parametrize("vector", vectors("growth"))
def test_growth_is_what_the_last_answer_does_not_explain(vector: dict[str, Any]) -> None:
    tracker = tracked(*vector["args"])
    sizes = {snapshot.at: snapshot.prompt for snapshot in tracker.snapshots("claude", "s1")}
    told = [
        {
            "i": int((growth.at - moment(0)).total_seconds()),
            "tokens_added": growth.tokens,
            "source": growth.cause,
            "cumulative": sizes[growth.at],
        }
        for growth in tracker.growths("claude", "s1")
    ]
    assert told == vector["expected"]


@pytest.mark.parametrize("vector", vectors("summarization"))
def test_summarizations_are_recorded_inferred_or_pruned(vector: dict[str, Any]) -> None:
    tracker = tracked(*vector["args"])
    told = [
        {
            "i": int((summary.at - moment(0)).total_seconds()),
            "kind": summary.how,
            "before": summary.before,
            "after": summary.after,
            "ratio": round(summary.after / summary.before, 4),
        }
        for summary in tracker.summarizations("claude", "s1")
    ]
    assert told == vector["expected"]


def test_there_is_a_snapshot_after_each_response() -> None:
    tracker = ContextTracker(window=lambda provider, model: 200_000)
    tracker.apply(said(0, "user", "x" * 400))
    tracker.apply(said(1, "thinking", "y" * 100, prompt=15_000, output=5, name="m1"))
    tracker.apply(said(2, "assistant", "y" * 100, prompt=15_000, output=60, name="m1"))
    first = tracker.current("claude", "s1")
    assert first is not None
    assert (first.at, first.message, first.prompt, first.output) == (moment(2), "m1", 15_000, 60)
    assert first.overhead == 14_900, "what the 100 tokens of the prompt do not explain"
    assert first.used_pct == 7.5
    tracker.apply(used(3, "c1"))
    tracker.apply(used(3, "c2", "Agent", "agent"))
    tracker.apply(returned(4, "c1", "z" * 600))
    tracker.apply(said(5, prompt=16_000, output=40, name="m2"))
    before, now = tracker.snapshots("claude", "s1")
    assert before == first
    assert (now.pending, now.agents) == (("c2",), ("c2",))
    assert (now.cumulative_input, now.cumulative_output) == (31_000, 100)
    assert now.tool_result_share == pytest.approx(600 / (400 + 100 + 100 + 600 + 1))
    assert tracker.trajectory("claude", "s1") == [(moment(2), 15_000), (moment(5), 16_000)]


def test_calls_that_a_turn_gave_up_are_not_pending() -> None:
    tracker = ContextTracker()
    tracker.apply(used(0, "c1"))
    tracker.apply(e.TurnEnded(**base(1), interrupted=True))
    tracker.apply(said(2, prompt=1000, output=1, name="m1"))
    now = tracker.current("claude", "s1")
    assert now is not None
    assert now.pending == ()


def test_a_recorded_summary_is_a_point_of_the_trajectory() -> None:
    tracker = ContextTracker(window=lambda provider, model: 200_000)
    tracker.apply(said(0, prompt=168_000, output=50, name="m1"))
    tracker.apply(e.Compacted(**base(0), before=168_050, after=14_000))
    tracker.apply(said(0, prompt=20_000, output=10, name="m2"))
    assert [size for _, size in tracker.trajectory("claude", "s1")] == [168_000, 14_000, 20_000]
    assert tracker.growths("claude", "s1") == [], "nothing is compared across a boundary"


def test_sub_agents_have_contexts_of_their_own() -> None:
    tracker = ContextTracker()
    tracker.apply(said(0, prompt=50_000, output=10, name="m1", agent="a1"))
    assert tracker.snapshots("claude", "s1") == []


def test_a_window_is_what_the_model_has_until_a_prompt_proves_more() -> None:
    tracker = ContextTracker(window=lambda provider, model: {"": 1, "small": 200_000, "large": 1_000_000}[model])
    tracker.apply(said(0, prompt=100_000, output=1, name="m1", model="small"))
    now = tracker.current("claude", "s1")
    assert now is not None
    assert (now.window, now.assumed) == (200_000, False)
    tracker.apply(said(1, prompt=300_000, output=1, name="m2", model="small"))
    now = tracker.current("claude", "s1")
    assert now is not None
    assert (now.window, now.assumed) == (1_000_000, True)


def test_what_is_remembered_is_bounded() -> None:
    tracker = ContextTracker()
    for number in range(SNAPSHOTS + 100):
        tracker.apply(used(number, f"c{number}"))
        tracker.apply(said(number, prompt=1000 + number % 2 * 90_000, output=1, name=f"m{number}"))
    assert len(tracker.snapshots("claude", "s1")) == SNAPSHOTS
    assert len(tracker.growths("claude", "s1")) <= SNAPSHOTS
    for number in range(SESSIONS + 10):
        tracker.apply(said(0, session=f"other{number}", prompt=1000, output=1, name="m"))
    assert tracker.snapshots("claude", "s1") == []
    assert tracker.snapshots("claude", f"other{SESSIONS}") != []
