"""A shared screen, from its messages back to the cells that its owner sees."""

import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from agentdeck.join.cells import MOST_IN_A_CELL, SharedScreen, row, style
from agentdeck.protocol import screen as s
from agentdeck.protocol import viewers as v
from agentdeck.share.canvas import Canvas, sgr

FLAGS = (s.BOLD, s.DIM, s.ITALIC, s.BLINK, s.INVERSE, s.INVISIBLE, s.STRIKE, s.OVERLINE)
COLOURS = st.one_of(st.integers(0, 256), st.integers(0, 0xFFFFFF).map(lambda rgb: rgb | s.RGB))


@given(st.sets(st.sampled_from(FLAGS)), st.integers(0, 5), COLOURS, COLOURS)
def test_every_style_comes_back_as_it_was(flags: set[int], underline: int, front: int, back: int) -> None:
    bits = sum(flags) | underline << s.UNDERLINE_SHIFT | front | back << s.BACKGROUND_SHIFT
    assert style(sgr(bits)) == bits


@given(st.text(max_size=60))
def test_no_parameters_break_the_reader(parameters: str) -> None:
    assert 0 <= style(parameters) < 1 << 61


@given(st.text(max_size=60))
def test_no_text_of_the_other_side_can_move_the_cursor_here(text: str) -> None:
    made = row(((text, "1"),), 80).text
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or 0x202A <= ord(c) <= 0x202E for c in made)


def frame(rng: random.Random, number: int, cols: int, rows: int, *, full: bool) -> s.Frame:
    changed = range(rows) if full else sorted(rng.sample(range(rows), rng.randint(0, rows)))
    texts = tuple((y, s.Row(((f"{number}:{y}".ljust(cols), rng.choice((0, s.BOLD, 5))),))) for y in changed)
    return s.Frame("x", number, cols, rows, full, texts, s.Cursor(rng.randrange(cols), 0), s.Modes(), 0)


def test_lost_doubled_and_late_changes_never_leave_a_wrong_cell() -> None:
    for seed in range(200):
        rng = random.Random(seed)
        canvas, screen = Canvas(), SharedScreen("x")
        seen: dict[int, str] = {}
        sent = 0
        canvas.take(frame(rng, 0, 20, 6, full=True))
        for number in range(1, 30):
            canvas.take(frame(rng, number, 20, 6, full=rng.random() < 0.05))
            body = canvas.body(0 if screen.lost else sent)
            assert body is not None
            told = msgspec.json.decode(body, type=v.Screen)
            sent = told.tseq
            for _ in range(rng.choice((0, 1, 1, 1, 2))):  # lost, or told twice
                if (drawn := screen.take(told)) is not None:
                    seen = {} if drawn.full else seen
                    seen |= {y: line.text for y, line in drawn.rows}
        in_step = not screen.lost and screen.tseq == canvas.tseq
        told = msgspec.json.decode(canvas.body(0) or b"", type=v.Screen)
        drawn = screen.take(told)
        assert drawn is not None
        whole = {y: line.text for y, line in drawn.rows}
        if in_step:
            assert seen == whole


def test_a_change_that_does_not_fit_asks_for_everything() -> None:
    screen = SharedScreen("x")
    full = v.Screen(from_=0, tseq=5, full=True, cols=10, rows=2, lines=((0, (("a", ""),)),), cursor=(0, 0, True))
    gap = v.Screen(from_=7, tseq=8, full=False, cols=10, rows=2, lines=(), cursor=(0, 0, True))
    assert screen.take(gap) is None
    assert screen.lost
    drawn = screen.take(full)
    assert drawn is not None
    assert not screen.lost
    assert [line.text for _, line in drawn.rows] == ["a".ljust(10), " " * 10]
    assert screen.take(gap) is None
    assert screen.lost


def test_sizes_and_places_beyond_all_measure_are_bounded() -> None:
    screen = SharedScreen("x")
    lines = ((0, (("a", ""),)), (10**9, (("b", ""),)), (-1, (("c", ""),)))
    drawn = screen.take(
        v.Screen(from_=0, tseq=1, full=True, cols=10**9, rows=10**9, lines=lines, cursor=(-5, 10**9, True))
    )
    assert drawn is not None
    assert (drawn.cols, drawn.height, len(drawn.rows)) == (500, 300, 300)
    assert (drawn.cursor.x, drawn.cursor.y) == (0, 299)


def test_letters_have_few_marks_and_a_row_few_characters() -> None:
    heap = "e" + "\u0301" * 500
    assert row(((heap, ""),), 2).text == "e" + "\u0301" * 4
    assert len(row((("x" * 10**6, ""),) * 3, 10).text) == 10 * MOST_IN_A_CELL
    assert row((("שלום é", ""),), 6).text == "שלום é"
