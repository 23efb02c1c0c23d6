"""Thousands of broken connections and killed gateways: does anybody miss an event, or get one twice?

    python -m tests.bench.soak_share [RESETS] [KILLS]

The gateway is the real process; the bench plays the hub with a log, and many viewers that are reset at random moments.
"""

import asyncio
import contextlib
import os
import random
import signal
import socket
import struct
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from agentdeck.protocol import gateway as g
from agentdeck.protocol import viewers as v
from agentdeck.protocol.wire import encode
from tests.bench.bench_share import EACH, HubSide, begin, handshake
from tests.bench.measure import table

VIEWERS = 48
EVENTS = 150
"""A second."""


class Owner:
    """The hub's log, and its answers to a gateway that asks for older events."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self.log: list[bytes] = []
        self.host = ""
        self.pid = 0
        self._hub: HubSide | None = None

    async def start(self, port: int = 0) -> None:
        process, hub, ready = await begin(self.run, VIEWERS // EACH + 1, port=port, last_seq=len(self.log))
        self.pid, self.host, self._hub = process.pid, ready.url.removeprefix("http://"), hub
        hub.asked = self.answer

    def say(self) -> None:
        seq = len(self.log) + 1
        event = v.Envelope(v=1, t="chat", seq=seq, ts=time.time(), by="owner", d=msgspec.Raw(b'{"text":"x"}'))
        self.log.append(msgspec.json.encode(event))
        if self._hub is not None:
            self._hub.send(g.Logged(share="bench", events=(g.Event(seq, "chat", self.log[-1]),)))

    def answer(self, question: g.AskLog) -> None:
        page = self.log[question.since : question.since + question.count]
        body = b'{"messages":[' + b",".join(page) + b"]}"
        assert self._hub is not None
        self._hub.transport.write(encode(g.Answer(id=question.id, body=body)))

    async def die(self) -> None:
        port = int(self.host.rpartition(":")[2])
        os.kill(self.pid, signal.SIGKILL)
        await asyncio.to_thread(os.waitpid, self.pid, 0)
        await self.start(port)


async def follow(owner: Owner, n: int, count: list[int], most: int, choose: random.Random) -> list[int]:
    """Come, listen for a moment, be reset, come back; return every number that was heard, in order."""
    heard: list[int] = []
    done = False
    while not done:
        done = count[0] >= most
        since = heard[-1] if heard else 0
        try:
            heard += await listen(owner, n, since, 2.0 if done else choose.random() * 0.15, until=len(owner.log) * done)
            count[0] += 1
        except OSError:
            done = False
            await asyncio.sleep(0.05)
    return heard


async def listen(owner: Owner, n: int, since: int, seconds: float, *, until: int) -> list[int]:
    host, port = owner.host.rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    heard: list[int] = []
    try:
        writer.write(handshake(owner.host, f"t{n // EACH}"))
        await reader.readuntil(b"\r\n\r\n")
        text = msgspec.json.encode({"t": "auth", "d": {"since": since, "epoch": "e"}})
        writer.write(bytes((0x81, 0x80 | len(text))) + bytes(4) + text)
        async with asyncio.timeout(seconds):
            while not until or (heard[-1] if heard else since) < until:
                head = await reader.readexactly(2)
                size = head[1]
                if size == 126:
                    size = int.from_bytes(await reader.readexactly(2), "big")
                elif size == 127:
                    size = int.from_bytes(await reader.readexactly(8), "big")
                body = await reader.readexactly(size)
                if head[0] == 0x81 and (seq := msgspec.json.decode(body, type=v.Envelope).seq):
                    heard.append(seq)
    except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        with contextlib.suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
    return heard


async def soak(resets: int, kills: int) -> list[object]:
    with tempfile.TemporaryDirectory(prefix="adb-") as place:
        owner, count, began = Owner(Path(place)), [0], time.monotonic()
        await owner.start()

        async def talk() -> None:
            while True:
                owner.say()
                await asyncio.sleep(1 / EVENTS)

        async def kill() -> None:
            for number in range(kills):
                while count[0] < resets * (number + 1) // (kills + 1):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
                await owner.die()

        talking, killing = asyncio.create_task(talk()), asyncio.create_task(kill())
        viewers = [follow(owner, n, count, resets, random.Random(n)) for n in range(VIEWERS)]
        heard = await asyncio.gather(*viewers)
        talking.cancel()
        await killing
        os.kill(owner.pid, signal.SIGTERM)
        lost = twice = 0
        for seqs in heard:
            twice += len(seqs) - len(set(seqs))
            lost += max(seqs) - min(seqs) + 1 - len(set(seqs)) if seqs else 0
            assert seqs == sorted(seqs)
        return [count[0], kills, len(owner.log), sum(map(len, heard)), lost, twice, time.monotonic() - began]


def main() -> None:
    resets = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    row = asyncio.run(soak(resets, kills))
    table("broken connections", ("resets", "gateway kills", "events", "heard", "lost", "twice", "s"), [row])
    sys.exit(bool(row[4] or row[5]))


if __name__ == "__main__":
    main()
