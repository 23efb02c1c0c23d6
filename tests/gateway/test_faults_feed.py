"""Hubs die while an agent works: what it did is in the log once, each line under one number, and nothing is lost."""

import sqlite3
from collections import defaultdict
from pathlib import Path

import msgspec

from agentdeck.hub.hub import Hub
from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from agentdeck.protocol import viewers as v
from tests.gateway.conftest import Link, World, until
from tests.gateway.test_resume import back
from tests.hub.test_hub_facts import SESSION, Transcript, home

__all__ = ["home"]


async def logged(hub: Hub, share: str) -> list[v.Feed]:
    events = await hub.sharing.shares.store.read(share, 0, 10_000, ("feed",))
    return [msgspec.json.decode(event.d, type=v.Feed) for event in events]


async def has(hub: Hub, share: str, text: str, status: str = "") -> bool:
    return any(text in feed.text and feed.status == status for feed in await logged(hub, share))


async def test_three_hubs_one_after_the_other_tell_each_line_once(home: Path, world: World) -> None:
    transcript = Transcript(home)
    transcript.prompt("before the share")
    transcript.call("toolu_0", "make zero")
    await world.client.ask(s.AllowRepository(path="/home/dev"), m.Done)
    told = await world.client.ask(s.Share(session=SESSION), s.Shared)
    link = Link(told.url)
    joined = await world.token(link, "ana")
    guest = await world.enter(link, joined.token)
    hub, number, said = world.hub, 0, ["before the share", "make zero"]

    async def work(hub: Hub) -> None:
        """A turn with a call that is still running when the hub dies, and the end of the one before."""
        nonlocal number
        transcript.result(f"toolu_{number}", "made")
        number += 1
        transcript.prompt(f"prompt {number}")
        transcript.answer({"type": "text", "text": f"the same words, {number // 2}"})
        transcript.call(f"toolu_{number}", f"make {number}")
        said.extend((f"prompt {number}", f"make {number}"))

    await until(lambda: has(hub, link.share, "make zero", "pending"))
    await work(hub)
    await until(lambda: has(hub, link.share, "make 1", "pending"))
    hub.sharing.stop()  # as if it died: no word to the gateway
    hub.facts.stop()
    for _ in range(2):
        await work(hub)
        async with Hub(world.paths, world.hub.roster._config) as other:
            rooms = other.sharing.shares.rooms
            await until(lambda rooms=rooms: link.share in rooms)
            again = await back(world, link, joined.token, since=max(guest.seqs), epoch=guest.epoch)
            assert again.seqs[:1] in ([], [guest.seqs[-1] + 1])
            await until(lambda other=other: has(other, link.share, f"make {number}", "pending"))
            await work(other)
            await until(lambda other=other: has(other, link.share, f"make {number}", "pending"))
            await until(lambda other=other: has(other, link.share, f"make {number - 1}", "ok"))
            feeds = await logged(other, link.share)
            room = rooms[link.share]
            await until(lambda again=again, room=room: again.seqs[-1:] == [room.last_seq])
            assert again.seqs == list(range(again.seqs[0], room.last_seq + 1))
            guest = again
            if number == 5:
                await other.sharing.shares.end(room, "ENDED", "over")
    lines: dict[int, list[v.Feed]] = defaultdict(list)
    for feed in feeds:
        lines[feed.n].append(feed)
    assert sorted(lines) == list(range(1, len(lines) + 1))
    for n, each in lines.items():
        assert len({feed.text for feed in each}) == 1, f"number {n} is that of one line"
        assert [feed.status for feed in each] in ([""], ["pending"], ["ok"], ["pending", "ok"]), each
    for text in said:
        assert [each[0].text for each in lines.values()].count(text) == 1, text
    assert sum("the same words" in each[0].text for each in lines.values()) == 5


async def test_what_an_agent_does_while_the_log_is_locked_is_told_when_it_opens_again(home: Path, world: World) -> None:
    transcript = Transcript(home)
    transcript.prompt("before")
    await world.client.ask(s.AllowRepository(path="/home/dev"), m.Done)
    link = Link((await world.client.ask(s.Share(session=SESSION), s.Shared)).url)
    guest = await world.join(link, "ana")
    await guest.until(lambda: any(each["d"]["text"] == "before" for each in guest.of("feed")))
    room = world.hub.sharing.shares.rooms[link.share]
    blocker = sqlite3.connect(world.paths.state / "usage.db", timeout=20)
    blocker.execute("BEGIN EXCLUSIVE")
    try:
        for n in range(5):
            transcript.prompt(f"meanwhile {n}")
        await until(lambda: "locked" in room.problem)
        assert not any("meanwhile" in each["d"]["text"] for each in guest.of("feed"))
    finally:
        blocker.rollback()
        blocker.close()
    await guest.until(lambda: guest.of("feed")[-1]["d"]["text"] == "meanwhile 4")
    assert [each["d"]["text"] for each in guest.of("feed")][1:] == ["before", *(f"meanwhile {n}" for n in range(5))]
    assert guest.seqs == list(range(guest.seqs[0], guest.seqs[-1] + 1))
    await until(lambda: not room.problem)
