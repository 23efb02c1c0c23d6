"""The idle limit at work, on sessions that only look like sessions and in tenths of seconds instead of hours."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, cast

import msgspec
import pytest

from agentdeck.config import Limits
from agentdeck.errors import SessionEndedError
from agentdeck.hub.idle import IdleLimit
from agentdeck.hub.roster import Roster
from agentdeck.protocol import messages as m

SHORT = Limits(idle=0.4, idle_check=0.05, idle_warning=0.2)


class Session:
    def __init__(self, name: str, state: str = "idle", *, marked: bool = False) -> None:
        self.info = m.Session(id=name, name=name, provider="shell", cwd="/", argv=(), pid=0, state=state, marked=marked)
        self.last_output_at = 0.0
        self.last_input = 0.0
        self.watched = False
        self.stopping = False

    def update(self, **changes: object) -> None:
        self.info = msgspec.structs.replace(self.info, **changes)


class House:
    """A roster of such sessions, and everything that happened to them."""

    def __init__(self, *sessions: Session) -> None:
        self.sessions = {session.info.id: session for session in sessions}
        self.stopped: list[str] = []
        self.notices: list[m.Notice] = []
        self.tasks: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> list[Session]:
        return [session for session in self.sessions.values() if session.info.id not in self.stopped]

    async def stop(self, session: Session, grace: float) -> m.AnyReply:
        if session.info.ended is not None:
            raise SessionEndedError(session.info.name)
        session.stopping = True
        self.stopped.append(session.info.id)
        return m.Done()

    def push(self, message: m.AnyReply) -> None:
        assert isinstance(message, m.Notice)
        self.notices.append(message)

    def spawn_task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    @asynccontextmanager
    async def limited(self, limits: Limits = SHORT) -> AsyncIterator[IdleLimit]:
        limit = IdleLimit(cast(Roster, self), limits, self.push, self.spawn_task)
        limit.start()
        try:
            yield limit
        finally:
            limit.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the condition is any fact, not only our own doing
            await asyncio.sleep(0.01)


async def test_an_idle_session_is_warned_and_then_stopped() -> None:
    session = Session("api")
    house = House(session)
    async with house.limited():
        await until(lambda: session.info.idle_stop is not None)
        assert house.stopped == []
        await until(lambda: len(house.notices) == 2)
    assert house.stopped == ["api"]
    warning, stopped = house.notices
    assert warning.level == "warning"
    assert "mark it" in warning.text
    assert "was stopped" in stopped.text
    assert {warning.session, stopped.session} == {"api"}


async def test_sessions_that_work_wait_are_marked_or_watched_outlive_the_idle_one() -> None:
    others = [Session("a", "working"), Session("b", "needs_you"), Session("c", marked=True), Session("d", "limited")]
    watched = Session("e")
    watched.watched = True
    house = House(Session("api"), watched, *others)
    async with house.limited():
        await until(lambda: bool(house.stopped))
        await until(lambda: len(house.notices) == 2)
    assert house.stopped == ["api"]
    assert all(session.info.idle_stop is None for session in (*others, watched))


async def test_a_key_takes_the_warning_back() -> None:
    session = Session("api")
    house = House(session)
    async with house.limited(Limits(idle=5, idle_check=0.05, idle_warning=5)):
        await until(lambda: session.info.idle_stop is not None)
        session.last_input = 1.0
        await until(lambda: session.info.idle_stop is None)
    assert house.stopped == []


async def test_output_takes_the_warning_back() -> None:
    session = Session("api")
    house = House(session)
    async with house.limited(Limits(idle=5, idle_check=0.05, idle_warning=5)):
        await until(lambda: session.info.idle_stop is not None)
        session.last_output_at = asyncio.get_running_loop().time()
        await until(lambda: session.info.idle_stop is None)
    assert house.stopped == []


async def test_a_session_that_burns_cpu_in_silence_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentdeck.hub.idle.ProcessTable.usage", lambda self, pid: m.Usage(cpu=50.0 if pid else 0.0))
    busy, idle = Session("busy"), Session("idle")
    busy.update(pid=1)
    house = House(busy, idle)
    async with house.limited():
        await until(lambda: bool(house.stopped))
    assert house.stopped == ["idle"]


async def test_one_that_ends_by_itself_meanwhile_is_no_news() -> None:
    session = Session("api")
    session.update(ended=1.0)
    house = House(session)
    async with house.limited():
        await until(lambda: session.info.idle_stop is not None)
        await until(lambda: bool(house.tasks))
        await until(lambda: not house.tasks)
    assert [notice.level for notice in house.notices] == ["warning"]


@pytest.mark.parametrize("limits", [Limits(idle=0), Limits(idle_check=0)])
async def test_without_a_limit_there_is_no_timer(limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise AssertionError("a timer was made")

    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", forbidden)
    async with House(Session("api")).limited(limits):
        pass


async def test_after_stop_nothing_is_looked_at_any_more() -> None:
    session = Session("api")
    house = House(session)
    async with house.limited():
        pass
    session.watched = cast(bool, None)
    other = House(Session("other"))
    async with other.limited():
        await until(lambda: bool(other.stopped))
    assert house.stopped == []
