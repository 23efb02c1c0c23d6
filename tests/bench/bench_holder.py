"""What a holder costs: memory, start, throughput, added echo latency. Prints; asserts nothing.

python -m tests.bench.bench_holder [sessions]
"""

import asyncio
import contextlib
import os
import pty
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from agentdeck.hub.link import HolderLink
from tests.bench.measure import memory, percentile
from tests.fakes.holding import PYTHON, Holding, holding

SIZE = 64
"""MB of flood."""

FLOOD = f"""
import os, tty
tty.setraw(0)
os.write(1, b"ready")
os.read(0, 1)
data = (b"0123456789" * 8 + b"\\n") * 809
for _ in range({SIZE} * 1024 * 1024 // len(data)):
    os.write(1, data)
"""

ECHO = """
import os, tty
tty.setraw(0)
os.write(1, b"ready")
while data := os.read(0, 99):
    os.write(1, data)
"""


def cpu(pid: int) -> float:
    """Seconds of CPU, to the nanosecond: the tick count is too coarse for something that idles."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


async def start_memory_idle(world: Holding, count: int) -> None:
    times, links = [], []
    for _ in range(count):
        began = time.perf_counter()
        links.append(await world.connect(await world.start("cat")))
        times.append((time.perf_counter() - began) * 1000)
    print(f"start → connected            p50 {statistics.median(times):.0f} ms, worst {max(times):.0f} ms")
    pids = [link.hello.holder_pid for link in links]
    print(f"memory, idle                 {statistics.mean(map(memory, pids)):.1f} MB PSS each of {count}")
    before, began = sum(map(cpu, pids)), time.perf_counter()
    await asyncio.sleep(6)
    share = (sum(map(cpu, pids)) - before) / (time.perf_counter() - began)
    print(f"idle                         {share:.3%} of a core for {count}")
    for link in links:
        await link.stop(0)


async def follow(
    world: Holding, session: str, on_output: Callable[[int], None], on_end: Callable[[], None]
) -> HolderLink:
    """Follow a session as a hub does, but keep nothing; `on_output` gets the offset reached."""

    def take(offset: int, data: bytes) -> None:
        link.ack(offset + len(data))
        on_output(offset + len(data))

    link = await HolderLink.connect(
        world.socket(session), on_output=take, on_exit=lambda _: on_end(), on_lost=lambda: None
    )
    link.replay(0)
    return link


async def throughput(world: Holding, readers: int) -> None:
    session = await world.start(PYTHON, "-c", FLOOD)
    ready, ended = asyncio.Event(), asyncio.Event()
    links = [await follow(world, session, lambda _: ready.set(), ended.set) for _ in range(max(1, readers))]
    await ready.wait()
    holder = links[0].hello.holder_pid
    used, began = cpu(holder), time.perf_counter()
    links[0].write(b"\n")
    if readers:
        await ended.wait()
    else:
        links[0].close()
        record = world.run / f"{session}.exit"
        while not record.read_bytes().startswith(b"{"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    took, used = time.perf_counter() - began, cpu(holder) - used
    print(
        f"{SIZE} MB flood, {readers} readers    {SIZE / took:.0f} MB/s, holder {used / SIZE * 1000:.1f} ms CPU per MB,"
        f" {memory(holder):.1f} MB PSS after it"
    )


def throughput_without() -> None:
    """The same flood read straight from a PTY: what the machine gives."""
    pid, fd = _fork(FLOOD)
    os.read(fd, 5)
    began = time.perf_counter()
    os.write(fd, b"\n")
    with contextlib.suppress(OSError):
        while os.read(fd, 65536):
            pass
    print(f"the same without a holder    {SIZE / (time.perf_counter() - began):.0f} MB/s")
    os.close(fd)
    os.waitpid(pid, 0)


async def echo(world: Holding, count: int = 2000) -> None:
    session = await world.start(PYTHON, "-c", ECHO)
    arrived, times = asyncio.Event(), []
    link = await follow(world, session, lambda _: arrived.set(), lambda: None)
    await arrived.wait()
    for _ in range(count):
        arrived.clear()
        began = time.perf_counter()
        link.write(b"x")
        await arrived.wait()
        times.append((time.perf_counter() - began) * 1e6)
    print(f"key → echo through a holder  p50 {percentile(times, 50):.0f} µs, p99 {percentile(times, 99):.0f} µs")
    await link.stop(0)


def echo_without(count: int = 2000) -> None:
    pid, fd = _fork(ECHO)
    os.read(fd, 5)
    times = []
    for _ in range(count):
        began = time.perf_counter()
        os.write(fd, b"x")
        os.read(fd, 10)
        times.append((time.perf_counter() - began) * 1e6)
    print(f"the same without a holder    p50 {percentile(times, 50):.0f} µs, p99 {percentile(times, 99):.0f} µs")
    os.close(fd)
    os.waitpid(pid, 0)


def _fork(script: str) -> tuple[int, int]:
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(PYTHON, [PYTHON, "-c", script])
    return pid, fd


async def main(count: int) -> None:
    async with holding() as world:
        await start_memory_idle(world, count)
        for readers in (0, 1, 3):
            await throughput(world, readers)
        throughput_without()
        await echo(world)
        echo_without()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10))
