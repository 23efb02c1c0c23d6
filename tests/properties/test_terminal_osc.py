"""The scanner that takes commands out of output: whatever comes, in whatever pieces."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from agentdeck.terminal.osc import LIMIT, Osc, OscScanner

tokens = st.sampled_from(
    [
        b"text",
        b"\x1b[1m",
        b"\x1b",
        b"\x1b]",
        b"0;t",
        b"8;;u",
        b"133;A",
        b"11;?",
        b"52;c;",
        b"\x07",
        b"\x1b\\",
        b"\x18",
        b";",
    ]
)
streams = st.lists(st.one_of(tokens, st.binary(max_size=3)), max_size=30).map(b"".join)


def scanned(*chunks: bytes) -> tuple[bytes, list[Osc]]:
    """The bytes that are left, and the commands."""
    scanner = OscScanner()
    pieces = [piece for chunk in chunks for piece in scanner.scan(chunk)]
    return (
        b"".join(piece for piece in pieces if not isinstance(piece, Osc)),
        [piece for piece in pieces if isinstance(piece, Osc)],
    )


@given(streams, st.lists(st.integers(0, 120), max_size=8))
def test_commands_do_not_depend_on_how_the_bytes_were_cut(data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    chunks = [data[start:end] for start, end in itertools.pairwise(edges)]
    assert scanned(*chunks) == scanned(data)


@given(streams)
def test_no_command_of_the_host_reaches_the_emulator(data: bytes) -> None:
    left, _ = scanned(data)
    assert not scanned(left)[1]


@given(streams, streams)
def test_what_is_pending_brings_a_fresh_scanner_to_the_same_place(past: bytes, future: bytes) -> None:
    scanner = OscScanner()
    scanner.scan(past)
    fresh = OscScanner()
    assert not [piece for piece in fresh.scan(scanner.pending()) if isinstance(piece, Osc)]
    assert fresh.scan(future) == scanner.scan(future)


@given(st.integers(0, 3), st.sampled_from([b"\x07", b"\x1b\\"]))
def test_a_command_is_kept_up_to_its_limit(over: int, end: bytes) -> None:
    command = b"9;" + b"x" * (LIMIT - 3 + over)
    found = scanned(b"\x1b]" + command + end)[1]
    assert bool(found) == (len(command) <= LIMIT)
