"""Every terminal gets a layout in which nothing overlaps and everything fits."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdeck.ui.layout import (
    BANDS,
    HYSTERESIS,
    LAYOUTS,
    PANE_COLUMNS,
    Plan,
    Wish,
    band,
    plan,
    window,
)

WISHES = st.builds(
    Wish,
    layout=st.sampled_from(LAYOUTS),
    sessions=st.integers(0, 25),
    sidebar=st.booleans(),
    sidebar_width=st.integers(0, 60),
    resources=st.sampled_from([None, True, False]),
    feed=st.sampled_from([None, True, False]),
    zoom=st.booleans(),
)
BAND_NAMES = st.sampled_from(["", *(name for _, name in BANDS)])
COLUMNS, ROWS = st.integers(1, 400), st.integers(1, 120)


@given(COLUMNS, ROWS, WISHES, BAND_NAMES)
def test_nothing_overlaps_and_everything_fits(columns: int, rows: int, wish: Wish, before: str) -> None:
    rects = [rect for rect in plan(columns, rows, wish, before).rects if rect.width and rect.height]
    for n, rect in enumerate(rects):
        assert rect.x >= 0
        assert rect.y >= 0
        assert rect.right <= columns
        assert rect.bottom <= rows
        assert not any(rect.overlaps(other) for other in rects[n + 1 :])


@given(st.integers(20, 400), st.integers(8, 120), WISHES, BAND_NAMES)
def test_no_cell_is_left_over(columns: int, rows: int, wish: Wish, before: str) -> None:
    made = plan(columns, rows, wish, before)
    assert sum(rect.width * rect.height for rect in made.rects) == columns * rows


@given(COLUMNS, ROWS, WISHES, BAND_NAMES)
def test_a_sidebar_leaves_every_pane_its_eighty_columns(columns: int, rows: int, wish: Wish, before: str) -> None:
    made = plan(columns, rows, wish, before)
    if made.sidebar is not None:
        assert all(slot.columns >= PANE_COLUMNS for slot in made.slots)


@given(COLUMNS, ROWS, WISHES, BAND_NAMES)
def test_a_program_never_gets_a_screen_that_its_terminal_cannot_have(
    columns: int, rows: int, wish: Wish, before: str
) -> None:
    assert all(slot.columns >= 2 and slot.rows >= 2 for slot in plan(columns, rows, wish, before).slots)


@given(st.integers(1, 400), st.lists(st.integers(-(HYSTERESIS - 1) // 2, HYSTERESIS // 2), max_size=20))
def test_a_trembling_edge_changes_the_band_once_at_most(columns: int, tremble: list[int]) -> None:
    name, changes = band(columns), 0
    for offset in tremble:
        after = band(max(1, columns + offset), name)
        changes += after != name
        name = after
    assert changes <= 1


@pytest.mark.parametrize(("start", "name"), BANDS[1:])
def test_a_band_begins_at_its_width_and_is_left_five_columns_below(start: int, name: str) -> None:
    assert band(start) == name
    assert band(start - 1) != name
    assert band(start - HYSTERESIS, name) == name
    assert band(start - HYSTERESIS - 1, name) != name


def _sizes(made: Plan) -> list[tuple[int, int]]:
    return [(slot.columns, slot.rows) for slot in made.slots]


def test_a_small_terminal_gives_the_program_eighty_by_twenty() -> None:
    made = plan(80, 24, Wish(sessions=6))
    assert _sizes(made) == [(80, 20)]
    assert made.strip is not None
    assert made.gauges is not None
    assert made.sidebar is None


def test_below_24_rows_the_gauge_row_goes() -> None:
    made = plan(80, 23, Wish())
    assert made.gauges is None
    assert _sizes(made) == [(80, 20)]


def test_a_middling_terminal_has_a_sidebar_and_a_frame() -> None:
    made = plan(120, 40, Wish(sessions=6))
    assert made.sidebar is not None
    assert made.sidebar.width == 26
    assert made.feed is not None
    assert made.feed.height == 9
    assert _sizes(made) == [(92, 27)]


def test_a_low_terminal_has_a_feed_only_when_it_is_asked_for() -> None:
    assert plan(80, 24, Wish()).feed is None
    assert plan(120, 30, Wish()).feed is None
    assert plan(80, 24, Wish(feed=True)).feed is not None
    assert plan(120, 40, Wish(feed=False)).feed is None
    assert plan(120, 18, Wish(feed=True)).feed is None


@pytest.mark.parametrize("wanted", [None, True])
def test_a_wide_terminal_puts_the_resources_on_a_rail(wanted: bool | None) -> None:
    made = plan(200, 60, Wish(sessions=6, resources=wanted))
    assert made.resources is not None
    assert made.feed is not None
    assert made.tokens is not None
    assert (made.resources.width, made.resources.x) == (50, 150)
    assert made.feed.height + made.resources.height + made.tokens.height == 58
    assert _sizes(made) == [(122, 56)]


def test_the_rail_gives_way_to_panes_unless_it_was_asked_for() -> None:
    made = plan(200, 60, Wish(layout="tiles", sessions=6))
    assert made.resources is None
    assert len({slot.pane.x for slot in made.slots}) == 2
    assert made.feed is None
    assert plan(200, 60, Wish(sessions=6, resources=False)).resources is None


@pytest.mark.parametrize("rows", [16, 20, 24, 30])
def test_on_a_low_rail_what_was_asked_for_comes_first(rows: int) -> None:
    assert plan(200, rows, Wish(resources=True)).resources is not None
    assert plan(200, rows, Wish()).feed is not None


def test_where_there_is_no_rail_the_resources_go_below() -> None:
    made = plan(120, 40, Wish(sessions=1, resources=True))
    assert made.resources is not None
    assert made.resources.y > made.slots[0].pane.y
    assert made.slots[0].columns == 92


@given(st.integers(100, 400), st.integers(30, 120), WISHES)
def test_panes_side_by_side_are_as_wide_as_a_program_needs(columns: int, rows: int, wish: Wish) -> None:
    made = plan(columns, rows, wish)
    if len({slot.pane.x for slot in made.slots}) > 1:
        assert min(slot.columns for slot in made.slots) >= PANE_COLUMNS


@given(st.integers(160, 400), st.integers(40, 120))
def test_split_shows_two_and_tiles_show_more(columns: int, rows: int) -> None:
    wish = Wish(sessions=6)
    counts = [len(plan(columns, rows, replace(wish, layout=name)).slots) for name in LAYOUTS]
    assert counts[0] == 1
    assert counts[1] == 2
    assert counts[2] > 2


def test_zoom_gives_everything_to_one_pane() -> None:
    made = plan(200, 60, Wish(layout="tiles", sessions=6, resources=True, zoom=True))
    assert _sizes(made) == [(200, 58)]


@given(st.integers(0, 30), st.data(), st.integers(1, 9))
def test_the_window_holds_the_selected_session_and_is_as_full_as_can_be(
    count: int, data: st.DataObject, slots: int
) -> None:
    selected = data.draw(st.integers(0, max(0, count - 1)))
    shown = window(count, selected, slots)
    assert len(shown) == min(count, slots)
    assert not count or selected in shown
    assert not shown or (shown[0] >= 0 and shown[-1] < count)
