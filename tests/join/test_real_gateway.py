"""Joining a real share: a real hub, a real session, the real gateway process."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator

import pytest

from agentdeck.errors import ShareError
from agentdeck.join import door
from agentdeck.join.farewell import Ending
from agentdeck.join.line import Line
from agentdeck.join.link import Code, read
from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from agentdeck.protocol.screen import Frame
from tests.gateway.conftest import World, client, connect, environment, hub, paths, until, world

__all__ = ["client", "connect", "environment", "hub", "paths", "world"]

pytestmark = pytest.mark.timeout(90)


class Seat:
    def __init__(self, way: door.Pass) -> None:
        self.rows: dict[int, str] = {}
        self.words: list[str] = []
        self.line = Line(
            way, on_room=lambda: None, on_frame=self.draw, on_word=lambda text, level: self.words.append(text),
            delays=(0.1, 0.2),
        )  # fmt: skip
        self.task: asyncio.Task[Ending | None] = asyncio.create_task(self.line.run())

    def draw(self, frame: Frame) -> None:
        self.rows |= {y: row.text for y, row in frame.rows}

    @property
    def screen(self) -> str:
        return "\n".join(self.rows.get(y, "").rstrip() for y in sorted(self.rows))

    @property
    def talk(self) -> list[str]:
        return [said.text for said in self.line.room.talk if said.kind == "chat"]


@contextlib.asynccontextmanager
async def seated(way: door.Pass) -> AsyncIterator[Seat]:
    seat = Seat(way)
    try:
        yield seat
    finally:
        await seat.line.leave()
        await seat.task


async def restarted(world: World) -> None:
    """Kill the gateway and wait for the next one."""
    before = world.gateway_pid()
    os.kill(before, signal.SIGKILL)
    await until(lambda: world.gateway_pid() not in (0, before))


async def test_a_joiner_sees_the_screen_and_comes_back_after_the_gateway_was_killed(world: World) -> None:
    session = await world.start("/bin/sh", "-c", 'while read -r word; do echo "heard $word"; done')
    link = await world.share(session, role="commenter")
    way = await door.enter(read(link.url), "ana")
    async with seated(way) as seat:
        await until(lambda: seat.line.state.up)
        for number in range(4):
            seat.line.say("chat", text=f"word {number}")
            await world.client.ask(s.Say(session=session, text=f"answer {number}"), m.Done)
            if number < 3:
                await restarted(world)
        await world.client.ask(m.SendText(session=session, text="pomegranate"), m.Done)
        await until(lambda: seat.line.state.up and len(seat.talk) == 8 and not seat.line.unsaid, 40)
        await until(lambda: "heard pomegranate" in seat.screen)
        assert sorted(seat.talk) == sorted(f"{who} {n}" for who in ("word", "answer") for n in range(4))


async def test_a_role_given_by_the_owner_is_heard_and_being_sent_away_ends_the_line(world: World) -> None:
    session = await world.start("/bin/sh")
    way = await door.enter(read((await world.share(session)).url), "ana")
    async with seated(way) as seat:
        await until(lambda: seat.line.state.up)
        await world.client.ask(s.SetRole(session=session, participant="ana", role="driver", hands=True), m.Done)
        await until(lambda: seat.line.room.may("keys"))
        assert seat.words == ["you are driver now and may press keys"]
        await world.client.ask(s.Kick(session=session, participant="ana"), m.Done)
        ending = await asyncio.wait_for(seat.task, 10)
        assert ending is not None
        assert (ending.code, ending.text) == ("REVOKED", "the owner has taken your access away")


async def test_whoever_types_a_code_waits_and_is_let_in(world: World) -> None:
    session = await world.start("/bin/sh")
    link = await world.share(session)
    way = await door.enter(Code(link.code.lower(), link.base), "ben")
    assert way.joined.pending
    async with seated(way) as seat:
        assert seat.line.room.words == (await world.facts()).people[0].words
        await until(lambda: seat.line.state.up)
        assert not seat.line.room.here
        await world.client.ask(s.Admit(session=session, participant="ben"), m.Done)
        await until(lambda: seat.line.room.here)
        assert seat.line.room.words == ""


@pytest.mark.parametrize("spoil", ["secret", "share", "code"])
async def test_a_wrong_link_or_code_is_refused_with_one_sentence(world: World, spoil: str) -> None:
    link = await world.share(await world.start("/bin/sh"))
    right = read(link.url)
    wrong = {
        "secret": read(link.url[:-1] + ("A" if link.url[-1] != "A" else "B")),
        "share": read(link.url.replace(link.share, "0" * 16)),
        "code": Code("0000-0000", link.base),
    }[spoil]
    assert wrong != right
    with pytest.raises(ShareError, match="there is no such share, or its secret is wrong") as caught:
        await door.enter(wrong, "eve")
    assert caught.value.hint
