"""Which key some bytes are, whatever the dialect of the terminal."""

import pytest

from agentdeck.protocol.screen import Modes
from agentdeck.terminal.keys import Key, encode_key, parse
from agentdeck.ui.key_codes import Press, read_key

SPELLINGS = {
    "ctrl+q": [b"\x11", b"\x1b[113;5u", b"\x1b[27;5;113~", b"\x1b[113;5:1u", b"\x1b[113;69u", b"\x1b[27;5;81~",
               b"\x1b[113:81;5u"],
    "ctrl+]": [b"\x1d", b"\x1b[93;5u", b"\x1b[27;5;93~"],
    "ctrl+b": [b"\x02", b"\x1b[98;5u"],
    "f1": [b"\x1bOP", b"\x1b[11~", b"\x1b[P", b"\x1b[1P", b"\x1b[[A", b"\x1b[1;129P"],
    "f8": [b"\x1b[19~", b"\x1b[19;1~"],
    "f9": [b"\x1b[20~", b"\x1b[20;1:1~", b"\x1b[20;65~"],
    "shift+f9": [b"\x1b[20;2~", b"\x1b[20$"],
    "ctrl+pageup": [b"\x1b[5;5~", b"\x1b[5^"],
    "ctrl+pagedown": [b"\x1b[6;5~", b"\x1b[6^"],
    "shift+pageup": [b"\x1b[5;2~", b"\x1b[5$"],
    "shift+pagedown": [b"\x1b[6;2~", b"\x1b[6$"],
    "ctrl+shift+pageup": [b"\x1b[5;6~", b"\x1b[5@"],
    "esc": [b"\x1b", b"\x1b[27u"],
    "enter": [b"\r", b"\x1b[13u", b"\x1b[57414u"],
    "shift+enter": [b"\x1b[13;2u", b"\x1b[27;2;13~"],
    "alt+enter": [b"\x1b\r", b"\x1b[13;3u"],
    "tab": [b"\t", b"\x1b[9u"],
    "shift+tab": [b"\x1b[Z", b"\x1b[9;2u"],
    "backspace": [b"\x7f", b"\x1b[127u"],
    "ctrl+space": [b"\x00", b"\x1b[32;5u"],
    "space": [b" ", b"\x1b[32u", b"\x1b[32;;32u"],
    "up": [b"\x1b[A", b"\x1bOA", b"\x1b[1;1A"],
    "ctrl+up": [b"\x1b[1;5A", b"\x1bO5A"],
    "home": [b"\x1b[H", b"\x1bOH", b"\x1b[1~", b"\x1b[7~"],
    "a": [b"a", b"\x1b[97u", b"\x1b[97;;97u"],
    "A": [b"A", b"\x1b[97;2u", b"\x1b[97;2;65u"],
    "?": [b"?", b"\x1b[47;2;63u"],
    "é": ["é".encode(), b"\x1b[233u"],
    "alt+x": [b"\x1bx", b"\x1b[120;3u"],
    "alt+up": [b"\x1b[1;3A"],
    "ctrl+alt+n": [b"\x1b\x0e", b"\x1b[110;7u"],
    "5": [b"5", b"\x1b[57404u"],
    "f13": [b"\x1b[25~", b"\x1b[57376u"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "data"), [(name, data) for name, all_of in SPELLINGS.items() for data in all_of])
def test_a_key_is_recognised_in_every_dialect(name: str, data: bytes) -> None:
    press = read_key(data)
    assert press is not None
    assert press.key == parse(name)


@pytest.mark.parametrize("flags", [0, 1, 9, 25, 31])
@pytest.mark.parametrize("name", sorted(SPELLINGS))
def test_what_is_sent_is_read_back_as_the_same_key(name: str, flags: int) -> None:
    lost_in_legacy = {"shift+enter"} if flags == 0 else set()
    press = read_key(encode_key(parse(name), Modes(kitty_flags=flags)))
    assert press is not None
    assert press.key == parse(name) or name in lost_in_legacy


def test_kittys_event_types_are_told_apart() -> None:
    assert [read_key(b"\x1b[113;5:%du" % event) for event in (1, 2, 3)] == [
        Press(Key("q", 4), event) for event in (1, 2, 3)
    ]


def test_a_key_on_another_alphabet_says_where_it_is() -> None:
    press = read_key(b"\x1b[1081::113;5u")
    assert press is not None
    assert (press.key, press.elsewhere) == (Key("й", 4), Key("q", 4))


def test_a_modifier_alone_has_no_name() -> None:
    assert read_key(b"\x1b[57441;2u") == Press(Key("", 1))


@pytest.mark.parametrize(
    "data", [b"", b"\x1b[<0;1;1M", b"\x1b[99~", b"\x1b[5000000u", b"ab", b"\x1b\x1b[A", b"\x1b[1;5Y"]
)
def test_what_is_no_key_has_none(data: bytes) -> None:
    assert read_key(data) is None
