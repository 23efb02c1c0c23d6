"""The line to a session, against a server that drops it whenever it likes."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from agentdeck.join.door import Pass
from agentdeck.join.line import Line
from agentdeck.protocol import viewers as v
from tests.hub.conftest import until

QUICK = (0.01, 0.02)


@dataclass
class Door:
    """A server with a log; it forgets no event and refuses no key twice."""

    log: list[dict[str, Any]] = field(default_factory=list)
    auths: list[dict[str, Any]] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)
    sockets: list[ServerConnection] = field(default_factory=list)
    deaf: bool = False
    """Messages are lost on the way."""
    refuses: str = ""
    """Messages are refused with this code, for a second."""
    ends: float = 9e9
    """When the share is over."""
    lost: int = 0
    server: Server | None = None

    @property
    def way(self) -> Pass:
        assert self.server is not None
        port = next(iter(self.server.sockets)).getsockname()[1]
        joined = v.Joined(
            share="s", participant="p1", role="driver", name="ana", csrf="", expires_at=self.ends, token="t"
        )
        return Pass(f"http://127.0.0.1:{port}", joined)

    async def serve(self, socket: ServerConnection) -> None:
        self.sockets.append(socket)
        with contextlib.suppress(ConnectionClosed):
            auth = msgspec.json.decode(await socket.recv())["d"]
            self.auths.append(auth)
            await self.tell(socket, "hello", {
                "share": "s", "epoch": "e1", "participant": "p1", "name": "ana", "role": "driver", "session": "shop",
                "provider": "claude", "expires_at": self.ends, "limits": {}, "server_time": time.time(),
            })  # fmt: skip
            await self.tell(socket, "snapshot", {
                "last_seq": len(self.log), "status": {"state": "idle"}, "data": {}, "health": None,
                "files": {"files": []}, "presence": {"participants": []}, "queue": {"items": []}, "screen": None,
            })  # fmt: skip
            for event in self.log[max(0, auth["since"] - 2) :]:  # sends some of it again
                await self.tell(socket, "chat", {"text": event["text"]}, seq=event["seq"])
            async for message in socket:
                await self.hear(socket, msgspec.json.decode(message))

    async def hear(self, socket: ServerConnection, sent: dict[str, Any]) -> None:
        if self.deaf or sent["t"] != "chat":
            self.lost += 1
            return
        if self.refuses:
            problem = {"code": self.refuses, "text": "the owner is offline", "ref": sent["id"]}
            after = {"retry_after": 0.01} if self.refuses in ("UNAVAILABLE", "RATE_LIMITED") else {}
            await self.tell(socket, "error", problem | after)
            self.lost += 1
            return
        if sent["id"] not in self.taken:
            self.taken[sent["id"]] = self.say(sent["d"]["text"])
            await self.tell(socket, "chat", {"text": sent["d"]["text"]}, seq=self.taken[sent["id"]])
        await self.tell(socket, "echo", {"ref": sent["id"], "seq": self.taken[sent["id"]]})

    def say(self, text: str) -> int:
        self.log.append({"seq": len(self.log) + 1, "text": text})
        return len(self.log)

    @staticmethod
    async def tell(socket: ServerConnection, kind: str, body: object, seq: int = 0) -> None:
        await socket.send(
            msgspec.json.encode({"v": 1, "t": kind, "seq": seq, "ts": 1.0, "by": "p2", "d": body}).decode()
        )

    def drop(self) -> None:
        """Cut every line without a word."""
        for socket in self.sockets:
            socket.transport.abort()
        self.sockets.clear()


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    door = Door()
    async with serve(door.serve, "127.0.0.1", 0, subprotocols=[v.SUBPROTOCOL]) as server:  # type: ignore[list-item]
        door.server = server
        yield door
        door.drop()


@dataclass
class Seat:
    line: Line
    words: list[str]
    task: "asyncio.Task[Any]"

    @property
    def talk(self) -> list[str]:
        return [said.text for said in self.line.room.talk]


@contextlib.asynccontextmanager
async def sit(door: Door) -> AsyncIterator[Seat]:
    words: list[str] = []
    line = Line(
        door.way, on_room=lambda: None, on_frame=lambda frame: None, on_word=lambda text, level: words.append(text),
        delays=QUICK,
    )  # fmt: skip
    task = asyncio.create_task(line.run())
    try:
        yield Seat(line, words, task)
    finally:
        await line.leave()
        await task


async def test_a_hundred_drops_lose_nothing_and_double_nothing(door: Door) -> None:
    async with sit(door) as seat:
        for number in range(100):
            await until(lambda: seat.line.state.up)
            door.say(f"theirs {number}")
            seat.line.say("chat", text=f"ours {number}")
            if number % 3:
                await until(lambda: not seat.line.unsaid)
            door.drop()
        await until(lambda: seat.line.state.up and not seat.line.unsaid and len(seat.talk) == 200)
        assert seat.talk == [event["text"] for event in door.log]
        assert sorted(seat.talk) == sorted([f"theirs {n}" for n in range(100)] + [f"ours {n}" for n in range(100)])
        assert {auth["epoch"] for auth in door.auths} == {"", "e1"}


async def test_what_was_said_into_a_dead_line_arrives_once_when_it_is_back(door: Door) -> None:
    async with sit(door) as seat:
        await until(lambda: seat.line.state.up)
        door.deaf = True
        seat.line.say("chat", text="is anybody there")
        assert seat.line.unsaid == 1
        await until(lambda: door.lost == 1)
        door.deaf = False
        door.drop()
        await until(lambda: not seat.line.unsaid)
        assert seat.talk == ["is anybody there"]


async def test_a_drop_is_said_with_the_reason_and_the_time_of_the_next_dial(door: Door) -> None:
    async with sit(door) as seat:
        await until(lambda: seat.line.state.up)
        assert door.server is not None
        door.server.close(close_connections=False)
        door.drop()
        await until(lambda: seat.line.state.tries > 2)
        state = seat.line.state
        assert (state.up, state.why) == (False, "nobody answers")
        assert state.next_at > 0


@pytest.mark.parametrize("name", ["REVOKED", "ENDED", "EXPIRED", "FORBIDDEN"])
async def test_a_door_that_stays_closed_is_not_knocked_at_again(door: Door, name: str) -> None:
    async with sit(door) as seat:
        await until(lambda: seat.line.state.up)
        await door.tell(door.sockets[0], "ended", {"code": name, "text": "so it is"})
        await door.sockets[0].close(v.CODE[name].close)
        ending = await asyncio.wait_for(seat.task, 10)
        assert ending is not None
        assert ending.code == name
        assert len(door.auths) == 1


async def test_a_server_that_was_started_anew_may_not_know_us_for_a_moment(door: Door) -> None:
    async with sit(door) as seat:
        await until(lambda: seat.line.state.up)
        await door.sockets.pop().close(v.CODE["NO_SUCH_SHARE"].close)
        await until(lambda: len(door.auths) == 2 and seat.line.state.up)


async def test_what_is_refused_is_said_and_not_said_again(door: Door) -> None:
    async with sit(door) as seat:
        await until(lambda: seat.line.state.up)
        door.deaf = True
        seat.line.say("chat", text="x")
        (key,) = seat.line._unsaid
        await door.tell(door.sockets[0], "error", {"code": "FORBIDDEN", "text": "not now", "ref": key})
        await until(lambda: not seat.line.unsaid)
        assert seat.words == ["not now"]


@pytest.mark.parametrize("code", ["UNAVAILABLE", "RATE_LIMITED"])
async def test_what_cannot_be_taken_just_now_is_said_again_until_it_is(door: Door, code: str) -> None:
    async with sit(door) as seat:
        await until(lambda: seat.line.state.up)
        door.refuses = code
        seat.line.say("chat", text="are you back")
        await until(lambda: door.lost == 1 and bool(seat.words))
        assert seat.line.unsent == ("are you back",)
        assert seat.words == ["the owner is offline; it is said again in 1 s"]
        door.refuses = ""
        await until(lambda: not seat.line.unsaid)
        assert seat.talk == ["are you back"]


async def test_what_is_refused_for_good_is_handed_back(door: Door) -> None:
    async with sit(door) as seat:
        await until(lambda: seat.line.state.up)
        door.refuses = "FORBIDDEN"
        seat.line.say("chat", text="a long thought")
        await until(lambda: bool(seat.talk))
        assert seat.talk == ["not sent: a long thought"]
        assert not seat.line.unsaid


async def test_an_interrupt_is_for_now_and_does_not_wait_for_the_line(door: Door) -> None:
    async with sit(door) as seat:
        await until(lambda: seat.line.state.up)
        assert seat.line.say("interrupt")
        assert door.server is not None
        door.server.close(close_connections=False)
        door.drop()
        await until(lambda: seat.line.state.tries > 0)
        assert not seat.line.say("interrupt")
        assert not seat.line.say("keys", data="y")
        assert seat.line.say("chat", text="later")
        assert seat.line.unsaid == 1


async def test_a_share_whose_time_is_over_and_whose_owner_is_gone_ends_by_itself(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.ends = time.time() + 3600
    async with sit(door) as seat:
        await until(lambda: seat.line.state.up)
        assert door.server is not None
        door.server.close(close_connections=False)
        door.drop()
        await until(lambda: seat.line.state.tries > 1)
        assert seat.line.state.since > 0
        real = time.time
        monkeypatch.setattr("agentdeck.join.line.time.time", lambda: real() + 3600 + 10)
        ending = await asyncio.wait_for(seat.task, 10)
        assert ending is not None
        assert ending.code == "EXPIRED"
        assert "the share has expired; its owner could not be reached since" in ending.text


async def test_nonsense_from_the_server_is_passed_over(door: Door) -> None:
    async with sit(door) as seat:
        await until(lambda: seat.line.state.up)
        for junk in ("", "{", "[]", '{"t": 1}', '{"v":1,"t":"screen","d":{"lines":7}}', "null"):
            await door.sockets[0].send(junk)
        door.say("still here")
        await door.tell(door.sockets[0], "chat", {"text": "still here"}, seq=1)
        await until(lambda: seat.talk == ["still here"])
