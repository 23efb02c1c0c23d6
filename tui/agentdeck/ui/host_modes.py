"""What the host terminal is told, so that its bytes are already what the program under the cursor expects.

While somebody types, keys pass untouched. That is only right when the host terminal is in the keyboard modes that the
program asked for, so those are mirrored: kitty's flags, application cursor keys, any-motion mouse reports.
"""

from dataclasses import dataclass
from typing import Final

DECK_KITTY_FLAGS: Final = 25
"""What Textual wants: disambiguate, all keys as escapes, their text."""

ENTER: Final = "\x1b[?2031h\x1b[?996n\x1b]11;?\x1b\\\x1b[?u"
"""Report changes of the colour scheme; which is it now, or else what background; which kitty flags are set?"""

LEAVE: Final = "\x1b[?2031l"

RESET: Final = (
    "\x1b[?2026l\x1b[<u\x1b[?1l\x1b>\x1b[?7h\x1b[?2004l\x1b[?2031l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?1006l\x1b[?1004l"
    "\x1b[0m\x1b[0 q\x1b[?1049l\x1b[?25h"
)
"""Everything back to how a shell wants it, from whatever state, for an end without time for manners."""

MOUSE_ON: Final = "\x1b[?1000h\x1b[?1002h\x1b[?1006h"
"""Clicks, wheel and drags; not every motion, which floods and wakes the deck for nothing."""

MOUSE_OFF: Final = "\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?1006l"


@dataclass(frozen=True, slots=True)
class HostModes:
    kitty_flags: int = DECK_KITTY_FLAGS
    application_cursor: bool = False
    any_motion: bool = False


def switch(before: HostModes, after: HostModes, *, kitty: bool) -> str:
    """The bytes that take the host from one to the other. `kitty`: the host speaks that protocol, and said so."""
    out = ""
    if kitty and before.kitty_flags != after.kitty_flags:
        out += f"\x1b[={after.kitty_flags};1u\x1b[?u"
    if before.application_cursor != after.application_cursor:
        out += "\x1b[?1h" if after.application_cursor else "\x1b[?1l"
    if before.any_motion != after.any_motion:
        out += "\x1b[?1003h" if after.any_motion else "\x1b[?1003l\x1b[?1002h"
    return out
