"""`AsyncSessionWatcher`: readers that come, go, are cancelled, are slow, or fail."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import pytest

from agentdeck.realtime import AnyEvent, AsyncSessionWatcher, LiveSession, MessageAdded, filters
from agentdeck.transcripts.watch import Watch
from tests.fakes.pen import Pen


async def texts(events: AsyncIterator[AnyEvent], until: str) -> list[str]:
    """Read messages until one says `until`."""
    found: list[str] = []
    async for event in events:
        if isinstance(event, MessageAdded):
            found.append(event.text)
            if event.text == until:
                return found
    raise AssertionError("it ended")


def tasks() -> set[str]:
    """What runs of a watcher."""
    return {name for task in asyncio.all_tasks() if (name := task.get_name()).startswith("agentdeck-")}


async def until(claim: Callable[[], bool]) -> None:
    while not claim():  # noqa: ASYNC110 - what is claimed has no event
        await asyncio.sleep(0.01)


async def test_events_are_iterated_over(tmp_path: Path) -> None:
    watcher = AsyncSessionWatcher(home=tmp_path)
    async with asyncio.timeout(60), watcher:
        reading = asyncio.create_task(texts(watcher.events(), "two"))
        await watcher.ready()
        pen = Pen(tmp_path, "s1")
        pen.ask("one")
        pen.ask("two")
        assert await reading == ["one", "two"]
        session = watcher.sessions.get("claude", "s1")
        assert session is not None
        assert session.counts["message"] == 2
    assert not tasks()


async def test_it_follows_without_a_block_as_long_as_somebody_reads(tmp_path: Path) -> None:
    watcher, pen = AsyncSessionWatcher(home=tmp_path, since=timedelta(hours=1)), Pen(tmp_path, "s1")
    pen.ask("one")
    async with asyncio.timeout(60):
        async with aclosing(watcher.events()) as events:
            assert await texts(events, "one") == ["one"]
        assert not tasks()
        pen.ask("two")
        async with aclosing(watcher.events()) as events:  # goes on where it was
            assert await texts(events, "two") == ["two"]
        assert not tasks()


async def test_every_reader_gets_every_event_that_passes_its_filters(tmp_path: Path) -> None:
    watcher = AsyncSessionWatcher(home=tmp_path)
    async with asyncio.timeout(60), watcher:
        shop = asyncio.create_task(texts(watcher.events(filters.project("shop")), "end"))
        claude = asyncio.create_task(texts(watcher.events(filters.provider("claude"), filters.role("user")), "end"))
        await watcher.ready()
        Pen(tmp_path, "s2", cwd="/demo/other").ask("elsewhere")
        pen = Pen(tmp_path, "s1")
        await until(lambda: watcher.sessions.get("claude", "s2") is not None)
        pen.say("here")
        pen.ask("end")
        assert await shop == ["here", "end"]
        assert await claude == ["elsewhere", "end"]


async def test_a_cancelled_reader_leaves_the_others_alone(tmp_path: Path) -> None:
    watcher = AsyncSessionWatcher(home=tmp_path, backlog=1)
    async with asyncio.timeout(60), watcher:
        goes, stays = (asyncio.create_task(texts(watcher.events(), "9")) for _ in range(2))
        await watcher.ready()
        goes.cancel()
        with pytest.raises(asyncio.CancelledError):
            await goes
        pen = Pen(tmp_path, "s1")
        for number in range(10):
            pen.ask(str(number))
        assert await stays == [str(number) for number in range(10)]
        await until(lambda: not watcher._readers)


async def test_a_reader_that_just_leaves_its_loop_is_forgotten(tmp_path: Path) -> None:
    watcher, pen = AsyncSessionWatcher(home=tmp_path, since=timedelta(hours=1), backlog=1), Pen(tmp_path, "s1")
    pen.ask("one")
    async with asyncio.timeout(60):
        async for _ in watcher.events():
            break
        gc.collect()
        await until(lambda: not tasks() and not watcher._readers)


async def test_a_slow_reader_loses_nothing_and_fills_no_memory(tmp_path: Path) -> None:
    watcher = AsyncSessionWatcher(home=tmp_path, backlog=10)
    async with asyncio.timeout(60), watcher, aclosing(watcher.events()) as events:
        first = asyncio.create_task(anext(events))
        await watcher.ready()
        pen = Pen(tmp_path, "s1")
        for number in range(200):
            pen.ask(str(number))
        assert (await first).kind == "session_start"
        (reader,) = watcher._readers
        await until(lambda: len(reader._waiting) == 10)
        found: list[str] = []
        while len(found) < 200:
            assert len(reader._waiting) <= 10
            event = await anext(events)
            assert isinstance(event, MessageAdded)
            found.append(event.text)
        assert found == [str(number) for number in range(200)]


async def test_leaving_the_block_ends_its_readers(tmp_path: Path) -> None:
    watcher = AsyncSessionWatcher(home=tmp_path)
    found: list[AnyEvent] = []

    async def read() -> None:
        async for event in watcher.events():
            found.append(event)  # noqa: PERF401 - what came before the end is wanted

    async with asyncio.timeout(60):
        async with watcher:
            reading = asyncio.create_task(read())
            await watcher.ready()
            Pen(tmp_path, "s1").ask("one")
            await until(lambda: len(found) == 2)
        await reading
    assert [event.kind for event in found] == ["session_start", "message"]


async def test_cancelling_whoever_is_in_the_block_ends_everything(tmp_path: Path) -> None:
    watcher = AsyncSessionWatcher(home=tmp_path)
    entered = asyncio.Event()

    async def run() -> None:
        async with watcher:
            entered.set()
            async for _ in watcher.events():
                pass

    async with asyncio.timeout(60):
        running = asyncio.create_task(run())
        await entered.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert running.cancelled()
    assert not tasks()


async def test_a_filter_that_fails_fails_its_own_reader(tmp_path: Path) -> None:
    watcher = AsyncSessionWatcher(home=tmp_path)

    def broken(event: AnyEvent, session: LiveSession) -> bool:
        raise ValueError("no good")

    async with asyncio.timeout(60), watcher:
        fails = asyncio.create_task(texts(watcher.events(broken), "never"))
        works = asyncio.create_task(texts(watcher.events(), "one"))
        await watcher.ready()
        Pen(tmp_path, "s1").ask("one")
        with pytest.raises(ValueError, match="no good"):
            await fails
        assert await works == ["one"]


async def test_what_makes_following_impossible_is_raised_to_everybody_who_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: Watch) -> AsyncIterator[set[bytes]]:
        yield set()
        raise OSError("the disk is gone")

    monkeypatch.setattr(Watch, "changes", broken)
    watcher = AsyncSessionWatcher(home=tmp_path)
    async with asyncio.timeout(60):
        with pytest.raises(OSError, match="the disk is gone"):
            async for _ in watcher.events():
                pass
        with pytest.raises(OSError, match="the disk is gone"):
            await wait_in_block(watcher)
        monkeypatch.undo()
        async with watcher:
            reading = asyncio.create_task(texts(watcher.events(), "works again"))
            await watcher.ready()
            Pen(tmp_path, "s1").ask("works again")
            assert await reading == ["works again"]


async def wait_in_block(watcher: AsyncSessionWatcher) -> None:
    async with watcher:
        await until(lambda: not tasks())
