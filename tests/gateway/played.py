"""A gateway inside the test's own process: the test plays its hub, and moves its clock by hand."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from websockets.asyncio import client as websocket
from websockets.exceptions import ConnectionClosed

from agentdeck.gateway import doors
from agentdeck.gateway.service import serve
from agentdeck.protocol import gateway as g
from agentdeck.protocol import screen as sc
from agentdeck.protocol import viewers as v
from agentdeck.protocol.wire import Decoder, encode
from agentdeck.share import tokens
from agentdeck.share.clock import steady
from agentdeck.share.meeting import SOCKET
from tests.gateway.conftest import Guest

SHARE = "0123456789abcdef"


class HandClock:
    """Unix seconds that go on by themselves, and jump when they are told to."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._steady = steady()

    def __call__(self) -> float:
        return self._steady() + self.ahead


@dataclass
class PlayedHub(asyncio.Protocol):
    """What a hub hears from its gateway, and what it answers to questions."""

    answer: Callable[[g.FromGateway], msgspec.Struct | v.Problem | None] = lambda question: None
    heard: list[g.FromGateway] = field(default_factory=list)
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._decoder: Decoder[g.FromGateway] = Decoder(g.FromGateway)

    def data_received(self, data: bytes) -> None:
        for message in self._decoder.feed(data):
            self.heard.append(message)
            told = self.answer(message)
            if told is None or not isinstance(message, g.Question):
                continue
            if isinstance(told, v.Problem):
                self.send(g.Answer(id=message.id, problem=told))
            else:
                self.send(g.Answer(id=message.id, body=msgspec.json.encode(told)))

    def connection_lost(self, error: Exception | None) -> None:
        self.lost.set()

    def send(self, message: g.FromHub) -> None:
        self.transport.write(encode(message))

    def of(self, kind: type[g.FromGateway]) -> list[g.FromGateway]:
        return [message for message in self.heard if isinstance(message, kind)]


def grant(number: int, role: str = "observer") -> g.Grant:
    """Of the person whose token is `t` and this number."""
    return g.Grant(participant=f"p{number}", name=f"n{number}", role=role, token=tokens.hashed(f"t{number}"), csrf="")


def picture(text: str, seq: int = 1) -> sc.Frame:
    rows = tuple((y, sc.Row(((text, 0),))) for y in range(24))
    return sc.Frame("", seq, 80, 24, True, rows, sc.Cursor(0, 0), sc.Modes(), 0)


async def come_in(base: str, share: str, token: str, *, since: int = 0, epoch: str = "") -> Guest:
    """Open a socket as a program does, and hear the first word."""
    socket = await websocket.connect(
        f"{base.replace('http', 'ws', 1)}/v1/s/{share}/ws", compression=None, max_size=None, ping_interval=None,
        additional_headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip
    guest = Guest(socket)
    with contextlib.suppress(ConnectionClosed):
        await guest.send("auth", since=since, epoch=epoch)
    guest.reader = asyncio.create_task(guest.listen())
    await guest.until(lambda: guest.heard or guest.closed)
    return guest


class PlayedGateway:
    def __init__(self, run: Path, clock: HandClock, base: str, served: "asyncio.Task[int]") -> None:
        self.run = run
        self.clock = clock
        self.base = base
        self.served = served
        """Done when the gateway has left."""

    async def hub(self, *shares: str) -> PlayedHub:
        """A hub that comes and announces these shares."""
        loop = asyncio.get_running_loop()
        _, hub = await loop.create_unix_connection(PlayedHub, str(self.run / SOCKET))
        hub.send(g.Setup(version=g.VERSION, owner_token="", shares=shares, max_viewers=5000))
        return hub

    def share(
        self, hub: PlayedHub, people: int = 3, *, share: str = SHARE, seconds: float = 3600.0, last_seq: int = 0
    ) -> None:  # fmt: skip
        opened = g.Opened(
            share=share, epoch="e", session="s", provider="shell", provider_session="", role="observer",
            expires_at=self.clock() + seconds, last_seq=last_seq, grants=tuple(map(grant, range(people))),
        )  # fmt: skip
        hub.send(opened)
        hub.send(g.Drawn(share=share, frame=picture("hello")))


@asynccontextmanager
async def gateway(run: Path, wish: doors.Wish | None = None) -> AsyncIterator[PlayedGateway]:
    clock, wish = HandClock(), wish or doors.Wish()
    plain, sealed = doors.bind(wish)
    served = asyncio.create_task(serve(run, wish, plain, sealed, now=clock))
    control = run / SOCKET
    while not control.exists() and not served.done():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    try:
        yield PlayedGateway(run, clock, f"http://127.0.0.1:{plain[0].getsockname()[1]}", served)
    finally:
        if not served.done():
            loop = asyncio.get_running_loop()
            _, hub = await loop.create_unix_connection(PlayedHub, str(control))
            hub.send(g.Setup(version=g.VERSION, owner_token=""))
            hub.send(g.End())
        await asyncio.wait_for(served, 10)
