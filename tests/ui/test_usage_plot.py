"""The usage screen's page: sums, bars by day, models and projects, and what no sum holds."""

import json
from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from agentdeck.protocol.facts import Limit
from agentdeck.ui.widgets.lines import Line
from agentdeck.ui.widgets.usage_plot import Report, days_chart, page, read, totals, trend
from tests.ui.told import report

TODAY = date(2026, 11, 21)
NOW = 1_795_250_000.0


def text(lines: list[Line]) -> list[str]:
    return ["".join(piece.text for piece in line.pieces).rstrip() for line in lines]


def days(*dollars: float) -> dict[str, float]:
    """What the last days have cost, today last."""
    return {(TODAY - timedelta(days=len(dollars) - 1 - n)).isoformat(): usd for n, usd in enumerate(dollars)}


def told(**facts: object) -> Report:
    return read(json.dumps(facts).encode())


def test_sums_are_of_today_seven_and_thirty_days() -> None:
    costs = days(*[1.0] * 40)
    found = totals(told(day_costs=costs, days=dict.fromkeys(costs, 10)), TODAY)
    assert [(total.tokens, total.cost) for total in found] == [(10, 1.0), (70, 7.0), (300, 30.0)]


def test_a_trend_has_a_value_for_each_day() -> None:
    assert trend(told(day_costs=days(3.0, 0.0, 1.0)), TODAY, 4) == (0.0, 3.0, 0.0, 1.0)


def test_the_dearest_day_is_the_highest_and_today_is_at_the_right() -> None:
    rows = text(days_chart(days(1.0, 4.0, 2.0), TODAY, 14, 4))
    assert [row.split() for row in rows] == [["█"], ["█"], ["█", "█"], ["█", "█", "█"], ["21", "Nov"]]
    assert rows[0].rindex("█") < rows[3].rindex("█")


def test_a_day_with_little_is_still_seen() -> None:
    rows = text(days_chart(days(100.0, 0.01), TODAY, 20, 3))
    assert rows[2].endswith("▁")


def test_money_for_tokens_without_a_price_is_no_zero() -> None:
    unpriced = told(
        tokens={"gemini:new": {"input": 5}}, days={TODAY.isoformat(): 5}, unpriced=["new"], day_costs={}, cost_usd=0.0
    )
    shown = "\n".join(text(page(unpriced, (), TODAY, NOW, "/home/ana", 100, by_cost=True)))
    assert "today unpriced 5" in shown
    assert "gemini new" in shown
    assert "without a price, so in no sum of money: new" in shown
    assert "$0.00" not in shown


def test_what_only_the_cli_counted_is_said_and_limits_with_their_reset() -> None:
    limits = (Limit("5h", 81.0, NOW + 600), Limit("week", 5.0, None, estimated=True))
    shown = "\n".join(text(page(read(report()), limits, TODAY, NOW, "/home/ana", 100, by_cost=True)))
    assert "hidden cost $0.20: 1 session counted more" in shown
    assert "5h 81% → " in shown
    assert "week 5% est." in shown


def test_an_empty_report_is_a_page_too() -> None:
    shown = text(page(Report(), (), TODAY, NOW, "/home/ana", 80, by_cost=False))
    assert shown[1].startswith(" today –")
    assert shown.count(" nothing yet") == 2


def test_what_is_no_report_is_an_error_of_its_own() -> None:
    with pytest.raises(msgspec.DecodeError):
        read(b"no json")


@given(
    st.integers(30, 220),
    st.integers(5, 70),
    st.dictionaries(st.text(min_size=1, max_size=50), st.floats(0, 1e5), max_size=5),
    st.lists(st.floats(0, 1e6), max_size=100),
    st.booleans(),
)
def test_every_line_fits(
    width: int, height: int, projects: dict[str, float], spent: list[float], by_cost: bool
) -> None:
    costs = days(*spent) if spent else {}
    made = Report(
        day_costs=costs,
        days={day: int(usd * 1000) for day, usd in costs.items()},
        projects={name: msgspec.convert({"tokens": 7, "cost_usd": usd}, _PROJECT) for name, usd in projects.items()},
        unpriced=["x" * 60],
        hidden_cost_usd={"a": 1.0},
    )
    lines = page(made, (Limit("5h", 50.0, NOW),), TODAY, NOW, "/home/ana", width, by_cost=by_cost, height=height)
    assert all(cell_len("".join(piece.text for piece in line.pieces)) <= width for line in lines)


_PROJECT = type(read(report()).projects["/home/ana/shop"])
