import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from agentdeck.ui import figures
from agentdeck.ui.glyphs import ASCII, NARROW, UNICODE

ANY = st.floats(allow_nan=False, allow_infinity=False)
SIGNS = st.sampled_from([UNICODE, NARROW, ASCII])


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0"),
        (-5, "0"),
        (1, "1K"),
        (12 * 1024, "12K"),
        (310 << 20, "310M"),
        (int(1.2 * 2**30), "1.2G"),
        (88 << 30, "88G"),
        (999 << 20, "999M"),
        (1023 << 20, "1.0G"),
        (3 << 40, "3.0T"),
    ],
)
def test_memory_reads_like_a_human_would_say_it(size: int, text: str) -> None:
    assert figures.memory(size) == text


@given(st.integers(0, 999 << 40))
def test_memory_fits_in_four_cells(size: int) -> None:
    assert 1 <= len(figures.memory(size)) <= 4


@given(st.integers(1 << 10, 1 << 55))
def test_memory_is_never_more_than_half_of_its_unit_off(size: int) -> None:
    text = figures.memory(size)
    unit = 1024.0 ** " KMGTPE".index(text[-1])
    assert abs(float(text[:-1]) * unit - size) <= 0.51 * unit


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (42.9, "0:42"),
        (51, "0:51"),
        (599, "9:59"),
        (600, "10m"),
        (720, "12m"),
        (3599, "59m"),
        (3600, "1h"),
        (3 * 3600, "3h"),
        (172800, "2d"),
        (-3, "0:00"),
    ],
)
def test_durations_get_coarser_as_they_grow(seconds: float, text: str) -> None:
    assert figures.duration(seconds) == text


@given(st.floats(0, 3e8))
def test_durations_fit_in_five_cells(seconds: float) -> None:
    assert 2 <= len(figures.duration(seconds)) <= 5


@given(st.text(max_size=30), st.integers(-2, 40))
def test_fit_fills_exactly_its_width(text: str, width: int) -> None:
    assert cell_len(figures.fit(figures.clean(text), width)) == max(0, width)


@given(st.text(max_size=30), st.integers(1, 40))
def test_cut_never_exceeds_its_width_and_leaves_short_text_alone(text: str, width: int) -> None:
    text = figures.clean(text)
    short = figures.cut(text, width)
    assert cell_len(short) <= width
    assert short == text or cell_len(text) > width


@given(st.text(max_size=60))
def test_clean_text_has_nothing_that_moves_the_cursor(text: str) -> None:
    assert all(ord(c) >= 32 and not 0x7F <= ord(c) < 0xA0 for c in figures.clean(text))
    assert not set("\u202a\u202e\u2066\u200f\u2028") & set(figures.clean(text))


@given(st.lists(ANY, max_size=50), st.integers(0, 40), SIGNS)
def test_a_sparkline_is_as_wide_as_asked_and_never_fails(values: list[float], width: int, signs: object) -> None:
    assert isinstance(signs, type(UNICODE))
    assert len(figures.sparkline(values, width, signs)) == width


def test_a_sparkline_shows_the_newest_values_on_the_right() -> None:
    assert figures.sparkline([100, 0, 50, 100], 3, UNICODE) == "▁▅█"
    assert figures.sparkline([100], 3, UNICODE) == "  █"


def test_a_sparkline_is_scaled_down_by_a_value_above_its_top() -> None:
    assert figures.sparkline([100, 400], 2, UNICODE) == "▃█"


@given(ANY, st.integers(0, 30), SIGNS)
def test_a_bar_holds_any_share(share: float, width: int, signs: object) -> None:
    assert isinstance(signs, type(UNICODE))
    assert len(figures.bar(share, width, signs)) == width


def test_a_bar_is_as_full_as_its_share() -> None:
    assert figures.bar(0.7, 10, UNICODE) == "▓▓▓▓▓▓▓░░░"
    assert figures.bar(1.4, 4, UNICODE) == "▓▓▓▓"


@pytest.mark.parametrize(
    ("status", "words"),
    [(0, "exit 0"), (1, "exit 1"), (137, "SIGKILL"), (130, "SIGINT"), (255, "exit 255"), (None, "ended")],
)
def test_an_exit_is_named_after_its_status_or_signal(status: int | None, words: str) -> None:
    assert figures.exit_words(status) == words


@pytest.mark.parametrize(
    ("path", "width", "text"),
    [
        ("/home/ana", 0, "~"),
        ("/home/ana/shop", 0, "~/shop"),
        ("/home/anabel", 0, "/home/anabel"),
        ("/home/ana/a/long/way/to/shop", 12, "…/to/shop"),
        ("/x" + "y" * 30, 10, "…/xyyyyyy…"),
    ],
)
def test_paths_keep_their_last_parts(path: str, width: int, text: str) -> None:
    assert figures.short_path(path, "/home/ana", width) == text


@given(st.text(max_size=40), st.integers(3, 30))
def test_a_short_path_fits(path: str, width: int) -> None:
    assert cell_len(figures.short_path(figures.clean(path), "/home/ana", width)) <= width


def test_one_thing_is_singular() -> None:
    assert figures.count(1, "process", "processes") == "1 process"
    assert figures.count(0, "process", "processes") == "0 processes"


def test_a_percentage_may_pass_a_hundred_but_never_falls_below_none() -> None:
    assert [figures.percent(value) for value in (3.6, 250, -1)] == ["4%", "250%", "0%"]
