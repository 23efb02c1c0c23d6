"""How full contexts are and what they cost: never a zero for what nobody knows."""

import msgspec
import pytest

from agentdeck.protocol.facts import Facts, Gauge, Limit
from agentdeck.ui.glyphs import UNICODE
from agentdeck.ui.widgets.lines import Piece
from agentdeck.ui.widgets.token_gauge import (
    TokenPanel,
    bar_pieces,
    context,
    cost,
    limit_pieces,
    row_pieces,
    told_pieces,
)
from tests.ui.showing import Stage, seen

pytestmark = pytest.mark.usefixtures("utc")

NOW = 1_700_000_000.0
FULL = Facts(
    key="1", provider="claude", provider_session="x", gauge=Gauge(182_000, 256_000, 71, 230_000, 20, 38),
    tokens=1_234_567, cost_usd=4.12, burn_usd_hour=1.31, cache_hit_pct=91, files=2, added=18, removed=6,
    limits=(Limit("5h", 78.4, NOW + 3600), Limit("week", 20.0, None, estimated=True)),
)  # fmt: skip
NOTHING = Facts(key="2", provider="codex", provider_session="y")


def words(pieces: tuple[Piece, ...] | list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def test_a_context_is_a_bar_a_percentage_its_tokens_and_the_turns_that_are_left() -> None:
    assert FULL.gauge is not None
    assert words(context(FULL.gauge)) == "▓▓▓▓▓▓▓░░░ 71% 182k/256k ≈38 turns"
    assert words(context(Gauge(10_000, 200_000, 5, assumed=True))) == "▓░░░░░░░░░  5% 10k/200k est."


@pytest.mark.parametrize(("percent", "ink"), [(0, "accent"), (74, "accent"), (75, "needs-you"), (90, "error")])
def test_a_bar_asks_for_attention_before_it_alarms(percent: int, ink: str) -> None:
    assert bar_pieces(percent, 10, UNICODE)[0].ink == ink


def test_something_is_never_drawn_as_nothing() -> None:
    assert bar_pieces(1, 8, UNICODE)[0].text == "▓"
    assert bar_pieces(0, 8, UNICODE)[0].text == ""


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"cost_usd": 4.12}, "$4.12"),
        ({"cost_usd": None}, "?"),
        ({"cost_usd": None, "unpriced": True}, "unpriced"),
        ({"cost_usd": 0.0, "unpriced": True}, "unpriced"),
        ({"cost_usd": 1.0, "unpriced": True}, "$1.00 + unpriced"),
        ({"cost_usd": 1.0, "hidden_usd": 0.25}, "$1.00 +$0.25 hidden"),
        ({"cost_usd": 0.0, "tokens": 0}, "–"),
    ],
)
def test_a_cost_says_what_it_does_not_hold(facts: dict[str, object], said: str) -> None:
    assert cost(msgspec.structs.replace(FULL, **facts)) == said


def test_a_limit_says_when_it_resets_and_whether_it_is_estimated() -> None:
    assert words(limit_pieces(FULL.limits[0], NOW)) == "5h 78% → 23:13"
    assert words(limit_pieces(FULL.limits[1], NOW)) == "week 20% est."


def test_what_is_unknown_is_a_question_mark_and_no_zero() -> None:
    assert "0" not in words([piece for fact in told_pieces(NOTHING) for piece in fact])


@pytest.mark.parametrize("width", range(10, 130, 7))
def test_a_row_has_whole_facts_or_none_of_them(width: int) -> None:
    whole = words(row_pieces(FULL, NOW, 500)).split(" │ ")
    shown = words(row_pieces(FULL, NOW, width)).split(" │ ")
    assert shown == whole[: len(shown)]


async def test_the_panel_lists_the_sessions_and_tells_all_of_the_selected_one() -> None:
    panel = TokenPanel()
    async with Stage(panel).run_test(size=(50, 9)) as pilot:
        panel.show({"1": FULL, "2": NOTHING}, {"1": "1 api", "2": "2 web"}, "1", "$4.12 today", NOW)
        await pilot.pause()
        assert seen(panel) == [
            "┌─ tokens ───────────────────────── $4.12 today ─┐",
            "│❯1 api      ▓▓▓▓▓▓░░ 71% 182k/256k ≈38 turns    │",
            "│ 2 web                 ?                        │",
            "│                                                │",
            "│ cost $4.12 · $1.31/h                           │",
            "│ cache hits 91% · 1.2M tokens in all            │",
            "│ compacts at 230k, ≈38 turns left               │",
            "│ 5h 78% → 23:13 · week 20% est.                 │",
            "└────────────────────────────────────────────────┘",
        ]


async def test_the_panel_of_nobody_says_so() -> None:
    panel = TokenPanel()
    async with Stage(panel).run_test(size=(50, 4)) as pilot:
        panel.show({}, {}, "", "", NOW)
        await pilot.pause()
        assert "no transcript yet" in seen(panel)[1]
