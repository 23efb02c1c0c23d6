"""What people see and press on the deck."""

import re
import stat
import time
from pathlib import Path

import pytest
from textual import events

from agentdeck.config import Config, Keys
from agentdeck.errors import AgentdeckError, UnknownSessionError
from agentdeck.protocol import facts as f
from agentdeck.protocol import messages as m
from agentdeck.protocol import queue as q
from agentdeck.protocol.screen import Cursor, Modes
from agentdeck.ui.actions import ACTIONS
from agentdeck.ui.screens import board
from agentdeck.ui.screens.confirm import Confirm
from agentdeck.ui.screens.first_contact import FirstContact
from agentdeck.ui.screens.help import Help
from agentdeck.ui.screens.new_session import NewSession
from agentdeck.ui.screens.palette import Palette
from agentdeck.ui.screens.prompt import TextPrompt
from agentdeck.ui.screens.quit import Quit
from agentdeck.ui.widgets.footer import Footer
from agentdeck.ui.widgets.pane import Pane
from tests.fakes.fake_hub import NOW, FakeHub, frame, session
from tests.ui.deck_page import Page, check_golden, freeze, open_deck
from tests.ui.told import tell_of

pytestmark = pytest.mark.usefixtures("utc")

SIZES = [(80, 24), (120, 40), (200, 60)]


def busy_hub() -> FakeHub:
    """Six sessions in two directories, one of each kind of state that people meet."""
    asks = m.ProgramStatus(state="blocked", kind="permission", message="Edit refresh.py")
    hub = FakeHub(
        session(1, name="api", state="needs_you", since=NOW - 42, status=asks),
        session(2, name="web", state="working", since=NOW - 51, provider="codex"),
        session(3, name="docs", state="done", since=NOW - 130),
        session(4, name="infra", state="needs_you", since=NOW - 8, cwd="/home/ana/ops"),
        session(5, name="lab", state="idle", since=NOW - 4000, cwd="/home/ana/ops", provider="gemini"),
        session(6, name="mig", state="exited", since=NOW - 720, ended=NOW - 720, exit_status=1, cwd="/home/ana/ops"),
    )
    hub.lines = {
        session(n).id: [f"⏺ session {n} says: 漢字 and text", "", "  ⎿  3 failed, 41 passed in 6.2s"]
        for n in range(1, 7)
    }
    tell_of(hub)
    return hub


def resources(*cpu: float) -> m.Resources:
    usages = {
        session(n).id: m.Usage(
            cpu=value, rss=n * 100_000_000, threads=8, fds=30, processes=n, busiest="node", busiest_cpu=value
        )
        for n, value in enumerate(cpu, 1)
    }
    return m.Resources(
        host=m.HostUsage(cpu=31.0, memory_used=2_400_000_000, memory_total=8_000_000_000), sessions=usages
    )


async def show_costs(page: Page) -> None:
    """Stop the clock, after a day that has cost something."""
    page.hub.push(f.Spent(today_tokens=900_000, today_usd=4.12, week_tokens=9_000_000, week_usd=31.0))
    page.deck.panels.trend = (1.0, 2.0, 5.0, 7.0, 3.0, 2.0, 4.12)
    await freeze(page)


def golden_text(page: Page) -> str:
    return re.sub(r"\b\d\d:\d\d(?= *$)", "14:02", page.text, flags=re.MULTILINE)


# ── what is seen ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", SIZES)
async def test_the_deck_looks_as_drawn(size: tuple[int, int]) -> None:
    hub = busy_hub()
    async with open_deck(hub, size) as page:
        hub.push(resources(4.0, 92.0, 0.0, 0.0, 0.0))
        await show_costs(page)
        check_golden(f"deck-{size[0]}x{size[1]}", golden_text(page))


@pytest.mark.parametrize("size", SIZES)
async def test_typing_looks_as_drawn(size: tuple[int, int]) -> None:
    async with open_deck(busy_hub(), size) as page:
        await page.press("enter")
        await show_costs(page)
        check_golden(f"typing-{size[0]}x{size[1]}", golden_text(page))


