"""Processes stop for a while, as in a laptop that sleeps, or die at once: what follows is what would have followed."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import struct

import httpx
import psutil
import pytest

from agentdeck.hub import gateway as hub_gateway
from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from tests.gateway.conftest import Guest, Link, World, until
from tests.gateway.played import come_in
from tests.gateway.test_resume import back, talk
from tests.gateway.test_share_commands import Shell, shell

__all__ = ["shell"]


def hub_of(shell: Shell) -> int:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(str(next(shell.home.rglob("hub.sock"))))
        pid, _, _ = struct.unpack("3i", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return int(pid)


async def shared(shell: Shell, *words: str) -> tuple[Link, str]:
    """A link of a session that was shared from the command line, and the token of somebody who has joined by it."""

    def begin() -> str:
        shell.start()
        shell.run("repo", "allow")
        return shell.run("share", "shop", "--json", "--role", "commenter", *words)

    link = Link(str(json.loads(await asyncio.to_thread(begin))["url"]))
    async with httpx.AsyncClient(base_url=link.base) as http:
        answer = await http.post(
            f"/v1/s/{link.share}/join", json={"secret": link.secret, "name": "ana", "bearer": True}
        )
    return link, str(answer.json()["token"])


async def say(guest: Guest, key: str) -> None:
    await guest.send("chat", key, text=key)


def said(guest: Guest) -> list[str]:
    return [each["d"]["text"] for each in guest.of("chat")]


async def test_a_hub_that_was_stopped_for_a_while_goes_on_and_nothing_is_stored_twice(shell: Shell) -> None:
    link, token = await shared(shell)
    guest = await come_in(link.base, link.share, token)
    await say(guest, "one")
    await guest.answer("one")
    pid = hub_of(shell)
    os.kill(pid, signal.SIGSTOP)
    try:
        for _ in range(3):
            await say(guest, "two")  # an impatient page sends it again and again
        await asyncio.sleep(1.0)
        assert not [each for each in guest.heard if each["t"] == "echo" and each["d"]["ref"] == "two"]
    finally:
        os.kill(pid, signal.SIGCONT)
    await guest.answer("two", nth=3)
    await say(guest, "three")
    await guest.answer("three")
    await guest.until(lambda: "three" in said(guest))
    assert said(guest) == ["one", "two", "three"]
    assert guest.seqs == list(range(guest.seqs[0], guest.seqs[-1] + 1))
    assert guest.closed is None


async def test_the_end_of_a_share_comes_in_time_although_the_hub_sleeps(shell: Shell) -> None:
    link, token = await shared(shell, "--expires", "4s")
    guest = await come_in(link.base, link.share, token)
    pid = hub_of(shell)
    os.kill(pid, signal.SIGSTOP)
    try:
        await guest.until(lambda: guest.closed is not None)
        assert guest.closed == 4411
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=link.base, headers=headers, timeout=20) as http:
            assert (await http.get(f"/v1/s/{link.share}/screen")).status_code in (401, 410)
    finally:
        os.kill(pid, signal.SIGCONT)
    listed = shell.home / ".config" / "agentdeck" / "shared-sessions.json"
    await until(lambda: link.share not in listed.read_text())


async def test_a_hub_that_is_killed_is_followed_by_one_that_goes_on_with_the_share(shell: Shell) -> None:
    link, token = await shared(shell)
    guest = await come_in(link.base, link.share, token)
    await say(guest, "before")
    await guest.answer("before")
    epoch = guest.of("hello")[0]["d"]["epoch"]
    os.kill(hub_of(shell), signal.SIGKILL)
    await guest.until(lambda: any(each["d"]["about"] == "offline" for each in guest.of("system")))
    await asyncio.to_thread(shell.run, "ls")  # whoever asks next starts the next one
    async with asyncio.timeout(20):
        while True:
            again = await come_in(link.base, link.share, token, since=guest.seqs[-1], epoch=epoch)
            if again.of("hello"):
                break
            await asyncio.sleep(0.1)
    await say(again, "before")  # its answer may have been lost
    assert (await again.answer("before"))["d"]["duplicate"]
    await say(again, "after")
    await again.answer("after")
    await again.until(lambda: "after" in said(again))
    assert said(again) == ["after"]
    assert again.of("hello")[0]["d"]["epoch"] == epoch
    assert again.seqs == list(range(guest.seqs[-1] + 1, again.seqs[-1] + 1))
    with sqlite3.connect(next(shell.home.rglob("usage.db"))) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_a_gateway_that_was_stopped_for_a_while_goes_on_and_nobody_misses_or_doubles_anything(
    world: World,
) -> None:
    session = await world.start("/bin/sh", "-c", "while read x; do echo [$x]; done")
    guest = await world.join(await world.share(session))
    pid = world.gateway_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        await talk(world, session, 20)
        world.client.post(m.Input(session=session, data=b"asleep\r"))
        await asyncio.sleep(0.5)
    finally:
        os.kill(pid, signal.SIGCONT)
    await talk(world, session, 5)
    await guest.until(lambda: len(guest.of("chat")) == 25)
    await guest.until(lambda: "[asleep]" in guest.screen)
    assert guest.seqs == list(range(guest.seqs[0], guest.seqs[-1] + 1))
    assert guest.closed is None
    assert world.gateway_pid() == pid


async def test_a_gateway_that_reads_no_more_is_replaced_before_much_waits_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_gateway, "STUCK", 0.5)
    session = await world.start("/bin/sh", "-c", "while read x; do echo [$x]; done")
    link = await world.share(session)
    joined = await world.token(link)
    guest = await world.enter(link, joined.token)
    await guest.until(lambda: guest.of("snapshot"))
    pid = world.gateway_pid()
    os.kill(pid, signal.SIGSTOP)
    for n in range(400):
        await world.client.ask(s.Say(session=session, text=f"{n} " + "x" * 4000), m.Done)
        if world.gateway_pid() != pid:
            break
    await until(lambda: world.gateway_pid() not in (0, pid))
    last = (await world.facts()).last_seq
    again = await back(world, link, joined.token, since=max(guest.seqs, default=0), epoch=guest.epoch)
    await again.until(lambda: again.seqs[-1:] == [last])
    heard = [*guest.seqs, *again.seqs]
    assert heard == list(range(heard[0], last + 1))
    await until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
