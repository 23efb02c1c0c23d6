import os
import socket
from collections.abc import Iterator

import pytest

from agentdeck.holder.frames import HEADER, OFFSET, RING, UNACKED_LIMIT, Parser, frame
from agentdeck.holder.ring import Ring
from agentdeck.holder.visitor import PATIENCE, WELCOME, GoneError, Visitor


class Talk:
    """A visitor and the socket's other end."""

    def __init__(self) -> None:
        self.ring = Ring()
        self.near, self.far = socket.socketpair(socket.AF_UNIX)
        self.near.setblocking(False)
        self.far.setblocking(False)
        self.visitor = Visitor(self.near, self.ring, now=0.0)
        self._parser = Parser()

    def print(self, data: bytes) -> None:
        read_end, write_end = os.pipe()
        for start in range(0, len(data), 4096):
            os.write(write_end, data[start : start + 4096])
            self.ring.fill(read_end)
        os.close(read_end)
        os.close(write_end)

    def heard(self) -> list[tuple[bytes, bytes]]:
        frames: list[tuple[bytes, bytes]] = []
        while True:
            try:
                data = self.far.recv(1 << 20)
            except BlockingIOError:
                return frames
            frames += self._parser.feed(data)


@pytest.fixture
def talk() -> Iterator[Talk]:
    talk = Talk()
    yield talk
    talk.near.close()
    talk.far.close()


def _output(frames: list[tuple[bytes, bytes]], start: int = 0) -> bytes:
    text = b""
    for kind, payload in frames:
        if kind == b"O":
            assert OFFSET.unpack_from(payload)[0] == start + len(text), "a gap or a repeat"
            text += payload[OFFSET.size :]
    return text


def test_nothing_is_sent_before_it_was_asked_for(talk: Talk) -> None:
    talk.print(b"hello")
    talk.visitor.pump()
    assert talk.heard() == []
    talk.visitor.follow(0)
    talk.visitor.pump()
    assert _output(talk.heard()) == b"hello"


def test_a_reader_resumes_in_the_middle(talk: Talk) -> None:
    talk.print(b"hello world")
    talk.visitor.follow(6)
    talk.visitor.pump()
    assert talk.heard() == [(b"O", OFFSET.pack(6) + b"world")]


def test_what_a_full_socket_did_not_take_comes_in_order_with_answers_between(talk: Talk) -> None:
    text = b"".join(b"%07d\n" % i for i in range(100_000))
    talk.print(text)
    talk.visitor.follow(0)
    talk.visitor.pump()
    assert talk.visitor.blocked
    talk.visitor.say(frame(b"P"))
    frames: list[tuple[bytes, bytes]] = []
    while talk.visitor.blocked or len(_output(frames)) < len(text):
        frames += talk.heard()
        talk.visitor.pump()
    frames += talk.heard()
    assert _output(frames) == text
    assert frames.count((b"P", b"")) == 1


def test_the_program_waits_at_the_limit_and_goes_on_after_the_ack(talk: Talk) -> None:
    talk.visitor.follow(0)
    talk.print(bytes(UNACKED_LIMIT))
    assert not talk.visitor.holds_up(0.0)
    talk.print(b"x")
    assert talk.visitor.holds_up(0.0)
    while not talk.visitor.is_current:
        talk.visitor.pump()
        talk.heard()
    talk.visitor.ack(4096)
    assert not talk.visitor.holds_up(0.0)


def test_the_program_waits_for_a_reader_that_makes_progress_however_slow(talk: Talk) -> None:
    talk.visitor.follow(0)
    talk.print(bytes(RING))
    while not talk.visitor.is_current:
        talk.visitor.pump()
        talk.heard()
    for step in range(1, 20):
        now = step * (PATIENCE - 1)
        assert talk.visitor.holds_up(now - 0.5)
        talk.visitor.ack(step)
        assert talk.visitor.holds_up(now)


def test_a_reader_that_says_nothing_for_too_long_is_gone(talk: Talk) -> None:
    talk.visitor.follow(0)
    talk.print(bytes(UNACKED_LIMIT + 1))
    assert talk.visitor.holds_up(100.0)
    assert talk.visitor.holds_up(100.0 + PATIENCE)
    with pytest.raises(GoneError):
        talk.visitor.holds_up(100.1 + PATIENCE)


def test_an_idle_reader_is_never_gone(talk: Talk) -> None:
    talk.visitor.follow(0)
    talk.print(bytes(UNACKED_LIMIT))
    assert not talk.visitor.holds_up(1e6)


def test_a_new_reader_finds_the_ring_as_it_was_told_but_not_for_ever(talk: Talk) -> None:
    talk.print(bytes(RING))
    assert talk.visitor.holds_up(WELCOME - 0.1)
    assert not talk.visitor.holds_up(WELCOME + 0.1)


def test_an_ack_of_what_was_never_sent_counts_for_nothing(talk: Talk) -> None:
    talk.visitor.follow(0)
    talk.print(bytes(UNACKED_LIMIT + 1))
    talk.visitor.ack(UNACKED_LIMIT)
    assert talk.visitor.holds_up(0.0)


def test_questions_whose_answers_nobody_reads_end_the_connection(talk: Talk) -> None:
    def ask_for_ever() -> None:
        while True:
            talk.visitor.say(bytes(64 * 1024))
            talk.visitor.pump()

    with pytest.raises(GoneError):
        ask_for_ever()


def test_a_closed_peer_is_gone(talk: Talk) -> None:
    talk.far.close()
    talk.visitor.say(frame(b"P"))
    with pytest.raises(GoneError):
        talk.visitor.pump()


def test_descriptors_travel_with_their_frame(talk: Talk) -> None:
    read_end, write_end = os.pipe()
    talk.visitor.say(frame(b"P"))
    talk.visitor.say(frame(b"F"), read_end)
    talk.visitor.pump()
    data, descriptors, _, _ = socket.recv_fds(talk.far, 4096, 4)
    while len(data) < 2 * HEADER.size:
        more, added, _, _ = socket.recv_fds(talk.far, 4096, 4)
        data, descriptors = data + more, descriptors + added
    os.write(write_end, b"through")
    assert os.read(descriptors[0], 10) == b"through"
    for fd in (read_end, write_end, *descriptors):
        os.close(fd)