@pytest.mark.parametrize("size", SIZES)
async def test_tiles_and_resources_look_as_drawn(size: tuple[int, int]) -> None:
    hub = busy_hub()
    async with open_deck(hub, size) as page:
        hub.push(resources(4.0, 92.0, 0.0, 0.0, 0.0))
        await page.press("v", "v", "o")
        page.deck.notices.dismiss()
        await page.until(lambda: page.deck._settling is None)
        page.deck.notices.dismiss()
        await show_costs(page)
        check_golden(f"tiles-{size[0]}x{size[1]}", golden_text(page))


async def test_an_ended_session_shows_its_last_screen_its_status_and_what_to_do() -> None:
    async with open_deck(busy_hub()) as page:
        await page.press("6")
        await page.shows("session 6 says")
        await page.shows("exit 1 · R starts it again · D takes it off the deck")


async def test_a_session_with_a_problem_shows_the_sentence() -> None:
    sentence = "claude is not on the PATH of the terminal that started it"
    hub = FakeHub(session(1, state="error", ended=NOW, problem=sentence))
    async with open_deck(hub) as page:
        await page.shows(sentence)
        await page.shows("R starts it again")


async def test_an_empty_deck_says_what_to_press(tmp_path: Path) -> None:
    async with open_deck(FakeHub(), path=_with_program(tmp_path, "codex")) as page:
        await page.shows("n starts a session")
        assert page.app.screen is page.deck


async def test_the_mode_is_named_and_the_pane_dimmed_until_it_gets_the_keys() -> None:
    async with open_deck(busy_hub()) as page:
        assert " DECK " in page.text
        assert not page.deck.pane.typing
        await page.press("enter")
        assert " TYPING " in page.text
        assert page.deck.pane.typing


async def test_a_terminal_that_shrinks_goes_through_every_layout_without_a_word() -> None:
    async with open_deck(busy_hub(), (200, 60)) as page:
        for size in [(150, 40), (99, 30), (70, 24), (40, 10), (10, 3), (1, 1), (240, 70)]:
            await page.pilot.resize_terminal(*size)
            await page.pilot.pause()
        await page.shows("agentdeck")


# ── sizes ──────────────────────────────────────────────────────────────────────────────────────


async def test_the_first_program_is_told_its_size_once() -> None:
    hub = busy_hub()
    async with open_deck(hub, (120, 40)):
        views = hub.requests(m.View)
    assert [(view.session, view.priority, view.cols, view.rows) for view in views] == [(session(1).id, "focus", 92, 27)]


async def test_a_window_dragged_to_and_fro_resizes_the_program_once_it_has_settled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(board, "SETTLE", 0.7)  # far longer than the dragging takes on a busy machine
    hub = busy_hub()
    async with open_deck(hub, (120, 40)) as page:
        hub.asked.clear()
        for columns in (121, 125, 130, 135, 140):
            await page.pilot.resize_terminal(columns, 40)
        await page.until(lambda: hub.requests(m.View))
        await page.until(lambda: page.deck._settling is None)
        assert [(view.cols, view.rows) for view in hub.requests(m.View)] == [(112, 27)]


async def test_moving_between_sessions_resizes_none() -> None:
    hub = busy_hub()
    async with open_deck(hub, (120, 40)) as page:
        await page.press("j", "j", "k")
        assert {(view.cols, view.rows) for view in hub.requests(m.View) if view.priority != "hidden"} == {(92, 27)}


async def test_what_is_out_of_view_is_hidden_and_what_is_beside_the_focus_is_slower() -> None:
    hub = busy_hub()
    async with open_deck(hub, (200, 60)) as page:
        await page.press("v")
        await page.until(lambda: page.deck._settling is None)
        shown = {view.session: view.priority for view in hub.requests(m.View)}
        assert shown == {session(1).id: "focus", session(2).id: "visible"}
        await page.press("v", "v")
        await page.until(lambda: page.deck._settling is None)
        shown = {view.session: view.priority for view in hub.requests(m.View)}
        assert shown[session(2).id] == "hidden"


# ── modes and keys ─────────────────────────────────────────────────────────────────────────────


async def test_every_action_of_the_table_has_its_handler() -> None:
    async with open_deck(busy_hub()) as page:
        missing = [a.id for a in ACTIONS if not a.id.startswith("jump_") and not hasattr(page.deck, f"action_{a.id}")]
        assert missing == []


