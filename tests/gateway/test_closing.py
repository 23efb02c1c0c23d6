"""The end of a share, however it comes: nothing leaves after it, everybody is told, and doubt means the end."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from tests.gateway.conftest import Guest, World
from tests.hub.conftest import until


async def talking(world: World) -> tuple[str, Guest]:
    """A session that prints all the time, and somebody who watches."""
    session = await world.start("/bin/sh", "-c", "n=0; while :; do n=$((n+1)); echo line $n; sleep 0.05; done")
    link = await world.share(session)
    guest = await world.join(link, "ana")
    await guest.until(lambda: "line" in guest.screen)
    return session, guest


def rename_empty(path: Path) -> None:
    other = path.with_name("new.json")
    other.write_text('{"version": 1, "sessions": {}, "repositories": {}}')
    other.chmod(0o600)
    other.rename(path)


def take_off(path: Path) -> None:
    listed = json.loads(path.read_text())
    listed["sessions"] = {}
    path.write_text(json.dumps(listed))


def expire(path: Path) -> None:
    listed = json.loads(path.read_text())
    for entry in listed["sessions"].values():
        entry["expires_at"] = 1.0
    path.write_text(json.dumps(listed))


def delete(path: Path) -> None:
    path.unlink()


def delete_directory(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


def spoil(path: Path) -> None:
    path.write_text('{"version": 1, "sess')


def open_to_others(path: Path) -> None:
    path.chmod(0o644)


def link(path: Path) -> None:
    real = path.with_name("real.json")
    path.rename(real)
    path.symlink_to(real)


CHANGES = [rename_empty, take_off, expire, delete, delete_directory, spoil, open_to_others, link]


@pytest.mark.parametrize("change", CHANGES)
async def test_a_list_that_was_changed_by_hand_ends_the_share_at_once(
    world: World, change: Callable[[Path], None]
) -> None:
    notices: list[str] = []
    world.client.on_push = lambda push: notices.append(push.text) if isinstance(push, m.Notice) else None
    _, guest = await talking(world)
    await world.client.ask(m.Watch(resources=False), m.Sessions)
    change(world.allowlist)
    await guest.until(lambda: guest.closed is not None, 10)
    assert guest.closed in (4410, 4411)
    count = len(guest.wire)
    await until(lambda: not world.hub.sharing.shares.rooms)
    assert len(guest.wire) == count
    if change in (spoil, open_to_others, link):
        assert any("nothing is shared any more" in text for text in notices)
    if change is delete_directory:
        world.allowlist.parent.with_name("elsewhere").rename(world.allowlist.parent)
    if world.allowlist.is_symlink() or change in (spoil, open_to_others):
        world.allowlist.unlink()


async def test_a_share_of_a_quiet_session_ends_just_as_fast(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "sleep 1000")
    guest = await world.join(await world.share(session))
    world.allowlist.unlink()
    await guest.until(lambda: guest.closed is not None, 10)


async def test_panic_cuts_everything_at_once(world: World) -> None:
    _, guest = await talking(world)
    pid = world.gateway_pid()
    await world.client.ask(s.Panic(), m.Done)
    await guest.until(lambda: guest.reader is not None and guest.reader.done(), 10)
    assert guest.closed == 4000, "who is told that it is over does not come back again and again"
    await until(lambda: not alive(pid))
    assert '"share":' not in world.allowlist.read_text()
    assert (await world.client.ask(s.ListShares(), s.SharesTold)).shares == ()


async def test_panic_does_not_wait_for_a_gateway_that_hangs(world: World) -> None:
    _, guest = await talking(world)
    pid = world.gateway_pid()
    os.kill(pid, 19)
    await world.client.ask(s.Panic(), m.Done)
    await until(lambda: not alive(pid))
    await guest.until(lambda: guest.reader is not None and guest.reader.done(), 10)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_a_gateway_that_hangs_is_killed_so_that_unshare_is_the_end(world: World) -> None:
    session, guest = await talking(world)
    pid = world.gateway_pid()
    os.kill(pid, 19)
    await world.client.ask(s.Unshare(session=session), m.Done)
    await guest.until(lambda: guest.reader is not None and guest.reader.done(), 10)
    await until(lambda: not alive(pid))


async def test_the_gateway_leaves_with_the_last_share_and_not_before(world: World) -> None:
    one = await world.start("/bin/sh", "-c", "sleep 1000")
    two = await world.start("/bin/sh", "-c", "sleep 1000")
    await world.share(one)
    link = await world.share(two)
    pid = world.gateway_pid()
    await world.client.ask(s.Unshare(session=one), m.Done)
    guest = await world.join(link)
    await world.client.ask(s.Unshare(session=two), m.Done)
    await guest.until(lambda: guest.closed == 4000)
    await until(lambda: not alive(pid))


async def test_the_end_of_the_program_is_told_and_the_last_screen_stays(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "echo bye; read x")
    guest = await world.join(await world.share(session))
    await guest.until(lambda: "bye" in guest.screen)
    world.client.post(m.Input(session=session, data=b"\r"))
    await guest.until(lambda: any(each["d"]["state"] == "exited" for each in guest.of("status")))
    await guest.until(lambda: guest.newest("session_data_update").get("ended"))
    assert guest.closed is None
    assert "bye" in guest.screen


async def test_a_purged_share_leaves_nothing_behind(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "sleep 1000")
    await world.share(session)
    await world.client.ask(s.Say(session=session, text="a very secret word"), m.Done)
    facts = await world.facts()
    assert facts.last_seq > 0
    store = world.hub.sharing.shares.store
    await world.client.ask(s.Unshare(session=session, purge=True), m.Done)
    assert await store.load(facts.share) == (0, [])


async def test_what_is_resized_wildly_stays_a_valid_screen(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "while :; do seq 1 50; sleep 0.1; done")
    guest = await world.join(await world.share(session))
    for cols, rows in ((2, 2), (500, 100), (1, 1), (80, 24), (300, 5), (20, 60)) * 5:
        await world.client.ask(m.View(session=session, priority="hidden", cols=cols, rows=rows), m.Done)
        await asyncio.sleep(0.01)
    await guest.until(lambda: len(guest.rows) == 60)


async def test_a_flood_costs_frames_at_a_steady_pace_and_not_a_backlog(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "yes 'all work and no play makes jack a dull boy'")
    guest = await world.join(await world.share(session))
    await guest.until(lambda: len(guest.of("screen")) >= 20)
    stamps = [each["ts"] for each in guest.of("screen")]
    assert len(stamps) / (stamps[-1] - stamps[0]) <= 25
    world.client.post(m.Input(session=session, data=b"\x03"))


async def test_a_role_that_was_taken_out_of_the_list_is_worth_nothing(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "sleep 1000")
    await world.share(session)
    guest = await world.join(await world.invite(session, "commenter"), "ana")
    await guest.send("chat", "1", text="hi")
    assert (await guest.answer("1"))["t"] == "echo"
    listed = json.loads(world.allowlist.read_text())
    for entry in listed["sessions"].values():
        assert entry["roles"] == ["observer", "commenter"]
        entry["roles"] = ["observer"]
    world.allowlist.write_text(json.dumps(listed))
    await guest.send("chat", "2", text="hi")
    assert (await guest.answer("2"))["d"]["code"] == "FORBIDDEN"
    assert guest.closed is None
