"""The bytes that a terminal sends for a key, given what the program in the PTY asked for.

Serves `agentdeck key`, pastes, and keys that reach the deck in another dialect than the program's. Live typing does not
come through here: those bytes pass untouched.

Three dialects: what VT220 and xterm send; the same with application cursor keys; and kitty's keyboard protocol with
its progressive flags (https://sw.kovidgoyal.net/kitty/keyboard-protocol/), which alone tells Shift+Enter from Enter.
"""

import re
from typing import Final, NamedTuple

from agentdeck.errors import BadKeyError
from agentdeck.protocol.screen import Modes

SHIFT: Final = 1
ALT: Final = 2
CTRL: Final = 4

DISAMBIGUATE: Final = 1
ALTERNATES: Final = 4
ALL_AS_ESCAPES: Final = 8
TEXT: Final = 16
"""Kitty's flags, as far as a key press looks different under them."""

PASTE_START: Final = b"\x1b[200~"
PASTE_END: Final = b"\x1b[201~"

_MODIFIERS: Final = {
    "shift": SHIFT,
    "alt": ALT,
    "option": ALT,
    "meta": ALT,
    "ctrl": CTRL,
    "control": CTRL,
}
_OTHER_NAMES: Final = {
    "escape": "esc",
    "return": "enter",
    "cr": "enter",
    "bs": "backspace",
    "del": "delete",
    "ins": "insert",
    "pgup": "pageup",
    "page_up": "pageup",
    "pgdn": "pagedown",
    "pgdown": "pagedown",
    "page_down": "pagedown",
    "plus": "+",
    "minus": "-",
    " ": "space",
}
_C0: Final = {"enter": 13, "tab": 9, "backspace": 127, "esc": 27, "space": 32}
"""Named keys with a character of their own, which is also kitty's number for them."""
_LETTERED: Final = {
    "up": "A",
    "down": "B",
    "right": "C",
    "left": "D",
    "end": "F",
    "home": "H",
    "f1": "P",
    "f2": "Q",
    "f3": "R",
    "f4": "S",
}
_NUMBERED: Final = {"insert": 2, "delete": 3, "pageup": 5, "pagedown": 6} | dict(
    zip((f"f{n}" for n in range(5, 13)), (15, 17, 18, 19, 20, 21, 23, 24), strict=True)
)
_VT220: Final = dict(zip((f"f{n}" for n in range(13, 21)), (25, 26, 28, 29, 31, 32, 33, 34), strict=True))
_KITTY_F13: Final = 57376
NAMED: Final = frozenset(_C0) | _LETTERED.keys() | _NUMBERED.keys() | {f"f{n}" for n in range(13, 36)}

_CTRL_DIGITS: Final = {"2": 0, "3": 27, "4": 28, "5": 29, "6": 30, "7": 31, "8": 127, "/": 31, "?": 127}
"""What keyboards without kitty's protocol make of Ctrl and these: the VT220's table, still sent by xterm."""


class Key(NamedTuple):
    """One key and what is held with it. Shift is a modifier of letters and named keys, and part of other characters."""

    base: str
    """A character (letters in lower case) or one of `NAMED`."""
    modifiers: int = 0


def parse(name: str) -> Key:
    """Read a key as people write it: `enter`, `ctrl+c`, `alt+enter`, `shift+tab`, `f5`, `A`, `?`, `ctrl++`.

    Raises BadKeyError for anything else.
    """
    rest, modifiers = name, 0
    while len(rest) > 1 and "+" in rest[1:]:
        word, _, rest = rest.partition("+")
        if (bit := _MODIFIERS.get(word.strip().lower())) is None:
            raise BadKeyError(name)
        modifiers |= bit
    base = rest if len(rest) == 1 else rest.strip()
    base = _OTHER_NAMES.get(base.lower(), base)
    if base.lower() == "backtab":
        return Key("tab", modifiers | SHIFT)
    if len(base) > 1:
        base = base.lower()
        if base not in NAMED:
            raise BadKeyError(name)
    elif not base.isprintable() or not base:
        raise BadKeyError(name)
    elif base != base.lower() and len(base.lower()) == 1:
        base, modifiers = base.lower(), modifiers | (0 if modifiers & CTRL else SHIFT)
    return Key(base, modifiers)


