"""Rows written as terminal sequences: what `screen --ansi` prints and checkpoints are made of."""

import pytest

from agentdeck.protocol.screen import BACKGROUND_SHIFT, BOLD, RGB, UNDERLINE_SHIFT, Row
from agentdeck.terminal import vt


@pytest.mark.parametrize(
    ("style", "sequence"),
    [
        (0, b"\x1b[m"),
        (BOLD | 1 + 1, b"\x1b[;1;31m"),
        (1 + 9, b"\x1b[;91m"),
        (1 + 200, b"\x1b[;38;5;200m"),
        (RGB | 0x010203, b"\x1b[;38;2;1;2;3m"),
        ((1 + 12) << BACKGROUND_SHIFT, b"\x1b[;104m"),
        (1 << UNDERLINE_SHIFT, b"\x1b[;4m"),
        (3 << UNDERLINE_SHIFT, b"\x1b[;4:3m"),
    ],
)
def test_a_style_is_set_whatever_was_set_before(style: int, sequence: bytes) -> None:
    assert vt.sgr(style) == sequence


def test_blanks_at_the_end_are_left_out() -> None:
    assert vt.row(Row((("a", 2), ("b   ", 0)))) == b"\x1b[;31ma\x1b[mb"
    assert vt.row(Row((("    ", 0),))) == b""
    assert vt.row(Row((("a   ", 0),)), whole=True) == b"a   "


def test_a_coloured_blank_is_no_blank() -> None:
    assert vt.row(Row((("  ", (1 + 4) << BACKGROUND_SHIFT),))) == b"\x1b[;44m  \x1b[m"


def test_plain_rows_have_no_sequences() -> None:
    row = Row((("a", 2), ("b ", 0)), ((0, 1, "http://x"),))
    assert vt.row(row, styled=False) == b"ab"


def test_links_are_opened_and_closed_at_their_columns() -> None:
    row = Row((("日l", 0), ("ink ", 2)), ((2, 5, "u:x"),))
    assert vt.row(row) == "日\x1b]8;;u:x\x1b\\l\x1b[;31min\x1b]8;;\x1b\\k \x1b[m".encode()


def test_the_last_cell_is_drawn_with_its_style_and_link() -> None:
    assert vt.last_cell(Row((("ab", 0), ("e\u0301", 2)), ((2, 3, "u:x"),))) == (
        2,
        b"\x1b]8;;u:x\x1b\\\x1b[;31m" + "e\u0301".encode() + b"\x1b[m\x1b]8;;\x1b\\",
    )
