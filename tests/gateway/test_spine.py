"""A session is shared, somebody sees it live and redacted, and the end of the share is the end."""

import asyncio

import httpx
import pytest

from agentdeck.errors import RepositoryError, UnknownSessionError
from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from tests.gateway.conftest import World

SECRET = "sk-ant-api03-Zx81kLmQ09vTn2PqRb77Yw5Ds3Fg6Hj4"


async def test_a_guest_sees_the_screen_live_and_without_secrets(world: World) -> None:
    session = await world.start(
        "/bin/sh", "-c", "echo hello $MY_TOKEN; while read x; do echo [$x]; done", env={"MY_TOKEN": "q7Rt5zXw99Lm3k"}
    )
    link = await world.share(session)
    guest = await world.join(link, "ana")
    await guest.until(lambda: "hello ██████████████" in guest.screen)
    world.client.post(m.Input(session=session, data=b"one\r"))
    await guest.until(lambda: "[one]" in guest.screen)
    world.client.post(m.Input(session=session, data=f"{SECRET}\r".encode()))
    await guest.until(lambda: "[███" in guest.screen)
    sent = b"".join(guest.wire)
    assert b"q7Rt5zXw" not in sent
    assert SECRET.encode() not in sent


async def test_unshare_ends_it_within_a_second_for_everybody_and_for_good(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "sleep 100")
    link = await world.share(session)
    joined = await world.token(link)
    guest = await world.enter(link, joined.token)
    await guest.until(lambda: guest.of("snapshot"))
    await world.client.ask(s.Unshare(session=session), m.Done)
    await guest.until(lambda: guest.closed is not None)
    assert guest.closed == 4000
    assert guest.of("ended")[0]["d"]["code"] == "ENDED"
    with pytest.raises((httpx.HTTPError, AssertionError)):
        await world.token(link)
    assert world.allowlist.read_text().count('"share"') == 0


async def test_sharing_again_gives_the_same_link_and_what_is_not_allowed_is_refused(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "sleep 100")
    with pytest.raises(RepositoryError):
        await world.client.ask(s.Share(session=session), s.Shared)
    with pytest.raises(UnknownSessionError):
        await world.client.ask(s.Share(session="nothing"), s.Shared)
    assert not world.allowlist.exists()
    first = await world.share(session)
    assert (await world.share(session)) == first
    assert world.allowlist.stat().st_mode & 0o777 == 0o600


async def test_two_guests_talk_and_both_keep_one_order(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "sleep 100")
    await world.share(session)
    link = await world.invite(session, "commenter", max_uses=2)
    ana, ben = await world.join(link, "ana"), await world.join(link, "ben")
    for n in range(5):
        await ana.send("chat", f"a{n}", text=f"ana {n}")
        await ben.send("chat", f"b{n}", text=f"ben {n}")
    await asyncio.gather(*(each.until(lambda each=each: len(each.of("chat")) == 10) for each in (ana, ben)))  # type: ignore[misc]
    assert [each["d"]["text"] for each in ana.of("chat")] == [each["d"]["text"] for each in ben.of("chat")]
    assert ana.seqs == sorted(set(ana.seqs))
    assert (await ana.answer("a0"))["d"]["seq"]
