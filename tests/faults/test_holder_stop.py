"""Stop ends everything that a session started, except the daemons that other sessions share."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.holding import PYTHON, Follower, Holding, holding, is_running, until

NASTY = """
import os, signal, subprocess, sys, time

def note(name):
    with open(sys.argv[1], "a") as file:
        file.write(f"{name} {os.getpid()}\\n")

def sleep():
    while True:
        time.sleep(0.05)

def child(name, prepare):
    if os.fork() == 0:
        prepare()
        note(name)
        sleep()

def ignore(*numbers):
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)

def daemonize():
    os.setsid()
    if os.fork():
        os._exit(0)
    os.setsid()

child("plain", lambda: None)
child("stubborn", lambda: ignore(signal.SIGTERM, signal.SIGHUP))
child("own session", os.setsid)
child("daemon", daemonize)
child("nohup", lambda: ignore(signal.SIGHUP))
child("stopped", lambda: (note("stopped"), os.kill(os.getpid(), signal.SIGSTOP)))
note("root")
sleep()
"""
NAMES = {"plain", "stubborn", "own session", "daemon", "nohup", "stopped", "root"}

DAEMON = """
import os, signal, sys, time
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    time.sleep(60)
if os.fork():
    os.wait()
    print("started", flush=True)
    time.sleep(60)
os.setsid()
if os.fork():
    os._exit(0)
os.execvp("sh", ["sh", "-c", "echo $$ > " + sys.argv[1] + "; sleep 60; : a-shared-" + "daemon"])
"""


@pytest.fixture
async def world() -> AsyncIterator[Holding]:
    async with holding() as world:
        yield world


def _noted(path: Path) -> dict[str, int]:
    if not path.exists():
        return {}
    lines = path.read_text().splitlines()
    return {name: int(pid) for name, _, pid in (line.rpartition(" ") for line in lines)}


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def test_stop_ends_the_whole_tree_daemons_and_stubborn_ones_too(world: Holding, tmp_path: Path) -> None:
    notes = tmp_path / "pids"
    session = await world.start(PYTHON, "-c", NASTY, str(notes))
    link, follower = await world.follow(session)
    await until(lambda: _noted(notes).keys() == NAMES)
    pids = _noted(notes)
    assert all(is_running(pid) for pid in pids.values())
    assert await link.stop(0.3) == ()
    assert {name for name, pid in pids.items() if is_running(pid)} == set()
    await until(lambda: follower.exits)
    assert follower.exits[0].signal == signal.SIGTERM


async def test_a_program_that_ends_when_asked_gets_the_time_to_do_it(world: Holding) -> None:
    script = "trap 'sleep 0.3; echo saved; exit 4' TERM; echo ready; while :; do sleep 0.02; done"
    session = await world.start("sh", "-c", script)
    link, follower = await world.follow(session)
    await until(lambda: "ready" in follower.text())
    assert await link.stop(10) == ()
    await until(lambda: follower.exits)
    assert follower.exits[0].status == 4
    assert "saved" in follower.text()


async def test_shared_daemons_are_spared_with_their_children_and_listed(world: Holding, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    session = await world.start(PYTHON, "-c", DAEMON, str(note), spare=("a-shared-daemon",))
    follower = Follower()
    link = await world.connect(session, follower)
    follower.when_ended = link.close  # as the hub does: the answer to the stop must have come before
    link.replay(0)
    await until(lambda: note.exists() and note.read_text().strip())
    daemon = int(note.read_text())
    await until(lambda: "started" in follower.text() and _children(daemon))
    (child,) = _children(daemon)
    try:
        left = await link.stop(0.5)
        assert len(left) == 2
        assert f"pid {daemon}" in left[0]
        assert f"pid {child}" in left[1]
        assert is_running(daemon)
        assert is_running(child)
        await until(lambda: follower.exits)
    finally:
        for pid in (daemon, child):
            os.kill(pid, signal.SIGKILL)


async def test_the_program_itself_is_never_spared(world: Holding) -> None:
    session = await world.start("sh", "-c", "sleep 60; : a-shared-daemon", spare=("a-shared-daemon",))
    link, _ = await world.follow(session)
    assert [line for line in await link.stop(2) if f"pid {link.hello.pid}" in line] == []
    assert not is_running(link.hello.pid)


async def test_a_stop_goes_on_when_whoever_asked_for_it_dies(world: Holding) -> None:
    session = await world.start("sh", "-c", "trap '' TERM; while :; do sleep 0.05; done")
    link, _ = await world.follow(session)
    stopping = asyncio.ensure_future(link.stop(0.3))
    await asyncio.sleep(0)
    link.close()
    with pytest.raises(Exception, match="lost"):
        await stopping
    await until(lambda: not is_running(link.hello.pid))


async def test_what_a_program_leaves_behind_when_it_ends_by_itself_goes_on(world: Holding, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    session = await world.start(
        "sh", "-c", f"setsid sh -c 'echo $$ > {note}; exec sleep 60' & while [ ! -s {note} ]; do :; done"
    )
    link, follower = await world.follow(session)
    await until(lambda: follower.exits)
    left = int(note.read_text())
    link.acknowledge_exit()
    try:
        await until(lambda: not is_running(link.hello.holder_pid))
        assert is_running(left)
    finally:
        os.kill(left, signal.SIGKILL)


async def test_a_signal_reaches_the_program_or_the_foreground_group(world: Holding) -> None:
    script = "trap 'echo usr1' USR1; echo ready; while :; do sleep 0.02; done"
    session = await world.start("sh", "-c", script)
    link, follower = await world.follow(session)
    await until(lambda: "ready" in follower.text())
    link.signal(signal.SIGUSR1)
    await until(lambda: "usr1" in follower.text())
    link.signal(signal.SIGINT, foreground=True)
    await until(lambda: follower.exits)
    assert follower.exits[0].signal == signal.SIGINT
    link.signal(signal.SIGINT)
    await until(lambda: follower.refused)
    assert follower.refused == ["the signal was not sent: the program has ended"]
