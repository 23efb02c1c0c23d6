"""A conversation as lines to read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentdeck import events as e
from agentdeck.live.conversation import RESULT_LINES, render, wrap
from agentdeck.terminal import width as columns
from tests.live.test_session import anything
from tests.realtime.happening import base, returned, said, used


def lines(*events: e.AnyEvent, width: int = 40) -> list[str]:
    return [line.text for line in render(events, width)]


def test_turns_are_marked_and_wrapped_under_their_marks() -> None:
    assert lines(
        said(0, "user", "fix the till that is broken"),
        said(1, text="I look."),
        used(2, "c1", input={"command": "pytest -q"}),
        returned(3, "c1", "1 failed\n"),
        width=20,
    ) == [
        "> fix the till that", "  is broken", "", "I look.", "", "* Bash(pytest -q)", "", "  1 failed"
    ]  # fmt: skip


def test_a_long_result_is_cut_and_says_so() -> None:
    text = "\n".join(map(str, range(RESULT_LINES + 5)))
    shown = lines(returned(0, "c1", text))
    assert len(shown) == RESULT_LINES + 1
    assert shown[-1] == "  … 5 more lines"


def test_edits_say_what_they_did() -> None:
    change = e.FileChange(path="src/a.py", added=3, removed=1)
    assert lines(returned(0, "c1", "", files=(change,))) == ["  src/a.py +3 -1"]


def test_lines_know_their_kind_and_their_call() -> None:
    found = render([returned(0, "c1", "boom", is_error=True), e.ErrorRaised(**base(1), text="overloaded")], 40)
    assert [(line.style, line.call) for line in found if line.text] == [("error", "c1"), ("error", "")]


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("", 5, [""]),
        ("one two", 7, ["one two"]),
        ("one two", 6, ["one", "two"]),
        ("one  two", 4, ["one", "two"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("a bcdefgh", 3, ["a", "bcd", "efg", "h"]),
        ("日本語", 4, ["日本", "語"]),
        ("日本語", 3, ["日", "本", "語"]),
        ("  indented", 20, ["  indented"]),
    ],
)
def test_text_is_broken_between_words_and_by_cells(text: str, width: int, expected: list[str]) -> None:
    assert wrap(text, width) == expected


def cells(text: str) -> int:
    return sum(map(columns.of, text))


@given(st.text(st.sampled_from("ab c日é-\u0301"), max_size=80), st.integers(2, 20))
def test_no_piece_is_too_wide_and_no_word_is_lost(text: str, width: int) -> None:
    pieces = wrap(text, width)
    assert all(cells(piece) <= width for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_a_paragraph_without_blanks_takes_no_longer_than_one_with() -> None:
    """Its time must grow with its length and not with the square of it: this would take minutes."""
    assert len(wrap("日" * 100_000, 8)) == 25_000


@settings(max_examples=30, deadline=None)
@given(st.lists(anything(), max_size=4), st.integers(0, 60))
def test_every_conversation_can_be_drawn_at_every_width(events: list[e.AnyEvent], width: int) -> None:
    for line in render(events, width):
        assert cells(line.text) <= max(8, width)
        assert line.text.isprintable()
