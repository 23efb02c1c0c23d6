"""Too much, too slow, too full: nothing blocks, nothing grows, nothing is lost that was promised."""

import asyncio
import contextlib
import hashlib
import os
import resource
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from agentdeck.holder.frames import OFFSET, RING, UNACKED_LIMIT, frame
from agentdeck.holder.terminal import INPUT_LIMIT
from agentdeck.hub.link import exit_record
from tests.fakes.holding import PYTHON, Follower, Holding, holding, is_running, until

MB = 1024 * 1024

FLOOD = "import os\nfor i in range(300): os.write(1, (b'%d' % i).ljust(9999, b'.') + b'\\n')\nopen({done!r}, 'w')"

RAW_READER = """
import os, sys, tty, hashlib
tty.setraw(0)
os.write(1, b"ready")
wait = os.open(sys.argv[1], os.O_RDONLY)
os.read(wait, 1)
digest, left = hashlib.sha256(), int(sys.argv[2])
while left:
    data = os.read(0, 65536)
    digest.update(data)
    left -= len(data)
os.write(1, digest.hexdigest().encode())
"""


@pytest.fixture
async def world() -> AsyncIterator[Holding]:
    async with holding() as world:
        yield world


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return int(fields[11]) + int(fields[12])


async def test_a_megabyte_pasted_at_a_program_that_does_not_read_waits_whole(world: Holding, tmp_path: Path) -> None:
    paste, gate = os.urandom(MB), tmp_path / "gate"
    os.mkfifo(gate)
    session = await world.start(PYTHON, "-c", RAW_READER, str(gate), str(len(paste)))
    link, follower = await world.follow(session)
    await until(lambda: "ready" in follower.text())
    link.write(paste)
    for _ in range(20):
        assert await link.ping(5), "the holder was blocked"
    before = _cpu_ticks(link.hello.holder_pid)
    await asyncio.sleep(0.5)
    assert _cpu_ticks(link.hello.holder_pid) - before <= 10, "the holder spins while it waits"
    os.close(os.open(gate, os.O_WRONLY))
    await until(lambda: follower.exits)
    assert follower.text() == "ready" + hashlib.sha256(paste).hexdigest()
    assert follower.refused == []


