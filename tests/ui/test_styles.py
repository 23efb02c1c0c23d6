"""Cells get the theme's colours, and exactly their width."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from agentdeck.protocol.screen import (
    BACKGROUND_SHIFT,
    BOLD,
    DIM,
    INVERSE,
    INVISIBLE,
    ITALIC,
    RGB,
    STRIKE,
    UNDERLINE_SHIFT,
    Row,
)
from agentdeck.ui.styles import Look, indexed, is_safe_link, triple
from agentdeck.ui.theme import load_palettes

PALETTE = load_palettes()["night"]
LOOK = Look(PALETTE)


def rgb(colour: object) -> tuple[int, int, int]:
    found = getattr(colour, "triplet", None)
    assert found is not None
    return found.red, found.green, found.blue


def test_default_colours_are_the_themes() -> None:
    style = LOOK.style(0)
    assert rgb(style.color) == triple(PALETTE.text)
    assert rgb(style.bgcolor) == triple(PALETTE.background)


def test_palette_colours_are_the_themes_and_true_colours_stay() -> None:
    assert rgb(LOOK.style(1 + 1).color) == triple(PALETTE.ansi[1])
    assert rgb(LOOK.style((1 + 12) << BACKGROUND_SHIFT).bgcolor) == triple(PALETTE.ansi[12])
    assert rgb(LOOK.style(RGB | 0x123456).color) == (0x12, 0x34, 0x56)


@pytest.mark.parametrize(
    ("number", "colour"), [(16, (0, 0, 0)), (231, (255,) * 3), (208, (255, 135, 0)), (232, (8,) * 3), (255, (238,) * 3)]
)
def test_the_other_240_colours_are_those_of_xterm(number: int, colour: tuple[int, int, int]) -> None:
    assert indexed(number, ()) == colour


def test_attributes_survive() -> None:
    style = LOOK.style(BOLD | ITALIC | STRIKE | 1 << UNDERLINE_SHIFT)
    assert (style.bold, style.italic, style.strike, style.underline) == (True, True, True, True)
    assert LOOK.style(2 << UNDERLINE_SHIFT).underline2
    assert LOOK.style(3 << UNDERLINE_SHIFT).underline


def test_inverse_swaps_and_invisible_hides() -> None:
    inverse = LOOK.style(INVERSE)
    assert rgb(inverse.color) == triple(PALETTE.background)
    assert rgb(inverse.bgcolor) == triple(PALETTE.text)
    hidden = LOOK.style(INVISIBLE | (RGB | 0xFF0000))
    assert hidden.color == hidden.bgcolor


def test_a_dimmed_pane_is_nearer_to_its_background() -> None:
    def distance(style: Style) -> int:
        return sum(abs(a - b) for a, b in zip(rgb(style.color), triple(PALETTE.background), strict=True))

    assert distance(Look(PALETTE, dimmed=True).style(0)) < distance(LOOK.style(0))
    assert distance(LOOK.style(DIM)) < distance(LOOK.style(0))


def test_without_colour_only_attributes_are_left() -> None:
    style = Look(PALETTE, colour=False).style(INVERSE | BOLD | (RGB | 0x123456))
    assert style.color is None
    assert style.bgcolor is None
    assert style.bold
    assert style.reverse


@given(
    st.lists(
        st.tuples(st.text(st.sampled_from("ab 漢é🙂"), min_size=1, max_size=5), st.integers(0, 1 << 61)), max_size=6
    ),
    st.integers(1, 40),
)
def test_a_strip_is_exactly_as_wide_as_it_should_be(runs: list[tuple[str, int]], columns: int) -> None:
    strip = LOOK.strip(Row(tuple(runs)), columns)
    assert strip.cell_length == columns
    assert cell_len(strip.text) == columns


def test_a_link_covers_its_columns_and_no_others() -> None:
    row = Row((("see 漢字 here", 0),), links=((4, 8, "https://example.org/a"),))
    strip = LOOK.strip(row, 20)
    linked = "".join(segment.text for segment in strip if segment.style and segment.style.link)
    assert linked == "漢字"


@pytest.mark.parametrize("uri", ["https://x/\x1b\\", "https://x/\x07", "https://x/é", "x" * 3000])
def test_a_link_that_could_end_its_sequence_is_dropped(uri: str) -> None:
    assert not is_safe_link(uri)
    strip = LOOK.strip(Row((("text", 0),), links=((0, 4, uri),)), 4)
    assert all(segment.style is None or segment.style.link is None for segment in strip)


def test_every_theme_can_be_worn() -> None:
    for palette in load_palettes().values():
        assert Look(replace(palette), dimmed=True).strip(Row((("x", 5),)), 3).text == "x  "


def test_a_picture_in_true_colour_does_not_fill_the_memory() -> None:
    look = Look(PALETTE)
    for value in range(10_000):
        look.style(RGB | value)
    assert len(look._styles) <= 4096
