"""What a session did while nobody looked."""

import pytest

from agentdeck.live.away import Spending, away, totals
from tests.live.calls import START, Story


def test_everything_since_then_is_counted_and_nothing_before() -> None:
    story = Story()
    story.say("user", "before")
    story.edit("old.py", "a", "b")
    left = story.now
    story.say("user", "fix it")
    story.edit("a.py", "a", "b")
    story.edit("a.py", "b", "c")
    story.run("python -m pytest -q", "2 failed, 39 passed in 6.2s", error=True)
    story.edit("b.py", "a", "b")
    story.run("pytest -q", "41 passed in 6.0s")
    story.say("assistant", "All green.\nShall I push?")
    did = away(story.session, left)
    assert (did.prompts, did.calls, did.failures) == (1, 5, 1)
    assert (did.files, did.added, did.removed) == (2, 3, 3)
    assert (did.test_runs, did.tests_passed, did.tests_failed, did.last_run_failed) == (2, 41, 0, False)
    assert did.last_message == "All green. Shall I push?"
    assert away(story.session, story.now).is_empty


def test_without_tests_nothing_is_said_of_them() -> None:
    story = Story()
    story.run("ls")
    did = away(story.session, START)
    assert (did.test_runs, did.tests_passed, did.last_run_failed) == (0, None, None)


def test_a_run_that_does_not_tell_its_totals_is_judged_by_its_exit() -> None:
    story = Story()
    story.run("go test ./...", "exit status 2", error=True)
    did = away(story.session, START)
    assert (did.tests_passed, did.tests_failed, did.last_run_failed) == (None, None, True)


@pytest.mark.parametrize(
    ("output", "passed", "failed"),
    [
        ("==== 3 failed, 41 passed in 6.2s ====", 41, 3),
        ("Tests:       1 failed, 5 passed, 6 total", 5, 1),
        ("test result: ok. 12 passed; 0 failed; 0 ignored", 12, 0),
        ("  7 passing (30ms)\n  2 failing", 7, 2),
        ("Passed: 9, Failed: 1", 9, 1),
        ("no summary", None, None),
    ],
)
def test_totals_are_read_from_the_summaries_of_common_runners(
    output: str, passed: int | None, failed: int | None
) -> None:
    assert totals(output) == (passed, failed)


def test_what_an_absence_cost_is_the_difference_to_what_was_noted_before_it() -> None:
    spending = Spending()
    assert spending.since(100.0, 0.0) is None
    for at, cost in ((50.0, 1.0), (60.0, 1.0), (90.0, 1.5), (120.0, 2.25)):
        spending.note(at, cost)
    assert spending.since(70.0, 0.0) == 1.25
    assert spending.since(100.0, 0.0) == 0.75
    assert spending.since(200.0, 0.0) == 0.0
    assert spending.since(10.0, 0.0) is None  # it had cost something by then, and nobody knows how much
    assert spending.since(10.0, 40.0) == 2.25  # it began later
