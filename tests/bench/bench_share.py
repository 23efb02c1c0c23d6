"""What viewers cost: CPU and memory of the gateway per viewer and frame, delays, stalled viewers, the way to a link.

    python -m tests.bench.bench_share [VIEWERS] [SECONDS]

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


async def viewers(host: str, count: int, seconds: float) -> None:
    """The other process: open the sockets, say so, measure, tell."""
    loop = asyncio.get_running_loop()
    address, port = host.rsplit(":", 1)
    for n in range(count):
        await loop.create_connection(lambda n=n: Watching(host, f"t{n // EACH}"), address, int(port))  # type: ignore[misc]
        if n % 50 == 0:
            await asyncio.sleep(0.02)
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    Watching.delays.clear()
    Watching.frames = 0
    await asyncio.sleep(seconds)
    delays = Watching.delays or [0.0]
    print(Watching.frames, percentile(delays, 50), percentile(delays, 99), flush=True)


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


async def run(count: int, seconds: float, *, stalled: int = 0) -> list[object]:
    with tempfile.TemporaryDirectory(prefix="adb-") as place:
        process, hub, ready = await begin(Path(place), 1000)
        host = ready.url.removeprefix("http://")
        base = memory(process.pid)
        crowd = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.bench_share", "viewers", host, str(count), str(seconds),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert crowd.stdout is not None
        assert crowd.stdin is not None
        await crowd.stdout.readline()
        while sum(hub.sockets.values()) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        still = await stall(host, stalled)
        seq, loop = 1, asyncio.get_running_loop()
        before_memory = memory(process.pid)
        crowd.stdin.write(b"\n")
        began, used = loop.time(), cpu(process.pid)
        due = began
        while loop.time() - began < seconds:
            hub.send(g.Drawn(share="bench", frame=picture(seq, full=False)))
            seq += 1
            due += 1 / RATE
            await asyncio.sleep(max(0.0, due - loop.time()))
        took = loop.time() - began
        spent = cpu(process.pid) - used
        frames, p50, p99 = map(float, (await crowd.stdout.readline()).split())
        grown = memory(process.pid) - before_memory
        gone = -1.0
        if stalled:
            while sum(hub.sockets.values()) > count and loop.time() - began < 30:
                hub.send(g.Drawn(share="bench", frame=picture(seq, full=False)))
                seq += 1
                await asyncio.sleep(1 / RATE)
            gone = loop.time() - began
        for each in still:
            each.close()
        hub.send(g.End())
        await crowd.wait()
        process.terminate()
        process.wait(10)
        sent = count * RATE * took
        return [
            count, stalled, 100 * spent / took, 1e6 * spent / max(frames, 1), 100 * frames / sent, 1000 * p50,
            1000 * p99, 1024 * (before_memory - base) / max(count, 1), grown, gone,
        ]  # fmt: skip


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
        with contextlib.suppress(ImportError):
            import uvloop

            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(viewers(sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
            return
        asyncio.run(viewers(sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
        return
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 5.0
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    rows = [asyncio.run(run(count, seconds)) for count in sorted({10, 100, most})]
    rows.append(asyncio.run(run(100, max(seconds, 6.0), stalled=20)))
    table(
        f"{RATE} frames a second of about 1 KB to each viewer",
        ("viewers", "stalled", "CPU %", "µs/frame", "delivered %", "p50 ms", "p99 ms", "KB/viewer", "MB grown",
         "gone s"),
        rows,
    )  # fmt: skip
    table("a gateway, until it is ready", ("s",), [[cold()] for _ in range(3)])


if __name__ == "__main__":
    main()
