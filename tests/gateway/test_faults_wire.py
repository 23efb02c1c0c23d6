"""Strangers send floods and nonsense, or nothing at all. Never 1011, never a traceback, and memory stays as it was."""

import asyncio
import contextlib
import os
import resource
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from websockets.asyncio import client as websocket

from agentdeck.gateway import socket as sockets
from agentdeck.gateway import wire
from agentdeck.protocol import messages as m
from agentdeck.protocol import viewers as v
from tests.bench.measure import memory
from tests.gateway.conftest import Link, World
from tests.gateway.played import SHARE, PlayedGateway, gateway

GROWN: Final = 12.0
"""MB that a gateway may be larger after all of it: what allocators keep, and no flood."""


def frame(payload: bytes = b"", head: int = 0x81) -> bytes:
    """One frame, masked with zeros."""
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes((head,)) + length + bytes(4) + payload


AUTH: Final = frame(b'{"t":"auth"}')
BROKEN: Final[dict[str, tuple[bytes, int]]] = {
    "no mask": (b"\x81\x02hi", 1002),
    "reserved bits": (frame(b"x", 0xC1), 1002),
    "an unknown opcode": (frame(b"", 0x83), 1002),
    "an unknown control opcode": (frame(b"", 0x8B), 1002),
    "a fragmented ping": (frame(b"", 0x09), 1002),
    "a ping that is too long": (b"\x89\xfe\x00\x7e" + bytes(4 + 126), 1002),
    "a close of one byte": (frame(b"x", 0x88), 1002),
    "a close with a code that is none": (frame((999).to_bytes(2, "big"), 0x88), 1002),
    "a close whose reason is no UTF-8": (frame(b"\x03\xe8\xff", 0x88), 1007),
    "a continuation of nothing": (frame(b"x", 0x80), 1002),
    "a text inside of a text": (frame(b"x", 0x01) + frame(b"y"), 1002),
    "2^63 bytes announced": (b"\x81\xff\x7f" + b"\xff" * 7 + bytes(4), 1009),
    "2^64 bytes announced": (b"\x81\xff" + b"\xff" * 8 + bytes(4), 1009),
    "pieces that are too large together": (frame(b"x" * 30_000, 0x01) + frame(b"x" * 30_000, 0x00) * 3, 1009),
    "no UTF-8": (frame(b"\xff\xfe"), 1007),
    "half a letter": (frame(b"\xe2", 0x01) + frame(b"\x82", 0x80), 1007),
    "binary": (frame(b"\x00\x01", 0x82), 4400),
    "32 KB and one byte": (frame(b"x" * (v.MESSAGE_LIMIT + 1)), 4413),
    "deep": (frame(b'{"t":"chat","d":' + b"[" * 15_000 + b"]" * 15_000 + b"}"), 4400),
    "no number": (frame(b'{"t":"chat","d":{"text":NaN}}'), 4400),
    "nothing": (frame(b""), 4400),
    "a message every moment": (frame(b'{"t":"nothing"}') * 200, 4429),
}
FLOODS: Final[dict[str, bytes]] = {
    "pings": frame(b"p" * 125, 0x89) * 2000,
    "pongs": frame(b"p" * 125, 0x8A) * 2000,
    "empty pieces": frame(b"", 0x01) + frame(b"", 0x00) * 40_000,
    "small pieces": frame(b"x", 0x01) + frame(b"x", 0x00) * 30_000,
}
REQUESTS: Final = (
    b"GET / HTTP/9.9", b"GET //[ HTTP/1.1", "GET /v1/s/é/ws HTTP/1.1".encode(), b"GET /v1/s/%ff%00/ws HTTP/1.1",
    b"PRI * HTTP/2.0", b"CONNECT a:1 HTTP/1.1", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET /\x00 HTTP/1.1",
    b"POST / HTTP/1.1\r\nContent-Length: -1", b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
    b"GET / HTTP/1.1\r\nX-\xff: \xfe\r\nAuthorization: Bearer \xe9", b"OPTIONS * HTTP/1.1\r\nUpgrade: h2c",
    b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 99",
)  # fmt: skip


