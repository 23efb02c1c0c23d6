"""Which key a unit of host input is, in whatever dialect the terminal speaks.

Control bytes, xterm and rxvt sequences, the Linux console's, xterm's modifyOtherKeys and kitty's protocol all end up as
one `Press`. Used to recognise chords, and to say a key again in the dialect that a program asked for.
"""

import re
from dataclasses import dataclass
from typing import Final

from agentdeck.terminal.keys import ALT, CTRL, SHIFT, Key

RELEASE: Final = 3
REPEAT: Final = 2

_LOCKS: Final = 64 | 128
"""Caps lock and num lock, which kitty reports as modifiers."""

_CSI: Final = re.compile(
    rb"\x1b\[(?P<code>\d*)(?::(?P<shifted>\d*))?(?::(?P<base>\d+))?"
    rb"(?:;(?P<held>\d*)(?::(?P<event>\d+))?)?(?:;(?P<text>[\d:]*))?(?P<final>[A-Zu~^$@])"
)
_SS3: Final = re.compile(rb"\x1bO(?P<held>\d*)(?P<final>[A-Za-z])")

_CONTROLS: Final = {
    0x00: Key("space", CTRL),
    0x09: Key("tab"),
    0x0D: Key("enter"),
    0x1B: Key("esc"),
    0x7F: Key("backspace"),
} | {code: Key(chr(code + 0x40).lower(), CTRL) for code in range(1, 32) if code not in (0x09, 0x0D, 0x1B)}

_FINALS: Final = dict(
    zip("ABCDFHPQRS", ("up", "down", "right", "left", "end", "home", "f1", "f2", "f3", "f4"), strict=True)
)
_NUMBERS: Final = {
    1: "home",
    2: "insert",
    3: "delete",
    4: "end",
    5: "pageup",
    6: "pagedown",
    7: "home",
    8: "end",
} | dict(
    zip(
        (11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 31, 32, 33, 34),
        (f"f{n}" for n in range(1, 21)),
        strict=True,
    )
)
_KITTY: Final = (
    {9: "tab", 13: "enter", 27: "esc", 32: "space", 127: "backspace"}
    | {57376 + n: f"f{13 + n}" for n in range(23)}
    | dict(zip(range(57399, 57414), "0123456789./*-+", strict=True))
    | dict(
        zip(
            range(57414, 57427),
            ("enter", "=", ",", "left", "right", "up", "down", "pageup", "pagedown", "home", "end", "insert", "delete"),
            strict=True,
        )
    )
)
_PRIVATE_USE: Final = range(57344, 63744)
"""Kitty's numbers for keys without a character; those not named above are modifiers and media keys."""
_RXVT: Final = {"^": CTRL, "$": SHIFT, "@": CTRL | SHIFT}


@dataclass(frozen=True, slots=True)
class Press:
    key: Key
    """Its base is empty for a key without a name here: Shift alone, volume up, …"""
    event: int = 1
    """1 pressed, 2 repeated, 3 released. Only kitty's protocol tells them apart."""
    text: str = ""
    """What the key types, when the terminal said so."""
    elsewhere: Key | None = None
    """The key that sits here on a Latin keyboard, when the terminal said so."""


def read_key(data: bytes) -> Press | None:
    """None when these bytes are no key that has a name here."""
    if len(data) == 1 and data[0] in _CONTROLS:
        return Press(_CONTROLS[data[0]])
    if data[:1] != b"\x1b":
        text = data.decode("utf-8", "replace")
        return Press(_typed(text), text=text) if len(text) == 1 else None
    if match := _CSI.fullmatch(data):
        return _read_csi(match)
    if match := _SS3.fullmatch(data):
        name = _FINALS.get(match["final"].decode())
        return Press(Key(name, _held(match["held"]))) if name else None
    if data.startswith(b"\x1b[[") and len(data) == 4:
        return Press(Key(f"f{data[3] - ord('A') + 1}"))
    inner = None if data[1:2] in (b"", b"\x1b") else read_key(data[1:])
    if inner is None:
        return None
    base, held = inner.key
    return Press(Key(base, held | ALT))


def _read_csi(match: re.Match[bytes]) -> Press | None:
    code, final = int(match["code"] or 1), match["final"].decode()
    held, event = _held(match["held"]), int(match["event"] or 1)
    if final in _FINALS:
        return Press(Key(_FINALS[final], held), event) if code == 1 else None
    if final == "Z":
        return Press(Key("tab", held | SHIFT), event)
    if final in _RXVT:
        name = _NUMBERS.get(code)
        return Press(Key(name, held | _RXVT[final]), event) if name else None
    if final == "~" and code == 27 and match["text"]:
        return _numbered(int(match["text"].split(b":")[0]), held, 1, "", None)
    if final == "~":
        return Press(Key(_NUMBERS[code], held), event) if code in _NUMBERS else None
    if final != "u":
        return None
    text = "".join(chr(int(part)) for part in (match["text"] or b"").split(b":") if part and int(part) < 0x110000)
    return _numbered(code, held, event, text, int(match["base"]) if match["base"] else None)


def _numbered(code: int, held: int, event: int, text: str, base: int | None) -> Press | None:
    """A key by its Unicode number, or by kitty's number for keys that have none."""
    if name := _KITTY.get(code):
        return Press(Key(name, held), event, text)
    if code in _PRIVATE_USE:
        return Press(Key("", held), event)
    if not 32 < code < 0x110000:
        return None
    if text and not held & (ALT | CTRL) and len(text) == 1:
        return Press(_typed(text), event, text)
    character = chr(code)
    lower = character.lower()
    elsewhere = Key(chr(base), held) if base and 32 < base < 127 else None
    return Press(Key(lower if len(lower) == 1 else character, held), event, text, elsewhere)


def _typed(character: str) -> Key:
    if character == " ":
        return Key("space")
    lower = character.lower()
    return Key(lower, SHIFT) if lower != character and len(lower) == 1 else Key(character)


def _held(parameter: bytes | None) -> int:
    return max(0, int(parameter or 1) - 1) & ~_LOCKS
