"""The deck's state follows the hub's pushes and the person's moves."""

from hypothesis import given
from hypothesis import strategies as st

from agentdeck.protocol import messages as m
from agentdeck.ui.state import (
    HISTORY,
    DeckState,
    fold,
    is_running,
    jump,
    matches,
    narrow,
    next_waiting,
    select,
    step,
)
from tests.fakes.fake_hub import session


def deck(*sessions: m.Session) -> DeckState:
    return fold(DeckState(), m.Sessions(sessions=sessions))


THREE = (session(1, name="api"), session(2, name="web"), session(3, name="docs"))


def test_the_first_session_is_selected() -> None:
    assert deck(*THREE).selected == THREE[0].id
    assert deck().selected == ""


def test_a_change_keeps_place_and_number() -> None:
    state = fold(deck(*THREE), m.Changed(session=session(2, name="web", state="needs_you")))
    assert [s.name for s in state.sessions] == ["api", "web", "docs"]
    assert state.number(THREE[1].id) == 2
    assert [s.name for s in state.waiting] == ["web"]


def test_a_change_that_changes_nothing_returns_the_same_state() -> None:
    state = deck(*THREE)
    assert fold(state, m.Changed(session=session(2, name="web"))) is state


def test_a_new_session_goes_to_the_end() -> None:
    state = fold(deck(*THREE), m.Changed(session=session(4, name="lab")))
    assert state.sessions[-1].name == "lab"
    assert state.selected == THREE[0].id


def test_the_neighbour_is_selected_when_the_selected_one_goes() -> None:
    state = select(deck(*THREE), THREE[1].id)
    state = fold(state, m.Gone(session=THREE[1].id))
    assert state.session is not None
    assert state.session.name == "docs"
    state = fold(fold(state, m.Gone(session=THREE[2].id)), m.Gone(session=THREE[0].id))
    assert state.selected == ""


def test_those_that_wait_are_visited_in_the_order_of_their_waiting() -> None:
    state = deck(
        session(1, state="needs_you", since=30.0),
        session(2, state="needs_you", since=10.0),
        session(3),
        session(4, state="needs_you", since=20.0),
    )
    visited = []
    for _ in range(4):
        state = next_waiting(state)
        visited.append(state.number(state.selected))
    assert visited[0] in (1, 2)
    state = select(state, session(3).id)
    order = []
    for _ in range(4):
        state = next_waiting(state)
        order.append(state.number(state.selected))
    assert order == [2, 4, 1, 2]


def test_with_nobody_waiting_the_selection_stays() -> None:
    state = deck(*THREE)
    assert next_waiting(state) is state


def test_a_number_jumps_and_an_unknown_one_does_not() -> None:
    state = deck(*THREE)
    assert jump(state, 3).selected == THREE[2].id
    assert jump(state, 4) is state


def test_sessions_are_walked_through_by_directory() -> None:
    state = deck(session(1, cwd="/a"), session(2, cwd="/b"), session(3, cwd="/a/"))
    assert [state.number(s.id) for s in state.visible] == [1, 3, 2]
    assert step(state, 1).selected == session(3).id


def test_walking_stops_at_the_ends_or_wraps() -> None:
    state = deck(*THREE)
    assert step(state, -1).selected == THREE[0].id
    assert step(state, -1, wrap=True).selected == THREE[2].id
    assert step(state, 99).selected == THREE[2].id


def test_the_filter_hides_and_never_renumbers() -> None:
    state = narrow(deck(*THREE), "docs")
    assert [s.name for s in state.visible] == ["docs"]
    assert state.selected == THREE[2].id
    assert state.number(THREE[2].id) == 3


def test_a_filter_that_fits_nothing_keeps_the_selection() -> None:
    state = narrow(deck(*THREE), "zzz")
    assert state.visible == ()
    assert state.selected == THREE[0].id


def test_the_filter_knows_states_providers_and_words() -> None:
    one = session(1, name="api", state="needs_you", provider="codex", title="Fix Refresh")
    assert matches(one, "s:waiting")
    assert matches(one, "s:need p:cod api")
    assert matches(one, "refresh SHOP")
    assert not matches(one, "s:idle")
    assert not matches(one, "p:claude")
    assert matches(one, '"unfinished') is False


@given(st.text(max_size=30))
def test_no_filter_text_is_an_error(text: str) -> None:
    matches(session(1), text)


def test_cpu_history_is_kept_for_a_minute_and_for_living_sessions_only() -> None:
    state = deck(*THREE)
    for n in range(HISTORY + 5):
        usages = {THREE[0].id: m.Usage(cpu=float(n))}
        state = fold(state, m.Resources(host=m.HostUsage(cpu=1.0), sessions=usages))
    assert state.history[THREE[0].id] == tuple(float(n) for n in range(5, HISTORY + 5))
    assert set(state.history) == {THREE[0].id}


def test_only_a_deck_with_something_going_on_is_restless() -> None:
    assert not deck(*THREE).restless
    assert deck(session(1, state="working")).restless


def test_an_ended_session_does_not_run() -> None:
    assert is_running(session(1, state="working"))
    assert not is_running(session(1, state="exited", ended=5.0))


@given(st.lists(st.sampled_from(["+1", "+2", "+3", "-1", "-2", "-3", "down", "up", "/s1", "/"]), max_size=40))
def test_something_is_selected_whenever_there_is_something(moves: list[str]) -> None:
    state = DeckState()
    for move in moves:
        match move[0]:
            case "+":
                state = fold(state, m.Changed(session=session(int(move[1:]))))
            case "-":
                state = fold(state, m.Gone(session=session(int(move[1:])).id))
            case "/":
                state = narrow(state, move[1:])
            case _:
                state = step(state, 1 if move == "down" else -1, wrap=True)
        assert (state.session is None) == (not state.sessions)
