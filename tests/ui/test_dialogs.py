from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Button, Input, OptionList, TextArea

from agentdeck.ui import glyphs
from agentdeck.ui.screens.confirm import Confirm
from agentdeck.ui.screens.first_contact import FirstContact
from agentdeck.ui.screens.help import Help, searched
from agentdeck.ui.screens.new_session import NewSession, ProviderChoice
from agentdeck.ui.screens.palette import Palette, found
from agentdeck.ui.screens.prompt import TextPrompt
from agentdeck.ui.screens.quit import Quit
from tests.ui.showing import Stage, on_screen, opened, until

PROVIDERS = [
    ProviderChoice("gemini", "Gemini CLI", False, "npm install -g @google/gemini-cli"),
    ProviderChoice("claude", "Claude Code", True, ""),
    ProviderChoice("shell", "Shell", True, ""),
]
SECTIONS: Sequence[tuple[str, Sequence[tuple[str, str]]]] = [
    ("Sessions", [("enter", "type into it"), ("n", "new session"), ("x", "stop it")]),
    ("View", [("z", "zoom the pane"), ("[", "previous [b]waiting")]),
]
ENTRIES = [
    ("new", "New session", "n"),
    ("new_prompt", "New session with a prompt", "N"),
    ("zoom", "Zoom the pane", "z"),
]
LINES = ["No agent CLI was found.", "claude: npm install -g @anthropic-ai/claude-code"]

DIALOGS: dict[str, Callable[[], Screen[Any]]] = {
    "new": lambda: NewSession(PROVIDERS, "/", True),
    "help": lambda: Help(SECTIONS),
    "palette": lambda: Palette(ENTRIES),
    "confirm": lambda: Confirm("stop api?", "14 processes are running in it.", "Stop it"),
    "quit": lambda: Quit(3),
    "prompt": lambda: TextPrompt("rename", "api"),
    "lines": lambda: TextPrompt("message", "", multiline=True),
    "first": lambda: FirstContact(LINES),
}
MARKS = {
    "new": ["new session", "Claude Code", "directory", "name", "prompt", "arguments", "Start", "Cancel", "esc cancel"],
    "help": ["keys", "Sessions", "new session", "esc close"],
    "palette": ["New session with a prompt", "esc cancel"],
    "confirm": ["stop api?", "14 processes", "Stop it", "Cancel"],
    "quit": ["3 sessions are running", "Detach", "Stop 3 sessions", "Cancel"],
    "prompt": ["rename", "api", "Done", "Cancel"],
    "lines": ["message", "^J new line", "Done", "Cancel"],
    "first": ["No agent CLI", "Open a shell", "Play the demo", "Close"],
}
every_dialog = pytest.mark.parametrize("name", DIALOGS)


# ── what holds for every dialog ────────────────────────────────────────────────────────────────


@every_dialog
@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 60)])
async def test_everything_is_visible_at_every_size(name: str, size: tuple[int, int]) -> None:
    app = Stage()
    async with app.run_test(size=size) as pilot:
        await opened(app, pilot, DIALOGS[name]())
        text = on_screen(app)
        assert [mark for mark in MARKS[name] if mark not in text] == []


@every_dialog
async def test_esc_leaves_without_an_answer(name: str) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, DIALOGS[name]())
        await pilot.press("escape")
        await until(lambda: app.answer != "nothing yet")
        assert app.answer is (False if name == "confirm" else None)


@every_dialog
async def test_tab_reaches_everything_and_comes_round(name: str) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, DIALOGS[name]())
        kinds: tuple[type[Widget], ...] = (Button, Input, TextArea)
        if name == "new":  # the palette's list is moved from its field
            kinds = (*kinds, OptionList)
        wanted = {widget for kind in kinds for widget in app.screen.query(kind)}
        reached = {app.screen.focused}
        for _ in range(12):
            await pilot.press("tab")
            await pilot.pause()
            reached.add(app.screen.focused)
        assert wanted <= reached


@every_dialog
@pytest.mark.parametrize("signs", [glyphs.ASCII, glyphs.NARROW], ids=["ascii", "narrow"])
async def test_no_dialog_draws_what_the_terminal_cannot(name: str, signs: glyphs.Glyphs) -> None:
    glyphs.activate(signs)
    try:
        app = Stage()
        async with app.run_test(size=(80, 24)) as pilot:
            await opened(app, pilot, DIALOGS[name]())
            text = on_screen(app)
            assert not set(text) & set("─│╭╮╰╯┌┐└┘…")
            assert text.isascii() or signs is not glyphs.ASCII
    finally:
        glyphs.activate(glyphs.UNICODE)


# ── questions ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["enter"], True),
        (["y"], True),
        (["n"], False),
        (["tab", "enter"], False),
        (["right", "enter"], False),
        (["right", "left", "enter"], True),
    ],
)
async def test_a_question_is_answered_from_the_keyboard(keys: list[str], answer: bool) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, DIALOGS["confirm"]())
        await pilot.press(*keys)
        await until(lambda: app.answer != "nothing yet")
        assert app.answer is answer


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["enter"], "detach"),
        (["d"], "detach"),
        (["q"], "detach"),
        (["s"], "stop"),
        (["tab", "enter"], "stop"),
        (["c"], None),
        (["tab", "tab", "enter"], None),
    ],
)
async def test_leaving_detaches_unless_somebody_says_otherwise(keys: list[str], answer: str | None) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, Quit(3))
        await pilot.press(*keys)
        await until(lambda: app.answer != "nothing yet")
        assert app.answer == answer


