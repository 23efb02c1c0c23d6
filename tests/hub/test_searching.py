"""Searching all conversations by way of the hub: while they are written, while one types, with any index."""

import asyncio
import os
import signal
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentdeck.errors import AgentdeckError, SessionError
from agentdeck.hub import searching, worker
from agentdeck.hub.client import HubClient
from agentdeck.hub.hub import Hub
from agentdeck.paths import Paths
from agentdeck.protocol import messages as m
from agentdeck.protocol import search as se
from agentdeck.search.index import Row
from agentdeck.search.inquiry import Inquiry
from tests.hub.conftest import Connect, until
from tests.search.talk import OTHER, SESSION, Talk


class Desk:
    """A client that keeps what it was told of the index."""

    def __init__(self, client: HubClient) -> None:
        self.client = client
        self.told: list[se.Indexing] = []
        client.on_push = self.take

    def take(self, message: m.AnyReply) -> None:
        if isinstance(message, se.Indexing):
            self.told.append(message)

    async def open(self) -> se.Indexing:
        return await self.client.ask(se.OpenSearch(), se.Indexing)

    async def complete(self) -> None:
        await self.open()
        await until(lambda: any(told.complete for told in self.told))

    async def search(self, text: str, *, count: int = 50, each: int = 0) -> se.Hits:
        return await self.client.ask(se.Search(text=text, count=count, each=each), se.Hits)

    async def texts(self, text: str) -> list[str]:
        return [place.snippet for place in (await self.search(text)).places]

    async def comes(self, text: str) -> None:
        """Wait until a text can be found."""

        async def found() -> bool:
            return text in await self.texts(f'"{text}"')

        await until(found)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(worker, "AGAIN_AFTER", (0.05,))
    with tempfile.TemporaryDirectory(prefix="ad-", ignore_cleanup_errors=True) as root:
        monkeypatch.setenv("HOME", root)
        yield Path(root)


@pytest.fixture
async def desk(home: Path, client: HubClient) -> Desk:
    return Desk(client)


async def test_words_are_found_with_the_place_to_open_them_at(home: Path, desk: Desk) -> None:
    Talk(home, cwd="/w/shop", minute=1).prompt("fix the flaky test").answer("flaky no more")
    Talk(home, OTHER).prompt("a flaky pear")
    await desk.complete()
    hits = await desk.search("fla")
    assert [(place.key, place.turn, place.role, place.project, place.words) for place in hits.places] == [
        (f"claude:{SESSION}", 1, "assistant", "/w/shop", ("flaky",)),
        (f"claude:{SESSION}", 0, "user", "/w/shop", ("flaky",)),
        (f"claude:{OTHER}", 0, "user", "/w/shop", ("flaky",)),
    ]
    assert not hits.more
    assert (await desk.search("fla", count=2)).more
    few = await desk.search("fla", each=1)
    assert (len(few.places), few.fuller) == (2, (f"claude:{SESSION}",))
    names = await desk.client.ask(se.ReadNames(keys=(f"claude:{OTHER}",)), se.Names)
    assert names.names == {f"claude:{OTHER}": "a flaky pear"}
    assert (await desk.search("  -fla")).places == ()


async def test_what_is_said_while_one_searches_is_found(home: Path, desk: Desk) -> None:
    talk = Talk(home).prompt("the first pear")
    await desk.complete()
    talk.answer("the second pear")
    await desk.comes("the second pear")
    assert any(told.done for told in desk.told)


async def test_it_says_how_far_the_index_is_and_tells_nobody_who_has_left(
    home: Path, desk: Desk, connect: Connect
) -> None:
    for number in range(5):
        Talk(home, f"{number:08}-0000-4000-8000-000000000000", minute=number).prompt(f"cherry {number}")
    other = Desk(await connect())
    await other.open()
    await other.client.ask(se.OpenSearch(on=False), se.Indexing)
    await desk.complete()
    assert desk.told[0] == se.Indexing(done=0, of=5)
    assert desk.told[-1].complete
    assert (desk.told[-1].done, desk.told[-1].empty) == (5, False)
    assert not [told for told in other.told if told.complete]


async def test_where_nothing_was_ever_said_that_is_said(home: Path, desk: Desk) -> None:
    await desk.complete()
    assert desk.told[-1].empty
    assert (await desk.search("pear")).places == ()
    Talk(home).prompt("a pear")
    await desk.comes("a pear")
    await until(lambda: not desk.told[-1].empty)


