"""Encode mouse events the way a program asked for them.

Pure: the modes come in, bytes come out, and nothing comes out when the program did not ask for this event.
Source: xterm's control sequences, `Mouse Tracking`.
"""

from typing import Final

MOTION: Final = 32
"""Added to the button of a report about movement; button 35 is movement with no button held."""
_WHEEL: Final = 64
_MODIFIERS: Final = 4 | 8 | 16
_LEGACY_LAST: Final = 222
"""The last cell that one byte can name: 255 - 32 - 1."""


def encode(mode: int, sgr: bool, button: int, x: int, y: int, press: bool) -> bytes:
    """Return the report for `button` (numbered as in SGR reports) at the 0-based cell, or b"".

    `mode` is the DEC mode that is on: 9, 1000, 1002 or 1003, or 0. For SGR-pixel reports give pixels as `x` and `y`.
    """
    if x < 0 or y < 0 or not _wanted(mode, button, press):
        return b""
    if mode == 9:
        button &= ~_MODIFIERS
    if sgr:
        return b"\x1b[<%d;%d;%d%c" % (button, x + 1, y + 1, b"M" if press else b"m")
    if not press:
        button |= 3
    if x > _LEGACY_LAST or y > _LEGACY_LAST or button > _LEGACY_LAST:
        return b""
    return b"\x1b[M" + bytes((button + 32, x + 33, y + 33))


def _wanted(mode: int, button: int, press: bool) -> bool:
    moving, wheel, which = bool(button & MOTION), bool(button & _WHEEL), button & 3
    if wheel and not press:
        return False
    if mode == 9:
        return press and not moving and not wheel and which != 3
    if mode == 1000:
        return not moving
    if mode == 1002:
        return not moving or which != 3
    return mode == 1003
