"""When a session is idle or over: each sign with its own confidence, the surest counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdeck import config
from agentdeck.transcripts.ending import Ending, Rules, Signs, judge, surer

RULES = Rules()
LONG = RULES.end_after


@pytest.mark.parametrize(
    ("signs", "ending"),
    [
        (Signs(rests=0), None),
        (Signs(rests=0, process=False), Ending("process_gone", 0.99)),
        (Signs(rests=0, explicit=True), Ending("explicit", 0.95)),
        (Signs(rests=0, open=False), Ending("closed", 0.8)),
        (Signs(rests=LONG), Ending("idle", 0.5)),
        (Signs(rests=LONG, open=True), None),
        (Signs(rests=LONG, process=True), None),
        (Signs(rests=LONG, process=True, open=False), None),
        (Signs(rests=LONG, process=True, explicit=True), Ending("explicit", 0.95)),
        (Signs(rests=LONG, process=False, open=False, explicit=True), Ending("process_gone", 0.99)),
    ],
)
def test_the_surest_sign_counts_and_a_living_process_refutes_a_guess(signs: Signs, ending: Ending | None) -> None:
    assert judge(signs).ending == ending


def test_a_session_is_idle_after_a_while_but_not_while_a_call_runs() -> None:
    assert not judge(Signs(rests=RULES.idle_after - 1)).idle
    assert judge(Signs(rests=RULES.idle_after)).idle
    assert not judge(Signs(rests=RULES.idle_after, pending=True)).idle


def test_it_is_known_when_time_alone_may_change_the_verdict() -> None:
    assert judge(Signs(rests=20.0)).again == RULES.idle_after - 20
    assert judge(Signs(rests=RULES.idle_after)).again == LONG - RULES.idle_after
    assert judge(Signs(rests=RULES.idle_after, process=True)).again is None
    assert judge(Signs(rests=LONG)).again is None


def test_an_end_is_told_again_only_when_it_is_surer() -> None:
    assert surer(Ending("idle", 0.5), None)
    assert surer(Ending("process_gone", 0.99), Ending("idle", 0.5))
    assert not surer(Ending("closed", 0.8), Ending("process_gone", 0.99))
    assert not surer(None, None)


def test_the_rules_are_those_of_the_configuration() -> None:
    assert Rules.of(config.Ending()) == Rules()
    text = "[ending]\nidle_after = 5\nclosed = 0\nleast = 0.9\nprocess_gone = 7\n"
    found, problems = config.parse(text, "")
    assert len(problems) == 1
    rules = Rules.of(found.ending)
    assert (rules.idle_after, rules.process_gone) == (5, 0.99)
    assert judge(Signs(rests=5), rules).idle
    assert judge(Signs(rests=0, open=False), rules).ending is None
    assert judge(Signs(rests=LONG), rules).ending is None
    assert judge(Signs(rests=0, explicit=True), rules).ending == Ending("explicit", 0.95)


chance = st.floats(0, 1)


@given(
    st.builds(Signs, rests=st.floats(0, 1e6), process=st.none() | st.booleans(), open=st.none() | st.booleans()),
    st.builds(Rules, process_gone=chance, explicit=chance, closed=chance, idle=chance, least=chance),
)
def test_no_end_is_less_sure_than_wanted_and_the_next_look_is_in_the_future(signs: Signs, rules: Rules) -> None:
    verdict = judge(signs, rules)
    assert verdict.ending is None or 0 < verdict.ending.confidence >= rules.least
    assert verdict.again is None or verdict.again > 0