async def test_raw_bytes_go_to_the_selected_program_as_they_are() -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        await page.press("2", "enter")
        page.deck.raw(b"\x1b\r\x08")
        assert [(sent.session, sent.data) for sent in hub.requests(m.Input)] == [(session(2).id, b"\x1b\r\x08")]


async def test_without_a_raw_terminal_keys_are_named_and_chords_still_work() -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        await page.press("enter", "x", "enter", "up")
        assert [sent.data for sent in hub.requests(m.Input)] == [b"x"]
        assert [sent.keys for sent in hub.requests(m.SendKeys)] == [("enter",), ("up",)]
        await page.press("ctrl+q")
        assert " DECK " in page.text


async def test_an_unbound_key_flashes_the_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    flashes: list[bool] = []
    monkeypatch.setattr(Footer, "flash", lambda self: flashes.append(True))
    hub = busy_hub()
    async with open_deck(hub) as page:
        before = len(hub.asked)
        await page.press("U")
        assert flashes == [True]
        assert len(hub.asked) == before


async def test_nobody_types_into_a_session_that_has_ended() -> None:
    async with open_deck(busy_hub()) as page:
        await page.press("6", "enter")
        assert not page.deck.typing


async def test_typing_ends_with_the_program() -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        await page.press("enter")
        hub.change(session(1).id, state="exited", ended=NOW, exit_status=0)
        await page.until(lambda: not page.deck.typing)
        await page.shows("exit 0")


async def test_typing_goes_on_in_the_next_session() -> None:
    async with open_deck(busy_hub()) as page:
        await page.press("enter", "ctrl+pagedown")
        assert page.deck.typing
        assert page.deck.deck.selected == session(2).id


async def test_a_round_of_those_that_wait_ends_where_it_began() -> None:
    async with open_deck(busy_hub()) as page:
        await page.press("2", "enter", "f8")
        assert page.deck.deck.selected == session(1).id
        await page.press("f8")
        assert page.deck.deck.selected == session(4).id
        await page.press("ctrl+q")
        assert page.deck.deck.selected == session(2).id
        assert not page.deck.typing


async def test_the_program_hears_of_the_focus() -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        await page.press("enter", "ctrl+q")
        assert [(told.session, told.on) for told in hub.requests(m.Focus)] == [
            (session(1).id, True),
            (session(1).id, False),
        ]


async def test_the_program_hears_when_the_terminal_loses_and_gets_the_focus() -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        await page.press("enter")
        hub.asked.clear()
        page.app.post_message(events.AppBlur())
        await page.until(lambda: [told.on for told in hub.requests(m.Focus)] == [False])
        page.app.post_message(events.AppFocus())
        await page.until(lambda: [told.on for told in hub.requests(m.Focus)] == [False, True])


async def test_what_finished_while_nobody_looked_stays_unseen_until_somebody_does() -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        page.app.post_message(events.AppBlur())
        await page.until(lambda: not page.deck._in_focus)
        hub.change(session(1).id, state="done", since=NOW)
        assert hub.requests(m.Seen) == []
        page.app.post_message(events.AppFocus())
        await page.until(lambda: [seen.session for seen in hub.requests(m.Seen)] == [session(1).id])


async def test_keys_are_those_of_the_configuration() -> None:
    config = Config(keys=Keys(deck={"zoom": ["Z"]}))
    async with open_deck(busy_hub(), config=config) as page:
        await page.press("Z")
        assert page.deck.wish.zoom


async def test_a_problem_with_the_keys_is_told() -> None:
    config = Config(keys=Keys(deck={"zoon": ["Z"]}))
    async with open_deck(busy_hub(), config=config) as page:
        await page.shows("zoon")


# ── moving and viewing ─────────────────────────────────────────────────────────────────────────


async def test_the_list_is_walked_and_jumped() -> None:
    async with open_deck(busy_hub()) as page:
        seen = []
        for key in ("j", "G", "k", "g", "4", "tab", "w", "]", "["):
            await page.press(key)
            seen.append(page.deck.deck.number(page.deck.deck.selected))
        assert seen == [2, 0, 6, 1, 4, 4, 1, 4, 1]


