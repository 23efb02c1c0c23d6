"""What one emulator shows, answers and reports."""

import base64
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentdeck.protocol.messages import ProgramStatus, Progress
from agentdeck.protocol.screen import BACKGROUND_SHIFT, BOLD, INVERSE, ITALIC, RGB, UNDERLINE_SHIFT, Cursor, Row
from agentdeck.terminal.checkpoint import LIMIT
from agentdeck.terminal.emulator import Emulator
from agentdeck.terminal.events import (
    Bell,
    ClipboardSet,
    CwdChanged,
    Notified,
    Progressed,
    StatusReported,
    TerminalEvent,
    TitleChanged,
)


class Shown:
    """An emulator with everything that it answered."""

    def __init__(self, cols: int = 20, rows: int = 5, scrollback: int = 10_000) -> None:
        self.answers = b""
        self.emulator = Emulator(cols, rows, reply=self._answer, scrollback=scrollback)

    def _answer(self, data: bytes) -> None:
        self.answers += data

    def feed(self, data: bytes) -> "Shown":
        self.emulator.feed(data)
        return self

    @property
    def rows(self) -> list[Row]:
        self.emulator.refresh()
        self.emulator.refresh()
        return [self.emulator.row(y) for y in range(self.emulator.rows)]

    @property
    def text(self) -> str:
        return "\n".join(row.text.rstrip() for row in self.rows).rstrip()

    def events(self) -> list[TerminalEvent]:
        return self.emulator.take_events()


@pytest.fixture
def shown() -> Iterator[Shown]:
    made = Shown()
    yield made
    made.emulator.close()


