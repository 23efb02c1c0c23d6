"""What the deck keeps of the hub's facts and feeds."""

from hypothesis import given
from hypothesis import strategies as st

from agentdeck.protocol import facts as f
from agentdeck.protocol import messages as m
from agentdeck.ui.facts_state import FactsState, account, as_session, fold, forget_feed, merge
from agentdeck.ui.state import is_ours
from tests.ui.told import line


def facts(key: str, **more: object) -> f.Facts:
    provider, _, own = key.rpartition(":")
    return f.Facts(key=key, provider=provider or "claude", provider_session=own, watched=":" in key, **more)  # type: ignore[arg-type]


def test_facts_that_are_known_already_change_nothing() -> None:
    state = fold(FactsState(), f.FactsChanged(facts=(facts("claude:a"),)))
    assert fold(state, f.FactsChanged(facts=(facts("claude:a"),))) is state


def test_who_is_watched_stands_in_the_order_in_which_they_began() -> None:
    state = FactsState()
    for key, started in (("claude:late", 9.0), ("codex:early", 1.0), ("00000001", 0.0)):
        state = fold(state, f.FactsChanged(facts=(facts(key, started=started),)))
    assert [each.key for each in state.watched] == ["codex:early", "claude:late"]


def test_what_has_gone_takes_its_feed_along() -> None:
    state = fold(FactsState(), f.FactsChanged(facts=(facts("claude:a"),)))
    state = fold(state, f.FeedLines(key="claude:a", lines=(line(1, "message", "user", "x"),)))
    assert fold(state, f.FactsGone(key="claude:a")) == FactsState()
    assert fold(state, m.Gone(session="claude:b")) is state
    assert forget_feed(state, "claude:a").feed("claude:a") == ()


def test_a_feed_begun_anew_forgets_what_was_told_before() -> None:
    state = fold(FactsState(), f.FeedLines(key="a", lines=(line(7, "message", "user", "old"),)))
    state = fold(state, f.FeedLines(key="a", lines=(line(1, "message", "user", "new"),), anew=True))
    assert [each.text for each in state.feed("a")] == ["new"]
    assert fold(state, f.FeedLines(key="a", lines=(), anew=True)).feed("a") == ()


@given(st.lists(st.lists(st.tuples(st.integers(1, 30), st.text("ab", max_size=2)), min_size=1, max_size=5), max_size=8))
def test_lines_stand_in_their_order_each_as_it_was_told_last(pushes: list[list[tuple[int, str]]]) -> None:
    known: tuple[f.FeedLine, ...] = ()
    expected: dict[int, str] = {}
    for push in pushes:
        unique = sorted(dict(push).items())
        expected |= dict(unique)
        known = merge(known, [line(n, "message", "user", text) for n, text in unique])
    assert [(each.n, each.text) for each in known] == sorted(expected.items())


def test_a_watched_session_can_be_drawn_like_one_of_ours_but_is_none() -> None:
    session = as_session(facts("codex:abc", cwd="/home/ana/old", state="ended", last_at=5.0))
    assert (session.name, session.state, session.since) == ("old", "exited", 5.0)
    assert not is_ours(session)


def test_the_account_names_the_fullest_limit_first_and_each_once() -> None:
    limits = (f.Limit("5h", 20.0), f.Limit("week", 60.0))
    known = [facts("claude:a", limits=limits), facts("claude:b", limits=limits)]
    made = account(known, f.Spent(today_tokens=10, today_usd=4.0), (1.0, 2.0, 3.0))
    assert [limit.name for limit in made.limits] == ["week", "5h"]
    assert (made.today, made.trend) == ("$4.00", (1.0, 2.0, 4.0))
    assert account((), f.Spent(), ()).today == ""
    assert account((), f.Spent(today_tokens=10, unpriced=True), ()).today == "unpriced"
