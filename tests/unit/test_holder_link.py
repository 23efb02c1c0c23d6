"""The hub's end against holders that are older, newer, dead or mad."""

import asyncio
import contextlib
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from agentdeck.errors import SessionError
from agentdeck.holder.frames import EXIT, HEADER, LIMIT, OFFSET, Hello, Parser, frame
from agentdeck.hub.link import HolderLink
from tests.fakes.holding import Follower, until

HELLO = Hello(version=1, pid=42, start_ticks=7, boot_id="b" * 36, total=10, base=0, cols=80, rows=24, holder_pid=41)


class Counterpart:
    """The other end of one link: it says what a test wants and keeps what it was told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.heard: list[tuple[bytes, bytes]] = []

    def say(self, *frames: bytes) -> None:
        self.writer.write(b"".join(frames))

    async def hear(self, kind: bytes) -> bytes:
        parser = Parser()
        while True:
            for heard, payload in self.heard:
                if heard == kind:
                    return payload
            self.heard += parser.feed(await self.reader.read(1 << 16))


Connect = Callable[..., Awaitable[tuple[HolderLink, Follower, Counterpart]]]


@pytest.fixture
async def path() -> AsyncIterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ad-") as root:
        yield Path(root) / "s"


@pytest.fixture
async def connect(path: Path) -> AsyncIterator[Connect]:
    counterparts: list[Counterpart] = []
    links: list[HolderLink] = []
    greeting = [b""]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting[0])
        counterparts.append(Counterpart(reader, writer))

    async def one(hello: bytes = frame(b"H", HELLO.pack())) -> tuple[HolderLink, Follower, Counterpart]:
        greeting[0] = hello
        follower = Follower()
        link = await HolderLink.connect(
            path, on_output=follower.on_output, on_exit=follower.on_exit, on_lost=follower.on_lost, deadline=0.5
        )
        follower.link = link
        link.on_refused = follower.refused.append
        links.append(link)
        await until(lambda: counterparts)
        return link, follower, counterparts[-1]

    server = await asyncio.start_unix_server(serve, path)
    yield one
    for link in links:
        link.close()
    for counterpart in counterparts:
        counterpart.writer.close()
    server.close()


async def test_a_newer_holders_hello_and_frames_are_understood_as_far_as_they_are_known(connect: Connect) -> None:
    link, follower, holder = await connect(frame(b"?", b"new") + frame(b"H", HELLO.pack() + b"more fields"))
    assert link.hello == HELLO
    holder.say(frame(b"Z", b"new"), frame(b"O", OFFSET.pack(0) + b"text"), frame(b"X", EXIT.pack(3, -1, 4) + b"new"))
    await until(follower.has_ended)
    assert follower.text() == "text"
    assert (follower.exits[0].status, follower.exits[0].signal, follower.exits[0].total) == (3, None, 4)


async def test_output_does_not_depend_on_how_the_bytes_were_cut(connect: Connect) -> None:
    _, follower, holder = await connect()
    for byte in frame(b"O", OFFSET.pack(0) + b"one ") + frame(b"O", OFFSET.pack(4) + b"two"):
        holder.say(bytes((byte,)))
        await holder.writer.drain()
    await until(lambda: follower.text() == "one two")


async def test_who_leaves_before_hello_was_never_there(path: Path) -> None:
    async with await asyncio.start_unix_server(lambda _, writer: writer.close(), path):
        with pytest.raises(ConnectionError, match="gone"):
            await HolderLink.connect(path, on_output=print, on_exit=print, on_lost=lambda: None)


async def test_who_says_nothing_is_given_up(connect: Connect) -> None:
    with pytest.raises(TimeoutError):
        await connect(b"")


async def test_nobody_there_is_an_error_at_once(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await HolderLink.connect(path, on_output=print, on_exit=print, on_lost=lambda: None)


async def test_a_full_accept_queue_does_not_block_for_ever(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as stack:
        listener.bind(str(path))
        listener.listen(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                filler = stack.enter_context(socket.socket(socket.AF_UNIX))
                filler.setblocking(False)
                filler.connect(str(path))
        with pytest.raises(TimeoutError):
            await HolderLink.connect(path, on_output=print, on_exit=print, on_lost=lambda: None, deadline=0.1)


async def test_losing_the_holder_is_told_once_and_fails_what_was_asked(connect: Connect) -> None:
    link, follower, holder = await connect()
    asked = [asyncio.ensure_future(link.checkpoint()), asyncio.ensure_future(link.master())]
    stopping, pinging = asyncio.ensure_future(link.stop(1)), asyncio.ensure_future(link.ping(5))
    await holder.hear(b"P")
    holder.writer.close()
    for question in asked:
        with pytest.raises(ConnectionError):
            await question
    with pytest.raises(SessionError, match="lost"):
        await stopping
    assert await pinging is False
    assert follower.lost == 1
    with pytest.raises(ConnectionError):
        await link.checkpoint()
    link.write(b"into the void")


async def test_a_holder_that_leaves_after_the_exit_is_not_lost(connect: Connect) -> None:
    _, follower, holder = await connect()
    holder.say(frame(b"X", EXIT.pack(-1, 9, 0)))
    holder.writer.close()
    await until(follower.has_ended)
    assert (follower.exits[0].status, follower.exits[0].signal) == (None, 9)
    await asyncio.sleep(0)
    assert follower.lost == 0


async def test_a_frame_that_is_too_large_ends_the_link(connect: Connect) -> None:
    _, follower, holder = await connect()
    holder.say(HEADER.pack(ord("O"), LIMIT + 1))
    await until(lambda: follower.lost)


async def test_a_large_paste_goes_out_in_frames_that_the_holder_accepts(connect: Connect) -> None:
    link, _, holder = await connect()
    link.write(b"x" * (LIMIT + 5))
    parser = Parser()
    sizes: list[int] = []
    while sum(sizes) < LIMIT + 5:
        sizes += [len(payload) for _, payload in parser.feed(await holder.reader.read(1 << 20))]
    assert sizes == [LIMIT, 5]


async def test_what_a_dead_holder_does_not_take_is_refused_instead_of_kept(connect: Connect) -> None:
    link, follower, _ = await connect()
    for _ in range(4):
        link.write(b"x" * LIMIT)
    assert follower.refused
    assert "does not respond" in follower.refused[0]


async def test_acks_are_sent_in_steps_not_for_every_byte(connect: Connect) -> None:
    link, _, holder = await connect()
    link.replay(0)
    for offset in range(1, 100_001):
        link.ack(offset)
    link.resize(1, 1)
    await holder.hear(b"W")
    assert 1 <= sum(kind == b"A" for kind, _ in holder.heard) <= 3


async def test_a_refusal_is_passed_on_in_words(connect: Connect) -> None:
    _, follower, holder = await connect()
    holder.say(frame(b"E", "no, sorry …".encode()))
    await until(lambda: follower.refused == ["no, sorry …"])