def resident() -> int:
    """The memory of this process in bytes; 0 where it cannot be told."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * 4096 if statm.exists() else 0


# ── rows ───────────────────────────────────────────────────────────────────────────────────────


def test_text_stands_where_it_was_written(shown: Shown) -> None:
    shown.feed(b"one\r\n\x1b[3;5Htwo")
    assert shown.text == "one\n\n    two"
    assert shown.emulator.cursor == Cursor(7, 2)


def test_styles_become_one_number_each(shown: Shown) -> None:
    shown.feed(b"\x1b[1;31mbold\x1b[m \x1b[3;38;2;1;2;3;48;5;200mrgb\x1b[0;4:3;7m~\x1b[m")
    assert shown.rows[0].runs[:5] == (
        ("bold", BOLD | 1 + 1),
        (" ", 0),
        ("rgb", ITALIC | RGB | 0x010203 | (1 + 200) << BACKGROUND_SHIFT),
        ("~", INVERSE | 3 << UNDERLINE_SHIFT),
        (" " * 11, 0),
    )


def test_a_background_reaches_over_cells_that_were_only_erased(shown: Shown) -> None:
    shown.feed(b"\x1b[44mab\x1b[K\x1b[m\r\n\x1b[48;2;9;8;7m\x1b[K\x1b[mx")
    assert shown.rows[0].runs == (("ab" + " " * 18, (1 + 4) << BACKGROUND_SHIFT),)
    assert shown.rows[1].runs == (("x", 0), (" " * 19, (RGB | 0x090807) << BACKGROUND_SHIFT))


def test_wide_and_combined_characters_keep_their_columns(shown: Shown) -> None:
    shown.feed("日本e\u0301👩\u200d👩\u200d👧🇩🇪|\x1b[31m語\x1b[m.".encode())
    assert shown.rows[0].runs == (("日本e\u0301👩\u200d👩\u200d👧🇩🇪|", 0), ("語", 2), (".       ", 0))


def test_a_wide_character_that_does_not_fit_leaves_a_blank(shown: Shown) -> None:
    shown.feed(b"x" * 19 + "日".encode())
    assert [row.text for row in shown.rows[:2]] == ["x" * 19 + " ", "日" + " " * 18]
    assert shown.rows[0].wrapped


@pytest.mark.parametrize("stray", ["\U0001f1e9", "\U0001f3fd", "\u093e", "👍\u200d", "\u2e3a"])
def test_a_character_that_terminals_do_not_agree_on_shifts_nothing(shown: Shown, stray: str) -> None:
    from rich.cells import cell_len

    shown.feed(f"ab\x1b[1;4H{stray}\x1b[1;10Hend".encode())
    row = shown.rows[0].text
    assert cell_len(row) == 20
    assert cell_len(row[: row.index("end")]) == 9


@pytest.mark.parametrize(
    "hostile", ["\x7f", "\x1bV\x85", "\u009b31m", "\u202e", "\u2066", "\u200e", "\u2028", "\x01\x02\x10\x1f"]
)
def test_no_control_character_leaves_the_screen(shown: Shown, hostile: str) -> None:
    shown.feed(b"a" + hostile.encode() + b"b\x1b]8;;http://x/" + hostile.encode()[:1] + b"\x07l\x1b]8;;\x07")
    for row in shown.rows:
        for text in (row.text, *(uri for _, _, uri in row.links)):
            assert all(character.isprintable() for character in text), ascii(text)


def test_links_are_columns_of_their_row(shown: Shown) -> None:
    shown.feed("日 \x1b]8;id=1;https://example.org/a?b=c\x1b\\日link\x1b]8;;\x1b\\ x".encode())
    assert shown.rows[0].links == ((3, 9, "https://example.org/a?b=c"),)


def test_a_link_too_long_to_keep_links_nothing(shown: Shown) -> None:
    shown.feed(b"\x1b]8;;https://a\x07one\x1b]8;;https://" + b"b" * 100_000 + b"\x07two")
    assert shown.text == "onetwo"
    assert shown.rows[0].links == ((0, 3, "https://a"),)


def test_only_rows_that_changed_are_reported(shown: Shown) -> None:
    assert shown.emulator.refresh() == set()
    shown.feed(b"\x1b[2;1Hx\x1b[4;1Hy")
    assert shown.emulator.refresh() == {1, 3}
    shown.feed(b"\x1b[2;1Hx")
    assert shown.emulator.refresh() == set()


def test_the_alternate_screen_covers_the_first_one_and_gives_it_back(shown: Shown) -> None:
    shown.feed(b"below\x1b[?1049h\x1b[Habove")
    assert shown.text == "above"
    assert shown.emulator.modes.alternate
    shown.feed(b"\x1b[?1049l")
    assert shown.text == "below"
    assert not shown.emulator.modes.alternate


def test_the_cursor_has_a_shape(shown: Shown) -> None:
    shown.feed(b"\x1b[5 q\x1b[?25l")
    shown.emulator.refresh()
    assert shown.emulator.cursor == Cursor(0, 0, visible=False, shape="bar", blinking=True)
    shown.feed(b"\x1b[4 q\x1b[?25h")
    shown.emulator.refresh()
    assert shown.emulator.cursor == Cursor(0, 0, visible=True, shape="underline", blinking=False)


def test_osc_133_draws_nothing(shown: Shown) -> None:
    shown.feed(b"mid\x1b]133;A\x07line\x1b]133;B\x1b\\")
    assert shown.text == "midline"


# ── size and scrollback ────────────────────────────────────────────────────────────────────────


def test_a_resize_wraps_lines_anew_and_changes_every_row(shown: Shown) -> None:
    shown.feed(b"the quick brown fox jumps")
    shown.emulator.refresh()
    shown.emulator.resize(10, 4)
    assert shown.emulator.refresh() == {0, 1, 2, 3}
    assert shown.text == "the quick\nbrown fox\njumps"
    assert [row.wrapped for row in shown.rows] == [True, True, False, False]
    shown.emulator.resize(40, 4)
    assert shown.text == "the quick brown fox jumps"


@pytest.mark.parametrize("size", [(0, 0), (-3, 1), (1, 1), (100_000, 3)])
def test_a_size_that_no_screen_has_is_bounded(shown: Shown, size: tuple[int, int]) -> None:
    shown.feed(b"text")
    shown.emulator.resize(*size)
    assert 2 <= shown.emulator.cols <= 2000
    assert 2 <= shown.emulator.rows <= 2000
    assert len(shown.rows[0].text) == shown.emulator.cols


def test_a_program_cannot_change_the_width_of_its_pane(shown: Shown) -> None:
    shown.feed(b"\x1b[?40h\x1b[?3h" + b"x" * 25)
    assert [len(row.text) for row in shown.rows] == [20] * 5


def test_rows_that_scroll_off_can_be_read(shown: Shown) -> None:
    shown.feed(b"".join(b"\x1b[3%dmline %d\r\n" % (n % 8, n) for n in range(300)))
    assert shown.emulator.history == 296
    rows = shown.emulator.history_rows(100, 50)
    assert [row.text.rstrip() for row in rows] == [f"line {n}" for n in range(100, 150)]
    assert rows[1].runs[0] == ("line 101", 1 + 101 % 8)
    assert len(shown.emulator.history_rows(290, 50)) == 6
    assert shown.emulator.history_rows(296, 1) == shown.emulator.history_rows(-1, 5) == []
    assert shown.text.startswith("line 296")


def test_reading_history_hides_no_change_of_the_screen(shown: Shown) -> None:
    shown.feed(b"line\r\n" * 20)
    shown.emulator.refresh()
    shown.feed(b"\x1b[2;1Hnew")
    shown.emulator.history_rows(0, 10)
    assert shown.emulator.refresh() == {1}
    assert shown.emulator.refresh() == set()


@pytest.mark.parametrize(("cols", "least", "most"), [(80, 9_000, 11_000), (200, 9_000, 11_000), (500, 3_000, 11_000)])
def test_about_ten_thousand_rows_are_kept_in_twenty_megabytes(cols: int, least: int, most: int) -> None:
    line = b"\x1b[31m" + b"x" * (cols - 1) + b"\r\n"
    Shown(cols, 50).emulator.close()
    before = resident()
    shown = Shown(cols, 50)
    for _ in range(130):
        shown.feed(line * 100)
    assert least <= shown.emulator.history <= most
    assert resident() - before < 20_000_000
    shown.emulator.close()


# ── modes and the mouse ────────────────────────────────────────────────────────────────────────


def test_modes_are_what_the_program_asked_for(shown: Shown) -> None:
    shown.feed(b"\x1b[?1h\x1b[?1002h\x1b[?1006h\x1b[?1004h\x1b[?2004h\x1b[>5u")
    modes = shown.emulator.modes
    assert (modes.application_cursor, modes.mouse, modes.mouse_sgr) == (True, 1002, True)
    assert (modes.focus_events, modes.bracketed_paste, modes.kitty_flags) == (True, True, 5)
    shown.feed(b"\x1bc")
    assert shown.emulator.modes == type(modes)()


def test_the_mouse_is_reported_the_way_the_program_wants(shown: Shown) -> None:
    press = (0, 3, 2, True)
    assert shown.emulator.encode_mouse(*press) == b""
    shown.feed(b"\x1b[?1000h")
    assert shown.emulator.encode_mouse(*press) == b"\x1b[M $#"
    shown.feed(b"\x1b[?1006h")
    assert shown.emulator.encode_mouse(*press) == b"\x1b[<0;4;3M"
    assert shown.emulator.encode_mouse(0, 3, 2, False) == b"\x1b[<0;4;3m"
    assert shown.emulator.encode_mouse(64, 3, 2, True) == b"\x1b[<64;4;3M"
    assert shown.emulator.encode_mouse(32, 3, 2, True) == b"", "movement was not asked for"
    shown.feed(b"\x1b[?1016h")
    assert shown.emulator.encode_mouse(*press) == b"\x1b[<0;29;41M"


@pytest.mark.parametrize("cell", [(-1, 0), (0, -1), (20, 0), (0, 5)])
def test_the_mouse_is_not_reported_outside_the_screen(shown: Shown, cell: tuple[int, int]) -> None:
    shown.feed(b"\x1b[?1003h\x1b[?1006h")
    assert shown.emulator.encode_mouse(0, *cell, True) == b""


# ── questions ──────────────────────────────────────────────────────────────────────────────────


def test_questions_are_answered_in_their_order(shown: Shown) -> None:
    shown.feed(b"\x1b[>0q\x1b[?u\x1b]7501;?\x1b\\\x1b]11;?\x07\x1b[?2026$p\x1b[6n\x1b[c")
    order = [b"\x1bP>|agentdeck", b"\x1b[?0u", b"\x1b]7501;?\x1b\\", b"\x1b]11;rgb:", b"\x1b[?2026;2$y", b"\x1b[1;1R"]
    order.append(b"\x1b[?62")
    found = [shown.answers.index(answer) for answer in order]
    assert found == sorted(found)


def test_a_question_inside_an_open_redraw_is_answered_at_once(shown: Shown) -> None:
    shown.feed(b"\x1b[?2026hwhole\x1b[?2026l\x1b[?2026hpart\x1b[6n")
    assert shown.answers == b"\x1b[1;10R"


def test_the_status_question_is_answered_as_it_was_asked(shown: Shown) -> None:
    shown.feed(b"\x1b]7501;?\x07\x1b]75").feed(b"01;?\x1b").feed(b"\\")
    assert shown.answers == b"\x1b]7501;?\x07\x1b]7501;?\x1b\\"


@pytest.mark.parametrize("question", [b"\x1b]52;c;?\x07", b"\x1b[21t", b"\x1b]0;secret\x07\x1b[21t", b"\x05"])
def test_what_would_hand_text_to_the_program_is_never_answered(shown: Shown, question: bytes) -> None:
    shown.feed(question)
    assert shown.answers == b""


def test_a_program_that_asked_for_it_hears_of_a_new_size(shown: Shown) -> None:
    shown.feed(b"\x1b[?2048h")
    shown.answers = b""
    shown.emulator.resize(30, 10)
    assert shown.answers == b"\x1b[48;10;30;160;240t"


def test_programs_hear_the_colours_of_their_host() -> None:
    answers: list[bytes] = []
    emulator = Emulator(20, 5, reply=answers.append, colours=((0, 0, 0), (255, 254, 253)))
    emulator.feed(b"\x1b]11;?\x07\x1b[?996n")
    assert b"".join(answers) == b"\x1b]11;rgb:ffff/fefe/fdfd\x07\x1b[?997;2n"
    emulator.close()


# ── what a program tells its host ──────────────────────────────────────────────────────────────


def test_titles_are_clean_short_and_reported_once(shown: Shown) -> None:
    shown.feed("\x1b]0;  ✳ a\u202eb\tc  \x07\x1b]2;  ✳ a\u202eb\tc  \x07".encode())
    assert shown.events() == [TitleChanged("✳ a b c")]
    assert shown.emulator.title == "✳ a b c"
    shown.feed(b"\x1b]0;" + b"x" * 5000 + b"\x07")
    assert len(shown.emulator.title) == 256


def test_only_the_newest_of_many_titles_is_reported(shown: Shown) -> None:
    shown.feed(b"".join(b"\x1b]0;%d\x07" % n for n in range(5000)))
    assert shown.events() == [TitleChanged("4999")]


@pytest.mark.parametrize(
    ("command", "event"),
    [
        (b"9;4;1;42", Progressed(Progress(1, 42))),
        (b"9;4;3", Progressed(Progress(3, 0))),
        (b"9;4;2;300", Progressed(Progress(2, 100))),
        (b"9;4;0;9", Progressed(Progress(0, 0))),
        (b"9;build \x01done", Notified("", "build  done")),
        (b"777;notify;Title;the body", Notified("Title", "the body")),
        (b"99;i=1;Hello", Notified("Hello", "")),
        (b"52;c;" + base64.b64encode("Grüße\n".encode()), ClipboardSet("Grüße\n")),
        (b"7;file://host/a%20b/c", CwdChanged("/a b/c")),
    ],
)
def test_what_a_program_tells_its_host(shown: Shown, command: bytes, event: TerminalEvent) -> None:
    shown.feed(b"\x1b]" + command + b"\x07")
    assert shown.events() == [event]
    assert shown.text == ""


@pytest.mark.parametrize(
    "command", [b"52;c;?", b"52;c;", b"52;c;!!", b"7;relative", b"777;other;x", b"1337;x", b"7501;state=odd"]
)
def test_what_means_nothing_is_no_event(shown: Shown, command: bytes) -> None:
    shown.feed(b"\x1b]" + command + b"\x07")
    assert shown.events() == []


def test_a_notification_in_parts_is_one_event(shown: Shown) -> None:
    shown.feed(b"\x1b]99;i=a:d=0;Title\x1b\\\x1b]99;i=a:p=body;and body\x1b\\")
    assert shown.events() == [Notified("Title", "and body")]


def test_the_program_status_is_decoded(shown: Shown) -> None:
    before = time.time()
    message = base64.b64encode(b"approve Update: /x").rstrip(b"=")
    shown.feed(b"\x1b]7501;state=blocked:app=claude-code:kind=permission:msg=" + message + b"\x1b\\")
    (event,) = shown.events()
    assert isinstance(event, StatusReported)
    assert event.status == ProgramStatus("blocked", "permission", "approve Update: /x", "", event.status.at)
    assert before <= event.status.at <= time.time()


def test_a_task_that_is_blocked_blocks_its_program_until_it_is_not(shown: Shown) -> None:
    def states() -> list[str]:
        return [event.status.state for event in shown.events() if isinstance(event, StatusReported)]

    shown.feed(b"\x1b]7501;state=working\x07\x1b]7501;state=blocked:kind=question:id=t1\x07")
    assert states() == ["working", "blocked"]
    shown.feed(b"\x1b]7501;state=done:id=t1\x07")
    assert states() == ["working"]
    shown.feed(b"\x1b]7501;state=clear\x07")
    assert states() == [""]


def test_bells_are_counted(shown: Shown) -> None:
    shown.feed(b"\x07a\x07\x1b]0;no bell\x07")
    assert shown.events() == [TitleChanged("no bell"), Bell(2)]
    assert shown.events() == []


# ── synchronized output ────────────────────────────────────────────────────────────────────────


def test_back_to_back_redraws_always_leave_a_whole_screen_to_show(shown: Shown) -> None:
    redraws = b"".join(b"\x1b[?2026h\x1b[1;1H%03d\x1b[2;1H%03d\x1b[?2026l" % (n, n) for n in range(200))
    whole = 0
    for at in range(0, len(redraws), 70):
        shown.feed(redraws[at : at + 70])
        if not shown.emulator.synchronizing:
            shown.emulator.refresh()
            first, second = (shown.emulator.row(y).text.strip() for y in (0, 1))
            assert first == second
            whole += bool(first)
    assert whole > 50
    assert shown.text == "199\n199"


def test_an_open_redraw_says_so_until_it_ends(shown: Shown) -> None:
    shown.emulator.refresh()
    shown.feed(b"\x1b[?2026hhalf")
    assert shown.emulator.synchronizing
    shown.feed(b"\x1b[?2026l")
    assert not shown.emulator.synchronizing


def test_a_redraw_that_never_ends_is_shown_in_the_end(shown: Shown) -> None:
    shown.feed(b"before\x1b[?2026h\x1b[2;1Hstuck")
    shown.emulator.refresh()
    assert shown.emulator.row(1).text.strip() == ""
    shown.emulator.refresh()
    assert shown.emulator.row(1).text.strip() == "stuck"


# ── snapshots ──────────────────────────────────────────────────────────────────────────────────


def restored(snapshot: bytes, cols: int = 20, rows: int = 5) -> Shown:
    return Shown(cols, rows).feed(b"old\x1b[?1000h\x1b[3;4r" + snapshot)


def test_a_snapshot_brings_back_rows_cursor_modes_and_reports(shown: Shown) -> None:
    shown.feed(
        b"\x1b[1;31mred\x1b]8;;https://a\x07link\x1b]8;;\x07\x1b[44m\r\n\x1b[?2004h\x1b[?1002;1006h\x1b[>5u\x1b[3 q"
    )
    shown.feed(
        b"\x1b]0;title\x07\x1b]9;4;1;30\x07\x1b]7501;state=working:msg=YQ\x07\x1b]11;#010203\x07\x1b]4;1;#040506\x07"
    )
    again = restored(shown.emulator.snapshot())
    assert (again.rows, again.emulator.cursor, again.emulator.modes) == (
        shown.rows,
        shown.emulator.cursor,
        shown.emulator.modes,
    )
    assert again.emulator.title == "title"
    events = again.events()
    assert Progressed(Progress(1, 30)) in events
    assert [event.status.message for event in events if isinstance(event, StatusReported)] == ["a"]
    for emulated in (shown, again):
        emulated.answers = b""
        emulated.feed(b"\x1b]11;?\x07\x1b]4;1;?\x07x")
    assert again.answers == shown.answers
    assert again.rows == shown.rows, "the next output has the same style"
    again.emulator.close()


def test_a_snapshot_of_the_alternate_screen_has_the_first_one_below_it(shown: Shown) -> None:
    shown.feed(b"\x1b[32mshell$ vim\r\n\x1b[?1049h\x1b[H\x1b[7mvim\x1b[m")
    again = restored(shown.emulator.snapshot())
    assert again.text == "vim"
    for emulated in (shown, again):
        emulated.feed(b"\x1b[?1049lend")
    assert again.text == shown.text == "shell$ vim\nend"
    assert again.rows == shown.rows
    again.emulator.close()


def test_the_covered_screen_follows_a_resize(shown: Shown) -> None:
    shown.feed(b"the quick brown fox\r\n$ \x1b[?1049h")
    shown.emulator.resize(10, 6)
    again = restored(shown.emulator.snapshot(), 10, 6)
    again.feed(b"\x1b[?1049l")
    assert again.text == "the quick\nbrown fox\n$"
    again.emulator.close()


def test_wrapped_lines_are_still_one_line_after_a_snapshot(shown: Shown) -> None:
    shown.feed("the quick brown 日本語 jumps over".encode())
    again = restored(shown.emulator.snapshot())
    assert again.rows == shown.rows
    again.emulator.resize(40, 5)
    assert again.text == "the quick brown 日本語 jumps over"
    again.emulator.close()


def test_a_snapshot_keeps_the_rows_above_the_screen(shown: Shown) -> None:
    other = Shown().feed(b"line\r\n" * 100)
    before = other.emulator.history
    other.feed(shown.feed(b"now").emulator.snapshot())
    assert other.emulator.history == before
    assert other.text == "now"
    other.emulator.close()


@pytest.mark.parametrize(
    "pending", [b"\x1b[38;2;1", b"\x1b]0;half a ti", b"\xe2\x94", b"\x1b", b"\x1bP+q54", b"\x1b[?20"]
)
def test_output_goes_on_after_a_snapshot_in_the_middle_of_a_sequence(shown: Shown, pending: bytes) -> None:
    rest = {b"\x1b[38;2;1": b";2;3mx", b"\x1b]0;half a ti": b"tle\x07x", b"\xe2\x94": b"\x82x", b"\x1b": b"[1mx"}
    shown.feed(b"a" + pending)
    again = restored(shown.emulator.snapshot())
    for emulated in (shown, again):
        emulated.feed(rest.get(pending, b"\x1b\\x"))
    assert again.rows == shown.rows
    assert again.emulator.title == shown.emulator.title
    again.emulator.close()


def test_a_snapshot_fits_whatever_is_on_the_screen() -> None:
    shown = Shown(200, 60)
    shown.feed(b"\x1b[?1049h")
    for n in range(200 * 60):
        shown.feed(b"\x1b[38;2;%d;%d;3;48;2;%d;9;9m" % (n % 256, n // 256, n % 7) + "e\u0301\u0302\u0303".encode())
    snapshot = shown.emulator.snapshot()
    assert len(snapshot) <= LIMIT
    again = restored(snapshot, 200, 60)
    assert again.rows[-1].text == shown.rows[-1].text, "the newest rows are the last to go"
    again.emulator.close()
    shown.emulator.close()


# ── hostile output ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "opening",
    [b"\x1b]0;", b"\x1b]52;c;", b"\x1b]8;;", b"\x1b]7501;", b"\x1bP+q", b"\x1b_G", b"\x1b^", b"\x1bX", b"\x1bPq"],
)
@pytest.mark.parametrize("closing", [b"\x1b\\", b""])
def test_five_megabytes_in_one_string_cost_little_and_draw_nothing(
    shown: Shown, opening: bytes, closing: bytes
) -> None:
    chunk = b"QUJD" * 4096
    shown.feed(b"before")
    before = resident()
    shown.feed(opening)
    for _ in range(5 * 1024 * 1024 // len(chunk)):
        shown.feed(chunk)
    assert resident() - before < 8 * 1024 * 1024
    assert len(shown.emulator.snapshot()) < LIMIT
    again = restored(shown.emulator.snapshot())
    for emulated in (shown, again):
        emulated.feed(closing or b"\x18")
        emulated.feed(b" after")
        assert emulated.text == "before after"
    assert shown.events() == []
    again.emulator.close()


def test_a_closed_emulator_keeps_what_it_showed_and_takes_nothing_in() -> None:
    shown = Shown().feed(b"last words\x1b[?2004h")
    shown.emulator.close()
    shown.emulator.close()
    shown.feed(b"more")
    shown.emulator.resize(30, 9)
    assert shown.text == "last words"
    assert shown.emulator.modes.bracketed_paste
    assert not shown.emulator.synchronizing
    assert shown.emulator.snapshot() == b""
    assert shown.emulator.history_rows(0, 5) == []
    assert shown.emulator.encode_mouse(0, 0, 0, True) == b""
