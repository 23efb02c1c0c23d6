"""What a holder must survive: the death of everybody around it, in the middle of everything."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agentdeck.hub.link import HolderLink, OrphanLink, exit_record
from tests.fakes.holding import PYTHON, Follower, Holding, holding, is_running, until

LINES = 20_000
COUNT = """
import sys, time
for i in range(20_000):
    sys.stdout.write(f"line {i}\\n")
    if i % 20 == 0:
        sys.stdout.flush()
        time.sleep(float(sys.argv[1]))
"""
EXPECTED = "".join(f"line {i}\n" for i in range(LINES))

COUNT_UNTIL_TOLD = """
import itertools, os, sys, time
for i in itertools.count():
    print(f"line {i}")
    if i % 20 == 19:
        sys.stdout.flush()
        time.sleep(0.005)
        if os.path.exists(sys.argv[1]):
            break
"""

READER = """
import asyncio, sys
from pathlib import Path
from agentdeck.hub.link import HolderLink

async def main():
    offset = int(sys.argv[2])
    out = sys.stdout.buffer
    def on_output(at, data):
        out.write(b"%d %d\\n" % (at, len(data)) + data)
        out.flush()
        link.ack(at + len(data))
    ended = asyncio.Event()
    link = await HolderLink.connect(
        Path(sys.argv[1]), on_output=on_output, on_exit=lambda _: ended.set(), on_lost=ended.set)
    link.replay(offset)
    await ended.wait()

