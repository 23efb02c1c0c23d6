"""What a terminal sends for a key: the tables of xterm and of kitty's protocol, row by row."""

import pytest

from agentdeck.errors import BadKeyError
from agentdeck.protocol.screen import Modes
from agentdeck.terminal.keys import encode, paste

LEGACY = Modes()
CURSOR = Modes(application_cursor=True)
KITTY = Modes(kitty_flags=1)
ALL = Modes(kitty_flags=9)
ALL_AND_TEXT = Modes(kitty_flags=25)
EVERYTHING = Modes(kitty_flags=31)

LEGACY_KEYS = [
    ("a", b"a"),
    ("A", b"A"),
    ("shift+a", b"A"),
    ("?", b"?"),
    ("+", b"+"),
    ("plus", b"+"),
    ("-", b"-"),
    ("é", "é".encode()),
    ("日", "日".encode()),
    ("space", b" "),
    (" ", b" "),
    ("enter", b"\r"),
    ("return", b"\r"),
    ("Enter", b"\r"),
    ("shift+enter", b"\r"),
    ("alt+enter", b"\x1b\r"),
    ("esc", b"\x1b"),
    ("escape", b"\x1b"),
    ("alt+esc", b"\x1b\x1b"),
    ("tab", b"\t"),
    ("shift+tab", b"\x1b[Z"),
    ("backtab", b"\x1b[Z"),
    ("alt+tab", b"\x1b\t"),
    ("backspace", b"\x7f"),
    ("ctrl+backspace", b"\x08"),
    ("alt+backspace", b"\x1b\x7f"),
    ("ctrl+space", b"\x00"),
    ("ctrl+@", b"\x00"),
    ("ctrl+a", b"\x01"),
    ("ctrl+c", b"\x03"),
    ("Ctrl+C", b"\x03"),
    ("ctrl+h", b"\x08"),
    ("ctrl+z", b"\x1a"),
    ("ctrl+[", b"\x1b"),
    ("ctrl+\\", b"\x1c"),
    ("ctrl+]", b"\x1d"),
    ("ctrl+^", b"\x1e"),
    ("ctrl+_", b"\x1f"),
    ("ctrl+/", b"\x1f"),
    ("ctrl+?", b"\x7f"),
    ("ctrl+2", b"\x00"),
    ("ctrl+3", b"\x1b"),
    ("ctrl+4", b"\x1c"),
    ("ctrl+5", b"\x1d"),
    ("ctrl+6", b"\x1e"),
    ("ctrl+7", b"\x1f"),
    ("ctrl+8", b"\x7f"),
    ("ctrl+1", b"1"),
    ("ctrl++", b"+"),
    ("alt+1", b"\x1b1"),
    ("alt+a", b"\x1ba"),
    ("alt+A", b"\x1bA"),
    ("meta+b", b"\x1bb"),
    ("option+b", b"\x1bb"),
    ("ctrl+alt+n", b"\x1b\x0e"),
    ("alt+control+n", b"\x1b\x0e"),
    ("up", b"\x1b[A"),
    ("down", b"\x1b[B"),
    ("right", b"\x1b[C"),
    ("left", b"\x1b[D"),
    ("home", b"\x1b[H"),
    ("end", b"\x1b[F"),
    ("shift+up", b"\x1b[1;2A"),
    ("alt+left", b"\x1b[1;3D"),
    ("ctrl+right", b"\x1b[1;5C"),
    ("ctrl+shift+home", b"\x1b[1;6H"),
    ("insert", b"\x1b[2~"),
    ("ins", b"\x1b[2~"),
    ("delete", b"\x1b[3~"),
    ("del", b"\x1b[3~"),
    ("pageup", b"\x1b[5~"),
    ("pgup", b"\x1b[5~"),
    ("pagedown", b"\x1b[6~"),
    ("pgdn", b"\x1b[6~"),
    ("ctrl+pageup", b"\x1b[5;5~"),
    ("shift+pagedown", b"\x1b[6;2~"),
    ("f1", b"\x1bOP"),
    ("f2", b"\x1bOQ"),
    ("f3", b"\x1bOR"),
    ("f4", b"\x1bOS"),
    ("f5", b"\x1b[15~"),
    ("f6", b"\x1b[17~"),
    ("f7", b"\x1b[18~"),
    ("f8", b"\x1b[19~"),
    ("f9", b"\x1b[20~"),
    ("f10", b"\x1b[21~"),
    ("f11", b"\x1b[23~"),
    ("F12", b"\x1b[24~"),
    ("f13", b"\x1b[25~"),
    ("f16", b"\x1b[29~"),
    ("f20", b"\x1b[34~"),
    ("f35", b"\x1b[57398u"),
    ("shift+f1", b"\x1b[1;2P"),
    ("ctrl+f3", b"\x1b[1;5R"),
    ("alt+f5", b"\x1b[15;3~"),
]

CURSOR_KEYS = [
    ("up", b"\x1bOA"),
    ("down", b"\x1bOB"),
    ("right", b"\x1bOC"),
    ("left", b"\x1bOD"),
    ("home", b"\x1bOH"),
    ("end", b"\x1bOF"),
    ("ctrl+up", b"\x1b[1;5A"),
    ("pageup", b"\x1b[5~"),
    ("a", b"a"),
]

