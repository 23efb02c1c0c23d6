"""What the real CLIs wrote, written again piece by piece: everything is told, once, in order, by both watchers."""

import asyncio
import random
import threading
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from agentdeck.realtime import AnyEvent, AsyncSessionWatcher, SessionWatcher, ToolReturned
from agentdeck.transcripts.follow import read_all
from tests.fakes.recorded import Recorded, transcripts

CONCLUDED = ("context_growth", "summarization", "session_resume")


class Told(NamedTuple):
    """What came out of one transcript. Results may wait for their calls, so their order is their calls'."""

    offsets: list[int]
    results: set[tuple[int, str]]


class Collected:
    def __init__(self, events: Iterable[AnyEvent] = ()) -> None:
        self.files: dict[str, Told] = defaultdict(lambda: Told([], set()))
        self.count = 0
        for event in events:
            self.add(event)

    def add(self, event: AnyEvent) -> None:
        if event.source is None or event.kind in CONCLUDED:
            return
        told = self.files[Path(event.source.path).name]
        self.count += 1
        if isinstance(event, ToolReturned):
            result = event.source.offset, event.call
            assert result not in told.results, "it was told before"
            told.results.add(result)
        else:
            told.offsets.append(event.source.offset)


class Script:
    """All transcripts of a provider, to be written below `home`, and what they must tell."""

    def __init__(self, provider: str, folder: Path) -> None:
        self.home = folder / "home"
        every = [each for each in transcripts(provider) if each.path.endswith(".jsonl")]
        self.recordings = list({each.path: each for each in every}.values())
        self._rng = random.Random(provider)
        self.wanted = Collected()
        for each in self.recordings:
            whole = folder / "whole" / each.path
            whole.parent.mkdir(parents=True, exist_ok=True)
            whole.write_bytes(each.data)
            for event in read_all(str(whole.resolve())):
                self.wanted.add(event)

    def write(self) -> None:
        """Append pieces of all files in turn, cut anywhere."""
        waiting = {self._path(each): each.data for each in self.recordings}
        while waiting:
            path = self._rng.choice(list(waiting))
            size = self._rng.choice([1, 100, 5_000, 100_000])
            with path.open("ab") as file:
                file.write(waiting[path][:size])
            waiting[path] = waiting[path][size:]
            if not waiting[path]:
                del waiting[path]

    def _path(self, each: Recorded) -> Path:
        path = self.home / each.path
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


@pytest.fixture(params=["claude", "codex", "gemini"])
def script(request: pytest.FixtureRequest, tmp_path: Path) -> Script:
    script = Script(request.param, tmp_path)
    assert script.wanted.count > 20
    return script


def test_a_watcher_tells_everything_once_and_in_order(script: Script) -> None:
    watcher, collected, changed = SessionWatcher(home=script.home), Collected(), threading.Condition()

    @watcher.on_any
    def collect(event: AnyEvent) -> None:
        with changed:
            collected.add(event)
            changed.notify()

    thread = threading.Thread(target=watcher.start, daemon=True)
    thread.start()
    assert watcher.ready.wait(30)
    script.write()
    with changed:
        assert changed.wait_for(lambda: collected.count >= script.wanted.count, 30)
    watcher.stop()
    thread.join(30)
    assert collected.files == script.wanted.files


async def test_so_does_its_asynchronous_sibling_with_hardly_any_backlog(script: Script) -> None:
    watcher, collected = AsyncSessionWatcher(home=script.home, backlog=7), Collected()

    async def read() -> None:
        async for event in watcher.events():
            collected.add(event)
            if collected.count == script.wanted.count:
                return

    async with asyncio.timeout(60), watcher:
        reading = asyncio.create_task(read())
        await watcher.ready()
        await asyncio.to_thread(script.write)
        await reading
    assert collected.files == script.wanted.files
