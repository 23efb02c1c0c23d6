"""A search goes through the screen, the scrollback and the conversation, in both directions."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agentdeck.protocol import facts as f
from agentdeck.protocol import messages as m
from agentdeck.ui import find
from agentdeck.ui.find import place_in
from agentdeck.ui.replica import Replica
from agentdeck.ui.selection import Spot
from agentdeck.ui.told import Told
from tests.fakes.fake_hub import FakeHub, frame, session

ID = session(1).id


def hub_with(history: list[str], told: list[str]) -> FakeHub:
    hub = FakeHub(session(1))
    hub.sizes[ID] = (80, 5)
    hub.history[ID] = history
    hub.conversations[ID] = [f.ConversationLine("result", text) for text in told]
    return hub


def replica_of(hub: FakeHub, screen: list[str]) -> Replica:
    replica = Replica(ID)
    replica.apply(frame(ID, screen, 80, 5, history=len(hub.history[ID])))
    return replica


async def all_places(replica: Replica, hub: FakeHub, wanted: str, by: int) -> list[int]:
    """Every line that has the text, as a person meets them."""
    line, lines = (10**6 if by < 0 else replica.lowest - 1), []
    look = find.older if by < 0 else find.newer
    while (found := await look(replica, hub.call, wanted, line)) is not None:
        line = found.anchor.line
        lines.append(line)
    return lines


TEXTS = st.lists(st.sampled_from(["a tree", "A TREE grows", "nothing", ""]), max_size=40)


@given(TEXTS, TEXTS, st.lists(st.sampled_from(["a tree", "x"]), max_size=5))
@settings(max_examples=60)
async def test_every_place_is_found_once_in_both_directions(
    history: list[str], told: list[str], screen: list[str]
) -> None:
    hub = hub_with(history, told)
    replica = replica_of(hub, screen)
    up = await all_places(replica, hub, "tree", -1)
    expected = [*told, "the mark", *history, *screen]
    base = len(told) + 1 if told else 0
    whole = expected if told else expected[1:]
    assert up == [n - base for n in reversed(range(len(whole))) if "tree" in whole[n].lower()]
    assert await all_places(replica, hub, "tree", 1) == up[::-1]


async def test_a_long_scrollback_is_looked_through_in_stretches() -> None:
    hub = hub_with(["needle" if n == 3 else f"old {n}" for n in range(2500)], [])
    assert await all_places(replica_of(hub, []), hub, "NEEDLE", -1) == [3]
    assert len(hub.requests(m.ReadHistory)) == 5


async def test_a_told_conversation_is_searched_by_the_hub() -> None:
    hub = FakeHub()
    hub.conversations["claude:x"] = [f.ConversationLine("result", f"line {n}") for n in range(3000)]
    told = Told("claude:x")
    told.size(80, 10)
    told.take(await hub.call(told.newest))
    found = await find.older(told, hub.call, "line 77", 10**6)
    assert found is not None
    assert found.anchor == Spot(779, 0)
    row = told.row(found.anchor.line)
    assert row is not None
    assert "line 77" in row.text


def test_a_place_is_counted_in_cells() -> None:
    found = place_in("漢字 and Text", "TEXT", 4)
    assert found is not None
    assert (found.anchor, found.head) == (Spot(4, 9), Spot(4, 12))
    assert place_in("漢字", "x", 0) is None


def test_letters_that_grow_without_their_case_do_not_shift_the_place() -> None:
    found = place_in("Straße İstanbul here", "here", 0)
    assert found is not None
    assert found.anchor == Spot(0, 16)
