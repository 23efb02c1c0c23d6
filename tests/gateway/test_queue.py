"""Prompts of several people reach the agent in their order, once, with names, and never when they must not."""

import pytest

from agentdeck.errors import ShareError
from agentdeck.hub.hub import Hub
from agentdeck.hub.queue import QueueDesk
from agentdeck.protocol import messages as m
from agentdeck.protocol import queue as q
from agentdeck.protocol import share as s
from tests.gateway.conftest import Guest, Link, World
from tests.hub.conftest import text, until


async def shell(world: World) -> tuple[str, Link]:
    """A shell, which rests at its prompt and works while something runs."""
    env = {"HOME": str(world.place), "PATH": "/usr/bin:/bin", "PS1": "$ "}
    spawn = m.Spawn(provider="shell", cwd=str(world.place), env=env)
    session = (await world.client.ask(spawn, m.Done)).session
    await world.share(session)
    return session, await world.invite(session, "driver", max_uses=4)


def states(guest: Guest) -> dict[str, str]:
    return {item["text"]: item["state"] for item in guest.newest("queue").get("items", [])}


async def state_of(world: World, session: str) -> str:
    sessions = (await world.client.ask(m.List(), m.Sessions)).sessions
    return next(each.state for each in sessions if each.id == session)


async def work(world: World, session: str) -> None:
    """Keep the shell busy."""
    await until(lambda: _is(world, session, "idle", "done"))
    world.client.post(m.Input(session=session, data=b"sleep 1000\r"))
    await until(lambda: _is(world, session, "working"))


async def busy(world: World) -> tuple[str, Guest]:
    """A shell that works, and a driver who watches it."""
    session, link = await shell(world)
    ana = await world.join(link, "ana")
    await work(world, session)
    return session, ana


async def _is(world: World, session: str, *wanted: str) -> bool:
    return await state_of(world, session) in wanted


async def test_prompts_are_typed_in_order_with_the_names_of_their_authors(world: World) -> None:
    session, link = await shell(world)
    ana, ben = await world.join(link, "ana"), await world.join(link, "ben")
    await work(world, session)
    for n, guest in enumerate((ana, ben, ana)):
        await guest.send("command", f"k{n}", text=f": number {n}")
        assert (await guest.answer(f"k{n}"))["d"]["position"] == n + 1
    await ben.until(lambda: set(states(ben).values()) == {"queued"} and len(states(ben)) == 3)
    assert ben.newest("queue")["waits_for"] == "the end of the turn"
    world.client.post(m.Input(session=session, data=b"\x03"))
    await ana.until(lambda: list(states(ana).values()) == ["done"] * 3, 60)
    shown = await text(world.client, session)
    places = [shown.index(f"via agentdeck] : number {n}") for n in range(3)]
    assert places == sorted(places)
    assert "[ana via agentdeck] : number 0" in shown
    assert "[ben via agentdeck] : number 1" in shown
    assert shown.count("number 1") == 1


async def test_an_interrupt_ends_the_turn_once_and_pauses_the_queue(world: World) -> None:
    session, guest = await busy(world)
    await guest.send("command", "k1", text=": later")
    await guest.answer("k1")
    await guest.send("interrupt", "i1")
    assert (await guest.answer("i1"))["t"] == "echo"
    await guest.until(lambda: guest.newest("queue").get("paused"))
    await until(lambda: _is(world, session, "idle", "done"))
    world.client.post(m.Input(session=session, data=b"echo in''between\r"))
    await guest.until(lambda: "inbetween" in guest.screen)
    await until(lambda: _is(world, session, "idle", "done"))
    assert states(guest)[": later"] == "queued"
    assert [each["by"] for each in guest.of("interrupt")] == [guest.of("hello")[0]["d"]["participant"]]
    await guest.send("resume", "r1")
    await guest.until(lambda: states(guest)[": later"] == "done", 60)


async def test_a_prompt_is_taken_back_by_its_author_or_the_owner_and_moved_by_the_owner(world: World) -> None:
    session, guest = await busy(world)
    items = []
    for n in range(3):
        await guest.send("command", f"k{n}", text=f": number {n}")
        items.append((await guest.answer(f"k{n}"))["d"]["item"])
    await guest.send("cancel", "c", item=items[0])
    assert (await guest.answer("c"))["t"] == "echo"
    await world.client.ask(s.MovePrompt(session=session, item=items[2], position=1), m.Done)
    await world.client.ask(s.CancelPrompt(session=session, item=items[1]), m.Done)
    await guest.until(
        lambda: states(guest) == {": number 0": "cancelled", ": number 1": "cancelled", ": number 2": "queued"}
    )
    with pytest.raises(ShareError):
        await world.client.ask(s.CancelPrompt(session=session, item="nothing"), m.Done)
    await world.client.ask(s.Kick(session=session, participant="ana"), m.Done)
    facts = await world.facts()
    assert {p.state for p in facts.queue} == {"cancelled"}, "what somebody without access wanted is not done"


