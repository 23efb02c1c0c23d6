"""Event streams behind a proxy that buffers; a thousand who join at once; programs that flood and resize wildly."""

import asyncio
import contextlib
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from agentdeck.gateway import events
from agentdeck.protocol import gateway as g
from agentdeck.protocol import messages as m
from agentdeck.protocol import viewers as v
from agentdeck.share.canvas import MOST_COLS, MOST_ROWS, Canvas
from agentdeck.share.refusal import RefusedError
from tests.bench.measure import memory
from tests.gateway.conftest import Link, World, until
from tests.gateway.played import SHARE, gateway, picture
from tests.gateway.test_faults_wire import everything, opened


class Proxy:
    """Holds back what a server answers until the answer is complete, as nginx does with `proxy_buffering on`, unless
    the server says `X-Accel-Buffering: no`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.obeys = True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        their_reader, their_writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            their_writer.write(request)
            head = await their_reader.readuntil(b"\r\n\r\n")
            at_once = self.obeys and b"x-accel-buffering: no" in head.lower()
            held = head
            while True:
                if at_once:
                    writer.write(held)
                    await writer.drain()
                    held = b""
                piece = await their_reader.read(4096)
                if not piece:
                    break
                held += piece
            writer.write(held)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            their_writer.close()


@asynccontextmanager
async def proxied(base: str) -> AsyncIterator[tuple[Proxy, int]]:
    proxy = Proxy(int(base.rpartition(":")[2]))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    async with server:
        yield proxy, server.sockets[0].getsockname()[1]


async def test_events_and_pings_pass_a_proxy_that_buffers_everything_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert events.PING <= 20
    monkeypatch.setattr(events, "PING", 0.2)
    async with gateway(tmp_path) as place, proxied(place.base) as (proxy, port):
        hub = await place.hub(SHARE)
        place.share(hub)
        request = (
            f"GET /v1/s/{SHARE}/events HTTP/1.1\r\nHost: {place.base[7:]}\r\nAuthorization: Bearer t0\r\n\r\n"
        ).encode()  # fmt: skip
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        async with asyncio.timeout(10):
            await reader.readuntil(b"event: snapshot")
            await reader.readuntil(b": ping\n\n")
            await reader.readuntil(b": ping\n\n")
            hub.send(g.Told(share=SHARE, kind="presence", body=b'{"participants":[],"viewers":7}'))
            await reader.readuntil(b'"viewers":7')
        writer.close()
        proxy.obeys = False  # the same proxy without our header: nothing comes
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readuntil(b": ping\n\n"), 1.0)
        writer.close()


async def test_a_follower_whose_right_is_withdrawn_is_told_and_its_token_is_dead(tmp_path: Path) -> None:
    async with gateway(tmp_path) as place:
        hub = await place.hub(SHARE)
        place.share(hub)
        headers = {"Authorization": "Bearer t0"}
        async with httpx.AsyncClient(base_url=place.base, headers=headers, timeout=10) as http:
            async with http.stream("GET", f"/v1/s/{SHARE}/events") as answer:
                lines = answer.aiter_lines()
                assert (await anext(lines)).startswith("retry:")
                began = time.monotonic()
                hub.send(g.Removed(share=SHARE, participant="p0", code="REVOKED"))
                rest = [line async for line in lines]
            assert '"code":"REVOKED"' in "".join(rest)
            assert time.monotonic() - began < 5
            assert (await http.get(f"/v1/s/{SHARE}/events")).status_code == 401


async def test_of_a_thousand_who_join_at_once_each_gets_in_or_is_told_when_to_come_back(tmp_path: Path) -> None:
    async with gateway(tmp_path) as place:
        hub = await place.hub(SHARE)
        seats = iter(range(40))

        def let_in(question: g.FromGateway) -> v.Joined | v.Problem | None:
            if not isinstance(question, g.AskJoin):
                return None
            seat = next(seats, None)
            if seat is None:
                return RefusedError("FULL", retry_after=30.0).problem
            return v.Joined(
                share=SHARE, participant=f"x{seat}", role="observer", name="x", csrf="", expires_at=place.clock() + 60
            )

        hub.answer = let_in
        place.share(hub)
        body = b'{"secret":"x","name":"x","bearer":true}'
        request = (
            f"POST /v1/s/{SHARE}/join HTTP/1.1\r\nHost: {place.base[7:]}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        ).encode()

        async def join() -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(place.base.rpartition(":")[2]))
            writer.write(request + body)
            answer = await everything(reader)
            writer.close()
            return answer

        async with asyncio.timeout(60):
            answers = await asyncio.gather(*(join() for _ in range(1000)))
        told = Counter(int(answer.split(maxsplit=2)[1]) for answer in answers)
        assert told == {200: 40, 503: 20, 429: 940}, "as many as there are seats; then full; then too many of one place"
        refused = [answer for answer in answers if b" 200 " not in answer[:15]]
        assert all(b"retry-after: " in answer for answer in refused)


async def test_a_thousand_who_come_at_once_are_shown_one_and_the_same_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    real = Canvas._encode

    def counted(self: Canvas, since: int, full: bool) -> bytes:
        made.append(since)
        return real(self, since, full)

    monkeypatch.setattr(Canvas, "_encode", counted)
    async with gateway(tmp_path) as place:
        hub = await place.hub(SHARE)
        place.share(hub, 150)
        link = Link(f"{place.base}/s/{SHARE}")

        async def come(n: int) -> None:
            reader, writer = await opened(link, f"t{n // 7}")
            writers.append(writer)
            await reader.readuntil(b'"t":"snapshot"')

        writers: list[asyncio.StreamWriter] = []
        async with asyncio.timeout(60):
            await asyncio.gather(*(come(n) for n in range(1000)))
        assert made == [0], "a picture is made once, for everybody"
        hub.send(g.Drawn(share=SHARE, frame=picture("next", 2)))
        await until(lambda: len(made) == 2)
        for writer in writers:
            writer.transport.abort()


async def test_somebody_who_writes_and_vanishes_is_shown_as_gone(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "sleep 1000")
    await world.share(session)
    link = await world.invite(session, "commenter", max_uses=2)
    ana, ben = await world.join(link, "ana"), await world.join(link, "ben")
    await ben.send("typing", on=True)
    await ana.until(lambda: ana.of("typing"))
    ben.socket.transport.abort()

    def here() -> set[str]:
        return {each["name"] for each in ana.newest("presence").get("participants", []) if each["online"]}

    await ana.until(lambda: here() == {"ana"}, 5.0)


SIZES = ((1, 1), (1000, 500), (2, 2), (500, 300), (501, 301), (80, 24), (0, 0), (65_535, 65_535), (120, 40))


async def test_a_hundred_sizes_a_second_leave_the_last_one_and_every_picture_is_within_bounds(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "while :; do seq 1 50; sleep 0.05; done")
    guest = await world.join(await world.share(session))
    for n in range(100):
        cols, rows = SIZES[n % len(SIZES)]
        with contextlib.suppress(Exception):
            await world.client.ask(m.View(session=session, priority="hidden", cols=cols, rows=rows), m.Done)
        await asyncio.sleep(0.01)
    await world.client.ask(m.View(session=session, priority="hidden", cols=97, rows=31), m.Done)
    await guest.until(lambda: guest.of("screen") and guest.newest("screen")["cols"] == 97 and len(guest.rows) == 31)
    for each in guest.of("screen"):
        screen = each["d"]
        assert 2 <= screen["cols"] <= MOST_COLS
        assert 2 <= screen["rows"] <= MOST_ROWS
        assert all(0 <= y < screen["rows"] for y, _ in screen["lines"])
    assert guest.closed is None


async def test_two_hundred_megabytes_of_output_cost_frames_at_a_steady_pace_and_no_memory(world: World) -> None:
    session = await world.start(
        "/bin/sh", "-c", "read x; yes 'all work and no play makes jack a dull boy' | head -c 200000000; echo over"
    )
    guest = await world.join(await world.share(session))
    pid = world.gateway_pid()
    before, own = memory(pid), memory(os.getpid())
    world.client.post(m.Input(session=session, data=b"\r"))
    await guest.until(lambda: len(guest.of("screen")) > 30)
    assert memory(pid) - before < 8
    assert memory(os.getpid()) - own < 40
    stamps = [each["ts"] for each in guest.of("screen")]
    assert len(stamps) / (stamps[-1] - stamps[0]) <= 21
    assert guest.closed is None
