"""Where output is cut so that no frame shows half a redraw."""

import pytest

from agentdeck.terminal.synchronized import BEGIN, END, LIMIT, cut


def drawn(data: bytes, *, inside: bool = False, unseen: bool = True) -> bytes:
    return data[: cut(data, inside=inside, unseen=unseen)]


def test_output_without_redraws_is_drawn_at_once() -> None:
    assert drawn(b"text \x1b[1mbold") == b"text \x1b[1mbold"


def test_a_finished_redraw_is_drawn_and_the_next_one_waits() -> None:
    assert drawn(BEGIN + b"one" + END + b" " + BEGIN + b"two") == BEGIN + b"one" + END + b" "


def test_the_end_of_an_open_redraw_is_drawn() -> None:
    assert drawn(b"rest" + END + BEGIN + b"next", inside=True) == b"rest" + END
    assert drawn(b"more", inside=True) == b"more"
    assert drawn(b"more" + BEGIN + b"x", inside=True) == b"more" + BEGIN + b"x"


def test_a_redraw_does_not_wait_for_a_screen_that_was_shown() -> None:
    assert drawn(BEGIN + b"one", unseen=False) == BEGIN + b"one"
    assert drawn(b"text" + BEGIN + b"one", unseen=False) == b"text"


def test_a_redraw_too_long_to_keep_is_drawn_as_it_comes() -> None:
    data = BEGIN + b"x" * LIMIT
    assert drawn(data) == data


@pytest.mark.parametrize(
    "question", [b"\x1b[6n", b"\x1b[c", b"\x1b[>0q", b"\x1b[?u", b"\x1b]11;?\x07", b"\x1bP+q54\x1b\\", b"\x05"]
)
def test_a_question_never_waits_for_a_frame(question: bytes) -> None:
    data = BEGIN + b"one" + END + BEGIN + b"two" + question
    assert drawn(data) == data


@pytest.mark.parametrize("tail", [b"\x1b", b"\x1b[", b"\x1b[?", b"\x1b[?20", b"\x1b[?1049;25"])
def test_a_private_sequence_is_never_cut_in_two(tail: bytes) -> None:
    assert drawn(b"text" + tail) == b"text"
    assert drawn(b"\x1b[?25l text" + tail) == b"\x1b[?25l text"


@pytest.mark.parametrize("tail", [b"\x1b[1", b"\x1b[?25h", b"\x1b]", b"\x1b[?" + b"1;" * 40])
def test_other_output_does_not_wait(tail: bytes) -> None:
    assert drawn(b"text" + tail) == b"text" + tail
