"""Which part of a large screen is in view."""

from hypothesis import given
from hypothesis import strategies as st

from agentdeck.ui.viewport import Hidden, following, kept_inside

cells = st.integers(1, 500)


@given(cells, cells, st.integers(-50, 600), st.integers(-50, 600), st.integers(0, 499))
def test_a_cursor_on_the_screen_is_in_view_and_the_view_on_the_screen(
    shown: int, whole: int, at: int, rest: int, cursor: int
) -> None:
    cursor = min(cursor, whole - 1)
    found = following(at, cursor, shown, whole, rest)
    assert found <= cursor < found + shown
    assert 0 <= found <= max(0, whole - shown)


@given(cells, cells, st.integers(-50, 600), st.integers(-50, 600))
def test_without_a_cursor_it_rests(shown: int, whole: int, at: int, rest: int) -> None:
    assert following(at, None, shown, whole, rest) == kept_inside(rest, shown, whole)


def test_a_view_that_has_the_cursor_does_not_move() -> None:
    assert following(40, 60, 30, 200, 0) == 40
    assert following(40, 10, 30, 200, 0) == 0


def test_sides_that_hide_nothing_are_not_named() -> None:
    assert Hidden(0, 3, 0, 12).words == "3 right, 12 below"
    assert Hidden().words == ""
