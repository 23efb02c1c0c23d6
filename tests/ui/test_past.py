"""A conversation as lines of a pane: what is above the scrollback, and a watched session's whole screen."""

from hypothesis import given
from hypothesis import strategies as st

from agentdeck.protocol.facts import Conversation, ConversationLine, ReadConversation
from agentdeck.protocol.messages import History, ReadHistory
from agentdeck.ui.past import PAGE, Past, row_of, telling
from agentdeck.ui.replica import Replica
from agentdeck.ui.told import Told
from tests.fakes.fake_hub import frame, row

KEY = "claude:abc"
LINES = tuple(ConversationLine("result", f"line {n}") for n in range(1000))


def answer(request: ReadConversation, lines: tuple[ConversationLine, ...] = LINES) -> Conversation:
    """What a hub answers."""
    end, found = min(request.before or len(lines), len(lines)), -1
    if request.find:
        found = next((n for n in range(end - 1, -1, -1) if request.find in lines[n].text), -1)
        end = found + 1 if found >= 0 else end
    start = max(0, end - request.count)
    return Conversation(key=KEY, start=start, total=len(lines), lines=lines[start:end], line=found)


def begun(spoken: str = "") -> Past:
    past = Past(KEY, 80)
    request = past.opening([spoken])
    assert request is not None
    past.take(answer(request))
    return past


def test_line_minus_one_is_a_mark_and_the_conversation_lies_above_it() -> None:
    past = begun()
    mark, last = past.row(-1), past.row(-2)
    assert mark is not None
    assert "from its transcript" in mark.text
    assert last is not None
    assert last.text == "line 999"
    assert past.lowest == -1001


def test_it_ends_where_the_scrollback_begins() -> None:
    lines = (*LINES[:500], ConversationLine("user", "> what about the trees"), *LINES[500:])
    past = Past(KEY, 80)
    request = past.opening(["a logo", "❯ what about the trees"])
    assert request is not None
    past.take(answer(request, lines))
    above = past.row(-2)
    assert above is not None
    assert above.text == "line 499"


def test_it_is_asked_for_once_and_empty_without_a_transcript() -> None:
    past = Past(KEY, 80)
    assert past.opening([]) is not None
    assert past.opening([]) is None
    past.begin(None)
    assert past.begun
    assert past.lowest == 0
    assert past.row(-1) is None


@given(st.integers(-1001, -1), st.integers(1, 60))
def test_whatever_is_looked_at_is_asked_for_until_it_is_there(first: int, height: int) -> None:
    past = begun()
    last = min(0, first + height)
    for _ in range(4):
        request = past.wanted(first, last)
        if request is None:
            break
        past.take(answer(request))
    assert all(past.row(line) is not None for line in range(max(past.lowest, first), last))
    assert past.wanted(first, last) is None


def test_only_what_was_said_word_for_word_is_looked_for() -> None:
    assert telling(["╭── Claude Code", "  ⎿  3 failed", "❯ ok", "● Seventeen trees stand in the orchard now"]) == ""
    assert telling(["⏺ Seventeen trees stand in the orchard"]) == "Seventeen trees stand in"


def test_a_replica_asks_for_its_scrollback_first() -> None:
    replica = Replica(KEY)
    replica.apply(frame(KEY, ["live"], 80, 4, history=10))
    first = replica.wanted(-5, 4)
    assert isinstance(first, ReadHistory)
    assert replica.wanted(-5, 4) is None
    replica.take(History(start=0, total=10, rows=tuple(row(f"old {n}", 80) for n in range(10))))
    second = replica.wanted(-5, 4)
    assert isinstance(second, ReadConversation)
    replica.take(answer(second))
    assert replica.told
    assert replica.lowest == -1001
    assert replica.row(-2) == row_of(LINES[-1])


def test_another_width_makes_the_past_unknown() -> None:
    replica = Replica(KEY)
    replica.apply(frame(KEY, ["live"], 80, 4))
    request = replica.wanted(-5, 4)
    assert isinstance(request, ReadConversation)
    replica.take(answer(request))
    replica.apply(frame(KEY, ["live"], 60, 4))
    assert not replica.told
    assert replica.lowest == 0


def test_a_told_conversation_ends_at_the_foot_of_its_screen() -> None:
    told = Told(KEY)
    told.size(80, 10)
    told.take(answer(told.newest))
    assert told.history == 990
    assert [each.text for each in told.rows] == [f"line {n}" for n in range(990, 1000)]
    request = told.wanted(0, 10)
    assert isinstance(request, ReadConversation)
    told.take(answer(request))
    oldest = told.row(0)
    assert oldest is not None
    assert oldest.text == "line 0"


def test_a_told_conversation_grows_and_is_asked_for_anew_at_another_width() -> None:
    told = Told(KEY)
    told.size(80, 10)
    told.take(answer(told.newest, LINES[:3]))
    assert [each.text for each in told.rows[:4]] == ["line 0", "line 1", "line 2", ""]
    told.take(answer(told.newest))
    assert told.rows[-1].text == "line 999"
    told.size(60, 10)
    assert not told.fresh
    assert told.newest.count == PAGE
