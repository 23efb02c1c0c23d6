"""What a screen is on the wire: rows of styled runs, a cursor, the modes that the host has to know.

Used by the emulator that makes them, the pane that draws them and, redacted, by whoever joins.
A style is one integer, so a row needs no table and no state on either side:

    bits  0-24  foreground    0 default · 1 + n palette n · 0x1000000 | rgb
    bits 25-49  background    the same
    bits 50-52  underline     0 none · 1 single · 2 double · 3 curly · 4 dotted · 5 dashed
    bits 53-60  BOLD … OVERLINE
"""

from typing import Final

import msgspec

BOLD: Final = 1 << 53
DIM: Final = 1 << 54
ITALIC: Final = 1 << 55
BLINK: Final = 1 << 56
INVERSE: Final = 1 << 57
INVISIBLE: Final = 1 << 58
STRIKE: Final = 1 << 59
OVERLINE: Final = 1 << 60
UNDERLINE_SHIFT: Final = 50
BACKGROUND_SHIFT: Final = 25
COLOUR_MASK: Final = (1 << 25) - 1
RGB: Final = 1 << 24
"""Set in a colour that is 24-bit RGB."""


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One line of cells. The texts together are exactly as wide as the screen, trailing blanks included.

    The second cell of a wide character has no text of its own. The last cell is a blank where a wide character did not
    fit any more and went to the next row.
    """

    runs: tuple[tuple[str, int], ...]
    links: tuple[tuple[int, int, str], ...] = ()
    """OSC 8 hyperlinks: first column, column after the last, URI."""
    wrapped: bool = False
    """The next row continues this one: copy and redaction work on whole logical lines."""

    @property
    def text(self) -> str:
        return "".join(run[0] for run in self.runs)


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    x: int
    y: int
    visible: bool = True
    shape: str = "block"
    """block, bar or underline."""
    blinking: bool = False


class Modes(msgspec.Struct, frozen=True, array_like=True):
    """What the program in the PTY asked for, as far as the host of its screen must act on it."""

    alternate: bool = False
    mouse: int = 0
    """0 off, or the DEC mode that is on: 9, 1000, 1002 or 1003."""
    mouse_sgr: bool = False
    bracketed_paste: bool = False
    focus_events: bool = False
    application_cursor: bool = False
    kitty_flags: int = 0
    """Progressive-enhancement flags that the program pushed."""


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """What changed on one screen since the frame that this client got before it; `full` has every row."""

    session: str
    seq: int
    cols: int
    height: int
    full: bool
    rows: tuple[tuple[int, Row], ...]
    cursor: Cursor
    modes: Modes
    history: int
    """How many rows there are above the screen."""