async def test_the_owner_and_guests_wait_in_one_order(world: World) -> None:
    session, ana = await busy(world)
    await ana.send("command", "k1", text=": one")
    await ana.answer("k1")
    await world.client.ask(q.Enqueue(sessions=(session,), text=": the plan"), q.Queues)
    await ana.send("command", "k2", text=": two")
    assert (await ana.answer("k2"))["d"]["position"] == 3
    await ana.until(lambda: len(states(ana)) == 3)
    items = ana.newest("queue")["items"]
    assert [(each["name"], each["position"]) for each in items] == [("ana", 1), ("owner", 2), ("ana", 3)]
    assert "the plan" not in str(ana.heard), "what the owner wrote is seen when it is sent"
    await until(lambda: _owner_sees(world, [": one", ": the plan", ": two"]))
    await world.client.ask(s.MovePrompt(session=session, item=items[2]["id"], position=1), m.Done)
    await ana.until(lambda: [each["position"] for each in ana.newest("queue")["items"]] == [1, 2, 3])
    world.client.post(m.Input(session=session, data=b"\x03"))
    await ana.until(lambda: [each["state"] for each in ana.newest("queue")["items"]] == ["done"] * 2, 60)
    await until(lambda: _shows(world, session, ": the plan"), 60)
    shown = await text(world.client, session)
    assert shown.index("] : two") < shown.index("] : one") < shown.index(": the plan")


async def _owner_sees(world: World, texts: list[str]) -> bool:
    return [each.text for each in (await world.facts()).queue] == texts


async def _shows(world: World, session: str, wanted: str) -> bool:
    return wanted in await text(world.client, session)


async def test_who_cancels_in_the_owners_own_list_cancels_for_the_guest(world: World) -> None:
    session, ana = await busy(world)
    await ana.send("command", "k1", text=": one")
    await ana.answer("k1")
    (waits,) = (await world.client.ask(q.ReadQueue(session=session), q.Queues)).prompts
    assert (waits.by, waits.text) == ("ana", "[ana via agentdeck] : one")
    await world.client.ask(q.CancelQueued(n=waits.n), q.Queues)
    await ana.until(lambda: states(ana) == {": one": "cancelled"})


async def test_the_end_of_a_share_takes_back_what_guests_wanted_and_nothing_else(world: World) -> None:
    session, ana = await busy(world)
    await ana.send("command", "k1", text=": one")
    await ana.answer("k1")
    await ana.send("interrupt", "i1")
    await ana.answer("i1")
    await ana.until(lambda: ana.newest("queue").get("paused"))
    await world.client.ask(q.Enqueue(sessions=(session,), text=": mine"), q.Queues)
    told = await world.client.ask(q.ReadQueue(session=session), q.Queues)
    assert (len(told.prompts), told.paused) == (2, (session,))
    await world.client.ask(s.Unshare(session=session), m.Done)
    told = await world.client.ask(q.ReadQueue(session=session), q.Queues)
    assert [each.text for each in told.prompts if each.by] == []
    assert told.paused == (), "nobody is there any more to resume it"


async def test_a_hub_that_dies_before_a_prompt_was_queued_leaves_it_to_the_next_one(world: World) -> None:
    session, link = await shell(world)
    ana = await world.join(link, "ana")
    await work(world, session)
    await ana.send("command", "k1", text=": one")
    await ana.answer("k1")
    room = world.hub.sharing.shares.rooms[link.share]
    room.guests.add = lambda prompt: 0  # type: ignore[method-assign]
    await ana.send("command", "k2", text=": two")
    await ana.answer("k2")
    world.hub.sharing.stop()
    for desk in world.hub._desks:
        if isinstance(desk, QueueDesk):
            desk.stop()
    async with Hub(world.paths, world.hub.roster._config) as other:
        await until(lambda: link.share in other.sharing.shares.rooms)
        prompts = other.sharing.shares.rooms[link.share].room.prompts
        await until(lambda: prompts.unknown == [])
        assert [(each.text, each.state) for each in prompts.items] == [(": one", "queued"), (": two", "queued")]
        for room in tuple(other.sharing.shares.rooms.values()):
            await other.sharing.shares.end(room, "ENDED", "over")


async def test_nobody_fills_the_queue(world: World) -> None:
    _, guest = await busy(world)
    codes = []
    for n in range(8):
        await guest.send("command", f"k{n}", text=": x")
        codes.append((await guest.answer(f"k{n}"))["d"].get("code", ""))
    assert codes[:5] == [""] * 5
    assert set(codes[5:]) <= {"FULL", "RATE_LIMITED"}


async def test_the_same_command_sent_twice_is_queued_once(world: World) -> None:
    _, guest = await busy(world)
    for _ in range(2):
        await guest.send("command", "same", text=": once")
    await guest.until(lambda: len([e for e in guest.of("echo") if e["d"]["ref"] == "same"]) == 2)
    first, second = [e["d"] for e in guest.of("echo") if e["d"]["ref"] == "same"]
    assert (first["item"], first["seq"], second["duplicate"]) == (second["item"], second["seq"], True)
    assert len((await world.facts()).queue) == 1


async def test_escapes_in_a_prompt_never_reach_the_terminal(world: World) -> None:
    session, link = await shell(world)
    guest = await world.join(link, "ana")
    await guest.send("command", "k", text="\x1b[201~\x03: plain\x1b]52;c;eA==\x07\x9b31m")
    await guest.until(lambda: "done" in states(guest).values(), 60)
    shown = await text(world.client, session)
    assert ": plain" in shown
    assert "^[" not in shown


async def test_keys_need_hands_that_the_owner_gives_and_takes(world: World) -> None:
    session, link = await shell(world)
    guest = await world.join(link, "ana")
    await guest.send("keys", "1", data="echo no\r")
    assert (await guest.answer("1"))["d"]["code"] == "FORBIDDEN"
    await world.client.ask(s.SetRole(session=session, participant="ana", role="driver", hands=True), m.Done)
    await guest.until(lambda: guest.of("role"))
    await guest.send("keys", "2", data="echo y''es\r")
    await guest.until(lambda: "yes" in guest.screen)
    assert "echo no" not in guest.screen
