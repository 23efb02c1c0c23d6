"""A real hub, real sessions, the real gateway process, and people who join over HTTP and WebSocket."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
from websockets.asyncio import client as websocket
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from agentdeck.hub.client import HubClient
from agentdeck.hub.hub import Hub
from agentdeck.paths import Paths
from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from agentdeck.protocol import viewers as v
from tests.hub.conftest import client, environment, hub, paths, until
from tests.hub.conftest import connect as connect

__all__ = ["client", "connect", "environment", "hub", "paths", "until"]


@dataclass
class Link:
    """What a person reads off a printed link."""

    url: str
    code: str = ""

    @property
    def base(self) -> str:
        return f"{urlsplit(self.url).scheme}://{urlsplit(self.url).netloc}"

    @property
    def share(self) -> str:
        return urlsplit(self.url).path.split("/")[2]

    @property
    def secret(self) -> str:
        return urlsplit(self.url).fragment.partition(".")[0]


@dataclass
class Guest:
    """Somebody at a socket, with everything that they heard and the screen that they see."""

    socket: ClientConnection
    heard: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[int, str] = field(default_factory=dict)
    tseq: int = 0
    wire: list[bytes] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    reader: "asyncio.Task[None] | None" = None

    @property
    def screen(self) -> str:
        return "\n".join(self.rows.get(y, "") for y in range(max(self.rows, default=-1) + 1)).rstrip()

    @property
    def seqs(self) -> list[int]:
        return [each["seq"] for each in self.heard if each.get("seq")]

    @property
    def epoch(self) -> str:
        return str(self.of("hello")[0]["d"]["epoch"])

    @property
    def closed(self) -> int | None:
        return self.socket.close_code

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.heard if each["t"] == kind]

    def newest(self, kind: str) -> dict[str, Any]:
        """The newest body of a kind, wherever it was told."""
        part = {
            "presence": "presence", "queue": "queue", "session_data_update": "data", "session_health_update": "health",
            "session_file_update": "files",
        }.get(kind)  # fmt: skip
        for each in reversed(self.heard):
            if each["t"] == kind:
                return dict(each["d"])
            if each["t"] == "snapshot" and part:
                return dict(each["d"][part] or {})
        return {}

    async def send(self, kind: str, key: str = "", **body: Any) -> None:
        await self.socket.send(msgspec.json.encode({"t": kind, "id": key, "d": body}).decode())

    async def until(self, condition: Callable[[], object], seconds: float = 20.0) -> None:
        """Wait until something holds of what was heard."""
        async with asyncio.timeout(seconds):
            while not condition():
                self.news.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.news.wait(), 0.5)

    async def answer(self, key: str, *, nth: int = 1) -> dict[str, Any]:
        """What became of the message with this key, when it was sent for the `nth` time."""

        def found() -> list[dict[str, Any]]:
            return [each for each in self.heard if each["t"] in ("echo", "error") and each["d"]["ref"] == key]

        await self.until(lambda: len(found()) >= nth)
        return found()[nth - 1]

    async def listen(self) -> None:
        try:
            async for message in self.socket:
                data = message.encode() if isinstance(message, str) else message
                self.wire.append(data)
                self.hear(msgspec.json.decode(data))
        except ConnectionClosed:
            pass
        finally:
            self.news.set()

    def hear(self, told: dict[str, Any]) -> None:
        self.heard.append(told)
        screen = told["d"] if told["t"] == "screen" else told["d"]["screen"] if told["t"] == "snapshot" else None
        if screen is not None:
            self.draw(screen)
        self.news.set()

    def draw(self, screen: dict[str, Any]) -> None:
        if screen["full"]:
            self.rows = dict.fromkeys(range(screen["rows"]), "")
        else:
            assert screen["from"] == self.tseq, "a delta must fit what was drawn before it"
        for y, runs in screen["lines"]:
            self.rows[y] = "".join(text for text, _ in runs)
        self.tseq = screen["tseq"]


class World:
    """The owner's side: sessions, shares, and the doors through which guests come."""

    def __init__(self, hub: Hub, client: HubClient, paths: Paths, place: Path) -> None:
        self.hub = hub
        self.client = client
        self.paths = paths
        self.place = place
        self.guests: list[Guest] = []

    @property
    def allowlist(self) -> Path:
        return self.paths.config.with_name("shared-sessions.json")

    async def start(self, *argv: str, env: dict[str, str] | None = None) -> str:
        request = m.Spawn(
            provider="shell", cwd=str(self.place), env={**environment(self.paths), **(env or {})}, argv=argv,
        )  # fmt: skip
        return (await self.client.ask(request, m.Done)).session

    async def share(self, session: str, **more: Any) -> Link:
        await self.client.ask(s.AllowRepository(path=str(self.place)), m.Done)
        told = await self.client.ask(s.Share(session=session, **more), s.Shared)
        return Link(told.url, told.code)

    async def facts(self) -> s.ShareFacts:
        return (await self.client.ask(s.ListShares(), s.SharesTold)).shares[0]

    async def token(self, link: Link, name: str = "") -> v.Joined:
        """Join as a program."""
        async with httpx.AsyncClient() as http:
            answer = await http.post(
                f"{link.base}/v1/s/{link.share}/join", json={"secret": link.secret, "name": name, "bearer": True}
            )
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=v.Joined)

    async def enter(self, link: Link, token: str, *, since: int = 0, epoch: str = "") -> Guest:
        """Open a socket with a token."""
        socket = await websocket.connect(
            f"{link.base.replace('http', 'ws', 1)}/v1/s/{link.share}/ws",
            additional_headers={"Authorization": f"Bearer {token}"},
            max_size=None, compression=None, subprotocols=[v.SUBPROTOCOL],  # type: ignore[list-item]
        )  # fmt: skip
        guest = Guest(socket)
        with contextlib.suppress(ConnectionClosed):  # who may not enter is told so before saying a word
            await guest.send("auth", since=since, epoch=epoch)
        guest.reader = asyncio.create_task(guest.listen())
        self.guests.append(guest)
        return guest

    async def join(self, link: Link, name: str = "") -> Guest:
        guest = await self.enter(link, (await self.token(link, name)).token)
        await guest.until(lambda: guest.of("snapshot"))
        return guest

    async def invite(self, session: str, role: str, **more: Any) -> Link:
        return Link((await self.client.ask(s.Invite(session=session, role=role, **more), s.Shared)).url)

    async def until_expired(self) -> None:
        """Wait until the invite that was made last is no good any more."""
        last = (await self.facts()).invites[-1]
        await until(lambda: self.hub.sharing.shares.now() >= last.expires_at)

    async def close(self) -> None:
        for guest in self.guests:
            await guest.socket.close()
            if guest.reader is not None:
                guest.reader.cancel()

    def gateway_pid(self) -> int:
        return int(self.hub.sharing.shares.gateway.pid)


@contextlib.asynccontextmanager
async def shared_world(hub: Hub, client: HubClient, paths: Paths, place: Path) -> AsyncIterator[World]:
    world = World(hub, client, paths, place)
    try:
        yield world
    finally:
        await world.close()
        await client.ask(s.Unshare(session=""), m.Done)
        if pid := world.gateway_pid():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)


@pytest.fixture
async def world(hub: Hub, client: HubClient, paths: Paths, tmp_path: Path) -> AsyncIterator[World]:
    async with shared_world(hub, client, paths, tmp_path) as world:
        yield world
