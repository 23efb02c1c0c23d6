"""What a person marks with the mouse is copied as clean text."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from agentdeck.protocol.screen import Row
from agentdeck.ui.selection import Selection, Spot, copy, cut
from tests.fakes.fake_hub import row


class Screenful:
    """Rows of 20 columns, by absolute line."""

    def __init__(self, *rows: Row) -> None:
        self.rows = rows

    def __call__(self, line: int) -> Row | None:
        return self.rows[line] if 0 <= line < len(self.rows) else None


def text(*lines: str) -> Screenful:
    return Screenful(*(row(line, 20, width=cell_len(line)) for line in lines))


def drag(start: tuple[int, int], end: tuple[int, int]) -> Selection:
    return Selection(Spot(*start), Spot(*end))


def test_a_drag_takes_both_cells_at_its_ends() -> None:
    assert copy(drag((0, 2), (0, 4)), text("abcdefg")) == "cde"


def test_dragging_backwards_selects_the_same() -> None:
    page = text("first line", "second line")
    assert copy(drag((1, 5), (0, 6)), page) == copy(drag((0, 6), (1, 5)), page) == "line\nsecond"


def test_blanks_at_the_end_of_a_line_are_not_text() -> None:
    assert copy(drag((0, 0), (2, 19)), text("one", "", "three")) == "one\n\nthree"


def test_a_line_that_the_terminal_wrapped_is_copied_as_one() -> None:
    page = Screenful(row("x" * 20, 20, wrapped=True), row("y" * 5, 20), row("next", 20))
    assert copy(drag((0, 0), (2, 19)), page) == "x" * 20 + "y" * 5 + "\nnext"


def test_blanks_inside_a_wrapped_line_stay() -> None:
    page = Screenful(row("word" + " " * 16, 20, wrapped=True), row("after", 20))
    assert copy(drag((0, 0), (1, 19)), page) == "word" + " " * 16 + "after"


def test_a_wide_character_that_did_not_fit_leaves_no_blank() -> None:
    page = Screenful(row("a" * 19, 20, wrapped=True), row("漢字", 20, width=4))
    assert copy(drag((0, 0), (1, 19)), page) == "a" * 19 + "漢字"


def test_half_a_wide_character_selects_all_of_it() -> None:
    page = text("漢字です")
    assert copy(drag((0, 1), (0, 2)), page) == "漢字"
    assert drag((0, 1), (0, 2)).columns(0, page) == (0, 4)


def test_combining_characters_and_emoji_stay_whole() -> None:
    page = text("e\u0301a\U0001f469\u200d\U0001f4bbb")
    assert copy(drag((0, 0), (0, 19)), page) == "e\u0301a\U0001f469\u200d\U0001f4bbb"
    assert copy(drag((0, 2), (0, 2)), page) == "\U0001f469\u200d\U0001f4bb"


def test_a_double_click_takes_a_path_whole() -> None:
    page = text("see (src/auth.py:12)")
    assert copy(Selection(Spot(0, 8), Spot(0, 8), "word"), page) == "src/auth.py:12"


def test_a_double_click_on_a_blank_takes_the_blank_alone() -> None:
    assert Selection(Spot(0, 3), Spot(0, 3), "word").columns(0, text("see this")) == (3, 4)


def test_a_triple_click_takes_the_logical_line() -> None:
    page = Screenful(row("x" * 20, 20, wrapped=True), row("y" * 5, 20), row("next", 20))
    for line in (0, 1):
        assert copy(Selection(Spot(line, 3), Spot(line, 3), "line"), page) == "x" * 20 + "y" * 5


def test_rows_that_are_not_there_are_left_out() -> None:
    assert copy(drag((-3, 0), (9, 19)), text("only")) == "only"


@given(st.text(st.sampled_from("ab 漢é🙂"), max_size=12), st.integers(0, 20), st.integers(0, 20))
def test_a_cut_is_never_wider_than_what_was_asked_for(line: str, start: int, end: int) -> None:
    assert cell_len(cut(line, start, end)) <= max(0, end - start)


@given(st.lists(st.text(st.sampled_from("ab 漢🙂"), max_size=9), min_size=1, max_size=6))
def test_everything_selected_is_everything_that_is_there(lines: list[str]) -> None:
    copied = copy(drag((0, 0), (len(lines) - 1, 19)), text(*lines))
    assert copied == "\n".join(line.rstrip() for line in lines).rstrip("\n")
