"""Prompts of several people reach the agent in their order, once, with names, and never when they must not."""

import pytest

from agentdeck.errors import ShareError
from agentdeck.protocol import messages as m
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
    session, link = await shell(world)
    guest = await world.join(link, "ana")
    await work(world, session)
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
    session, link = await shell(world)
    guest = await world.join(link, "ana")
    await work(world, session)
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


async def test_nobody_fills_the_queue(world: World) -> None:
    session, link = await shell(world)
    guest = await world.join(link, "ana")
    await work(world, session)
    codes = []
    for n in range(8):
        await guest.send("command", f"k{n}", text=": x")
        codes.append((await guest.answer(f"k{n}"))["d"].get("code", ""))
    assert codes[:5] == [""] * 5
    assert set(codes[5:]) <= {"FULL", "RATE_LIMITED"}


async def test_the_same_command_sent_twice_is_queued_once(world: World) -> None:
    session, link = await shell(world)
    guest = await world.join(link, "ana")
    await work(world, session)
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
