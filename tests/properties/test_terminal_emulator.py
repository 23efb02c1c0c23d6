"""What must hold for every stream of bytes that a program can send."""

from collections.abc import Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agentdeck.protocol.screen import Frame, Row
from agentdeck.terminal.checkpoint import LIMIT
from agentdeck.terminal.emulator import Emulator
from agentdeck.terminal.screen import Screen

COLS, ROWS = 20, 6
UNSAFE = {*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)}

numbers = st.integers(0, 25).map(lambda n: str(n).encode())
texts = st.text(st.sampled_from("abcXYZ 0│─█é日本語👍e\u0301\u200d\ufe0f🇩🇪\t\b\r\n\x7f"), max_size=12).map(str.encode)
modes = st.sampled_from(
    "4 20 ?1 ?5 ?6 ?7 ?9 ?12 ?25 ?47 ?69 ?1000 ?1002 ?1003 ?1004 ?1006 ?1016 ?1047 ?1049 ?2004 ?2026 ?2027".split()
)
sequences = st.one_of(
    texts,
    texts,
    st.builds(lambda n, m, end: b"\x1b[" + n + b";" + m + end, numbers, numbers, st.sampled_from(
        [bytes((c,)) for c in b"ABCDEFGHIJKLMPSTXZ@`abdefgjr"]
    )),
    st.lists(st.sampled_from(b"0 1 2 3 4 4:3 5 7 8 9 22 31 42 53 95 38;5;200 48;5;7 38;2;1;2;3 48;2;9;8;7".split()), max_size=3).map(
        lambda codes: b"\x1b[" + b";".join(codes) + b"m"
    ),
    st.builds(lambda mode, on: b"\x1b[" + mode.encode() + on, modes, st.sampled_from([b"h", b"l"])),
    st.sampled_from(
        [
            b"\x1b7", b"\x1b8", b"\x1bM", b"\x1bD", b"\x1bE", b"\x1bH", b"\x1b[3g", b"\x1bc", b"\x1b(0", b"\x1b(B", b"\x0e", b"\x0f",
            b"\x1b[c", b"\x1b[6n", b"\x1b[?u", b"\x1b[>5u", b"\x1b[<u", b"\x1b[=3;1u", b"\x1b[>4;2m", b"\x1b[3 q", b"\x1b#8",
            b"\x1b]0;a title\x07", b"\x1b]9;4;1;50\x07", b"\x1b]7501;state=working\x1b\\", b"\x1b]7501;?\x1b\\", b"\x1b]133;A\x07",
            b"\x1b]8;;https://example.org\x1b\\", b"\x1b]8;;\x1b\\", b"\x1b]11;#102030\x07", b"\x1b]4;3;#010203\x07", b"\x1b]52;c;YWJj\x07",
            b"\x1bP+q544e\x1b\\", b"\x1b_Gi=1;AAAA\x1b\\", b"\x07", b"\x1b[2J", b"\x1b[3J", b"\x1b[H", b"\x1b[K", b"\x1b[?40h\x1b[?3h",
        ]
    ),
    st.binary(max_size=6),
)
streams = st.lists(sequences, max_size=40).map(b"".join)


class Played:
    """An emulator that has seen some output, its answers, and all it shows."""

    def __init__(self, *chunks: bytes, cols: int = COLS, rows: int = ROWS) -> None:
        self.answers = b""
        self.emulator = Emulator(cols, rows, reply=self.answer)
        for chunk in chunks:
            self.emulator.feed(chunk)

    def answer(self, data: bytes) -> None:
        self.answers += data

    def screen(self) -> tuple[object, ...]:
        """Everything a person can see or feel, with nothing held back."""
        self.emulator.refresh()
        self.emulator.refresh()
        rows = [self.emulator.row(y) for y in range(self.emulator.rows)]
        return rows, self.emulator.cursor, self.emulator.modes


def shown(*chunks: bytes) -> tuple[object, ...]:
    played = Played(*chunks)
    try:
        history = played.emulator.history_rows(0, 1000)
        return (*played.screen(), history, played.emulator.title, played.answers, played.emulator.take_events())
    finally:
        played.emulator.close()


def pieces(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[start:end] for start, end in zip(edges, edges[1:], strict=False)]


@settings(max_examples=300, deadline=None)
@given(streams, st.lists(st.integers(0, 400), max_size=30))
def test_the_screen_does_not_depend_on_how_the_bytes_were_cut(data: bytes, cuts: list[int]) -> None:
    assert shown(*pieces(data, cuts)) == shown(data)


@settings(max_examples=300, deadline=None)
@given(streams, streams, st.integers(0, 10))
def test_a_snapshot_continues_where_it_was_taken(past: bytes, future: bytes, cut: int) -> None:
    data = past + future
    at = max(0, len(past) - cut)
    original, fresh = Played(data[:at]), Played()
    try:
        fresh.emulator.feed(original.emulator.snapshot())
        assert fresh.screen() == original.screen()
    finally:
        original.emulator.close()
        fresh.emulator.close()


@settings(max_examples=150, deadline=None)
@given(streams)
def test_what_is_shown_is_exactly_as_wide_as_the_screen_and_safe(data: bytes) -> None:
    played = Played(data)
    try:
        rows = played.screen()[0]
        assert isinstance(rows, list)
        for row in (*rows, *played.emulator.history_rows(0, 1000)):
            assert not {ord(character) for character in row.text} & UNSAFE
            row.text.encode()
    finally:
        played.emulator.close()


class Client:
    """Applies frames as a pane does."""

    def __init__(self) -> None:
        self.since = 0
        self.rows: dict[int, Row] = {}

    def take(self, frame: Frame) -> None:
        if frame.full:
            self.rows = {}
        self.rows.update(frame.rows)
        self.since = frame.seq


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(streams, st.sampled_from(["", "a", "b", "ab"]), st.sampled_from([None, None, (30, 4), (8, 9)])), max_size=8))
def test_clients_that_skip_frames_end_with_the_whole_screen(
    steps: list[tuple[bytes, str, tuple[int, int] | None]],
) -> None:
    emulator = Emulator(COLS, ROWS, reply=lambda _: None)
    screen = Screen("s", emulator)
    clients = {"a": Client(), "b": Client()}
    try:
        for data, takers, size in steps:
            emulator.feed(data)
            if size:
                emulator.resize(*size)
            screen.refresh()
            for name in takers:
                clients[name].take(screen.frame(clients[name].since))
        screen.refresh()
        for client in clients.values():
            client.take(screen.frame(client.since))
            assert tuple(sorted(client.rows.items())) == screen.frame(0).rows
    finally:
        emulator.close()
