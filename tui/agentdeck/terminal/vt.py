"""Write rows as the terminal sequences that draw them: for checkpoints and for `screen --ansi`.

The opposite of the emulator, and pure: rows in, bytes out.
"""

import functools
from collections.abc import Iterator, Sequence
from typing import Final

from agentdeck.protocol.screen import (
    BACKGROUND_SHIFT,
    BLINK,
    BOLD,
    COLOUR_MASK,
    DIM,
    INVERSE,
    INVISIBLE,
    ITALIC,
    OVERLINE,
    RGB,
    STRIKE,
    UNDERLINE_SHIFT,
    Row,
)
from agentdeck.terminal import width

_FLAGS: Final = (
    (BOLD, "1"),
    (DIM, "2"),
    (ITALIC, "3"),
    (BLINK, "5"),
    (INVERSE, "7"),
    (INVISIBLE, "8"),
    (STRIKE, "9"),
    (OVERLINE, "53"),
)


@functools.lru_cache(4096)
def sgr(style: int) -> bytes:
    """The sequence that sets exactly this packed style, whatever was set before."""
    if not style:
        return b"\x1b[m"
    codes = [""] + [code for flag, code in _FLAGS if style & flag]
    if underline := style >> UNDERLINE_SHIFT & 7:
        codes.append("4" if underline == 1 else f"4:{underline}")
    codes += _colour(style & COLOUR_MASK, 30, 90)
    codes += _colour(style >> BACKGROUND_SHIFT & COLOUR_MASK, 40, 100)
    return f"\x1b[{';'.join(codes)}m".encode()


def _colour(colour: int, base: int, bright: int) -> list[str]:
    if not colour:
        return []
    if colour & RGB:
        return [f"{base + 8};2;{colour >> 16 & 0xFF};{colour >> 8 & 0xFF};{colour & 0xFF}"]
    index = colour - 1
    if index < 8:
        return [str(base + index)]
    return [str(bright + index - 8)] if index < 16 else [f"{base + 8};5;{index}"]


def row(shown: Row, *, styled: bool = True, whole: bool = False) -> bytes:
    """Draw one row from its first column, then reset the style. Blanks at its end are left out unless `whole`."""
    runs = list(shown.runs) if styled else [(shown.text, 0)]
    if not whole and not (styled and shown.links):
        while runs and not runs[-1][1] and not runs[-1][0].rstrip(" "):
            runs.pop()
        if runs and not runs[-1][1]:
            runs[-1] = (runs[-1][0].rstrip(" "), 0)
    if styled and shown.links:
        return _linked(shown, runs)
    current = 0
    parts = []
    for text, style in runs:
        if style != current:
            parts.append(sgr(style))
            current = style
        parts.append(text.encode())
    if current:
        parts.append(sgr(0))
    return b"".join(parts)


def _linked(shown: Row, runs: Sequence[tuple[str, int]]) -> bytes:
    """Draw character by character, because links are given in columns and runs in characters."""
    parts: list[bytes] = []
    style_now, uri_now = 0, ""
    for character, style, x in _columns(runs):
        uri = _link_at(shown, x)
        if uri != uri_now:
            parts.append(link_to(uri))
        if style != style_now:
            parts.append(sgr(style))
        style_now, uri_now = style, uri
        parts.append(character.encode())
    if uri_now:
        parts.append(link_to(""))
    if style_now:
        parts.append(sgr(0))
    return b"".join(parts)


def last_cell(shown: Row) -> tuple[int, bytes]:
    """The column of the last cell of a row, and what draws it there."""
    text, style, column = "", 0, 0
    for character, character_style, x in _columns(shown.runs):
        text, style, column = (text + character if x == column else character), character_style, x
    uri = _link_at(shown, column)
    return column, (link_to(uri) if uri else b"") + sgr(style) + text.encode() + sgr(0) + (link_to("") if uri else b"")


def cursor_shape(shape: str, blinking: bool) -> bytes:
    number = {"block": 2, "underline": 4, "bar": 6}[shape] - blinking
    return b"\x1b[%d q" % number


def _link_at(shown: Row, x: int) -> str:
    return next((uri for first, after, uri in shown.links if first <= x < after), "")


def link_to(uri: str) -> bytes:
    """The sequence that begins a hyperlink, or ends one when there is no URI."""
    return b"\x1b]8;;" + uri.encode() + b"\x1b\\"


def _columns(runs: Sequence[tuple[str, int]]) -> Iterator[tuple[str, int, int]]:
    """Every character with its style and the column of the cell that it is in.

    Follows the rules of grapheme clusters (mode 2027) as far as the standard library's tables go.
    """
    x, last, last_columns, joined = 0, "", 0, False
    for text, style in runs:
        for character in text:
            columns = 0 if joined else width.of(character)
            joined = character == width.JOINER
            if character == "\ufe0f" and last_columns == 1:
                x, last_columns = x + 1, 2
            elif width.is_flag(character) and last and width.is_flag(last):
                columns, last = 0, ""
            if columns:
                last, last_columns = character, columns
                yield character, style, x
                x += columns
            else:
                yield character, style, max(x - last_columns, 0)
