"""What is the program's, what is agentdeck's, and what is Textual's, while somebody types."""

import pytest

from agentdeck.config import Keys
from agentdeck.terminal.keys import parse
from agentdeck.ui.host_input import ESCAPE_PATIENCE, PASTE_PATIENCE, SEQUENCE_PATIENCE, STRING_PATIENCE
from agentdeck.ui.keymap import Keymap
from agentdeck.ui.typing_stream import Chord, ForTextual, Paste, Raw, Token, TypingStream, Unbound, merged


def stream() -> TypingStream:
    return TypingStream(Keymap.from_config(Keys()).chords)


def read(data: bytes) -> list[Token]:
    typed = stream()
    return list(merged(iter(typed.feed(data, 0.0) + typed.flush(0.0))))


@pytest.mark.parametrize(
    ("data", "action"),
    [
        (b"\x11", "leave"),
        (b"\x1b[113;5u", "leave"),
        (b"\x1b[113;5:1u", "leave"),
        (b"\x1b[113;133u", "leave"),
        (b"\x1b[27;5;113~", "leave"),
        (b"\x1b[1081::113;5u", "leave"),
        (b"\x1b[20~", "leave"),
        (b"\x1b[20;1:1~", "leave"),
        (b"\x1d", "next_waiting"),
        (b"\x1b[93;5u", "next_waiting"),
        (b"\x1b[27;5;93~", "next_waiting"),
        (b"\x1b[19~", "next_waiting"),
        (b"\x1b[5;5~", "previous_session"),
        (b"\x1b[6;5~", "next_session"),
        (b"\x1b[5;2~", "scroll_up"),
        (b"\x1b[6;2~", "scroll_down"),
        (b"\x1b[6;2:2~", "scroll_down"),
        (b"\x1bOP", "help"),
        (b"\x1b[11~", "help"),
        (b"\x1b[P", "help"),
        (b"\x1b[[A", "help"),
    ],
)
def test_a_chord_is_recognised_in_every_dialect(data: bytes, action: str) -> None:
    assert read(data) == [Chord(action, data)]
    assert read(b"ab" + data + b"cd") == [Raw(b"ab"), Chord(action, data), Raw(b"cd")]


@pytest.mark.parametrize(
    "data",
    [
        b"\x1b",
        b"\x1b\x1b",
        b"\x1b\r",
        b"\x1b1",
        b"\x1bx",
        b"\x08",
        b"\x00",
        b"\x03",
        b"\x1b\x11",
        b"\x1b[113;6u",
        b"\x1b[13;2u",
        b"\x1b[27;2;13~",
        b"\x1b[A",
        b"\x1bOA",
        b"\x1b\x1b[A",
        b"\x1bOQ",
        b"\x1b[20;5~",
        b"\x1b[1;5R",
        b"\x1b[Z",
        b"\x1b[3$",
        b"\x1b[97;1:3u",
        b"\x1b[57441;2u",
        b"\x1b[",
        b"\x1bO",
        b"\x1b]",
        b"\x1bP",
        b"\x1b[1;",
        b"\xff\xfe\x80",
        b"\xe2\x82",
        "日本 👩‍👩‍👧".encode(),
        bytes(byte for byte in range(256) if byte not in b"\x11\x1b\x1d"),
    ],
)
def test_every_other_key_goes_to_the_program_as_it_came(data: bytes) -> None:
    assert read(data) == [Raw(data)]


@pytest.mark.parametrize(
    "data",
    [
        b"\x1b[<0;10;20M",
        b"\x1b[<64;10;20m",
        b"\x1b[M !!",
        b"\x1b[I",
        b"\x1b[O",
        b"\x1b[?62;22c",
        b"\x1b[>1;10;0c",
        b"\x1b[0n",
        b"\x1b[?997;1n",
        b"\x1b[?2031;1$y",
        b"\x1b[?2048;2$y",
        b"\x1b[4;1$y",
        b"\x1b[?25u",
        b"\x1b[48;24;80;384;640t",
        b"\x1b]11;rgb:1111/2222/3333\x07",
        b"\x1b]11;rgb:1111/2222/3333\x1b\\",
        b"\x1bP>|kitty(0.40)\x1b\\",
        b"\x1bP1+r524742\x1b\\",
        b"\x1b_Gi=1;OK\x1b\\",
    ],
)
def test_reports_and_answers_are_not_the_programs(data: bytes) -> None:
    assert read(data) == [ForTextual(data)]
    assert read(b"a" + data + b"\x1b[A") == [Raw(b"a"), ForTextual(data), Raw(b"\x1b[A")]


def test_a_paste_is_one_unit_however_it_is_cut() -> None:
    text = b"0123456789\r\x1b[20\x11" * 20_000
    data = b"\x1b[200~" + text + b"\x1b[201~"
    typed = stream()
    tokens = [token for at in range(0, len(data), 4095) for token in typed.feed(data[at : at + 4095], 0.0)]
    assert tokens == [Paste(text)]


def test_the_end_of_a_paste_may_be_cut_anywhere() -> None:
    data = b"x\x1b[200~one\x1b[201~\x11"
    for cut in range(len(data)):
        typed = stream()
        assert typed.feed(data[:cut], 0.0) + typed.feed(data[cut:], 0.0) == [
            Raw(b"x"),
            Paste(b"one"),
            Chord("leave", b"\x11"),
        ]


