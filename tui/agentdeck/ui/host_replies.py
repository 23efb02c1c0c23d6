"""What the host terminal said of itself: the colour scheme, its kitty flags."""

import re
from typing import Final, Literal

Scheme = Literal["dark", "light"]

_SCHEME: Final = re.compile(rb"\x1b\[\?997;([12])n")
_BACKGROUND: Final = re.compile(rb"\x1b\]11;rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})")
_KITTY: Final = re.compile(rb"\x1b\[\?(\d+)u")
_FOR_TEXTUAL: Final = re.compile(rb"\x1b\[\?\d+;\d\$y|\x1b\[48;[\d:;]+t")


def reported_scheme(reply: bytes) -> Scheme | None:
    """The answer to, or a report of, mode 2031 (https://contour-terminal.org/vt-extensions/color-palette-update-notifications/)."""
    match = _SCHEME.fullmatch(reply)
    return None if match is None else "dark" if match[1] == b"1" else "light"


def background_scheme(reply: bytes) -> Scheme | None:
    """Guess the scheme from the background colour, for terminals that know no mode 2031."""
    if (match := _BACKGROUND.match(reply)) is None:
        return None
    red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in match.groups())
    return "dark" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5 else "light"


def kitty_flags(reply: bytes) -> int | None:
    match = _KITTY.fullmatch(reply)
    return None if match is None else int(match[1])


def is_for_textual(reply: bytes) -> bool:
    """Textual would read any other reply as keys."""
    return _FOR_TEXTUAL.fullmatch(reply) is not None
