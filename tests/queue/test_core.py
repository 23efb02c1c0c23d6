"""Which prompt goes next, and what counts as arrived."""

from functools import reduce

import pytest

from agentdeck.queue import core
from agentdeck.queue.core import (
    SENDING,
    UNSURE,
    WAITING,
    Added,
    Doubted,
    Dropped,
    Edited,
    Moved,
    Prompt,
    Prompts,
    Released,
    Sending,
)


def prompt(n: int, session: str = "a", text: str = "") -> Prompt:
    return Prompt(n=n, session=session, text=text or f"prompt {n}", added=float(n))


def queue(*operations: core.Operation, count: int = 3) -> Prompts:
    return replay(*(Added(prompt(n)) for n in range(1, count + 1)), *operations)


def replay(*operations: core.Operation) -> Prompts:
    return reduce(core.apply, operations, ())


def order(prompts: Prompts, session: str = "a") -> list[int]:
    return [each.n for each in core.of(prompts, session)]


def test_prompts_go_out_in_the_order_in_which_they_were_queued() -> None:
    assert order(queue()) == [1, 2, 3]
    first = core.next_to_send(queue(), "a")
    assert first is not None
    assert first.n == 1


def test_sessions_do_not_wait_for_each_other() -> None:
    prompts = replay(Added(prompt(1, "a")), Added(prompt(2, "b")), Sending(1, 5.0))
    assert core.next_to_send(prompts, "a") is None
    other = core.next_to_send(prompts, "b")
    assert other is not None
    assert other.n == 2


@pytest.mark.parametrize("operation", [Sending(1, 5.0), Doubted(1, "why")])
def test_nothing_goes_out_behind_one_that_is_under_way_or_in_doubt(operation: core.Operation) -> None:
    assert core.next_to_send(queue(operation), "a") is None


def test_after_a_crash_what_was_being_sent_is_in_doubt_and_never_goes_out_by_itself() -> None:
    prompts = queue(Sending(1, 5.0))
    for operation in core.recovered(prompts):
        prompts = core.apply(prompts, operation)
    assert [each.state for each in prompts] == [UNSURE, WAITING, WAITING]
    assert core.next_to_send(prompts, "a") is None


def test_a_person_can_let_one_in_doubt_go_out_again_or_drop_it() -> None:
    doubted = queue(Sending(1, 5.0), Doubted(1, "why"))
    again = core.next_to_send(core.apply(doubted, Released(1, "c")), "a")
    assert again is not None
    assert (again.n, again.conversation) == (1, "c")
    after = core.next_to_send(core.apply(doubted, Dropped(1)), "a")
    assert after is not None
    assert after.n == 2


@pytest.mark.parametrize(("place", "expected"), [(1, [3, 1, 2]), (2, [1, 3, 2]), (9, [1, 2, 3]), (-4, [3, 1, 2])])
def test_a_prompt_can_be_moved_within_its_session(place: int, expected: list[int]) -> None:
    assert order(queue(Moved(3, place))) == expected


def test_nothing_is_moved_before_one_that_is_being_sent() -> None:
    assert order(queue(Sending(1, 5.0), Moved(3, 1))) == [1, 3, 2]
    assert order(queue(Sending(1, 5.0), Moved(1, 3))) == [1, 2, 3]


def test_what_is_being_sent_cannot_be_changed() -> None:
    assert queue(Sending(1, 5.0), Edited(1, "other"))[0].text == "prompt 1"
    assert queue(Edited(1, "other"))[0].text == "other"
    assert queue(Sending(1, 5.0))[0].state == SENDING


def test_a_prompt_can_be_put_before_the_others() -> None:
    assert order(queue(Added(prompt(9), first=True))) == [9, 1, 2, 3]
    assert order(queue(Sending(1, 5.0), Added(prompt(9), first=True))) == [1, 9, 2, 3]


def test_an_operation_on_a_prompt_that_is_no_more_changes_nothing() -> None:
    for operation in (Dropped(7), Edited(7, "x"), Moved(7, 1), Sending(7, 1.0), Doubted(7, ""), Released(7)):
        assert queue(operation) == queue()
    assert queue(Added(prompt(1, text="a second one of this number"))) == queue()


@pytest.mark.parametrize(
    ("text", "message", "expected"),
    [
        ("fix the test", "fix the test", True),
        ("fix the test", "  fix the\n  test \n", True),
        ("fix\r\nthe test", "fix\nthe test", True),
        ("fix the test", "<context>…</context>\nfix the test", True),
        ("go", "go", True),
        ("go", "let it go", False),
        ("fix the test", "fix the other test", False),
        ("fix the test", "", False),
        (" ", " ", False),
    ],
)
def test_a_message_is_known_for_a_prompt_whatever_a_cli_does_to_its_blanks(
    text: str, message: str, expected: bool
) -> None:
    assert core.fits(text, message) is expected


def test_only_a_message_from_after_the_sending_is_the_prompt() -> None:
    prompts = queue(Sending(1, 100.0))
    assert core.arrived(prompts, "a", "prompt 1", 50.0, 2.0) is None
    found = core.arrived(prompts, "a", "prompt 1", 101.0, 2.0)
    assert found is not None
    assert found.n == 1
    assert core.arrived(prompts, "b", "prompt 1", 101.0, 2.0) is None
    assert core.arrived(queue(), "a", "prompt 1", 101.0, 2.0) is None, "one that waits has not been sent"


def test_commands_of_the_cli_are_known_by_their_first_letter() -> None:
    assert core.is_command("/clear")
    assert core.is_command("  !ls")
    assert not core.is_command("what is /etc/hosts?")