async def opened(link: Link, token: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A socket whose every byte is ours."""
    host, port = link.base.removeprefix("http://").rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"GET /v1/s/{link.share}/ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nAuthorization: Bearer {token}\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    writer.write(AUTH)
    return reader, writer


async def everything(reader: asyncio.StreamReader) -> bytes:
    """What comes until the other side closes or resets the connection."""
    heard = b""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(8):
            while piece := await reader.read(65536):
                heard += piece
    return heard


def closes(data: bytes) -> int:
    """The code of the close frame in what a server sent; 0 when there is none."""
    at, code = 0, 0
    while at + 2 <= len(data):
        size, skip = data[at + 1], 2
        if size > 125:
            skip = 4 if size == 126 else 10
            size = int.from_bytes(data[at + 2 : at + skip], "big")
        if data[at] == 0x88:
            code = int.from_bytes(data[at + skip : at + skip + 2], "big")
        at += skip + size
    return code


async def test_every_broken_frame_ends_its_own_connection_with_its_code_and_no_flood_costs_memory(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "while read x; do echo [$x]; done")
    link = await world.share(session, max_uses=30)
    good = await world.join(link, "ana")
    pid, log = world.gateway_pid(), world.paths.state / "gateway.log"
    before = memory(pid)
    for name, (data, code) in BROKEN.items():
        reader, writer = await opened(link, (await world.token(link)).token)
        writer.write(data)
        assert closes(await everything(reader)) == code, name
        writer.close()
    for name, data in FLOODS.items():
        reader, writer = await opened(link, (await world.token(link)).token)
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(5):
                for _ in range(200):  # some 50 MB, and nothing is read
                    writer.write(data)
                    await writer.drain()
        if name != "pongs":  # they ask for nothing
            assert writer.transport.is_closing() or reader.at_eof(), name
        writer.transport.abort()
    host, port = link.base.removeprefix("http://").rsplit(":", 1)
    for request in (*REQUESTS, os.urandom(500)):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request + f"\r\nHost: {host}:{port}\r\n\r\n".encode())
        writer.write_eof()
        assert b" 500 " not in (await everything(reader))[:20], request
        writer.close()
    assert memory(pid) - before < GROWN
    world.client.post(m.Input(session=session, data=b"fine\r"))
    await good.until(lambda: "[fine]" in good.screen)
    assert good.closed is None
    assert log.read_text() == "", "strangers write nothing into our log"


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def idle(place: PlayedGateway, text: bytes) -> socket.socket:
    made = socket.socket()
    made.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(made, ("127.0.0.1", int(place.base.rpartition(":")[2])))
    if text:
        await loop.sock_sendall(made, text)
    return made


async def test_a_thousand_who_connect_and_say_nothing_or_half_a_word_hold_nobody_up_and_are_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many_files: None
) -> None:
    monkeypatch.setattr(wire, "HEAD_DEADLINE", 2.0)
    monkeypatch.setattr(sockets, "AUTH_DEADLINE", 2.0)
    async with gateway(tmp_path) as place:
        place.share(await place.hub(SHARE))
        upgrade = (
            f"GET /v1/s/{SHARE}/ws HTTP/1.1\r\nHost: {place.base[7:]}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Authorization: Bearer t1\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        ).encode()
        words = (b"", b"GET / HTTP/1.1\r\nHost: 127", upgrade[:80], upgrade, upgrade + b"\r\n\r\n")
        waiting = [await idle(place, words[n % len(words)]) for n in range(1000)]
        async with httpx.AsyncClient(base_url=place.base, headers={"Authorization": "Bearer t0"}) as http:
            assert (await http.get(f"/v1/s/{SHARE}/screen")).status_code == 200
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(15):
            for each in waiting:
                with contextlib.suppress(ConnectionError):
                    while await loop.sock_recv(each, 4096):
                        pass
                each.close()


async def test_a_body_that_never_ends_and_one_that_comes_drop_by_drop_are_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "HEAD_DEADLINE", 1.0)
    async with gateway(tmp_path) as place:
        place.share(await place.hub(SHARE))
        port = int(place.base.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"POST /v1/s/{SHARE}/join HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            "Content-Length: 1000\r\n\r\n".encode()
        )
        dripping = asyncio.create_task(drip(writer))
        assert b"200" not in await everything(reader)
        dripping.cancel()


async def drip(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)


async def test_who_does_not_answer_pings_is_let_go_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentdeck.gateway.service.PING", 0.3)
    async with gateway(tmp_path) as place:
        place.share(await place.hub(SHARE))
        reader, writer = await opened(Link(f"{place.base}/s/{SHARE}"), "t0")
        assert closes(await everything(reader)) == 0
        writer.close()


@pytest.mark.parametrize("offered", [("agentdeck.v2",), ("agentdeck.v0", "chat"), ("",)])
async def test_a_client_of_another_version_is_refused_with_a_code_and_told_what_is_spoken(
    tmp_path: Path, offered: tuple[str, ...]
) -> None:
    async with gateway(tmp_path) as place:
        place.share(await place.hub(SHARE))
        port = int(place.base.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"GET /v1/s/{SHARE}/ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Authorization: Bearer t0\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {', '.join(offered)}\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        heard = await everything(reader)
        head, _, rest = heard.partition(b"\r\n\r\n")
        assert b"101" in head or b"400" in head
        if b"101" in head:
            assert closes(rest) == 4400
            assert v.SUBPROTOCOL.encode() in rest


async def test_a_newer_client_that_says_more_than_we_know_is_understood(tmp_path: Path) -> None:
    async with gateway(tmp_path) as place:
        place.share(await place.hub(SHARE))
        more: dict[str, Any] = {"additional_headers": {"Authorization": "Bearer t0"}, "compression": None}
        async with websocket.connect(f"{place.base.replace('http', 'ws')}/v1/s/{SHARE}/ws", **more) as joined:
            await joined.send('{"t":"auth","new":1,"d":{"since":0,"new":[1]}}')
            assert '"hello"' in str(await joined.recv())
            await joined.send('{"t":"dance","id":"1","d":{}}')
            async with asyncio.timeout(5):
                async for text in joined:
                    if '"error"' in str(text):
                        assert "BAD_MESSAGE" in str(text)
                        break
            assert joined.close_code is None, "one word that is not understood ends nothing"