def test_a_paste_without_an_end_is_given_out_in_the_end() -> None:
    typed = stream()
    assert typed.feed(b"\x1b[200~abc", 0.0) == []
    assert typed.patience == PASTE_PATIENCE
    assert typed.flush(9.0) == [Paste(b"abc")]
    assert typed.feed(b"d", 9.0) == [Raw(b"d")]


@pytest.mark.parametrize(
    ("data", "patience"),
    [
        (b"\x1b", ESCAPE_PATIENCE),
        (b"\x1b[", ESCAPE_PATIENCE),
        (b"\x1b[1;", SEQUENCE_PATIENCE),
        (b"\x1b[<0;1", SEQUENCE_PATIENCE),
        (b"\xe2\x82", SEQUENCE_PATIENCE),
        (b"\x1b]11;rgb:", STRING_PATIENCE),
        (b"a", None),
        (b"\x1b[A", None),
        (b"\x1b\x1b[A", None),
    ],
)
def test_only_what_may_go_on_is_held(data: bytes, patience: float | None) -> None:
    typed = stream()
    typed.feed(data, 0.0)
    assert typed.patience == patience
    typed.flush(1.0)
    assert typed.patience is None


def test_esc_does_not_stick_to_the_next_key() -> None:
    typed = stream()
    assert typed.feed(b"\x1b", 0.0) == []
    assert typed.flush(0.03) == [Raw(b"\x1b")]
    assert typed.feed(b"[", 0.2) == [Raw(b"[")]


def test_half_an_answer_is_not_typed_into_the_program() -> None:
    typed = stream()
    assert typed.feed(b"\x1b]11;rgb:11", 0.0) == []
    assert typed.flush(1.0) == [ForTextual(b"\x1b]11;rgb:11")]


@pytest.mark.parametrize("key", [b"\x11", b"\x1b[20~", b"\x1b[113;5u"])
def test_the_leaving_chord_twice_goes_through_and_a_third_leaves(key: bytes) -> None:
    typed = stream()
    assert typed.feed(key, 1.0) == [Chord("leave", key)]
    assert typed.feed(key, 1.4) == [Raw(key)]
    assert typed.feed(key, 1.5) == [Chord("leave", key)]


def test_the_second_press_comes_too_late() -> None:
    typed = stream()
    assert typed.feed(b"\x11", 1.0) + typed.feed(b"\x11", 1.41) == [Chord("leave", b"\x11")] * 2


def test_another_key_between_ends_the_wait_for_the_second_press() -> None:
    assert stream().feed(b"\x11a\x11", 1.0) == [Chord("leave", b"\x11"), Raw(b"a"), Chord("leave", b"\x11")]


def test_two_different_leaving_keys_leave_twice() -> None:
    assert [type(token) for token in stream().feed(b"\x11\x1b[20~", 1.0)] == [Chord, Chord]


def test_a_held_leaving_chord_leaves_once_and_its_release_is_nobodys() -> None:
    held = b"\x1b[113;5:1u\x1b[113;5:2u\x1b[113;5:2u\x1b[113;5:3u"
    assert stream().feed(held, 1.0) == [Chord("leave", b"\x1b[113;5:1u")]


def test_letting_go_of_ctrl_between_does_not_end_the_wait() -> None:
    typed = stream()
    tokens = typed.feed(b"\x1b[113;5:1u\x1b[113;5:3u\x1b[57442;5:3u\x1b[57442;5u\x1b[113;5:1u", 1.0)
    assert [type(token) for token in tokens] == [Chord, Raw]


PREFIXED = {(parse("ctrl+b"), parse("c")): "new", (parse("ctrl+b"), parse("?")): "help", (parse("f9"),): "leave"}


def test_a_prefix_and_a_key_are_one_chord() -> None:
    assert TypingStream(PREFIXED).feed(b"a\x02cb", 0.0) == [Raw(b"a"), Chord("new", b"\x02c"), Raw(b"b")]


def test_a_prefix_waits_for_its_key() -> None:
    typed = TypingStream(PREFIXED)
    assert typed.feed(b"\x02", 0.0) == []
    assert typed.patience is None
    assert typed.feed(b"\x1b[63;;63u", 60.0) == [Chord("help", b"\x02\x1b[63;;63u")]


def test_a_prefix_twice_goes_to_the_program_once() -> None:
    assert TypingStream(PREFIXED).feed(b"\x02\x02c", 0.0) == [Raw(b"\x02c")]


def test_an_unknown_key_after_a_prefix_is_said_to_be_so() -> None:
    assert TypingStream(PREFIXED).feed("\x02éa".encode(), 0.0) == [Unbound("\x02é".encode()), Raw(b"a")]


def test_shift_alone_is_not_the_key_after_a_prefix() -> None:
    typed = TypingStream(PREFIXED)
    assert typed.feed(b"\x02\x1b[57441;2u?", 0.0)[-1] == Chord("help", b"\x02?")


def test_a_prefix_is_forgotten_when_typing_begins_anew() -> None:
    typed = TypingStream(PREFIXED)
    typed.feed(b"\x02", 0.0)
    typed.begin()
    assert typed.feed(b"c", 0.0) == [Raw(b"c")]
