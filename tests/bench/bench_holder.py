"""What a holder costs: memory, start, throughput and added echo latency. Prints; asserts nothing.

    python -m tests.bench.bench_holder [sessions]
"""

import asyncio
import os
import pty
import statistics
import sys
import threading
import time
import tty
from pathlib import Path

from agentdeck.hub.link import HolderLink
from tests.fakes.holding import PYTHON, Follower, Holding, holding

MB = 1024 * 1024
FLOOD = f"import os\nd=(b'0123456789'*8+b'\\n')*809\nfor i in range({64 * MB} // len(d)): os.write(1,d)"
FLOOD_RAW = "import tty;tty.setraw(1)\ninput()\n" + FLOOD
ECHO = "import os,tty\ntty.setraw(0)\nos.write(1,b'r')\nwhile d:=os.read(0,99): os.write(1,d)"


def _pss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def start_and_memory(world: Holding, count: int) -> None:
    times, links = [], []
    for _ in range(count):
        began = time.perf_counter()
        links.append(await world.connect(await world.start("cat")))
        times.append((time.perf_counter() - began) * 1000)
    print(f"start → connected: p50 {statistics.median(times):.0f} ms, worst {max(times):.0f} ms ({count} sessions)")
    pids = [link.hello.holder_pid for link in links]
    print(f"memory, idle: {statistics.mean(map(_pss, pids)):.1f} MB PSS each")
    before, began = sum(map(_cpu, pids)), time.perf_counter()
    await asyncio.sleep(5)
    share = (sum(map(_cpu, pids)) - before) / (time.perf_counter() - began)
    print(f"{count} idle holders: {share:.2%} of a core")
    for link in links:
        await link.stop(0)


async def throughput(world: Holding, readers: int) -> None:
    session = await world.start(PYTHON, "-c", FLOOD_RAW)
    followers = [Follower() for _ in range(readers)]
    ended = asyncio.Event()
    total = 0
    link: HolderLink
    for follower in followers:
        link = await _counting(world, session, follower, ended)
    if not readers:
        link = await world.connect(session)
    cpu, began = _cpu(link.hello.holder_pid), time.perf_counter()
    link.write(b"\n")
    if readers:
        await ended.wait()
    else:
        path = world.run / f"{session}.exit"
        while not path.read_bytes().startswith(b"{"):
            await asyncio.sleep(0.02)
    took = time.perf_counter() - began
    total = 64
    used = _cpu(link.hello.holder_pid) - cpu
    print(
        f"flood of 64 MB, {readers} readers: {total / took:.0f} MB/s, holder {used / total * 1000:.1f} ms CPU per MB,"
        f" {_pss(link.hello.holder_pid):.1f} MB PSS after it"
    )


async def _counting(world: Holding, session: str, follower: Follower, ended: asyncio.Event) -> HolderLink:
    link = await HolderLink.connect(
        world.socket(session),
        on_output=lambda offset, data: link.ack(offset + len(data)),
        on_exit=lambda _: ended.set(),
        on_lost=ended.set,
    )
    link.replay(0)
    return link


def direct_throughput() -> None:
    """The same flood read straight from a PTY: what the machine gives."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(PYTHON, [PYTHON, "-c", FLOOD_RAW.replace("input()\n", "")])
    began, total = time.perf_counter(), 0
    try:
        while data := os.read(fd, 65536):
            total += len(data)
    except OSError:
        pass
    print(f"the same without a holder: {total / MB / (time.perf_counter() - began):.0f} MB/s")
    os.waitpid(pid, 0)
    os.close(fd)


async def echo(world: Holding, count: int = 2000) -> None:
    session = await world.start(PYTHON, "-c", ECHO)
    arrived = asyncio.Event()
    link = await HolderLink.connect(
        world.socket(session), on_output=lambda *_: arrived.set(), on_exit=print, on_lost=lambda: None
    )
    link.replay(0)
    await arrived.wait()
    times = []
    for _ in range(count):
        arrived.clear()
        began = time.perf_counter()
        link.write(b"x")
        await arrived.wait()
        times.append((time.perf_counter() - began) * 1e6)
    times.sort()
    print(f"key → echo through a holder: p50 {times[count // 2]:.0f} µs, p99 {times[count * 99 // 100]:.0f} µs")
    await link.stop(0)


def direct_echo(count: int = 2000) -> None:
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(PYTHON, [PYTHON, "-c", ECHO])
    os.read(fd, 1)
    times = []
    for _ in range(count):
        began = time.perf_counter()
        os.write(fd, b"x")
        os.read(fd, 10)
        times.append((time.perf_counter() - began) * 1e6)
    times.sort()
    print(f"the same without a holder: p50 {times[count // 2]:.0f} µs, p99 {times[count * 99 // 100]:.0f} µs")
    os.close(fd)
    os.waitpid(pid, 0)


async def main(count: int) -> None:
    async with holding() as world:
        await start_and_memory(world, count)
        for readers in (0, 1, 3):
            await throughput(world, readers)
        await asyncio.to_thread(direct_throughput) if False else direct_throughput()
        await echo(world)
        direct_echo()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10))