async def test_the_filter_narrows_while_it_is_typed() -> None:
    async with open_deck(busy_hub()) as page:
        await page.press("slash", *"s:wait")
        assert " FILTER " in page.text
        assert [s.name for s in page.deck.deck.visible] == ["api", "infra"]
        await page.press("enter")
        assert " DECK " in page.text
        await page.press("j")
        assert page.deck.deck.selected == session(4).id
        await page.press("escape")
        assert len(page.deck.deck.visible) == 6


async def test_the_resource_panel_comes_and_goes() -> None:
    async with open_deck(busy_hub(), (120, 40)) as page:
        assert "resources ─" not in page.text
        await page.press("o")
        assert "┌─ resources ─" in page.text
        await page.press("o")
        assert "resources ─" not in page.text


async def test_zoom_sidebar_and_width() -> None:
    async with open_deck(busy_hub(), (140, 40)) as page:
        await page.press("greater_than_sign")
        assert page.deck.sidebar.size.width == 28 - 2
        await page.press("b")
        assert page.deck.pane.size.width == 140
        await page.press("b", "z")
        assert page.deck.pane.size == (140, 38)
        await page.press("z", "less_than_sign")
        assert page.deck.sidebar.size.width == 26 - 2


async def test_scrolling_back_fetches_history_and_typing_returns() -> None:
    hub = busy_hub()
    one = session(1).id
    hub.history[one] = [f"old {n}" for n in range(300)]
    async with open_deck(hub) as page:
        hub.push(m.Screen(frame=frame(one, ["live"], 92, 27, history=300)))
        await page.press("pageup")
        await page.shows("25 lines up")
        await page.shows("old 275")
        await page.press("enter")
        assert "lines up" not in page.text
        await page.press("shift+pageup")
        await page.shows("25 lines up")
        page.deck.raw(b"x")
        await page.until(lambda: "lines up" not in page.text)


async def test_help_and_palette_come_from_the_live_table() -> None:
    config = Config(keys=Keys(deck={"zoom": ["Z"]}))
    async with open_deck(busy_hub(), (120, 60), config=config) as page:
        await page.press("question_mark")
        assert isinstance(page.app.screen, Help)
        await page.press("escape", "colon")
        assert isinstance(page.app.screen, Palette)
        await page.press(*"zoom", "enter")
        await page.until(lambda: page.deck.wish.zoom)


# ── deeds ──────────────────────────────────────────────────────────────────────────────────────


async def test_stop_asks_first() -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        await page.press("x")
        assert isinstance(page.app.screen, Confirm)
        await page.press("escape")
        await page.until(lambda: page.app.screen is page.deck)
        assert hub.requests(m.Stop) == []
        await page.press("x", "enter")
        await page.until(lambda: hub.requests(m.Stop))
        await page.shows("SIGTERM")


async def test_rename_message_mark_and_interrupt_reach_the_hub() -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        await page.press("r")
        assert isinstance(page.app.screen, TextPrompt)
        await page.press("ctrl+u", *"core", "enter")
        await page.shows("1 core")
        await page.press("m", *"go on", "enter")
        await page.until(lambda: [sent.text for sent in hub.requests(q.Enqueue)] == ["go on"])
        await page.press("asterisk", "i", "C")
        await page.until(lambda: hub.requests(m.SendKeys))
        assert [sent.on for sent in hub.requests(m.Mark)] == [True]
        assert [sent.session for sent in hub.requests(q.GuardedInterrupt)] == [session(1).id]
        assert [sent.keys for sent in hub.requests(m.SendKeys)] == [("ctrl+c",)]


async def test_a_signal_says_what_it_does_before_it_goes() -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        await page.press("I")
        await page.shows("ends most agent CLIs")
        await page.press("enter")
        await page.until(lambda: hub.requests(m.Signal))


async def test_a_running_session_is_not_restarted_unasked() -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        await page.press("R", "escape")
        assert hub.requests(m.Restart) == []
        await page.press("6", "R")
        await page.until(lambda: hub.requests(m.Restart))
        assert hub.requests(m.Restart)[0].env["HOME"] == "/home/ana"


async def test_forgetting_takes_it_off_the_deck() -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        await page.press("6", "D")
        await page.until(lambda: len(page.deck.deck.sessions) == 5)
        assert page.deck.deck.selected == session(5).id


