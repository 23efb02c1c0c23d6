"""Write a screen as the terminal sequences that make it again: what a hub leaves for the hub after it.

Pure: rows and states in, bytes out. The result is fed to an emulator of the same size whose state is unknown, because
it has just replayed old output; its scrollback is kept. So nothing here resets the whole terminal, and everything that
matters is set explicitly.

What nobody can ask a terminal for is lost: a cursor that the program saved (DECSC), and keyboard flags below the ones
that are in force.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from agentdeck.protocol.screen import Row
from agentdeck.terminal import vt

LIMIT: Final = 64 * 1024
"""Bytes of a checkpoint."""

_ON: Final = (7, 8, 25, 1007, 1035, 1036, 2027)
_OFF: Final = (
    *(1, 5, 6, 9, 12, 45, 66, 69, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 1039, 1045),
    *(2004, 2026, 2031, 2048),
)
_NO_KEYBOARD: Final = b"\x1b[<16u\x1b[=0;1u"
_PLAIN: Final = b'\x1b[m\x1b]8;;\x1b\\\x1bW\x1b[1"q\x1b[0"q\x0f\x1b(B\x1b)B\x1b*B\x1b+B'
RESET: Final = (
    b"\x18\x1b[?1049l\x1b[?1047l\x1b[?47l"
    + _PLAIN
    + b"\x1b[4l\x1b[20l\x1b[?%sl\x1b[?%sh" % tuple(";".join(map(str, modes)).encode() for modes in (_OFF, _ON))
    + b"\x1b[r\x1b[>4;0m\x1b[?47h"
    + _PLAIN
    + b"\x1b[2J\x1b[H\x1b7"
    + _NO_KEYBOARD
    + b"\x1b[?47l"
    + _PLAIN
    + _NO_KEYBOARD
    + b"\x1b[0 q\x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\\x1b]112\x1b\\\x1b[H\x1b7\x1b[2J"
)
"""Brings any terminal to its defaults with an empty screen, and leaves its scrollback alone."""

_MODE: Final = re.compile(rb"\x1b\[(\??)(\d+)([hl])")
_MARGINS: Final = re.compile(rb"\x1b\[(\d+);(\d+)([rs])")
_SCREENS: Final = (b"47", b"1047", b"1049")
_HANDLED: Final = (*_SCREENS, b"69", b"1048", b"2027")


@dataclass(frozen=True, slots=True)
class Picture:
    """One of the two screens of a terminal."""

    rows: tuple[Row, ...]
    x: int
    y: int
    wraps: bool = False
    """The cursor has filled its row and the next character goes to the next one."""
    pen: bytes = b""
    """What sets the style, the keyboard and the character sets that the next output uses."""


@dataclass(frozen=True, slots=True)
class State:
    screen: Picture
    primary: Picture | None
    """The screen below, while `screen` is the alternate one."""
    modes: bytes
    margins: bytes
    extras: bytes
    """Tabs, colours, cursor shape, title: sequences that move nothing but the cursor."""
    pending: bytes
    """What came last without its end."""


def compose(state: State) -> bytes:
    """Return at most `LIMIT` bytes. What does not fit goes: links, then styles, then rows from the top."""
    for lighter in _LIGHTER:
        data = _written(lighter(state))
        if len(data) <= LIMIT:
            return data
    rows = state.screen.rows
    kept = len(rows)
    while kept:
        kept //= 2
        bare = tuple(_EMPTY if y < len(rows) - kept else _bare(row) for y, row in enumerate(rows))
        data = _written(replace(state, primary=None, screen=replace(state.screen, rows=bare)))
        if len(data) <= LIMIT:
            return data
    return RESET


_EMPTY: Final = Row(())


def _bare(row: Row) -> Row:
    return Row(((row.text, 0),), (), row.wrapped)


def _unlinked(row: Row) -> Row:
    return Row(row.runs, (), row.wrapped)


def _each(change: Callable[[Row], Row], picture: Picture) -> Picture:
    return replace(picture, rows=tuple(change(row) for row in picture.rows))


def _without_links(state: State) -> State:
    primary = state.primary and _each(_unlinked, state.primary)
    return replace(state, screen=_each(_unlinked, state.screen), primary=primary)


_LIGHTER: Final[Sequence[Callable[[State], State]]] = (
    lambda state: state,
    _without_links,
    lambda state: replace(_without_links(state), primary=state.primary and _each(_bare, state.primary)),
    lambda state: replace(_without_links(state), primary=state.primary and replace(state.primary, rows=())),
    lambda state: replace(
        state,
        screen=_each(_bare, state.screen),
        primary=state.primary and replace(state.primary, rows=()),
    ),
)


def _written(state: State) -> bytes:
    modes = [(private, number, state_) for private, number, state_ in _MODE.findall(state.modes)]
    screens = [number for private, number, on in modes if private and on == b"h" and number in _SCREENS]
    parts = [RESET]
    if state.primary is not None:
        parts += [drawn(state.primary), state.primary.pen]
        enter = screens[-1] if screens else b"1049"
        parts += [b"\x1b[?", enter, b"h", _PLAIN, _NO_KEYBOARD, b"\x1b[H\x1b[2J"]
    parts.append(state.extras)
    if (b"?", b"69", b"h") in modes:
        parts.append(b"\x1b[?69h")
    picture = state.screen
    rest = [(private, number, on) for private, number, on in modes if number not in _HANDLED]
    top, left = _corner(state.margins) if (b"?", b"6", b"h") in rest else (1, 1)
    parts += [_rows(picture.rows), state.margins]
    parts += [b"\x1b[" + private + number + on for private, number, on in rest]
    parts += [_cursor(picture, top, left), picture.pen, state.pending]
    return b"".join(parts)


def drawn(picture: Picture) -> bytes:
    """Draw the rows of an empty screen in its default state, and leave the cursor where it was."""
    return _rows(picture.rows) + _cursor(picture)


def _rows(rows: Sequence[Row]) -> bytes:
    """Draw rows at their places. A wrapped row runs over into the next, so that it is one line again after a resize."""
    parts = []
    running = False
    for y, row in enumerate(rows):
        if running:
            parts.append(vt.row(row, whole=row.wrapped) or b" ")
        elif shown := vt.row(row, whole=row.wrapped):
            parts += [b"\x1b[%dH" % (y + 1), shown]
        running = row.wrapped
    return b"".join(parts)


def _cursor(picture: Picture, top: int = 1, left: int = 1) -> bytes:
    """Place the cursor, given the 1-based cell that the program counts from."""
    x, last = picture.x, b""
    if picture.wraps and picture.y < len(picture.rows):
        x, last = vt.last_cell(picture.rows[picture.y])  # only drawing it again brings the cursor behind it
    return b"\x1b[%d;%dH" % (max(1, picture.y + 2 - top), max(1, x + 2 - left)) + last


def _corner(margins: bytes) -> tuple[int, int]:
    """Where a program counts from whose origin is the corner of its margins (mode 6)."""
    first = {kind: int(number) for number, _, kind in _MARGINS.findall(margins)}
    return first.get(b"r", 1), first.get(b"s", 1)
