from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot
from textual.widgets import Input

from agentdeck.ui.directories import complete, expand
from agentdeck.ui.screens.new_session import NewSession, NewSessionChoice, ProviderChoice
from tests.ui.showing import Stage, on_screen, opened, until

PROVIDERS = [
    ProviderChoice("gemini", "Gemini CLI", False, "npm install -g @google/gemini-cli"),
    ProviderChoice("claude", "Claude Code", True, ""),
    ProviderChoice("odd", "Odd", False, ""),
    ProviderChoice("shell", "Shell", True, ""),
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("shop", "shopping", "ops", ".config", "deep/er"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "notes.txt").write_text("")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


async def open_in(app: Stage, pilot: Pilot[None], cwd: Path, *, ask_prompt: bool = False) -> None:
    await opened(app, pilot, NewSession(PROVIDERS, str(cwd), ask_prompt))


def field(app: Stage, id: str) -> Input:
    return app.screen.query_one(f"#{id}", Input)


async def write(app: Stage, pilot: Pilot[None], id: str, text: str) -> None:
    field(app, id).focus()
    field(app, id).value = text
    field(app, id).cursor_position = len(text)
    await pilot.pause()


async def test_enter_starts_the_first_agent_here(home: Path) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_in(app, pilot, home / "shop")
        assert field(app, "cwd").value == "~/shop"
        app.simulate_key("enter")
        await until(lambda: app.answer != "nothing yet")
        assert app.answer == NewSessionChoice("claude", str(home / "shop"), "", "", ())


async def test_everything_can_be_filled_in_from_the_keyboard(home: Path) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_in(app, pilot, home / "shop", ask_prompt=True)
        await pilot.press(*"go on", "tab", *"--model 'a b'", "shift+tab", "shift+tab", *"api")
        await pilot.press("shift+tab", "shift+tab", "down")
        app.simulate_key("enter")
        await until(lambda: app.answer != "nothing yet")
        assert app.answer == NewSessionChoice("shell", str(home / "shop"), "api", "go on", ("--model", "a b"))


async def test_what_is_installed_comes_first_and_the_rest_says_how(home: Path) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_in(app, pilot, home)
        text = on_screen(app)
        places = [text.index(label) for label in ("Claude Code", "Shell", "Gemini CLI", "Odd")]
        assert places == sorted(places)
        assert "npm install -g @google/gemini-cli" in text
        assert "not found" in text


async def test_a_missing_agent_is_not_started(home: Path) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_in(app, pilot, home)
        await pilot.press("down", "down")
        app.simulate_key("enter")
        await until(lambda: "Gemini CLI is not installed: npm install -g" in on_screen(app))
        assert app.answer == "nothing yet"
        await pilot.press("up")
        await until(lambda: "is not installed" not in on_screen(app))
        app.simulate_key("enter")
        await until(lambda: app.answer != "nothing yet")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("~/nowhere", "there is no directory"),
        ("~/notes.txt", "is not a directory"),
        ("shop", "begin with / or ~/"),
        ("/\x00", "null byte"),
        ("/" + "x" * 5000, "no usable path"),
    ],
)
async def test_a_bad_directory_is_a_sentence_and_can_be_mended(home: Path, typed: str, said: str) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_in(app, pilot, home)
        await write(app, pilot, "cwd", typed)
        app.simulate_key("enter")
        await until(lambda: said in on_screen(app))
        assert app.answer == "nothing yet"
        assert app.screen.focused is field(app, "cwd")
        await write(app, pilot, "cwd", "~/ops")
        await until(lambda: said not in on_screen(app))
        app.simulate_key("enter")
        await until(lambda: app.answer != "nothing yet")
        assert isinstance(app.answer, NewSessionChoice)
        assert app.answer.cwd == str(home / "ops")


async def test_unbalanced_quotes_are_a_sentence(home: Path) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_in(app, pilot, home)
        await write(app, pilot, "args", "--title 'half")
        app.simulate_key("enter")
        await until(lambda: "arguments: no closing quotation" in on_screen(app))
        assert app.screen.focused is field(app, "args")
        await pilot.press("'")
        app.simulate_key("enter")
        await until(lambda: app.answer != "nothing yet")
        assert isinstance(app.answer, NewSessionChoice)
        assert app.answer.args == ("--title", "half")


async def test_tab_completes_a_directory_and_then_goes_on(home: Path) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_in(app, pilot, home)
        await write(app, pilot, "cwd", "~/de")
        await pilot.press("tab")
        await until(lambda: field(app, "cwd").value == "~/deep/")
        assert app.screen.focused is field(app, "cwd")
        await pilot.press("tab")
        await until(lambda: app.screen.focused is field(app, "name"))


async def test_candidates_are_shown_while_a_directory_is_typed(home: Path) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_in(app, pilot, home)
        await write(app, pilot, "cwd", "~/sho")
        await until(lambda: "shop/  shopping/" in on_screen(app))
        await pilot.press("tab")
        await until(lambda: field(app, "cwd").value == "~/shop")
        await until(lambda: "shopping/" not in on_screen(app))


@pytest.mark.parametrize(("button", "starts"), [("#start", True), ("#cancel", False)])
async def test_the_buttons_can_be_clicked(home: Path, button: str, starts: bool) -> None:
    app = Stage()
    async with app.run_test(size=(60, 20)) as pilot:
        await open_in(app, pilot, home, ask_prompt=True)
        await pilot.click(button)
        await until(lambda: app.answer != "nothing yet")
        assert (app.answer is not None) == starts


async def test_without_any_provider_it_says_what_is_missing(home: Path) -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(NewSession([], str(home), True))
        await pilot.pause()
        app.simulate_key("enter")
        await until(lambda: "choose what to start" in on_screen(app))


# ── pure ───────────────────────────────────────────────────────────────────────────────────────


def test_completion_is_as_long_as_all_candidates_allow(home: Path) -> None:
    assert complete("~/s", str(home)).text == "~/shop"
    assert complete("~/s", str(home)).candidates == ("shop", "shopping")
    assert complete("~/o", str(home)).text == "~/ops/"
    assert complete(f"{home}/d", str(home)).text == f"{home}/deep/"
    assert complete("~/x", str(home)).text == "~/x"


def test_hidden_directories_come_when_asked_for(home: Path) -> None:
    assert ".config" not in complete("~/", str(home)).candidates
    assert complete("~/.c", str(home)).text == "~/.config/"


def test_a_directory_that_exists_has_no_problem(home: Path) -> None:
    assert complete("~/shop", str(home)).problem == ""
    assert complete("~/shop/", str(home)).problem == ""
    assert complete("~", str(home)).problem == ""
    assert complete("/", str(home)).problem == ""


def test_home_is_expanded_and_paths_are_tidied(home: Path) -> None:
    assert expand("~/shop/../ops/", str(home)) == str(home / "ops")
    assert expand(" ", str(home)) == str(home)


@given(st.text(max_size=20))
def test_whatever_is_typed_gets_an_answer(text: str) -> None:
    completion = complete(text, "/nonexistent-home")
    assert isinstance(completion.problem, str)