async def test_what_the_hub_refuses_is_told_with_its_hint() -> None:
    hub = busy_hub()
    hub.failing[q.GuardedInterrupt] = AgentdeckError("it is busy", hint="wait")
    async with open_deck(hub) as page:
        await page.press("i")
        await page.shows("it is busy (wait)")


async def test_a_new_session_is_started_selected_and_typed_into(tmp_path: Path) -> None:
    hub = busy_hub()
    async with open_deck(hub, path=_with_program(tmp_path, "codex")) as page:
        await page.press("n")
        assert isinstance(page.app.screen, NewSession)
        await page.press("enter")
        await page.until(lambda: hub.requests(m.Spawn))
        await page.until(lambda: page.deck.typing and page.deck.deck.number(page.deck.deck.selected) == 7)
        spawned = hub.requests(m.Spawn)[0]
        assert spawned.env["PATH"].startswith(str(tmp_path))
        assert (spawned.cols, spawned.rows) == (92, 27)


async def test_leaving_asks_and_detaching_stops_nothing() -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        await page.press("q")
        assert isinstance(page.app.screen, Quit)
        await page.press("escape", "ctrl+c", "enter")
        await page.until(lambda: not page.app.is_running or page.app.return_value is not None)
    assert page.app.return_value == ""
    assert hub.requests(m.Stop) == []
    assert hub.closed


async def test_leaving_can_stop_everything_that_runs() -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        await page.press("q", "s")
        await page.until(lambda: page.app.return_value is not None)
    assert len(hub.requests(m.Stop)) == 5


# ── beginning ──────────────────────────────────────────────────────────────────────────────────


async def test_attaching_opens_on_the_session_ready_to_type() -> None:
    async with open_deck(busy_hub(), attach="web") as page:
        assert page.deck.deck.selected == session(2).id
        assert page.deck.typing


async def test_attaching_to_what_is_not_there_fails_with_its_reason() -> None:
    async with open_deck(busy_hub(), attach="nobody") as page:
        await page.until(lambda: page.app.failure is not None)
    assert isinstance(page.app.failure, UnknownSessionError)


async def test_with_no_agent_and_no_session_the_deck_introduces_itself() -> None:
    hub = FakeHub()
    async with open_deck(hub) as page:
        await page.until(lambda: isinstance(page.app.screen, FirstContact))
        await page.shows("npm install -g @openai/codex")
        await page.press("enter")
        await page.until(lambda: hub.requests(m.Spawn))
        assert hub.requests(m.Spawn)[0].provider == "shell"


async def test_the_demo_is_the_way_out_that_the_caller_plays() -> None:
    async with open_deck(FakeHub()) as page:
        await page.until(lambda: isinstance(page.app.screen, FirstContact))
        await page.press("d")
        await page.until(lambda: page.app.return_value is not None)
    assert page.app.return_value == "demo"


# ── the hub's news ─────────────────────────────────────────────────────────────────────────────


async def test_a_hub_that_dies_is_told_and_the_deck_goes_on() -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        hub.die()
        await page.shows("the hub died and is back")
        await page.until(lambda: len(hub.connects) == 2 and page.deck.bridge.connected)
        hub.push(m.Screen(frame=frame(session(1).id, ["after the hub's death"], 92, 36, seq=9)))
        await page.shows("after the hub's death")
        await page.press("j")
        assert page.deck.deck.selected == session(2).id


async def test_the_clipboard_question_waits_until_nobody_types() -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        await page.press("enter")
        hub.push(m.ClipboardAsked(session=session(1).id, size=12))
        await page.shows("api wants to set the clipboard")
        assert page.app.screen is page.deck
        await page.press("ctrl+q")
        await page.until(lambda: isinstance(page.app.screen, Confirm))
        await page.press("enter")
        await page.until(lambda: [answer.on for answer in hub.requests(m.AllowClipboard)] == [True])


async def test_what_a_program_may_copy_reaches_the_terminals_clipboard() -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        hub.push(m.Copied(session=session(1).id, text="from the agent"))
        assert page.app.clipboard == "from the agent"


async def test_a_bell_of_another_session_rings() -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        rung: list[bool] = []
        page.app.ring = lambda: rung.append(True)  # type: ignore[method-assign]
        hub.push(m.Bell(session=session(1).id))
        assert rung == []
        hub.push(m.Bell(session=session(2).id))
        hub.push(m.Bell(session=session(2).id))
        assert rung == [True]