async def test_with_nothing_running_there_is_nothing_to_stop() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, Quit(0))
        assert "Nothing is running" in on_screen(app)
        assert "Stop" not in on_screen(app)
        await pilot.press("s")
        await pilot.pause()
        assert app.answer == "nothing yet"


@pytest.mark.parametrize(("button", "answer"), [("#shell", "shell"), ("#demo", "demo"), ("#close", None)])
async def test_the_first_screen_can_be_clicked(button: str, answer: str | None) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, FirstContact(LINES))
        await pilot.click(button)
        await until(lambda: app.answer != "nothing yet")
        assert app.answer == answer


@pytest.mark.parametrize(("key", "answer"), [("enter", "shell"), ("s", "shell"), ("d", "demo")])
async def test_the_first_screen_offers_a_shell_and_the_demo(key: str, answer: str) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, FirstContact(LINES))
        await pilot.press(key)
        await until(lambda: app.answer != "nothing yet")
        assert app.answer == answer


async def test_a_long_first_screen_keeps_its_buttons_in_sight() -> None:
    app = Stage()
    async with app.run_test(size=(60, 20)) as pilot:
        await opened(app, pilot, FirstContact([f"line {n} [not markup]" for n in range(60)]))
        assert "Open a shell" in on_screen(app)
        assert "line 0 [not markup]" in on_screen(app)


# ── text ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_name_is_edited_and_returned() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, TextPrompt("rename", "api"))
        await pilot.press("end", "-", "2", "enter")
        await until(lambda: app.answer != "nothing yet")
        assert app.answer == "api-2"


async def test_an_empty_text_is_an_answer() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, TextPrompt("filter", "old", placeholder="s:waiting p:codex"))
        await pilot.press("end", "ctrl+u", "enter")
        await until(lambda: app.answer != "nothing yet")
        assert app.answer == ""


async def test_a_message_may_have_lines_and_enter_still_sends() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, TextPrompt("message", "", multiline=True))
        await pilot.press("a", "ctrl+j", "b", "shift+enter", "c", "enter")
        await until(lambda: app.answer != "nothing yet")
        assert app.answer == "a\nb\nc"


@pytest.mark.parametrize(("button", "answer"), [("#done", "api"), ("#cancel", None)])
async def test_text_can_be_confirmed_with_the_mouse(button: str, answer: str | None) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, TextPrompt("rename", "api"))
        await pilot.click(button)
        await until(lambda: app.answer != "nothing yet")
        assert app.answer == answer


# ── palette ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["enter"], "new"),
        ([*"zoom", "enter"], "zoom"),
        ([*"nsprmt", "enter"], "new_prompt"),
        (["down", "enter"], "new_prompt"),
        (["down", "down", "up", "enter"], "new_prompt"),
    ],
)
async def test_an_action_is_found_by_a_part_of_its_name(keys: list[str], answer: str) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, Palette(ENTRIES))
        await pilot.press(*keys)
        await until(lambda: app.answer != "nothing yet")
        assert app.answer == answer


async def test_nothing_found_is_said_and_enter_does_nothing() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, Palette(ENTRIES))
        await pilot.press(*"xyz", "enter", "down", "up")
        await pilot.pause()
        assert "nothing is called that" in on_screen(app)
        assert app.answer == "nothing yet"


async def test_an_action_can_be_clicked() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, Palette(ENTRIES))
        await pilot.click(OptionList, offset=(5, 2))
        await until(lambda: app.answer != "nothing yet")
        assert app.answer == "zoom"


@given(st.text(max_size=12))
def test_what_is_found_is_among_the_entries(query: str) -> None:
    assert {entry[0] for entry in found(ENTRIES, query)} <= {entry[0] for entry in ENTRIES}


def test_a_whole_word_is_a_better_find_than_scattered_letters() -> None:
    entries = [("a", "Zone of moons", ""), ("b", "Zoom the pane", "")]
    assert [entry[0] for entry in found(entries, "zoom")] == ["b", "a"]


# ── help ───────────────────────────────────────────────────────────────────────────────────────


async def test_help_shows_all_keys_and_searches_them() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot, Help(SECTIONS))
        assert "previous [b]waiting" in on_screen(app)
        await pilot.press(*"zoom")
        await pilot.pause()
        text = on_screen(app)
        assert "zoom the pane" in text
        assert "new session" not in text
        await pilot.press(*"qq")
        await pilot.pause()
        assert "no key does that" in on_screen(app)


async def test_a_long_list_of_keys_scrolls() -> None:
    app = Stage()
    async with app.run_test(size=(60, 20)) as pilot:
        await opened(app, pilot, Help([("Keys", [(f"k{n}", f"action {n}") for n in range(80)])]))
        assert "action 0" in on_screen(app)
        assert "action 79" not in on_screen(app)
        await pilot.press(*["pagedown"] * 8)
        await until(lambda: "action 79" in on_screen(app))
        await pilot.press(*["up"] * 3)
        await until(lambda: "action 79" not in on_screen(app))


def test_help_is_searched_by_group_key_and_text() -> None:
    assert searched(SECTIONS, "view z") == [("View", [("z", "zoom the pane")])]
    assert searched(SECTIONS, "") == [(name, list(rows)) for name, rows in SECTIONS]
    assert searched(SECTIONS, "STOP") == [("Sessions", [("x", "stop it")])]
