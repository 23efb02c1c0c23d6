"""What must hold for every stream of bytes that a program can send."""

import itertools
import unicodedata
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from rich.cells import cell_len

from agentdeck.protocol.screen import Frame, Row
from agentdeck.terminal.checkpoint import LIMIT
from agentdeck.terminal.emulator import Emulator
from agentdeck.terminal.events import StatusReported, TerminalEvent
from agentdeck.terminal.screen import Screen

COLS, ROWS = 20, 6
UNSAFE = {*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)}

WRITTEN = "abcXYZ 0│─█é日本語👍e\u0301\t\b\r\n"
BASES = WRITTEN.replace("\u0301", "")
STRANGE = WRITTEN + "\u200d\ufe0f\ufe0e🇩🇪🏽ा\x7f\x85\u202e"
MODES = b"4 20 ?1 ?5 ?6 ?7 ?9 ?12 ?25 ?40 ?47 ?69 ?1000 ?1002 ?1003 ?1004 ?1006 ?1016 ?1047 ?1049 ?2004 ?2026 ?2027"
STYLES = b"0 1 2 3 4 4:3 5 7 8 9 22 31 42 53 95 38;5;200 48;5;7 38;2;1;2;3 48;2;9;8;7"
COMMANDS = rb"""
    E7 E8 EM ED EE EH Ec E(0 E(B E#8 E[3g E[2J E[3J E[H E[K E[?3h E[3Eq
    E[c E[6n E[?u E[>5u E[<u E[=3;1u E[>4;2m E[3Sq EP+q544eE\ E_Gi=1;AAAAE\
    E]0;titleG E]2;otherE\ E]9;4;1;50G E]9;noteG E]52;c;YWJjG E]7501;state=workingE\ E]7501;?E\ E]133;AG
    E]8;;https://example.orgE\ E]8;;E\ E]11;#102030G E]11;?G E]4;3;#010203G G
"""
commands = [
    command.replace(b"E", b"\x1b").replace(b"S", b" ").replace(b"G", b"\x07") for command in COMMANDS.split()
] + [b"\x0e", b"\x0f"]
numbers = st.integers(0, 25).map(lambda number: str(number).encode())


def written(alphabet: str) -> st.SearchStrategy[bytes]:
    """Streams of text, escape sequences that the CLIs send, rarer ones, and bytes that mean nothing."""
    texts = st.text(st.sampled_from(alphabet), max_size=12).map(str.encode)
    moves = st.builds(
        lambda n, m, end: b"\x1b[" + n + b";" + m + end,
        numbers,
        numbers,
        st.sampled_from([bytes((final,)) for final in b"ABCDEFGHIJKLMPSTXZ@`abdefgjr"]),
    )
    styles = st.lists(st.sampled_from(STYLES.split()), max_size=3).map(lambda codes: b"\x1b[" + b";".join(codes) + b"m")
    modes = st.builds(
        lambda mode, on: b"\x1b[" + mode + on, st.sampled_from(MODES.split()), st.sampled_from([b"h", b"l"])
    )
    parts = [texts, texts, moves, styles, modes, st.sampled_from(commands)]
    if alphabet == STRANGE:
        parts.append(st.binary(max_size=6))
    return st.lists(st.one_of(parts), max_size=40).map(b"".join)


streams = written(STRANGE)


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


def events(emulator: Emulator) -> list[TerminalEvent]:
    """The events without the times at which they came."""
    return [
        StatusReported(structs.replace(event.status, at=0.0)) if isinstance(event, StatusReported) else event
        for event in emulator.take_events()
    ]


def shown(*chunks: bytes) -> tuple[object, ...]:
    played = Played(*chunks)
    try:
        history = played.emulator.history_rows(0, 1000)
        return (*played.screen(), history, played.emulator.title, played.answers, events(played.emulator))
    finally:
        played.emulator.close()


def pieces(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@settings(max_examples=300, deadline=None)
@given(streams, st.lists(st.integers(0, 400), max_size=30))
def test_the_screen_does_not_depend_on_how_the_bytes_were_cut(data: bytes, cuts: list[int]) -> None:
    assert shown(*pieces(data, cuts)) == shown(data)


@settings(max_examples=300, deadline=None)
@given(streams, written(WRITTEN), written(BASES), st.integers(0, 10))
def test_a_snapshot_continues_where_it_was_taken(dirt: bytes, past: bytes, future: bytes, cut: int) -> None:
    for restoring in (b"\x1b8", b"\x1b[<u", b"\x1b[?1049l"):  # what a program saved earlier cannot be asked for
        future = future.replace(restoring, b"")
    past, future = past + future[:cut], future[cut:]
    original, fresh = Played(past), Played()
    try:
        snapshot = original.emulator.snapshot()
        assert len(snapshot) <= LIMIT
        fresh.emulator.feed(dirt + snapshot)
        assert fresh.screen() == original.screen()
        original.emulator.feed(future)
        fresh.emulator.feed(future)
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
            if not any(unicodedata.category(character) == "Cn" for character in row.text):
                assert cell_len(row.text) == COLS
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
@given(
    st.lists(
        st.tuples(streams, st.sampled_from(["", "a", "b", "ab"]), st.sampled_from([None, None, (30, 4), (8, 9)])),
        max_size=8,
    )
)
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