async def test_the_next_question_of_a_client_calls_the_one_before_off(
    home: Path, desk: Desk, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    Talk(home).prompt("a pear and a plum")
    await desk.complete()
    waits, given_up = Inquiry._wants, time.monotonic() + 20

    asked: list[Inquiry] = []

    def waits_to_be_called_off(self: Inquiry, row: Row) -> bool:
        asked.append(self)
        while "pear" in self._question.wanted[0] and not self.cancelled and time.monotonic() < given_up:
            time.sleep(0.001)
        return waits(self, row)

    monkeypatch.setattr(Inquiry, "_wants", waits_to_be_called_off)
    first = asyncio.ensure_future(desk.search("pear"))
    await until(lambda: bool(asked))
    other = Desk(await connect())
    assert await other.texts("plum") == ["a pear and a plum"]
    assert not first.done(), "another client's question is none of its business"
    assert await desk.texts("plum") == ["a pear and a plum"]
    assert (await first).outdated


async def test_a_client_that_goes_takes_its_question_along(
    home: Path, hub: Hub, desk: Desk, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    Talk(home).prompt("a pear")
    await desk.complete()
    asked: list[Inquiry] = []
    given_up = time.monotonic() + 20

    def waits_to_be_called_off(self: Inquiry, row: Row) -> bool:
        asked.append(self)
        while not self.cancelled and time.monotonic() < given_up:
            time.sleep(0.001)
        raise sqlite3.OperationalError("interrupted")

    monkeypatch.setattr(Inquiry, "_wants", waits_to_be_called_off)
    other = await connect()
    other.post(se.Search(text="pear"))
    await until(lambda: bool(asked))
    await other.close()
    await until(lambda: asked[0].cancelled)
    await until(lambda: not hub.searching._asked)


async def test_the_process_that_indexes_lives_while_somebody_searches(
    home: Path, hub: Hub, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "LINGER", 0.05)
    assert not hub.searching.indexer.running
    await desk.complete()
    assert hub.searching.indexer.pid
    await desk.client.ask(se.OpenSearch(on=False), se.Indexing)
    await until(lambda: not hub.searching.indexer.running)
    await desk.open()
    await until(lambda: bool(hub.searching.indexer.pid))


async def test_a_killed_one_is_started_again_and_goes_on(home: Path, hub: Hub, desk: Desk) -> None:
    talk = Talk(home).prompt("a pear")
    await desk.complete()
    killed = hub.searching.indexer.pid
    os.kill(killed, signal.SIGKILL)
    await until(lambda: hub.searching.indexer.pid not in (0, killed))
    talk.answer("a second pear")
    await desk.comes("a second pear")
    assert await desk.texts("pear") == ["a second pear", "a pear"]


@pytest.mark.parametrize("damage", ["rubbish", "version"])
async def test_a_damaged_index_or_one_of_another_version_is_made_anew(
    home: Path, paths: Paths, hub: Hub, desk: Desk, damage: str
) -> None:
    Talk(home).prompt("a pear")
    index = paths.state / "search.db"
    if damage == "rubbish":
        index.write_bytes(b"rubbish " * 1000)
    else:
        with sqlite3.connect(index) as db:
            db.execute("CREATE TABLE files(name)")
            db.execute("PRAGMA user_version=99")
        db.close()
    await desk.open()
    await desk.comes("a pear")
    told = [sentence for sentence in hub.problems if "was damaged" in sentence]
    assert bool(told) == (damage == "rubbish")


async def test_an_index_that_cannot_be_used_is_said_and_nothing_else_suffers(
    home: Path, paths: Paths, desk: Desk
) -> None:
    (paths.state / "search.db").mkdir()
    await desk.open()
    with pytest.raises(AgentdeckError, match="cannot be used"):
        await desk.search("pear")
    await until(lambda: any(told.problem for told in desk.told))
    assert (await desk.client.ask(m.Status(), m.HubStatus)).sessions == 0


# ── resuming ───────────────────────────────────────────────────────────────────────────────────


def resumed(paths: Paths, cwd: Path | str, session: str = SESSION) -> se.ResumeFound:
    env = {"HOME": os.environ["HOME"], "PATH": f"{paths.state}/bin:{os.defpath}", "TERM": "xterm"}
    return se.ResumeFound(provider="claude", session=session, cwd=str(cwd), env=env)


@pytest.fixture
def claude(paths: Paths) -> Path:
    """A program of that name that does nothing but live."""
    program = paths.state / "bin" / "claude"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho resumed "$@"\nexec sleep 1000\n')
    program.chmod(0o755)
    return program


async def test_a_conversation_that_rests_is_resumed_once(
    home: Path, paths: Paths, hub: Hub, client: HubClient, claude: Path
) -> None:
    Talk(home, cwd=str(home)).prompt("a pear")
    done = await client.ask(resumed(paths, home), m.Done)
    session = hub.roster.find(done.session)
    assert session.info.resume_id == SESSION
    assert "--resume" in session.info.argv
    with pytest.raises(SessionError, match="has this conversation"):
        await client.ask(resumed(paths, home), m.Done)


@pytest.mark.parametrize(("cwd", "session"), [("", SESSION), ("/nowhere/at/all", SESSION), ("/", OTHER)])
async def test_what_cannot_be_resumed_is_said_and_starts_nothing(
    home: Path, paths: Paths, hub: Hub, client: HubClient, claude: Path, cwd: str, session: str
) -> None:
    Talk(home, cwd="/").prompt("a pear")
    with pytest.raises(AgentdeckError):
        await client.ask(resumed(paths, cwd, session), m.Done)
    assert not hub.roster.sessions
