"""Loops, undone edits, repeated errors and stalls; and what only looks like them."""

from datetime import timedelta

import pytest

from agentdeck.live.alerts import alerts
from tests.live.calls import Story


def kinds(story: Story, cpu: float | None = None, later: float = 0.0) -> list[str]:
    return [alert.kind for alert in alerts(story.session, story.now + timedelta(seconds=later), cpu)]


def test_the_same_call_with_the_same_answer_three_times_is_a_loop() -> None:
    story = Story()
    for _ in range(3):
        story.run("git status", "clean")
    found = alerts(story.session, story.now)
    assert [alert.kind for alert in found] == ["loop"]
    assert found[0].evidence == "Bash git status: 3 times with the same answer"


def test_running_the_tests_again_after_each_edit_is_work() -> None:
    story = Story()
    for number in range(4):
        story.run("pytest -q", "1 failed")
        story.edit("a.py", f"x = {number}", f"x = {number + 1}")
    assert kinds(story) == []


def test_another_answer_is_no_loop_and_a_loop_that_was_left_is_forgotten() -> None:
    story = Story()
    for number in range(4):
        story.run("date", str(number))
    assert kinds(story) == []
    for _ in range(3):
        story.run("ls", "a b")
    assert kinds(story) == ["loop"]
    story.run("make")
    assert kinds(story) == []


def test_a_change_that_is_put_back_twice_is_an_undo_cycle() -> None:
    story = Story()
    story.edit("a.py", "x = 1", "x = 2")
    story.edit("a.py", "x = 2", "x = 1")
    assert kinds(story) == []
    story.edit("a.py", "x = 1", "x = 2")
    assert kinds(story) == ["undo"]
    assert "a.py was changed and put back 2 times" in alerts(story.session, story.now)[0].evidence


def test_edits_that_go_on_are_no_cycle() -> None:
    story = Story()
    for number in range(5):
        story.edit("a.py", f"x = {number}", f"x = {number + 1}")
    assert kinds(story) == []


def test_the_same_error_three_times_is_told_whatever_its_numbers() -> None:
    story = Story()
    for number in range(3):
        story.run(f"curl localhost:{number}", f"trying\nconnection to port {number} refused", error=True)
    assert kinds(story) == ["error"]


def test_an_error_that_was_overcome_is_over() -> None:
    story = Story()
    for number in range(3):
        story.run(f"try {number}", "no such file", error=True)
    story.run("ls")
    assert kinds(story) == []


@pytest.mark.parametrize(
    ("later", "cpu", "expected"),
    [(301, 0.0, ["stall"]), (301, 50.0, []), (301, None, []), (200, 0.0, [])],
)
def test_silence_with_resting_processes_is_a_stall(later: float, cpu: float | None, expected: list[str]) -> None:
    story = Story()
    story.say("user", "go")
    story.use("Bash", "command", command="sleep 9999")
    assert kinds(story, cpu, later) == expected


def test_a_session_that_rests_has_not_stalled() -> None:
    story = Story()
    story.run("ls")
    story.session.working = False
    assert kinds(story, 0.0, 9999) == []