KITTY_KEYS = [
    ("a", b"a"),
    ("A", b"A"),
    ("é", "é".encode()),
    ("space", b" "),
    ("shift+space", b" "),
    ("enter", b"\r"),
    ("tab", b"\t"),
    ("backspace", b"\x7f"),
    ("shift+enter", b"\x1b[13;2u"),
    ("alt+enter", b"\x1b[13;3u"),
    ("ctrl+enter", b"\x1b[13;5u"),
    ("shift+tab", b"\x1b[9;2u"),
    ("ctrl+tab", b"\x1b[9;5u"),
    ("ctrl+backspace", b"\x1b[127;5u"),
    ("ctrl+space", b"\x1b[32;5u"),
    ("esc", b"\x1b[27u"),
    ("shift+esc", b"\x1b[27;2u"),
    ("ctrl+c", b"\x1b[99;5u"),
    ("ctrl+i", b"\x1b[105;5u"),
    ("ctrl+shift+c", b"\x1b[99;6u"),
    ("ctrl+]", b"\x1b[93;5u"),
    ("alt+a", b"\x1b[97;3u"),
    ("alt+A", b"\x1b[97;4u"),
    ("alt+1", b"\x1b[49;3u"),
    ("up", b"\x1b[A"),
    ("ctrl+up", b"\x1b[1;5A"),
    ("home", b"\x1b[H"),
    ("delete", b"\x1b[3~"),
    ("ctrl+pageup", b"\x1b[5;5~"),
    ("f1", b"\x1b[P"),
    ("shift+f1", b"\x1b[1;2P"),
    ("f3", b"\x1b[13~"),
    ("ctrl+f3", b"\x1b[13;5~"),
    ("f5", b"\x1b[15~"),
    ("f13", b"\x1b[57376u"),
]

ALL_KEYS = [
    ("a", b"\x1b[97u"),
    ("A", b"\x1b[97;2u"),
    ("?", b"\x1b[63u"),
    ("enter", b"\x1b[13u"),
    ("tab", b"\x1b[9u"),
    ("backspace", b"\x1b[127u"),
    ("space", b"\x1b[32u"),
    ("esc", b"\x1b[27u"),
    ("ctrl+c", b"\x1b[99;5u"),
    ("up", b"\x1b[A"),
]

TEXT_KEYS = [
    ("a", b"\x1b[97;;97u"),
    ("A", b"\x1b[97;2;65u"),
    ("?", b"\x1b[63;;63u"),
    ("space", b"\x1b[32;;32u"),
    ("enter", b"\x1b[13u"),
    ("ctrl+c", b"\x1b[99;5u"),
    ("alt+a", b"\x1b[97;3u"),
]


@pytest.mark.parametrize(("name", "data"), LEGACY_KEYS)
def test_a_program_that_asked_for_nothing_gets_what_xterm_sends(name: str, data: bytes) -> None:
    assert encode(name, LEGACY) == data


@pytest.mark.parametrize(("name", "data"), CURSOR_KEYS)
def test_application_cursor_keys_change_the_unmodified_ones(name: str, data: bytes) -> None:
    assert encode(name, CURSOR) == data


@pytest.mark.parametrize(("name", "data"), KITTY_KEYS)
def test_disambiguated_keys(name: str, data: bytes) -> None:
    assert encode(name, KITTY) == data
    if not name.endswith(("up", "home")) or "+" in name:
        return
    assert encode(name, Modes(kitty_flags=1, application_cursor=True)) == data


@pytest.mark.parametrize(("name", "data"), ALL_KEYS)
def test_all_keys_as_escapes(name: str, data: bytes) -> None:
    assert encode(name, ALL) == data


@pytest.mark.parametrize(("name", "data"), TEXT_KEYS)
def test_all_keys_as_escapes_with_their_text(name: str, data: bytes) -> None:
    assert encode(name, ALL_AND_TEXT) == data


def test_the_shifted_letter_is_told_to_those_who_want_alternate_keys() -> None:
    assert encode("A", EVERYTHING) == b"\x1b[97:65;2;65u"
    assert encode("ctrl+shift+a", EVERYTHING) == b"\x1b[97:65;6u"


@pytest.mark.parametrize(
    "name", ["", "ctrl+", "ctrl", "hyper+a", "f0", "f36", "entr", "ab", "\x1b", "\n", "ctrl+entr", "+a"]
)
def test_what_is_no_key_is_named(name: str) -> None:
    with pytest.raises(BadKeyError) as caught:
        encode(name, LEGACY)
    assert caught.value.name == name


BRACKETED = Modes(bracketed_paste=True)


def test_a_paste_ends_its_lines_as_the_enter_key_does() -> None:
    assert paste("one\ntwo\r\nthree\tfour", LEGACY) == b"one\rtwo\rthree\tfour"


def test_a_program_that_asked_gets_the_paste_in_brackets() -> None:
    assert paste("grüße", BRACKETED) == b"\x1b[200~" + "grüße".encode() + b"\x1b[201~"


@pytest.mark.parametrize(
    "text", ["a\x1b[201~b", "a\x1b[20\x1b[201~1~b", "a\x9b201~b", "\x03\x04a\x00\x7fb\x1b", "a\x1b[200~b", "\ud800"]
)
def test_nothing_in_a_paste_can_end_it_or_act_as_a_key(text: str) -> None:
    inside = paste(text, BRACKETED).removeprefix(b"\x1b[200~").removesuffix(b"\x1b[201~")
    assert not any((byte < 32 and byte not in b"\t\r") or byte == 127 for byte in inside)
    assert b"\xc2\x9b" not in inside
