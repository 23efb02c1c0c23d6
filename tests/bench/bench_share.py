"""What viewers cost: CPU and memory of the gateway per viewer and frame, delays, stalled viewers, the way to a link.

    python -m tests.bench.bench_share [VIEWERS] [SECONDS]
    python -m tests.bench.bench_share stalled [ROUNDS]

The gateway is the real process. The bench plays the hub at its control socket; the viewers are another process.
"""

import asyncio
import contextlib
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

from agentdeck.protocol import gateway as g
from agentdeck.protocol import screen as s
from agentdeck.protocol.wire import Decoder, encode
from agentdeck.share import tokens
from agentdeck.share.meeting import SOCKET
from tests.bench.measure import cpu, memory, percentile, table

RATE = 20
COLS, ROWS = 120, 40
EACH = 8
"""Sockets that one person may have."""


AUTH = bytes((0x81, 0x8C)) + bytes(4) + b'{"t":"auth"}'
"""The first message, masked with zeros."""


def handshake(host: str, token: str) -> bytes:
    return (
        f"GET /v1/s/bench/ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Authorization: Bearer {token}\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()


class HubSide(asyncio.Protocol):
    """The hub, as far as the gateway can tell."""

    def __init__(self) -> None:
        self.ready: asyncio.Future[g.Ready] = asyncio.get_running_loop().create_future()
        self.sockets: dict[str, int] = {}
        self.asked: Callable[[g.AskLog], None] = lambda question: None
        self._decoder: Decoder[g.FromGateway] = Decoder(g.FromGateway)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        for message in self._decoder.feed(data):
            if isinstance(message, g.Ready) and not self.ready.done():
                self.ready.set_result(message)
            elif isinstance(message, g.AskLog):
                self.asked(message)
            elif isinstance(message, g.Online):
                self.sockets[message.participant] = message.sockets

    def send(self, message: g.FromHub) -> None:
        if not self.transport.is_closing():
            self.transport.write(encode(message))


def picture(seq: int, *, full: bool) -> s.Frame:
    """About a kilobyte that changes: eight rows of coloured text, the first with the time in it."""
    rows = []
    for y in range(ROWS if full else 8):
        text = f"T={time.time_ns()} " if y == 0 else f"{seq:>8} the quick brown fox jumps over the lazy dog "
        runs = ((text, 1 + y), ("lorem ipsum dolor sit amet ", 0), ("▇▇▇▇", 3), (" " * (COLS - len(text) - 31), 0))
        rows.append((y, s.Row(runs)))
    return s.Frame("", seq, COLS, ROWS, full, tuple(rows), s.Cursor(0, 0), s.Modes(), 0)


async def begin(
    run: Path, people: int, *, port: int = 0, last_seq: int = 0
) -> tuple[subprocess.Popen[bytes], HubSide, g.Ready]:
    words = [sys.executable, "-m", "agentdeck.gateway", "--run", str(run), "--port", str(port)]
    process = subprocess.Popen(words, start_new_session=True)  # noqa: ASYNC220
    loop = asyncio.get_running_loop()
    for _ in range(1000):
        with contextlib.suppress(OSError):
            _, hub = await loop.create_unix_connection(HubSide, str(run / SOCKET))
            break
        await asyncio.sleep(0.02)
    hub.send(g.Setup(version=g.VERSION, owner_token="", max_viewers=5000))
    ready = await asyncio.wait_for(hub.ready, 20)
    grants = tuple(
        g.Grant(participant=f"p{n}", name=f"n{n}", role="observer", token=tokens.hashed(f"t{n}"), csrf="")
        for n in range(people)
    )
    hub.send(
        g.Opened(
            share="bench", epoch="e", session="bench", provider="shell", provider_session="", role="observer",
            expires_at=time.time() + 3600, last_seq=last_seq, grants=grants,
        )
    )  # fmt: skip
    hub.send(g.Drawn(share="bench", frame=picture(0, full=True)))
    return process, hub, ready


class Watching(asyncio.Protocol):
    """One viewer that only counts frames and takes their delay."""

    delays: list[float] = []  # noqa: RUF012
    frames = 0
    _upgraded = False

    def __init__(self, host: str, token: str) -> None:
        self._host, self._token, self._rest = host, token, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(handshake(self._host, self._token))

    def data_received(self, data: bytes) -> None:
        if not self._upgraded:
            self._upgraded = True
            self._transport.write(AUTH)
        at = data.find(b'"screen"')
        while at >= 0:
            mark = data.find(b"T=", at)
            if mark >= 0:
                sent = data[mark + 2 : mark + 21]
                if sent.isdigit():
                    Watching.delays.append(time.time() - int(sent) / 1e9)
                    Watching.frames += 1
            at = data.find(b'"t":"screen"', at + 10)


async def viewers(host: str, count: int) -> None:
    """The other process: open the sockets and say so; for each line, tell what was measured since the line before."""
    loop = asyncio.get_running_loop()
    address, port = host.rsplit(":", 1)
    for n in range(count):
        await loop.create_connection(lambda n=n: Watching(host, f"t{n // EACH}"), address, int(port))  # type: ignore[misc]
        if n % 50 == 0:
            await asyncio.sleep(0.02)
    print("ready", flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        delays = Watching.delays or [0.0]
        print(Watching.frames, percentile(delays, 50), percentile(delays, 99), flush=True)
        Watching.delays.clear()
        Watching.frames = 0


class Crowd:
    """Viewers in a process of their own."""

    @classmethod
    async def come(cls, hub: HubSide, host: str, count: int) -> "Crowd":
        crowd = cls()
        crowd._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.bench_share", "viewers", host, str(count),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        await crowd._read()
        while sum(hub.sockets.values()) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        return crowd

    _process: asyncio.subprocess.Process

    async def _read(self) -> str:
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode()

    async def measured(self) -> tuple[float, float, float]:
        """Frames, p50 and p99 in seconds, since this was asked last."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        frames, p50, p99 = map(float, (await self._read()).split())
        return frames, p50, p99

    async def leave(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


class Stage:
    """The hub's screen, drawn at a steady pace."""

    def __init__(self, hub: HubSide) -> None:
        self._hub = hub
        self._seq = 1

    async def play(self, seconds: float, until: Callable[[], bool] = lambda: False) -> float:
        """Draw for this long, or until something holds; return how long it was."""
        loop = asyncio.get_running_loop()
        began = due = loop.time()
        while loop.time() - began < seconds and not until():
            self._hub.send(g.Drawn(share="bench", frame=picture(self._seq, full=False)))
            self._seq += 1
            due += 1 / RATE
            await asyncio.sleep(max(0.0, due - loop.time()))
        return loop.time() - began


async def stall(host: str, count: int) -> list[socket.socket]:
    """Viewers that connect and never read."""
    address, port = host.rsplit(":", 1)
    made = []
    for n in range(count):
        each = socket.socket()
        each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        each.connect((address, int(port)))
        each.sendall(handshake(host, f"t{900 + n // EACH}"))
        await asyncio.to_thread(each.recv, 100)
        each.sendall(AUTH)
        made.append(each)
    return made


async def run(count: int, seconds: float) -> list[object]:
    with tempfile.TemporaryDirectory(prefix="adb-") as place:
        process, hub, ready = await begin(Path(place), 1000)
        host = ready.url.removeprefix("http://")
        base = memory(process.pid)
        crowd = await Crowd.come(hub, host, count)
        held = memory(process.pid) - base
        await crowd.measured()
        used = cpu(process.pid)
        took = await Stage(hub).play(seconds)
        spent = cpu(process.pid) - used
        frames, p50, p99 = await crowd.measured()
        hub.send(g.End())
        await crowd.leave()
        process.terminate()
        process.wait(10)
        sent = count * RATE * took
        return [
            count, 100 * spent / took, 1e6 * spent / max(frames, 1), 100 * frames / sent, 1000 * p50, 1000 * p99,
            1024 * held / max(count, 1),
        ]  # fmt: skip


async def beside(count: int, stalled: int, rounds: int, seconds: float) -> None:
    """The same viewers with and without others who read nothing, in turns, and how they fare beside each other."""
    with tempfile.TemporaryDirectory(prefix="adb-") as place:
        process, hub, ready = await begin(Path(place), 1000)
        host = ready.url.removeprefix("http://")
        crowd = await Crowd.come(hub, host, count)
        stage = Stage(hub)
        await stage.play(1.0)
        taken: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
        grown, left = 0.0, 0.0
        for number in range(2 * rounds):
            on = number % 4 in (1, 2)  # without, with, with, without: what drifts meets both alike
            before = memory(process.pid)
            still = await stall(host, stalled) if on else []
            await stage.play(0.5)
            await crowd.measured()
            await stage.play(seconds)
            _, p50, p99 = await crowd.measured()
            taken[on].append((1000 * p50, 1000 * p99))
            if on:
                grown = max(grown, memory(process.pid) - before)
                gone = await stage.play(30, lambda: sum(hub.sockets.values()) <= count)
                left = max(left, 0.5 + seconds + gone)
            for each in still:
                each.close()
        hub.send(g.End())
        await crowd.leave()
        process.terminate()
        process.wait(10)
    without, with_ = (
        [sorted(column)[len(column) // 2] for column in zip(*taken[on], strict=True)] for on in (False, True)
    )
    ratio = [much / max(little, 1e-9) for little, much in zip(without, with_, strict=True)]
    table(
        f"{count} viewers beside others who read nothing: medians of {rounds} rounds", ("stalled", "p50 ms", "p99 ms"),
        [[0, *without], [stalled, *with_], ["ratio", *ratio]],
    )  # fmt: skip
    table("those who read nothing", ("viewers", "MB grown", "gone s"), [[stalled, grown, left]])


def cold() -> float:
    """Seconds from the start of a gateway's process to its being ready."""
    began = time.monotonic()

    async def once() -> None:
        with tempfile.TemporaryDirectory(prefix="adb-") as place:
            process, _, _ = await begin(Path(place), 1)
            process.terminate()
            process.wait(10)

    asyncio.run(once())
    return time.monotonic() - began


def main() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if sys.argv[1:2] == ["viewers"]:
        watching = viewers(sys.argv[2], int(sys.argv[3]))
        with contextlib.suppress(ImportError):
            import uvloop

            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(watching)
            return
        asyncio.run(watching)
        return
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    if sys.argv[1:2] != ["stalled"]:
        most = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
        seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 5.0
        table(
            f"{RATE} frames a second of about 1 KB to each viewer",
            ("viewers", "CPU %", "µs/frame", "delivered %", "p50 ms", "p99 ms", "KB/viewer"),
            [asyncio.run(run(count, seconds)) for count in sorted({10, 100, most})],
        )  # fmt: skip
        table("a gateway, until it is ready", ("s",), [[cold()] for _ in range(3)])
    asyncio.run(beside(100, 20, int(sys.argv[2]) if sys.argv[1:2] == ["stalled"] and len(sys.argv) > 2 else 4, 4.0))


if __name__ == "__main__":
    main()