def encode(name: str, modes: Modes) -> bytes:
    """What the program expects when this key is pressed. Raises BadKeyError for a name that is no key."""
    return encode_key(parse(name), modes)


def encode_key(key: Key, modes: Modes) -> bytes:
    if modes.kitty_flags & (DISAMBIGUATE | ALL_AS_ESCAPES):
        return _kitty(key, modes.kitty_flags)
    if key.base in _C0:
        return _legacy_c0(key)
    if key.base in NAMED:
        return _legacy_function(key, modes.application_cursor)
    return _legacy_character(key)


def paste(text: str, modes: Modes) -> bytes:
    """Text as a terminal pastes it: lines end with CR, and nothing in it can act as a key or end the paste early."""
    text = text.replace("\x1b[201~", "").replace("\r\n", "\r").replace("\n", "\r")
    data = _CONTROLS.sub("", text).encode("utf-8", "replace")
    return PASTE_START + data + PASTE_END if modes.bracketed_paste else data


_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def _legacy_c0(key: Key) -> bytes:
    shift, ctrl = key.modifiers & SHIFT, key.modifiers & CTRL
    match key.base:
        case "tab":
            data = b"\x1b[Z" if shift else b"\t"
        case "backspace":
            data = b"\x08" if ctrl else b"\x7f"
        case "space":
            data = b"\x00" if ctrl else b" "
        case named:
            data = bytes([_C0[named]])
    return b"\x1b" + data if key.modifiers & ALT else data


def _legacy_function(key: Key, application_cursor: bool) -> bytes:
    base, held = key
    if letter := _LETTERED.get(base):
        if held:
            return f"\x1b[1;{held + 1}{letter}".encode()
        return f"\x1b{'O' if application_cursor or base[0] == 'f' else '['}{letter}".encode()
    if number := _NUMBERED.get(base) or _VT220.get(base):
        return f"\x1b[{number};{held + 1}~".encode() if held else f"\x1b[{number}~".encode()
    return _csi_u(_KITTY_F13 + int(base[1:]) - 13, held)


def _legacy_character(key: Key) -> bytes:
    base, held = key
    if held & CTRL:
        if "@" <= base.upper() <= "_":
            data = bytes([ord(base.upper()) & 0x1F])
        else:
            data = bytes([_CTRL_DIGITS[base]]) if base in _CTRL_DIGITS else base.encode()
    else:
        data = (base.upper() if held & SHIFT else base).encode()
    return b"\x1b" + data if held & ALT else data


def _kitty(key: Key, flags: int) -> bytes:
    base, held = key
    everything = bool(flags & ALL_AS_ESCAPES)
    if letter := _LETTERED.get(base):
        if base == "f3":  # ESC [ R would read as a cursor position report
            return f"\x1b[13;{held + 1}~".encode() if held else b"\x1b[13~"
        return f"\x1b[1;{held + 1}{letter}".encode() if held else f"\x1b[{letter}".encode()
    if number := _NUMBERED.get(base):
        return f"\x1b[{number};{held + 1}~".encode() if held else f"\x1b[{number}~".encode()
    if base in _C0:
        if base == "esc" or everything or held & (ALT | CTRL) or (held and base != "space"):
            text = " " if base == "space" and not held & (ALT | CTRL) and flags & TEXT else ""
            return _csi_u(_C0[base], held, text=text if everything else "")
        return bytes([_C0[base]])
    if base in NAMED:
        return _csi_u(_KITTY_F13 + int(base[1:]) - 13, held)
    typed = base.upper() if held & SHIFT and len(base.upper()) == 1 else base
    if not everything and not held & (ALT | CTRL):
        return typed.encode()
    return _csi_u(
        ord(base),
        held,
        shifted=typed if flags & ALTERNATES and typed != base else "",
        text=typed if everything and flags & TEXT and not held & (ALT | CTRL) else "",
    )


def _csi_u(code: int, held: int, *, shifted: str = "", text: str = "") -> bytes:
    number = f"{code}:{ord(shifted)}" if shifted else str(code)
    modifiers = str(held + 1) if held else ""
    if text:
        return f"\x1b[{number};{modifiers};{ord(text)}u".encode()
    return f"\x1b[{number};{modifiers}u".encode() if held else f"\x1b[{number}u".encode()
