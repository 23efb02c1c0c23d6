"""The deck's copy of a screen is what the frames say, in whatever pieces they come."""

from hypothesis import given
from hypothesis import strategies as st

from agentdeck.protocol.messages import History
from agentdeck.protocol.screen import Cursor, Frame, Modes
from agentdeck.ui.replica import PAGE, Replica
from tests.fakes.fake_hub import frame, row

ID = "00000001"


def delta(changes: dict[int, str], *, columns: int = 10, height: int = 4, history: int = 0) -> Frame:
    rows = tuple((y, row(text, columns)) for y, text in changes.items())
    return Frame(ID, 2, columns, height, False, rows, Cursor(1, 1), Modes(), history)


def texts(replica: Replica) -> list[str]:
    return [row.text.rstrip() for row in replica.rows]


def test_a_full_frame_is_the_screen() -> None:
    replica = Replica(ID)
    assert replica.apply(frame(ID, ["a", "b"], 10, 4)) is None
    assert texts(replica) == ["a", "b", "", ""]


def test_a_delta_names_the_rows_it_changed() -> None:
    replica = Replica(ID)
    replica.apply(frame(ID, ["a", "b", "c"], 10, 4))
    assert replica.apply(delta({1: "B"})) == [1]
    assert texts(replica) == ["a", "B", "c", ""]
    assert replica.cursor == Cursor(1, 1)


@given(st.lists(st.dictionaries(st.integers(0, 3), st.text("xyz", max_size=5), max_size=4), max_size=10))
def test_deltas_add_up_to_the_last_word_on_each_row(deltas: list[dict[int, str]]) -> None:
    replica = Replica(ID)
    replica.apply(frame(ID, [], 10, 4))
    expected = ["", "", "", ""]
    for changes in deltas:
        replica.apply(delta(changes))
        for y, text in changes.items():
            expected[y] = text
    assert texts(replica) == expected


def test_another_size_changes_every_row() -> None:
    replica = Replica(ID)
    replica.apply(frame(ID, ["a"], 10, 4))
    assert replica.apply(frame(ID, ["a"], 8, 3)) is None
    assert len(replica.rows) == 3


def test_history_is_asked_for_a_page_at_a_time_and_once() -> None:
    replica = Replica(ID)
    replica.apply(frame(ID, ["live"], 10, 4, history=450))
    assert replica.missing(440, 460) == 400
    assert replica.missing(440, 460) is None
    replica.keep(History(start=400, total=450, rows=tuple(row(str(n), 10) for n in range(400, 450))))
    assert replica.missing(440, 460) is None
    assert replica.missing(399, 450) == 399 // PAGE * PAGE


def test_lines_are_counted_from_the_oldest_row() -> None:
    replica = Replica(ID)
    replica.apply(frame(ID, ["live"], 10, 4, history=2))
    replica.keep(History(start=0, total=2, rows=(row("old", 10), row("older", 10))))
    found = [replica.row(line) for line in (-1, 0, 2, 6)]
    assert [row and row.text.rstrip() for row in found] == [None, "old", "live", None]


def test_a_reflow_makes_known_history_unknown() -> None:
    replica = Replica(ID)
    replica.apply(frame(ID, ["live"], 10, 4, history=1))
    replica.keep(History(start=0, total=1, rows=(row("old", 10),)))
    replica.apply(frame(ID, ["live"], 12, 4, history=1))
    assert replica.row(0) is None
    assert replica.missing(0, 1) == 0
