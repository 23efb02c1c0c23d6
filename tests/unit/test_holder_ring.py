import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentdeck.holder.frames import RING
from agentdeck.holder.ring import CHUNK, Ring, recover

PIECE = bytes(range(255)) * 17


class Source:
    """A ring fed through a pipe with a stream in which every place is known."""

    def __init__(self) -> None:
        self.ring = Ring()
        self.given = bytearray()
        self.read_end, self.write_end = os.pipe()
        os.set_blocking(self.read_end, False)

    def give(self, data: bytes) -> None:
        os.write(self.write_end, data)
        self.given += data
        while self.ring.total < len(self.given):
            self.ring.fill(self.read_end)

    def close(self) -> None:
        os.close(self.read_end)
        os.close(self.write_end)
        if self.ring.fd >= 0:
            os.close(self.ring.fd)


@pytest.fixture(scope="module")
def lapped() -> Iterator[Source]:
    """A ring that was filled several times over."""
    source = Source()
    while source.ring.total < 3 * RING:
        source.give(PIECE)
    yield source
    source.close()


def test_it_keeps_the_last_megabyte(lapped: Source) -> None:
    ring = lapped.ring
    assert ring.total - ring.base == RING
    assert b"".join(ring.parts(ring.base, RING)) == lapped.given[-RING:]


@given(back=st.integers(0, RING), limit=st.integers(0, 200_000))
def test_any_part_is_what_was_given_at_that_offset(lapped: Source, back: int, limit: int) -> None:
    offset = lapped.ring.total - back
    data = b"".join(lapped.ring.parts(offset, limit))
    assert data == lapped.given[offset : offset + limit]


@given(st.lists(st.binary(min_size=1, max_size=9000), max_size=30))
@settings(max_examples=30)
def test_a_dead_holders_ring_gives_back_what_was_not_passed_on(pieces: list[bytes]) -> None:
    source = Source()
    try:
        for piece in pieces:
            source.give(piece)
        for offset in {0, len(source.given) // 2, len(source.given)}:
            assert recover(source.ring.fd, offset) == (offset, bytes(source.given[offset:]))
    finally:
        source.close()


@given(back=st.integers(0, 2 * RING))
@settings(max_examples=30)
def test_what_is_too_old_begins_where_the_ring_begins(lapped: Source, back: int) -> None:
    offset = lapped.ring.total - back
    start, data = recover(lapped.ring.fd, offset)
    assert start == max(offset, lapped.ring.base)
    assert data == lapped.given[start:]


@given(st.text(min_size=1, max_size=1000).map(str.encode))
@settings(max_examples=50)
def test_bytes_that_a_killed_holder_had_read_but_not_noted_are_found(text: bytes) -> None:
    class KilledError(Exception):
        pass

    class Dying(Ring):
        """Its holder is killed between the read and the note of it."""

        _total: int

        @property
        def total(self) -> int:
            return self._total

        @total.setter
        def total(self, value: int) -> None:
            if getattr(self, "_total", 0) >= 5000 and value > self._total:
                raise KilledError
            self._total = value

    source = Source()
    os.close(source.ring.fd)
    source.ring = Dying()
    try:
        source.give(b"x" * 5000)
        with pytest.raises(KilledError):
            source.give(text)
        assert recover(source.ring.fd, 4990) == (4990, b"x" * 10 + text)
    finally:
        source.close()


def test_a_tail_begins_with_a_whole_line() -> None:
    source = Source()
    try:
        source.give(b"first line\nsecond line\nthird\n")
        assert source.ring.tail(1000) == source.given
        assert source.ring.tail(12) == b"third\n"
    finally:
        source.close()


def test_one_read_never_takes_more_than_a_terminal_gives() -> None:
    source = Source()
    try:
        os.write(source.write_end, bytes(CHUNK * 2))
        assert source.ring.fill(source.read_end) == CHUNK
    finally:
        source.close()
