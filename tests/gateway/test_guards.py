"""What stands at the door: hosts, origins, headers, sizes, deadlines; other sites and rebound names get nowhere."""

import asyncio
import json
import os
from pathlib import Path
from typing import Final

import httpx
import pytest
from websockets.asyncio import client as websocket
from websockets.exceptions import InvalidStatus

from tests.gateway.conftest import Link, World

SNAPSHOT: Final = Path(__file__).with_name("headers.json")


async def shared(world: World) -> Link:
    return await world.share(await world.start("/bin/sh", "-c", "sleep 1000"))


def port_of(link: Link) -> int:
    return int(link.base.rpartition(":")[2])


async def raw(link: Link, head: str, *, wait: float = 5.0) -> bytes:
    """Send bytes as they are, and return the first line of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(link))
    try:
        writer.write(head.encode("latin-1"))
        await writer.drain()
        return await asyncio.wait_for(reader.readline(), wait)
    except ConnectionError:
        return b""
    finally:
        writer.close()


HOSTS: Final = (
    "evil.test", "127.0.0.1", "localhost", "127.0.0.1.evil.test:{port}", "127.0.0.1:{port}.evil.test", "127.1:{port}",
    "localhost.:{port}", "0.0.0.0:{port}", "[::ffff:127.0.0.1]:{port}", "127.0.0.1:1", "", "user@127.0.0.1:{port}",
    "LOCALHOST.evil:{port}",
)  # fmt: skip
ORIGINS: Final = (
    "null", "http://evil.test", "http://127.0.0.1", "https://127.0.0.1:{port}", "http://127.0.0.1:{port}.evil.test",
    "http://127.0.0.1:{port}/", "HTTP://127.0.0.1:{port}", "http://127.0.0.1:1", "", "file://",
)  # fmt: skip


async def test_only_our_own_hosts_are_served_whole_and_nothing_like_them(world: World) -> None:
    link = await shared(world)
    port = port_of(link)
    for host in HOSTS:
        host = host.format(port=port)
        assert b"403" in await raw(link, f"GET /s/{link.share} HTTP/1.1\r\nHost: {host}\r\n\r\n"), host
        head = (
            f"GET /v1/s/{link.share}/ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert b"403" in await raw(link, head), host
    twice = f"GET /s/x HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: evil.test\r\n\r\n"
    assert b"200" not in await raw(link, twice)
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", f"LOCALHOST:{port}"):
        assert b"200" in await raw(link, f"GET /s/{link.share} HTTP/1.1\r\nHost: {host}\r\n\r\n"), host


async def test_other_origins_can_neither_ask_nor_open_a_socket_even_with_the_cookie(world: World) -> None:
    link = await shared(world)
    joined = await world.token(link)
    async with httpx.AsyncClient(base_url=link.base) as http:
        for origin in ORIGINS:
            headers = {"Origin": origin.format(port=port_of(link)), "Cookie": f"agentdeck={joined.token}"}
            assert (await http.get(f"/v1/s/{link.share}/screen", headers=headers)).status_code == 403, origin
            with pytest.raises(InvalidStatus) as caught:
                await websocket.connect(
                    f"{link.base.replace('http', 'ws')}/v1/s/{link.share}/ws", additional_headers=headers
                )
            assert caught.value.response.status_code == 403
        cross = {"Sec-Fetch-Site": "same-site", "Cookie": f"agentdeck={joined.token}"}
        assert (await http.get(f"/v1/s/{link.share}/screen", headers=cross)).status_code == 403
    with pytest.raises(InvalidStatus):  # an absent origin is no better than a wrong one when there is a cookie
        await websocket.connect(
            f"{link.base.replace('http', 'ws')}/v1/s/{link.share}/ws",
            additional_headers={"Cookie": f"agentdeck={joined.token}"},
        )


async def test_a_form_or_a_plain_text_of_another_site_changes_nothing(world: World) -> None:
    link = await shared(world)
    async with httpx.AsyncClient(base_url=link.base) as http:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
            answer = await http.post(
                f"/v1/s/{link.share}/join",
                content=json.dumps({"secret": link.secret, "bearer": True}),
                headers={"Content-Type": kind},
            )
            assert answer.status_code == 400, kind


async def test_every_answer_has_exactly_these_headers(world: World) -> None:
    """`headers.json` is the record; AGENTDECK_RECORD=1 writes it anew when the policy has changed."""
    link = await shared(world)
    told: dict[str, dict[str, str]] = {}
    async with httpx.AsyncClient(base_url=link.base) as http:
        for path in (f"/s/{link.share}", "/v1/openapi.json", "/", "/v1/s/x", "/assets/none.js"):
            answer = await http.get(path)
            varies = ("date", "content-length")
            told[path.replace(link.share, "SHARE")] = {
                "status": str(answer.status_code),
                **{name: value for name, value in sorted(answer.headers.items()) if name not in varies},
            }
    if os.environ.get("AGENTDECK_RECORD"):
        SNAPSHOT.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    assert told == json.loads(SNAPSHOT.read_text("utf-8"))


async def test_no_path_leads_out_of_the_files_that_we_ship(world: World) -> None:
    link = await shared(world)
    for path in (
        "/assets/../routes.py", "/assets/%2e%2e/routes.py", "/assets/..%2froutes.py", "/assets//etc/passwd",
        "/assets/index.html/../../wire.py", "/assets/....//routes.py", "/assets/\\..\\routes.py", "/s/../v1",
        "/assets/%00", "/assets/", "/assets",
    ):  # fmt: skip
        answer = await raw(link, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port_of(link)}\r\n\r\n")
        assert b" 404 " in answer or b" 400 " in answer, path


async def test_what_is_too_large_is_refused_and_not_read_to_its_end(world: World) -> None:
    link = await shared(world)
    head = f"POST /v1/s/{link.share}/join HTTP/1.1\r\nHost: 127.0.0.1:{port_of(link)}\r\nContent-Type: application/json"
    assert b"413" in await raw(link, f"{head}\r\nContent-Length: 40000\r\n\r\n")
    chunks = "2000\r\n" + "x" * 0x2000 + "\r\n"
    answer = await raw(link, f"{head}\r\nTransfer-Encoding: chunked\r\n\r\n{chunks * 6}")
    assert b"413" in answer or answer == b""
    assert b"200" not in await raw(link, "GET /" + "x" * 200_000 + " HTTP/1.1\r\nHost: x\r\n\r\n")
    async with httpx.AsyncClient(base_url=link.base) as http:
        assert (await http.get(f"/s/{link.share}")).status_code == 200, "others are served all the same"


async def test_whoever_sends_slowly_is_cut_off_and_holds_nobody_up(world: World) -> None:
    link = await shared(world)
    port = port_of(link)
    slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(200)]
    for _, writer in slow:
        writer.write(b"GET / HTTP/1.1\r\nHost: 127.0")
    async with httpx.AsyncClient(base_url=link.base) as http:
        assert (await http.get(f"/s/{link.share}")).status_code == 200
    assert await asyncio.wait_for(slow[0][0].read(), 20) == b"", "cut off although it never finished"
    for _, writer in slow:
        writer.close()


async def test_nothing_is_at_the_root_and_unknown_paths_are_all_alike(world: World) -> None:
    link = await shared(world)
    async with httpx.AsyncClient(base_url=link.base) as http:
        bodies = {
            (a.status_code, a.text)
            for a in [await http.get(path) for path in ("/", "/docs", "/openapi.json", "/x/y/z", "/v1")]
        }
    assert len(bodies) == 1
    assert bodies.pop()[0] == 404
