"""Breaks of the connection: told, bridged, and without loss or repetition."""

import os
import signal
from functools import partial

import pytest

from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from tests.gateway.conftest import World
from tests.page.conftest import Visit, until

pytestmark = pytest.mark.chromium


async def test_nothing_is_lost_or_shown_twice_when_the_server_is_killed_again_and_again(
    world: World, visit: Visit
) -> None:
    session = await world.start("/bin/sh", "-c", "while read x; do echo [$x]; done")
    await world.share(session)
    link = await world.invite(session, "commenter")
    ana = await visit()
    await ana.open(link)
    said = 0
    for _ in range(3):
        pid = world.gateway_pid()
        for _ in range(5):
            await world.client.ask(s.Say(session=session, text=f"word {said}."), m.Done)
            said += 1
        os.kill(pid, signal.SIGKILL)
        await ana.sees("#line", "Trying again")
        await ana.say(f"written while away {said}.")
        await world.client.ask(s.Say(session=session, text=f"word {said}."), m.Done)
        said += 1
        await until(partial(is_another, world, pid))
        await ana.page.wait_for_selector("#line", state="hidden")

        await ana.sees("#chat .word:not(.waiting)", f"written while away {said - 1}.")
        await ana.sees("#chat .word:not(.waiting)", f"word {said - 1}.")
    texts = [text for text in await ana.words("#chat .word .text") if text.startswith("word")]
    assert texts == [f"word {n}." for n in range(said)]
    away = [text for text in await ana.words("#chat .word .text") if text.startswith("written")]
    assert len(away) == len(set(away)) == 3
    keys = await ana.page.evaluate("[...document.querySelectorAll('#chat > *')].map((each) => each.dataset.key)")
    seqs = [int(key[1:]) for key in keys]
    assert seqs == sorted(set(seqs))
    world.client.post(m.Input(session=session, data=b"after\r"))
    await ana.until_terminal("[after]")


def is_another(world: World, pid: int) -> bool:
    return world.gateway_pid() not in (0, pid)


async def test_an_owner_who_is_away_is_told_and_what_follows_comes_after_the_return(world: World, visit: Visit) -> None:
    session = await world.start("/bin/sh", "-c", "while read x; do echo [$x]; done")
    link = await world.share(session)
    ana = await visit()
    await ana.open(link)
    shares = world.hub.sharing.shares
    shares.gateway.leave()  # no word any more, as when the owner's machine sleeps
    await ana.sees("#line", "The owner is offline")
    world.client.post(m.Input(session=session, data=b"meanwhile\r"))
    await world.client.ask(s.Say(session=session, text="word"), m.Done)
    await shares._ensure_again()
    await ana.page.wait_for_selector("#line", state="hidden")
    await ana.until_terminal("[meanwhile]")
    await ana.sees("#chat .word", "word")


async def test_a_page_that_is_loaded_while_the_owner_is_away_says_so_and_goes_on_by_itself(
    world: World, visit: Visit
) -> None:
    link = await world.share(await world.start("/bin/sh", "-c", "echo hello from here; sleep 1000"))
    ana = await visit()
    await ana.open(link)
    shares = world.hub.sharing.shares
    shares.gateway.leave()
    await ana.sees("#line", "The owner is offline")
    await ana.page.reload()
    await ana.sees("#enter", "The owner is offline")
    await ana.sees("#enter", "It goes on by itself")
    await shares._ensure_again()
    await ana.until_terminal("hello from here")


LATER = """
    window.ahead = 0;
    window.pending = new Map();
    const [now, set, clear] = [Date.now.bind(Date), setTimeout.bind(window), clearTimeout.bind(window)];
    Date.now = () => now() + ahead;
    window.setTimeout = (act, wait, ...more) => {
        const id = set(() => { pending.delete(id); act(...more); }, wait);
        pending.set(id, act);
        return id;
    };
    window.clearTimeout = (id) => { pending.delete(id); clear(id); };
"""
"""A clock that can be put forward by `ahead` milliseconds, and everything that is to happen later in `pending`."""


async def test_when_nobody_is_there_any_more_the_page_dials_for_a_while_says_so_and_rests(
    world: World, visit: Visit
) -> None:
    link = await world.share(await world.start("/bin/sh", "-c", "sleep 1000"))
    ana = await visit()
    await ana.page.add_init_script(LATER)
    await ana.open(link)
    dialled: list[str] = []
    ana.page.on("websocket", lambda socket: dialled.append(socket.url))
    os.kill(world.gateway_pid(), signal.SIGSTOP)  # it can tell nobody, and a panic does not wait for it
    await world.client.ask(s.Panic(), m.Done)
    await ana.sees("#line", "The connection is lost")
    await until(lambda: len(dialled) > 1)
    await ana.page.evaluate("ahead = 11 * 60_000; dispatchEvent(new Event('online'))")
    await ana.sees("#line", "Nobody answers any more")
    tries = len(dialled)
    await ana.page.evaluate("for (const act of pending.values()) act()")
    await ana.sees("#line", "Nobody answers any more")
    assert len(dialled) == tries
    await ana.page.click("#line-now")
    await until(lambda: len(dialled) > tries)


async def test_who_finds_no_place_waits_and_comes_in_when_there_is_one(world: World, visit: Visit) -> None:
    link = await world.share(await world.start("/bin/sh", "-c", "echo hello from here; sleep 1000"))
    ana = await visit()
    await ana.open(link)
    await ana.page.evaluate(
        """async (share) => {
            const { csrf } = await (await fetch(`/v1/s/${share}`)).json();
            window.more = [...Array(7)].map(() => {
                const socket = new WebSocket(`ws://${location.host}/v1/s/${share}/ws`, 'agentdeck.v1');
                socket.onopen = () => socket.send(JSON.stringify({ t: 'auth', d: { csrf } }));
                return socket;
            });
            await Promise.all(more.map((socket) => new Promise((next) => { socket.onmessage = next; })));
        }""",
        link.share,
    )
    tab = await ana.page.context.new_page()
    await tab.goto(f"{link.base}/s/{link.share}")
    await tab.locator("#enter", has_text="There is no place left").wait_for()
    await tab.locator("#enter", has_text="8 connections of yours are open").wait_for()
    await ana.page.evaluate("more[0].close()")
    await tab.locator(".xterm-rows", has_text="hello from here").wait_for()