async def test_input_beyond_the_limit_is_refused_whole_and_with_words(world: Holding, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    session = await world.start(PYTHON, "-c", RAW_READER, str(gate), "1")
    link, follower = await world.follow(session)
    await until(lambda: "ready" in follower.text())
    for _ in range(5):
        link.write(b"x" * MB)
        assert await link.ping(5)
    await until(lambda: follower.refused)
    assert len(follower.refused) == 5 - INPUT_LIMIT // MB
    assert "the program does not read" in follower.refused[0]
    assert await link.stop(1) == ()


async def test_a_paste_that_is_echoed_to_a_reader_that_does_not_read_blocks_nobody(world: Holding) -> None:
    session = await world.start("cat")
    follower = Follower()
    follower.reads = False
    link, _ = await world.follow(session, follower)
    link.write(b"0123456789\n" * 100_000)
    assert await link.ping(5)
    assert await link.stop(1) == ()


async def test_without_a_reader_the_program_never_waits_and_the_last_megabyte_is_kept(
    world: Holding, tmp_path: Path
) -> None:
    done = tmp_path / "done"
    session = await world.start(PYTHON, "-c", FLOOD.format(done=str(done)))
    await until(done.exists)
    follower = Follower()
    link = await world.connect(session, follower)
    link.replay(0)
    await until(lambda: follower.exits)
    assert follower.exits[0].total == 300 * 10_001
    assert follower.start == follower.exits[0].total - RING
    assert follower.text().splitlines()[-1].rstrip(".") == "299"


async def test_the_program_waits_for_a_reader_that_is_slow_and_loses_nothing(world: Holding, tmp_path: Path) -> None:
    done = tmp_path / "done"
    session = await world.start("sh", "-c", f'read x; exec {PYTHON} -c "{FLOOD.format(done=str(done))}"')
    link, follower = await world.follow(session)
    follower.reads = False
    link.write(b"\n")
    await until(lambda: len(follower.output) >= UNACKED_LIMIT)
    for _ in range(5):
        assert await link.ping(5)
    assert len(follower.output) <= UNACKED_LIMIT + 128 * 1024
    assert not done.exists()
    follower.reads = True
    link.ack(follower.offset)
    await until(lambda: follower.exits)
    assert len(follower.output) == follower.exits[0].total
    assert follower.start == 0


async def test_a_reader_that_says_nothing_is_let_go_and_the_program_goes_on(world: Holding, tmp_path: Path) -> None:
    done = tmp_path / "done"
    session = await world.start(PYTHON, "-c", "input();" + FLOOD.format(done=str(done)))
    silent = Follower()
    silent.reads = False
    link, _ = await world.follow(session, silent)
    link.write(b"\n")
    await until(done.exists, 30)
    await until(lambda: silent.lost)
    again = await world.connect(session)
    assert await again.ping(5)


async def test_a_connection_that_never_reads_its_socket_costs_nothing(world: Holding, tmp_path: Path) -> None:
    done = tmp_path / "done"
    session = await world.start(PYTHON, "-c", "input();" + FLOOD.format(done=str(done)))
    link = await world.connect(session)
    with socket.socket(socket.AF_UNIX) as stuck:
        stuck.connect(str(world.socket(session)))
        stuck.sendall(frame(b"R", OFFSET.pack(0)) + frame(b"k") * 1000)
        link.write(b"\n")
        await until(done.exists, 30)
        assert await link.ping(5)


async def test_output_between_hello_and_replay_is_kept(world: Holding) -> None:
    flood = "while :; do echo 0123456789012345678901234567890123456789; done"
    session = await world.start("sh", "-c", flood)
    first = await world.connect(session)
    await until_total(world, session, 2 * RING)
    follower = Follower()
    link = await world.connect(session, follower)
    for _ in range(20):
        await link.ping(5)
    link.replay(link.hello.base)
    await until(lambda: follower.output)
    assert follower.start == link.hello.base
    assert await first.stop(1) == ()


async def until_total(world: Holding, session: str, total: int) -> None:
    async with asyncio.timeout(20):
        while True:
            link = await world.connect(session)
            link.close()
            if link.hello.total >= total:
                return
            await asyncio.sleep(0.05)


async def test_a_program_that_closes_its_terminal_is_held_until_it_ends(world: Holding) -> None:
    script = "import os,time; os.closerange(0,3); time.sleep(0.6); os.open('/dev/tty', os.O_RDWR); os.write(0, b'back')"
    session = await world.start(PYTHON, "-c", script)
    link, follower = await world.follow(session)
    before = _cpu_ticks(link.hello.holder_pid)
    await until(lambda: follower.exits)
    assert _cpu_ticks(link.hello.holder_pid) - before <= 10, "the holder spins on a hung-up terminal"
    assert (follower.text(), follower.exits[0].status) == ("back", 0)


@contextlib.contextmanager
def _tiny_disk(place: Path) -> Iterator[Path]:
    place.mkdir(mode=0o700)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", str(place)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("a small file system can only be mounted by root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _fill(place: Path) -> None:
    with contextlib.suppress(OSError), open(place / "filler", "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


async def test_a_disk_that_is_full_at_the_end_does_not_lose_the_exit_record(tmp_path: Path) -> None:
    with _tiny_disk(tmp_path / "run") as run:
        async with holding() as world:
            world.run = run
            session = await world.start("sh", "-c", "read x; seq 20000; exit 9")
            link, follower = await world.follow(session)
            _fill(run)
            link.write(b"\n")
            await until(lambda: follower.exits)
            record = exit_record(run, session)
            assert record is not None
            assert record.status == 9
            assert record.tail.endswith(b"19999\r\n20000\r\n")


async def test_a_session_starts_on_a_full_disk_and_its_record_comes_when_there_is_room(tmp_path: Path) -> None:
    with _tiny_disk(tmp_path / "run") as run:
        async with holding() as world:
            world.run = run
            _fill(run)
            session = await world.start("sh", "-c", "read x; exit 9")
            link, follower = await world.follow(session)
            link.write(b"\n")
            await until(lambda: follower.exits)
            assert exit_record(run, session) is None
            (run / "filler").unlink()
            await until(lambda: exit_record(run, session))
            assert is_running(link.hello.holder_pid)


async def test_a_file_size_limit_does_not_end_the_holder(world: Holding) -> None:
    session = await world.start("sh", "-c", "ulimit -f 0; read x; exit 9")
    link, follower = await world.follow(session)
    resource.prlimit(link.hello.holder_pid, resource.RLIMIT_FSIZE, (0, 0))
    os.kill(link.hello.holder_pid, signal.SIGXFSZ)
    link.write(b"\n")
    await until(lambda: follower.exits)
    assert follower.exits[0].status == 9
    assert await link.ping(5)