asyncio.run(main())
"""


@pytest.fixture
async def world() -> AsyncIterator[Holding]:
    async with holding() as world:
        yield world


def _take(text: bytes, so_far: bytearray) -> None:
    """Add what a killed reader had written down; its last note may be cut off."""
    while (end := text.find(b"\n")) >= 0:
        at, size = map(int, text[:end].split())
        data = text[end + 1 : end + 1 + size]
        if len(data) < size:
            return
        assert at == len(so_far), "a gap or a repeat"
        so_far += data
        text = text[end + 1 + size :]


async def test_a_reader_killed_fifty_times_in_mid_stream_gets_every_line_once(world: Holding, tmp_path: Path) -> None:
    enough = tmp_path / "enough"
    session = await world.start(PYTHON, "-c", COUNT_UNTIL_TOLD, str(enough))
    watcher = await world.connect(session)
    so_far = bytearray()
    for _ in range(50):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", READER, str(world.socket(session)), str(len(so_far)), stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        text = await process.stdout.read(2000)
        process.kill()
        text += await process.stdout.read()
        await process.wait()
        _take(text, so_far)
    assert is_running(watcher.hello.pid), "the kills were not in mid-stream"
    enough.touch()
    follower = Follower()
    follower.start, follower.output = 0, so_far
    await world.follow(session, follower)
    await until(follower.has_ended)
    lines = follower.text().splitlines()
    assert lines == [f"line {i}" for i in range(len(lines))]
    assert len(follower.output) == follower.exits[0].total
    assert await watcher.ping(5)


async def _orphan(world: Holding, argv: tuple[str, ...], after: int) -> tuple[Follower, OrphanLink, int]:
    """Follow a session, kill its holder once `after` bytes have come, and go on without it."""
    session = await world.start(*argv)
    follower = Follower()
    link = await world.connect(session, follower)
    await link.master()
    link.replay(0)
    await until(lambda: len(follower.output) >= after)
    os.kill(link.hello.holder_pid, signal.SIGKILL)
    await until(lambda: follower.lost)
    orphan = OrphanLink.rescue(
        link, on_output=follower.on_output, on_exit=follower.exits.append, offset=follower.offset
    )
    assert orphan is not None
    follower.link = orphan
    return follower, orphan, link.hello.pid


@pytest.mark.parametrize("after", [0, 5_000, 50_000])
async def test_output_is_complete_when_the_holder_is_killed(world: Holding, after: int) -> None:
    follower, _, _ = await _orphan(world, (PYTHON, "-c", COUNT, "0.001"), after)
    await until(lambda: follower.exits)
    assert follower.text() == EXPECTED
    assert follower.exits[0].total == len(follower.output)


async def test_output_is_complete_when_the_holder_is_killed_in_a_flood(world: Holding) -> None:
    flood = f"import sys; sys.stdout.write(''.join(f'line {{i}}\\n' for i in range({LINES} * 10)))"
    for after in range(1, 900_000, 90_000):
        follower, _, _ = await _orphan(world, (PYTHON, "-c", flood), after)
        await until(follower.has_ended)
        assert follower.text() == "".join(f"line {i}\n" for i in range(LINES * 10))


async def test_an_orphan_is_typed_into_resized_and_stopped(world: Holding) -> None:
    script = "stty -echo; echo ready; read x; echo got $x; stty size; read y"
    follower, orphan, pid = await _orphan(world, ("sh", "-c", script), 6)
    orphan.resize(100, 30)
    orphan.write(b"words\n")
    await until(lambda: "30 100" in follower.text())
    assert "got words" in follower.text()
    assert await orphan.stop(5) == ()
    await until(lambda: follower.exits)
    assert not is_running(pid)


async def test_without_a_duplicate_nobody_can_go_on(world: Holding) -> None:
    session = await world.start("cat")
    link, follower = await world.follow(session)
    os.kill(link.hello.holder_pid, signal.SIGKILL)
    await until(lambda: follower.lost)
    assert OrphanLink.rescue(link, on_output=follower.on_output, on_exit=follower.exits.append, offset=0) is None
    await until(lambda: not is_running(link.hello.pid))


async def test_a_killed_program_is_told_with_its_last_output(world: Holding) -> None:
    session = await world.start("sh", "-c", "echo last words; kill -9 $$")
    link, follower = await world.follow(session)
    await until(lambda: follower.exits)
    assert (follower.exits[0].status, follower.exits[0].signal) == (None, signal.SIGKILL)
    assert follower.text() == "last words\n"
    record = exit_record(world.run, session)
    assert record is not None
    assert (record.signal, record.tail) == (signal.SIGKILL, b"last words\r\n")
    link.acknowledge_exit()
    await until(lambda: not is_running(link.hello.holder_pid))
    assert not world.socket(session).exists()


async def test_a_removed_socket_comes_back(world: Holding) -> None:
    session = await world.start("cat")
    link, follower = await world.follow(session)
    world.socket(session).unlink()
    os.kill(link.hello.holder_pid, signal.SIGUSR1)  # do not wait for its next look
    await until(world.socket(session).exists)
    assert await (await world.connect(session)).ping(5)
    link.write(b"still here\n")
    await until(lambda: "still here" in follower.text())


async def test_a_removed_run_directory_comes_back_with_socket_and_exit_record(world: Holding) -> None:
    session = await world.start("sh", "-c", "read x; exit 7")
    shutil.rmtree(world.run)
    await until(world.socket(session).exists)
    assert stat.S_IMODE(world.run.stat().st_mode) == 0o700
    assert stat.S_IMODE(world.socket(session).stat().st_mode) == 0o600
    link, follower = await world.follow(session)
    link.write(b"\n")
    await until(lambda: follower.exits)
    record = exit_record(world.run, session)
    assert record is not None
    assert record.status == 7


async def test_an_ended_session_whose_files_were_removed_ends_its_holder(world: Holding) -> None:
    session = await world.start("true")
    link, follower = await world.follow(session)
    await until(follower.has_ended)
    world.socket(session).unlink()
    os.kill(link.hello.holder_pid, signal.SIGUSR1)
    await until(lambda: not is_running(link.hello.holder_pid))
    assert not world.socket(session).exists()


async def test_hangups_and_interrupts_do_not_touch_it(world: Holding) -> None:
    session = await world.start("cat")
    link, follower = await world.follow(session)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE):
        os.kill(link.hello.holder_pid, number)
    assert await link.ping(5)
    link.write(b"alive\n")
    await until(lambda: "alive" in follower.text())


def _stat(pid: int) -> list[bytes]:
    return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()


def _standard(pid: int) -> set[str]:
    return {str(Path(f"/proc/{pid}/fd/{fd}").readlink()) for fd in (0, 1, 2)}


async def test_it_belongs_to_no_terminal_and_not_to_whoever_started_it(world: Holding) -> None:
    session = await world.start("cat")
    link = await world.connect(session)
    holder = link.hello.holder_pid
    fields = _stat(holder)
    assert int(fields[1]) != os.getpid(), "it must not be our child"
    assert int(fields[3]) != os.getsid(0)
    assert fields[4] == b"0", "it must have no controlling terminal"
    assert _standard(holder) == {os.devnull}


async def test_sigterm_stops_the_program_and_then_the_holder(world: Holding) -> None:
    session = await world.start("sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done")
    link, follower = await world.follow(session)
    await until(lambda: "ready" in follower.text())
    os.kill(link.hello.holder_pid, signal.SIGTERM)
    await until(lambda: not is_running(link.hello.holder_pid))
    assert not is_running(link.hello.pid)
    record = exit_record(world.run, session)
    assert record is not None
    assert record.status == 5


async def test_garbage_ends_only_the_connection_that_sent_it(world: Holding) -> None:
    session = await world.start("cat")
    link, _ = await world.follow(session)
    for garbage in (b"\xff" * 64, b"R\x02\x00\x00\x00ab", b"?\x03\x00\x00\x00abc" * 9, os.urandom(4096)):
        _, writer = await asyncio.open_unix_connection(world.socket(session))
        writer.write(garbage)
        await writer.drain()
        writer.close()
    assert await link.ping(5)


async def test_a_hung_holder_is_noticed_and_goes_on_when_it_is_woken(world: Holding) -> None:
    session = await world.start("cat")
    link, _ = await world.follow(session)
    os.kill(link.hello.holder_pid, signal.SIGSTOP)
    assert not await link.ping(0.1)
    with pytest.raises(TimeoutError):
        await HolderLink.connect(
            world.socket(session), on_output=print, on_exit=print, on_lost=lambda: None, deadline=0.1
        )
    os.kill(link.hello.holder_pid, signal.SIGCONT)
    assert await link.ping(5)


async def test_nobody_reads_beside_a_holder_that_lives(world: Holding) -> None:
    session = await world.start("cat")
    link, follower = await world.follow(session)
    await link.master()
    os.kill(link.hello.holder_pid, signal.SIGSTOP)
    assert link.holder_is_alive
    assert OrphanLink.rescue(link, on_output=follower.on_output, on_exit=follower.exits.append, offset=0) is None
    os.kill(link.hello.holder_pid, signal.SIGCONT)
    assert await link.ping(5)


async def test_a_start_that_nobody_waits_for_leaves_nothing(world: Holding, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    starting = asyncio.ensure_future(world.start("sh", "-c", f"echo $$ > {note}; exec sleep 60"))
    await asyncio.sleep(0.005)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await until(lambda: not note.exists() or not is_running(int(note.read_text() or "0")))
