"""The queue through the hub, with a program that behaves like an agent CLI: when, in which order, how often."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from agentdeck.config import Config
from agentdeck.errors import SessionEndedError, SessionError, UsageError
from agentdeck.hub import arrivals, free
from agentdeck.hub.client import HubClient
from agentdeck.hub.hub import Hub
from agentdeck.paths import Paths
from agentdeck.protocol import messages as m
from agentdeck.protocol import queue as q
from agentdeck.queue.core import Added, Prompt, Sending
from agentdeck.queue.journal import Journal
from tests.hub.conftest import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the pretender looks into /proc")


class Desk:
    """A hub with one session of the pretender, and a client."""

    def __init__(self, hub: Hub, client: HubClient, home: Path) -> None:
        self.hub, self.client, self.home = hub, client, home
        self.session = ""

    async def start(self) -> None:
        bin = self.home / "bin"
        bin.mkdir(exist_ok=True)
        program = bin / "claude"
        program.write_text(f"#!{sys.executable}\n" + Path(__file__).with_name("pretender.py").read_text())
        program.chmod(0o755)
        env = {"HOME": str(self.home), "PATH": f"{bin}:{os.defpath}", "LANG": "C.UTF-8", "TERM": "xterm"}
        spawn = m.Spawn(provider="claude", cwd="/", env=env, cols=80, rows=24)
        self.session = (await self.client.ask(spawn, m.Done)).session
        await self.is_in("idle", "done")

    async def is_in(self, *states: str) -> None:
        await until(lambda: self.hub.roster.sessions[self.session].info.state in states)

    def heard(self) -> list[str]:
        path = self.home / "heard"
        return path.read_text().splitlines() if path.exists() else []

    def do(self, name: str) -> None:
        (self.home / name).write_text("")

    async def queue(self, text: str, *, now: bool = False) -> q.Queued | None:
        told = await self.client.ask(q.Enqueue(sessions=(self.session,), text=text, now=now), q.Queues)
        return told.prompts[-1] if told.prompts else None

    async def waiting(self) -> list[q.Queued]:
        return list((await self.client.ask(q.ReadQueue(session=self.session), q.Queues)).prompts)

    async def is_empty(self) -> None:
        async def nothing() -> bool:
            return not await self.waiting()

        await until(nothing)


@asynccontextmanager
async def opened(paths: Paths, home: Path) -> AsyncIterator[Desk]:
    async with Hub(paths, Config()) as hub:
        client = await HubClient.over(await hub.connect(), kind="test")
        yield Desk(hub, client, home)
        await client.close()


@pytest.fixture
async def desk_of(paths: Paths, tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(paths, tmp_path) as opened_desk:
        await opened_desk.start()
        try:
            yield opened_desk
        finally:
            for session in tuple(opened_desk.hub.roster.running):
                await opened_desk.hub.roster.stop(session, 0.2)


async def test_prompts_wait_for_the_end_of_the_turn_and_go_out_in_order(desk_of: Desk) -> None:
    await desk_of.queue("first")
    await until(lambda: desk_of.heard() == ["first"])
    await desk_of.is_in("working")
    await desk_of.is_empty()
    await desk_of.queue("second")
    third = await desk_of.queue("third")
    waiting = await desk_of.waiting()
    assert [(each.place, each.text, each.why) for each in waiting] == [
        (1, "second", "waits for the end of the turn"),
        (2, "third", "waits for those before it"),
    ]
    assert third is not None
    await desk_of.client.ask(q.MoveQueued(n=third.n, place=1), q.Queues)
    assert desk_of.heard() == ["first"]
    desk_of.do("finish")
    await until(lambda: desk_of.heard() == ["first", "third"])
    desk_of.do("finish")
    await until(lambda: desk_of.heard() == ["first", "third", "second"])
    desk_of.do("finish")
    await desk_of.is_empty()


async def test_several_lines_arrive_as_one_prompt(desk_of: Desk) -> None:
    await desk_of.queue("one\ntwo 世界")
    await until(lambda: bool(desk_of.heard()))
    await desk_of.is_empty()


async def test_a_dialog_gets_no_prompt(desk_of: Desk) -> None:
    await desk_of.queue("a dialog please")
    await desk_of.is_in("needs_you")
    queued = await desk_of.queue("after it")
    assert queued is not None
    assert queued.why in ("waits for an answer", "waits for those before it")
    with pytest.raises(SessionError, match="asks for an answer"):
        await desk_of.queue("right now", now=True)
    with pytest.raises(SessionError, match="asks for an answer"):
        await desk_of.client.call(q.SendQueued(n=queued.n))
    assert not (desk_of.home / "answers").exists()
    desk_of.client.post(m.Input(session=desk_of.session, data=b"y"))
    await until(lambda: (desk_of.home / "answers").exists())
    assert (desk_of.home / "answers").read_text() == "b'y'\n"
    desk_of.do("finish")
    await until(lambda: desk_of.heard() == ["a dialog please", "after it"], 40)


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("working", "waits for the end of the turn"),
        ("starting", "waits for the end of the turn"),
        ("needs_you", "waits for an answer"),
        ("limited", "waits for its limit to reset"),
        ("unknown", "waits for a sign of what it does"),
    ],
)
async def test_what_a_prompt_waits_for_is_told(desk_of: Desk, state: str, why: str) -> None:
    session = desk_of.hub.roster.sessions[desk_of.session]
    session.info = msgspec.structs.replace(session.info, state=state)
    queued = await desk_of.queue("later")
    assert queued is not None
    assert queued.why == why


async def test_a_prompt_for_another_conversation_waits_for_a_person(desk_of: Desk) -> None:
    await desk_of.queue("first")
    await desk_of.is_in("working")
    await desk_of.is_empty()
    await desk_of.queue("of the old conversation")
    session = desk_of.hub.roster.sessions[desk_of.session]
    session.info = msgspec.structs.replace(session.info, state="idle", resume_id="another")
    assert "another conversation" in (await desk_of.waiting())[0].why
    assert desk_of.heard() == ["first"]


async def test_a_line_that_somebody_types_is_not_touched(desk_of: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk_of.client.call(m.Input(session=desk_of.session, data=b"half a li"))
    queued = await desk_of.queue("mine")
    assert queued is not None
    assert queued.why == "somebody types there"
    await desk_of.client.call(m.Input(session=desk_of.session, data=b"ne\r"))
    await until(lambda: desk_of.heard() == ["half a line"])
    desk_of.do("finish")
    monkeypatch.setattr(free, "TYPING", 0.1)
    await until(lambda: desk_of.heard() == ["half a line", "mine"], 40)


async def test_one_that_the_transcript_does_not_show_is_in_doubt_and_goes_out_again_only_when_asked(
    desk_of: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "CONFIRM", 0.5)
    queued = await desk_of.queue("a deaf one")
    behind = await desk_of.queue("the next one")
    assert queued is not None
    assert behind is not None

    async def doubted() -> bool:
        return [each.state for each in await desk_of.waiting()] == ["unsure", "waiting"]

    await until(doubted)
    assert "the transcript does not show it" in (await desk_of.waiting())[0].why
    await asyncio.sleep(1.0)  # for as long as another delivery would have taken
    assert desk_of.heard() == ["a deaf one"]
    await desk_of.client.ask(q.SendQueued(n=queued.n), q.Queues)
    await until(lambda: desk_of.heard() == ["a deaf one"] * 2)
    await until(doubted)
    await desk_of.client.ask(q.CancelQueued(n=queued.n), q.Queues)
    await until(lambda: desk_of.heard() == ["a deaf one", "a deaf one", "the next one"])


async def test_now_goes_out_during_a_turn_and_before_what_waits(desk_of: Desk) -> None:
    await desk_of.queue("first")
    await desk_of.is_in("working")
    await desk_of.is_empty()
    await desk_of.queue("later")
    await desk_of.queue("urgent", now=True)
    assert [each.text for each in await desk_of.waiting()] == ["urgent", "later"]


async def test_prompts_can_be_changed_and_dropped_until_they_go(desk_of: Desk) -> None:
    await desk_of.queue("first")
    await desk_of.is_in("working")
    await desk_of.is_empty()
    queued = await desk_of.queue("secnod")
    assert queued is not None
    await desk_of.client.ask(q.EditQueued(n=queued.n, text="second"), q.Queues)
    dropped = await desk_of.queue("never")
    assert dropped is not None
    await desk_of.client.ask(q.CancelQueued(n=dropped.n), q.Queues)
    desk_of.do("finish")
    await until(lambda: desk_of.heard() == ["first", "second"])
    with pytest.raises(SessionError, match="no prompt"):
        await desk_of.client.call(q.EditQueued(n=dropped.n, text="x"))


async def test_what_cannot_be_queued_changes_nothing(desk_of: Desk) -> None:
    await desk_of.queue("first")
    await desk_of.is_in("working")
    await desk_of.is_empty()
    for request, error in (
        (q.Enqueue(sessions=(desk_of.session, "ffffffff"), text="x"), SessionError),
        (q.Enqueue(sessions=(), text="x"), UsageError),
        (q.Enqueue(sessions=(desk_of.session,), text=" \n"), UsageError),
        (q.Enqueue(sessions=(desk_of.session,), text="x" * 2_000_000), UsageError),
        (q.CancelQueued(n=999), SessionError),
        (q.ReadQueue(session="ffffffff"), SessionError),
    ):
        with pytest.raises(error):
            await desk_of.client.call(request)
    assert await desk_of.waiting() == []
    await desk_of.hub.roster.stop(desk_of.hub.roster.sessions[desk_of.session], 0.2)
    with pytest.raises(SessionEndedError):
        await desk_of.queue("too late")


async def test_every_change_is_pushed_to_who_watches(desk_of: Desk) -> None:
    pushed: list[m.AnyReply] = []
    desk_of.client.on_push = pushed.append
    await desk_of.client.ask(q.ReadQueue(watch=True), q.Queues)
    await desk_of.queue("first")
    await until(lambda: bool(desk_of.heard()))
    await desk_of.is_empty()

    def states() -> list[list[str]]:
        return [[each.state for each in push.prompts] for push in pushed if isinstance(push, q.Queues)]

    await until(lambda: [] in states() and ["sending"] in states())


async def test_an_interrupt_says_what_it_ends_and_holds_the_queue(desk_of: Desk) -> None:
    await desk_of.queue("use a tool")
    await desk_of.is_in("working")
    await desk_of.is_empty()
    await desk_of.queue("afterwards")

    async def told() -> q.InterruptTold:
        return await desk_of.client.ask(q.AskInterrupt(session=desk_of.session), q.InterruptTold)

    async def names_the_call() -> bool:
        return (await told()).tools == ("Bash make",)

    await until(names_the_call)
    assert (await told()).queued == 1
    done = await desk_of.client.ask(q.GuardedInterrupt(session=desk_of.session, after_tool=True), m.Done)
    assert "when the call has returned" in done.note
    await asyncio.sleep(0.5)  # nothing goes out before the call has returned
    await desk_of.is_in("working")
    desk_of.do("returned")
    await desk_of.is_in("idle", "done")
    await asyncio.sleep(free.SETTLE + 0.5)  # for as long as a delivery would have taken
    assert desk_of.heard() == ["use a tool"]
    assert (await desk_of.waiting())[0].why.startswith("you interrupted it")
    await desk_of.client.ask(q.SendQueued(n=(await desk_of.waiting())[0].n), q.Queues)
    await until(lambda: desk_of.heard() == ["use a tool", "afterwards"])


async def test_after_a_crash_what_was_being_sent_is_not_sent_again(paths: Paths, tmp_path: Path) -> None:
    """The note says that it was about to be sent; nobody knows whether it was."""
    async with opened(paths, tmp_path) as first:
        await first.start()
        session = first.session
    journal = Journal(paths.state / "queue.journal")
    journal.open()
    prompt = Prompt(n=5, session=session, text="half sent", added=1.0)
    journal.note(Added(prompt), Sending(5, 1.0), Added(Prompt(n=6, session=session, text="behind", added=2.0)))
    journal.close()
    async with opened(paths, tmp_path) as second:
        second.session = session
        await second.is_in("idle", "done")
        assert [each.state for each in await second.waiting()] == ["unsure", "waiting"]
        await asyncio.sleep(free.SETTLE + 0.5)  # for as long as a delivery would have taken
        assert second.heard() == []
        await second.client.ask(q.CancelQueued(n=5), q.Queues)
        await until(lambda: second.heard() == ["behind"])
        for running in tuple(second.hub.roster.running):
            await second.hub.roster.stop(running, 0.2)


async def test_while_nothing_waits_transcripts_are_not_followed_for_the_queue(desk_of: Desk) -> None:
    listeners = desk_of.hub.facts._listeners
    assert "queue" not in listeners
    await desk_of.queue("first")
    assert "queue" in listeners
    await until(lambda: bool(desk_of.heard()))
    await desk_of.is_empty()
    assert "queue" not in listeners
