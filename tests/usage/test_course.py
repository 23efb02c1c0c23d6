"""How a session's usage grew: every response counts, once, and few points are enough to draw it."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agentdeck.usage.course import POINTS, Point, course, thinned
from agentdeck.usage.ledger import Ledger
from agentdeck.usage.response import Response


def response(n: int, *, at: int, sidechain: bool = False, session: str = "one") -> Response:
    return Response(
        agent="claude", key=f"{session}-{n}", session=session, model="m", at=at, input=100 * n, cache_write_5m=0,
        cache_write_1h=0, cache_read=0, output=10, sidechain=sidechain,
    )  # fmt: skip


def test_sums_grow_with_each_response_and_only_the_main_conversation_fills_the_context(tmp_path: Path) -> None:
    responses = [
        response(1, at=1000), response(2, at=2000, sidechain=True), response(3, at=3000),
        response(9, at=9, session="two"),
    ]  # fmt: skip
    with Ledger(tmp_path / "usage.db") as ledger:
        with ledger.writing():
            ledger.add(responses, [0.5, None, 0.25, 9.0], born=1)
        assert course(ledger, "claude", "one") == [
            Point(1.0, 110, 0.5, 100), Point(2.0, 320, 0.5, 100), Point(3.0, 630, 0.75, 300),
        ]  # fmt: skip
        assert course(ledger, "claude", "none") == []


def test_a_cost_that_nobody_knows_is_not_zero(tmp_path: Path) -> None:
    with Ledger(tmp_path / "usage.db") as ledger:
        with ledger.writing():
            ledger.add([response(1, at=1000)], [None], born=1)
        assert [point.cost_usd for point in course(ledger, "claude", "one")] == [None]


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=600, unique=True), st.integers(3, POINTS))
def test_of_many_points_the_first_the_last_and_their_order_stay(times: list[int], most: int) -> None:
    points = [Point(at, n, None, None) for n, at in enumerate(sorted(times))]
    kept = thinned(points, most)
    assert len(kept) <= most
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert kept == sorted(set(kept))
    assert set(kept) <= set(points)
