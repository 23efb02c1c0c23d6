"""However the reads cut it, the same input means the same; and nothing is lost, added or moved."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agentdeck.terminal.keys import PASTE_END, PASTE_START, parse
from agentdeck.ui.typing_stream import Chord, Chords, ForTextual, Paste, Raw, Token, TypingStream, Unbound, merged

CHORDS: Chords = {
    (parse("ctrl+q"),): "leave",
    (parse("f9"),): "leave",
    (parse("f1"),): "help",
    (parse("ctrl+]"),): "next_waiting",
    (parse("shift+pageup"),): "scroll_up",
}
PREFIXED: Chords = {
    **CHORDS,
    (parse("ctrl+b"), parse("c")): "new",
    (parse("ctrl+b"), parse("é")): "layout",
}

PIECES = st.sampled_from(
    [
        b"\x11", b"\x02", b"\x02c", b"\x1b", b"\x1b[20~", b"\x1b[113;5u", b"\x1b[113;5:3u", b"\x1b[27;5;113~",
        b"\x1bOP", b"\x1b[[A", b"\x1b[[", b"\x1b[5;2~", b"\x1b[5$", b"\x1b[A", b"\x1b\x1b", b"\x1b\r",
        b"\x1b[<0;10;20M",
        b"\x1b[M", b"\x1b[I", b"\x1b[O", b"\x1b[?62c", b"\x1b]11;rgb:1/2/3\x07", b"\x1b]11;rgb:1/2/3\x1b\\", b"\x1b]1",
        b"\x1bP>|x", b"\x1b\\", b"\x07", b"\x1b_G", b"\x1b[200~", b"\x1b[201~", b"\x1b[20",
        b"a", b"c", b"1", b";", b"[", b"O", b"~",
        "é".encode(), "日".encode(), b"\xe6\x97", b"\xff", b"\x1b[?2026;1$y", b"\x1b[4$y", b"\x1b[57441;2u",
    ]
)  # fmt: skip
INPUT = st.lists(PIECES | st.binary(max_size=4), max_size=12).map(b"".join)


def everything(data: bytes, chords: Chords, cuts: list[int]) -> list[Token]:
    typed = TypingStream(chords)
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    tokens: list[Token] = []
    for start, end in pairwise(edges):
        tokens += typed.feed(data[start:end], 0.0)
    return list(merged(iter(tokens + typed.flush(0.0))))


def spelled(token: Token) -> bytes:
    match token:
        case Paste(data):
            return PASTE_START + data + PASTE_END
        case Raw(data) | Chord(_, data) | ForTextual(data) | Unbound(data):
            return data


@given(INPUT, st.lists(st.integers(0, 200), max_size=6))
def test_tokens_do_not_depend_on_how_the_bytes_were_cut(data: bytes, cuts: list[int]) -> None:
    assert everything(data, PREFIXED, cuts) == everything(data, PREFIXED, [])


@given(INPUT)
def test_one_byte_at_a_time_means_the_same(data: bytes) -> None:
    assert everything(data, PREFIXED, list(range(len(data)))) == everything(data, PREFIXED, [])


@given(INPUT, st.lists(st.integers(0, 200), max_size=6))
def test_every_byte_is_somewhere_and_in_order(data: bytes, cuts: list[int]) -> None:
    tokens = everything(data, {}, cuts)
    together = b"".join(map(spelled, tokens))
    unfinished = data.count(PASTE_START) > data.count(PASTE_END)
    assert together == data or (unfinished or together.removesuffix(PASTE_END) == data)


@given(st.binary(max_size=300).filter(lambda data: b"\x1b" not in data and b"\x11" not in data and b"\x1d" not in data))
def test_bytes_without_chords_and_escapes_reach_the_program_unchanged(data: bytes) -> None:
    assert everything(data, CHORDS, []) == ([Raw(data)] if data else [])


@given(
    st.binary(max_size=2000).filter(lambda data: PASTE_END not in data + PASTE_END[:-1]),
    st.lists(st.integers(0, 2000), max_size=5),
)
def test_a_paste_is_never_read_as_keys(text: bytes, cuts: list[int]) -> None:
    data = b"a" + PASTE_START + text + PASTE_END + b"b"
    assert everything(data, PREFIXED, cuts) == [Raw(b"a"), Paste(text), Raw(b"b")]
