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