async def test_looking_at_a_finished_session_is_told_to_the_hub_once() -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        assert hub.requests(m.Seen) == []
        await page.press("3")
        hub.change(session(3).id, title="still done")
        assert [seen.session for seen in hub.requests(m.Seen)] == [session(3).id]


async def test_the_terminals_title_says_how_many_need_you_and_how_many_work() -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        titles: list[str] = []
        page.app.name_terminal = titles.append  # type: ignore[method-assign, assignment]
        hub.change(session(4).id, state="idle")
        hub.change(session(1).id, state="idle")
        hub.change(session(2).id, state="idle")
        assert titles == ["agentdeck · 1 needs you · 1 working", "agentdeck · 1 working", "agentdeck"]


async def test_the_terminals_keyboard_follows_the_program_under_the_cursor() -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        told: list[Modes | None] = []
        page.app.take_keys = told.append  # type: ignore[method-assign, assignment]
        await page.press("enter")
        kitty = Modes(kitty_flags=7)
        hub.push(m.Screen(frame=frame(session(1).id, ["x"], 92, 36, modes=kitty, cursor=Cursor(1, 0))))
        await page.press("f1")
        await page.press("escape")
        await page.press("ctrl+q")
        assert told == [Modes(), kitty, None, kitty, None]


async def test_an_idle_deck_has_nothing_ticking_but_the_clock() -> None:
    hub = FakeHub(session(1), session(2))
    async with open_deck(hub) as page:
        assert page.deck._ages is None
        hub.change(session(1).id, state="working")
        await page.until(lambda: page.deck._ages is not None)
        hub.change(session(1).id, state="idle")
        await page.until(lambda: page.deck._ages is None)


async def test_the_machines_own_figures_do_not_redraw_an_idle_deck_each_second() -> None:
    hub = FakeHub(session(1), session(2))
    async with open_deck(hub) as page:
        hub.push(resources(0.0, 0.2))
        page.deck.draw()
        hub.push(resources(0.1, 0.0))
        assert page.deck._draw_due - time.monotonic() > board.CALM / 2
        hub.push(resources(95.0, 0.0))
        assert page.deck._draw_due - time.monotonic() <= board.DRAW_EVERY


async def test_a_bar_that_changed_is_painted_without_drawing_the_panes(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        page.deck.draw()
        await page.pilot.pause()
        rendered: list[object] = []
        monkeypatch.setattr(Pane, "render_lines", lambda pane, crop: rendered.append(pane))
        painted: list[str] = []
        page.app._display = lambda screen, update: painted.append(update.render_segments(page.app.console))  # type: ignore[assignment, method-assign, union-attr]
        hub.push(resources(50.0))
        page.deck.draw()
        assert any("31%" in text for text in painted)
        assert rendered == []


async def test_a_terminal_that_reads_slowly_is_not_painted_ahead_of(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = busy_hub()
    async with open_deck(hub) as page:
        monkeypatch.setattr(type(page.app), "backlog", 1)
        painted: list[object] = []
        page.deck.pane.changed = painted.append  # type: ignore[method-assign, assignment]
        for n in range(5):
            hub.push(m.Screen(frame=frame(session(1).id, [f"frame {n}"], 92, 36, seq=n + 2)))
        assert painted == []
        monkeypatch.setattr(type(page.app), "backlog", 0)
        await page.until(lambda: painted)
        assert len(painted) == 1


async def test_a_light_terminal_gets_the_light_theme() -> None:
    async with open_deck(busy_hub()) as page:
        assert page.app.theme == "night"
        page.app.wear_scheme("light")
        await page.pilot.pause()
        assert page.app.theme == "paper"
        page.app.wear_scheme("dark")
        assert page.app.theme == "night"


async def test_no_color_sends_attributes_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with open_deck(busy_hub()) as page:
        strips = page.app.screen._compositor.render_strips()
        colours = {
            segment.style.color for strip in strips for segment in strip if segment.style and segment.style.color
        }
        assert all(colour.is_default for colour in colours)


def _with_program(directory: Path, name: str) -> str:
    """A PATH on which one agent CLI is installed."""
    program = directory / name
    program.write_text("#!/bin/sh\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(directory)
