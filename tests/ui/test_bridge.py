"""The line to the hub mends itself, and says so."""

import asyncio
from collections.abc import Callable

import pytest

from agentdeck.errors import HubUnreachableError
from agentdeck.protocol import messages as m
from agentdeck.ui import bridge as module
from agentdeck.ui.bridge import Bridge, Watched
from tests.fakes.fake_hub import FakeHub, session

ONE, TWO = session(1).id, session(2).id


class Listener:
    def __init__(self, hub: FakeHub) -> None:
        self.pushed: list[m.AnyReply] = []
        self.said: list[tuple[str, str]] = []
        self.bridge = Bridge(hub.connect, on_push=self.pushed.append, say=lambda *words: self.said.append(words))


async def until(claim: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not claim():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@pytest.fixture
def hub() -> FakeHub:
    return FakeHub(session(1), session(2))


async def test_opening_brings_the_sessions(hub: FakeHub) -> None:
    listener = Listener(hub)
    await listener.bridge.open()
    assert listener.pushed == [m.Sessions(sessions=(session(1), session(2)))]
    assert hub.connects == [True]


async def test_only_what_changed_is_asked_for(hub: FakeHub) -> None:
    bridge = Listener(hub).bridge
    await bridge.open()
    bridge.show({ONE: Watched("focus", 80, 24), TWO: Watched("visible", 80, 24)})
    hub.asked.clear()
    bridge.show({ONE: Watched("focus", 80, 24)})
    assert [(view.session, view.priority) for view in hub.requests(m.View)] == [(TWO, "hidden")]


async def test_a_hub_that_died_is_started_again_and_shows_everything_anew(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener(hub)
    await listener.bridge.open()
    listener.bridge.show({ONE: Watched("focus", 80, 24)})
    hub.asked.clear()
    listener.pushed.clear()
    hub.die()
    assert not listener.bridge.connected
    with pytest.raises(HubUnreachableError):
        await listener.bridge.call(m.Status())
    await until(lambda: listener.bridge.connected and hub.requests(m.View))
    assert hub.connects == [True, True]
    assert [view.session for view in hub.requests(m.View)] == [ONE]
    assert any(isinstance(push, m.Screen) for push in listener.pushed)
    await until(lambda: [level for _, level in listener.said] == ["warning"])


async def test_a_slow_restart_is_told_while_it_lasts(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLOW", 0.0)
    listener = Listener(hub)
    await listener.bridge.open()
    gate = asyncio.Event()
    connect = hub.connect

    async def slowly(start: bool) -> FakeHub:
        await gate.wait()
        return await connect(start)

    monkeypatch.setattr(listener.bridge, "_connect", slowly)
    hub.die()
    await until(lambda: [text for text, _ in listener.said] == ["the hub has gone; starting it again"])
    gate.set()
    await until(lambda: listener.bridge.connected)


async def test_a_hub_that_dies_again_at_once_is_not_started_in_a_loop(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_AGAIN", 0.01)
    listener = Listener(hub)
    await listener.bridge.open()
    hub.die()
    await until(lambda: listener.bridge.connected)
    await until(lambda: any("is back" in text for text, _ in listener.said))
    hub.down = True
    hub.die()
    await until(lambda: len(hub.connects) >= 5)
    assert hub.connects[:3] == [True, True, False]
    assert True not in hub.connects[2:]
    hub.down = False
    await until(lambda: listener.bridge.connected)
    await listener.bridge.close()


async def test_a_hub_that_does_not_start_is_told_with_its_reason(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_AGAIN", 0.01)
    listener = Listener(hub)
    await listener.bridge.open()
    hub.down = True
    hub.die()
    await until(lambda: any("no hub answers" in text and level == "error" for text, level in listener.said))
    await listener.bridge.close()


async def test_what_is_typed_while_the_hub_is_away_is_dropped_quietly(hub: FakeHub) -> None:
    bridge = Listener(hub).bridge
    bridge.post(m.Input(session=ONE, data=b"x"))
    assert hub.asked == []


async def test_closing_ends_the_line_without_a_word(hub: FakeHub) -> None:
    listener = Listener(hub)
    await listener.bridge.open()
    await listener.bridge.close()
    hub.die()
    await asyncio.sleep(0)
    assert hub.closed
    assert listener.said == []


async def test_a_session_started_anew_is_looked_at_anew(hub: FakeHub) -> None:
    bridge = Listener(hub).bridge
    await bridge.open()
    bridge.show({ONE: Watched("focus", 80, 24)})
    hub.asked.clear()
    bridge.again(ONE)
    assert [view.priority for view in hub.requests(m.View)] == ["hidden", "focus"]
