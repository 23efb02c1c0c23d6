"""A pane shows a program's screen cell for cell, scrolls back, and gives clean text to the clipboard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Offset, Region
from textual.message import Message
from textual.pilot import Pilot
from textual.strip import Strip

from agentdeck.protocol import messages as m
from agentdeck.protocol.screen import Cursor, Frame, Modes, Row
from agentdeck.ui.replica import PAGE, Replica
from agentdeck.ui.styles import Look
from agentdeck.ui.theme import load_palettes
from agentdeck.ui.widgets.pane import Pane
from tests.fakes.fake_hub import frame, row, session

ID = session(1).id
NIGHT = load_palettes()["night"]


class Bench(App[None]):
    """A pane alone, 20×6."""

    CSS = "Pane { width: 20; height: 6; }"

    def __init__(self, framed: bool, typing: bool, notes: tuple[str, ...]) -> None:
        super().__init__()
        self.pane = Pane()
        self.replica = Replica(ID)
        self.said: list[Message] = []
        self.pane.wear(Look(NIGHT), Look(NIGHT, dimmed=True))
        self.pane.show(self.replica, typing=typing, framed=framed, notes=notes)

    def compose(self) -> ComposeResult:
        yield self.pane

    @property
    def text(self) -> list[str]:
        return [strip.text.rstrip() for strip in self.screen._compositor.render_strips()]

    def take(self, made: Frame) -> None:
        self.pane.changed(self.replica.apply(made))

    def _said(self, message: Message) -> None:
        self.said.append(message)

    on_pane_pressed = on_pane_selected = on_pane_mouse_reported = _said
    on_pane_keys_wanted = on_pane_history_wanted = _said

    def selected(self) -> list[str]:
        return [message.text for message in self.said if isinstance(message, Pane.Selected)]


@asynccontextmanager
async def bench(
    *, framed: bool = False, typing: bool = True, notes: tuple[str, ...] = ()
) -> AsyncIterator[tuple[Bench, Pilot[None]]]:
    app = Bench(framed, typing, notes)
    async with app.run_test(size=(30, 8)) as pilot:
        await pilot.pause()
        yield app, pilot


async def drag(
    pilot: Pilot[None], pane: Pane, start: tuple[int, int], end: tuple[int, int], *, shift: bool = False
) -> None:
    await pilot.mouse_down(pane, offset=start, shift=shift)
    await pilot.hover(pane, offset=end)
    await pilot.mouse_up(pane, offset=end, shift=shift)
    await pilot.pause()


async def test_rows_are_shown_as_they_are() -> None:
    async with bench() as (app, _):
        app.take(frame(ID, ["hello", "漢字 ok"], 20, 6))
        assert app.text[:3] == ["hello", "漢字 ok", ""]


async def test_a_frame_is_painted_at_once() -> None:
    async with bench() as (app, _):
        app.take(frame(ID, ["one"], 20, 6))
        painted: list[object] = []
        app.post_display_hook = lambda: painted.append(app.text[0])  # type: ignore[method-assign]
        app.take(frame(ID, ["two"], 20, 6))
        assert painted == ["two"]


async def test_only_the_rows_that_changed_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench() as (app, _):
        app.take(frame(ID, ["one", "two", "three"], 20, 6))
        drawn: list[str] = []
        draw = Look.strip

        def watched(look: Look, row: Row, columns: int) -> Strip:
            drawn.append(row.text.strip())
            return draw(look, row, columns)

        monkeypatch.setattr(Look, "strip", watched)
        app.take(Frame(ID, 2, 20, 6, False, ((1, row("TWO", 20)),), Cursor(0, 0), Modes(), 0))
        assert drawn == ["TWO"]


async def test_a_frame_around_the_pane_leaves_the_program_its_cells() -> None:
    async with bench(framed=True) as (app, _):
        app.take(frame(ID, ["0123456789abcdefgh"], 18, 5))
        assert app.text[0] == "│0123456789abcdefgh│"
        assert app.text[5] == "└" + "─" * 18 + "┘"


async def test_a_screen_of_another_size_is_cut_or_padded() -> None:
    async with bench() as (app, _):
        app.take(frame(ID, ["x" * 40], 40, 6))
        assert app.text[0] == "x" * 20
        app.take(frame(ID, ["x" * 5], 5, 6))
        assert app.text[0] == "xxxxx"


async def test_a_screen_higher_than_the_pane_shows_where_the_cursor_is() -> None:
    async with bench() as (app, _):
        app.take(frame(ID, [f"line {n}" for n in range(10)], 20, 10, cursor=Cursor(0, 9)))
        assert app.text[:6] == [f"line {n}" for n in range(4, 10)]


async def test_the_cursor_is_where_the_program_has_it_while_typing_only() -> None:
    async with bench(framed=True) as (app, _):
        app.take(frame(ID, ["$ "], 18, 5, cursor=Cursor(2, 0, True, "bar")))
        found = app.pane.cursor()
        assert found is not None
        assert found[0] == Offset(3, 0)
        assert found[1].shape == "bar"
        app.take(frame(ID, ["$ "], 18, 5, cursor=Cursor(2, 0, visible=False)))
        assert app.pane.cursor() is None
        app.take(frame(ID, ["$ "], 18, 5, cursor=Cursor(2, 0)))
        app.pane.show(app.replica, typing=False, framed=True)
        assert app.pane.cursor() is None


async def test_without_the_keys_the_pane_is_dimmed() -> None:
    async with bench() as (app, pilot):
        app.take(frame(ID, ["text"], 20, 6))
        bright = app.screen._compositor.render_strips()[0]
        app.pane.show(app.replica, typing=False, framed=False)
        await pilot.pause()
        assert app.screen._compositor.render_strips()[0] != bright


# scrolling


def old(count: int) -> m.History:
    return m.History(start=0, total=count, rows=tuple(row(f"old {n}", 20) for n in range(count)))


async def test_scrolling_back_asks_for_history_and_shows_it() -> None:
    async with bench() as (app, pilot):
        app.take(frame(ID, ["live 0", "live 1"], 20, 6, history=50))
        app.pane.scroll_lines(-4)
        await pilot.pause()
        wanted = [message for message in app.said if isinstance(message, Pane.HistoryWanted)]
        assert [message.request for message in wanted] == [m.ReadHistory(session=ID, start=0, count=PAGE)]
        app.replica.keep(old(50))
        app.pane.fetched()
        await pilot.pause()
        assert app.text[0].split("  ")[0] == "old 46"
        assert app.text[0].endswith("4 lines up")
        assert app.text[4:6] == ["live 0", "live 1"]


async def test_new_output_leaves_the_view_where_it_is() -> None:
    async with bench(framed=True) as (app, pilot):
        app.take(frame(ID, ["live"], 18, 5, history=50))
        app.replica.keep(old(50))
        app.pane.scroll_lines(-10)
        app.take(Frame(ID, 2, 18, 5, False, ((0, row("more", 18)),), Cursor(0, 0), Modes(), 53))
        await pilot.pause()
        assert "old 40" in app.text[0]
        assert "13 lines up" in app.text[5]


async def test_following_again_shows_the_end() -> None:
    async with bench() as (app, pilot):
        app.take(frame(ID, ["live"], 20, 6, history=50))
        app.replica.keep(old(50))
        app.pane.scroll_lines(-10)
        assert app.pane.cursor() is None
        app.pane.follow()
        await pilot.pause()
        assert app.text[0] == "live"
        app.pane.scroll_lines(-10)
        app.pane.scroll_lines(99)
        assert app.pane.lines_up == 0


async def test_the_wheel_scrolls() -> None:
    async with bench() as (app, _):
        app.take(frame(ID, ["live"], 20, 6, history=50))
        app.pane.post_message(_wheel(app.pane, up=True))
        await _settled(app)
        assert app.pane.lines_up == 3


async def test_the_wheel_over_a_full_screen_program_presses_arrows() -> None:
    async with bench() as (app, _):
        app.take(frame(ID, ["vim"], 20, 6, modes=Modes(alternate=True)))
        app.pane.post_message(_wheel(app.pane, up=True))
        await _settled(app)
        assert [message.keys for message in app.said if isinstance(message, Pane.KeysWanted)] == [("up",) * 3]


def _wheel(pane: Pane, *, up: bool, shift: bool = False) -> events.MouseEvent:
    kind = events.MouseScrollUp if up else events.MouseScrollDown
    return kind(pane, 3, 2, 0, 0, 0, shift, False, False, 3, 2)


async def _settled(app: Bench) -> None:
    await Pilot(app).pause()


# selecting


async def test_a_drag_gives_clean_text_without_the_frame() -> None:
    async with bench(framed=True) as (app, pilot):
        app.take(frame(ID, ["first line", "second"], 18, 5))
        await drag(pilot, app.pane, (1, 0), (18, 1))
        assert app.selected() == ["first line\nsecond"]


async def test_wrapped_rows_come_as_one_line() -> None:
    async with bench() as (app, pilot):
        rows = (row("x" * 20, 20, wrapped=True), row("yy", 20), *(row("", 20) for _ in range(4)))
        app.take(Frame(ID, 1, 20, 6, True, tuple(enumerate(rows)), Cursor(0, 0), Modes(), 0))
        await drag(pilot, app.pane, (0, 0), (5, 1))
        assert app.selected() == ["x" * 20 + "yy"]


async def test_a_selection_stays_on_its_text_while_output_scrolls_by() -> None:
    async with bench() as (app, pilot):
        app.take(frame(ID, ["a", "target", "c"], 20, 6, history=10))
        await pilot.mouse_down(app.pane, offset=(0, 1))
        await pilot.hover(app.pane, offset=(3, 1))
        app.take(frame(ID, ["target", "c", "d"], 20, 6, history=11))
        assert app.pane.selected_text() == "targ"


async def test_a_click_selects_nothing_and_is_told() -> None:
    async with bench() as (app, pilot):
        app.take(frame(ID, ["text"], 20, 6))
        await pilot.click(app.pane, offset=(1, 0))
        await pilot.pause()
        assert app.selected() == []
        assert sum(isinstance(message, Pane.Pressed) for message in app.said) == 1


async def test_two_clicks_take_a_word_and_three_a_line() -> None:
    async with bench() as (app, pilot):
        app.take(frame(ID, ["see src/a.py now"], 20, 6))
        for _ in range(3):
            await pilot.mouse_down(app.pane, offset=(6, 0))
            await pilot.mouse_up(app.pane, offset=(6, 0))
        await pilot.pause()
        assert app.selected() == ["src/a.py", "see src/a.py now"]


async def test_selected_cells_look_selected() -> None:
    async with bench() as (app, pilot):
        app.take(frame(ID, ["abcdef"], 20, 6))
        await drag(pilot, app.pane, (1, 0), (3, 0))
        look = app.pane.look.selected
        marked = "".join(
            s.text for s in app.pane.render_lines(Region(0, 0, 20, 1))[0] if s.style and s.style.bgcolor == look.bgcolor
        )
        assert marked == "bcd"


# the program's mouse

MOUSE = Modes(mouse=1002, mouse_sgr=True)


def reports(app: Bench) -> list[tuple[int, int, int, bool]]:
    return [(s.button, s.x, s.y, s.press) for s in app.said if isinstance(s, Pane.MouseReported)]


async def test_a_program_that_asked_for_the_mouse_gets_it() -> None:
    async with bench(framed=True) as (app, pilot):
        app.take(frame(ID, ["menu"], 18, 5, modes=MOUSE))
        await drag(pilot, app.pane, (3, 1), (5, 2))
        assert reports(app) == [(0, 2, 1, True), (32, 4, 2, True), (0, 4, 2, False)]
        app.pane.post_message(_wheel(app.pane, up=False))
        await _settled(app)
        assert reports(app)[-1] == (65, 2, 2, True)


async def test_shift_gives_the_mouse_back_to_the_person() -> None:
    async with bench() as (app, pilot):
        app.take(frame(ID, ["some text"], 20, 6, modes=MOUSE))
        await drag(pilot, app.pane, (0, 0), (3, 0), shift=True)
        assert reports(app) == []
        assert app.selected() == ["some"]


async def test_in_deck_mode_the_mouse_is_the_persons() -> None:
    async with bench(typing=False) as (app, pilot):
        app.take(frame(ID, ["some text"], 20, 6, modes=MOUSE))
        await drag(pilot, app.pane, (0, 0), (3, 0))
        assert reports(app) == []
        assert app.selected() == ["some"]


# notes


async def test_notes_stand_below_the_last_screen_and_are_no_text_of_it() -> None:
    async with bench(notes=("exit 1 · R starts it again",)) as (app, pilot):
        app.take(frame(ID, ["bye"], 20, 6))
        await pilot.pause()
        assert app.text[0] == "bye"
        assert app.text[4:6] == [" exit 1 · R starts", " it again"]
        assert "exit" not in app.pane.shown_text()


async def test_notes_cover_no_output() -> None:
    async with bench(notes=("gone",)) as (app, pilot):
        app.take(frame(ID, [f"line {n}" for n in range(6)], 20, 6, cursor=Cursor(0, 5)))
        await pilot.pause()
        assert app.text[:6] == [*(f"line {n}" for n in range(1, 6)), " gone"]


async def test_a_pane_without_a_session_is_empty() -> None:
    async with bench() as (app, pilot):
        app.pane.show(None, typing=False, framed=False)
        await pilot.pause()
        assert app.text[0] == ""


async def test_a_link_reaches_the_terminal() -> None:
    async with bench() as (app, _):
        linked = Row((("see docs" + " " * 12, 0),), links=((4, 8, "https://example.org"),))
        app.take(Frame(ID, 1, 20, 6, True, ((0, linked),), Cursor(0, 0), Modes(), 0))
        links = {
            s.text: s.style.link for s in app.pane.render_lines(Region(0, 0, 20, 1))[0] if s.style and s.style.link
        }
        assert links == {"docs": "https://example.org"}
