"""Who needs the person: why, a look and a reply, the way there and back, notifications, the terminal's own title."""

import pytest

from agentdeck.config import Config, Notify
from agentdeck.protocol import attention as w
from agentdeck.protocol import facts as f
from agentdeck.protocol import messages as m
from agentdeck.protocol import queue as q
from agentdeck.ui import notify
from agentdeck.ui.screens.peek import last_rows, last_words
from tests.fakes.fake_hub import FakeHub, session
from tests.ui.deck_page import Page, open_deck

ASKING = "the screen asks: Do you want to make this edit?"


def hub_of(*states: str) -> FakeHub:
    return FakeHub(*(session(n, name=f"s{n}", state=state) for n, state in enumerate(states, 1)))


def sent(page: Page) -> list[str]:
    found: list[str] = []
    page.app.send = found.append  # type: ignore[method-assign, assignment]
    return found


# ── why ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_key_shows_every_signal_its_age_its_weight_and_which_one_decided() -> None:
    hub = hub_of("working")
    hub.explained = w.Explained(
        session="1",
        name="s1",
        provider="claude",
        pid=7,
        state="working",
        why="its session file: busy",
        since=0.0,
        signals=(
            w.Spoken("file", "working", "its session file: busy", 3.0, 0.9, "won"),
            w.Spoken("screen", "rest", "the screen: a prompt", 4.0, 0.45, "differs"),
        ),
    )
    async with open_deck(hub) as page:
        await page.press("e")
        await page.shows("because its session file: busy")
        text = page.text
        assert "> file    0.90  3.0s  its session file: busy" in text
        assert "! screen  0.45  4.0s  the screen: a prompt" in text
        await page.press("escape")
        assert [each.ref for each in hub.requests(w.Explain)] == [session(1).id]


# ── a look and a reply ─────────────────────────────────────────────────────────────────────────


async def test_a_peek_shows_the_last_message_and_queues_the_reply() -> None:
    hub = hub_of("idle")
    hub.conversations[session(1).id] = [
        f.ConversationLine("user", "how many trees"),
        f.ConversationLine("tool", "Bash wc -l"),
        f.ConversationLine("assistant", "There are seventeen trees."),
    ]
    async with open_deck(hub) as page:
        await page.press("space")
        await page.shows("There are seventeen trees.")
        assert "Bash wc -l" not in page.text
        await page.press(*"count again", "enter")
        await page.until(lambda: hub.requests(q.Enqueue))
        (request,) = hub.requests(q.Enqueue)
        assert (request.sessions, request.text, request.now) == ((session(1).id,), "count again", False)


async def test_a_peek_at_one_that_asks_shows_its_dialog_and_leads_there() -> None:
    hub = FakeHub(session(1, state="needs_you", why=ASKING, asks="approval"))
    hub.lines[session(1).id] = ["Edit file", " ❯ 1. Yes", "   2. No", " Esc to cancel"]
    async with open_deck(hub) as page:
        await page.press("space")
        await page.shows("Do you want to make this edit?")
        assert "❯ 1. Yes" in page.text
        await page.press("enter")
        await page.until(lambda: page.deck.typing)
        assert not hub.requests(q.Enqueue)


async def test_a_peek_that_is_left_changes_nothing() -> None:
    hub = hub_of("idle")
    async with open_deck(hub) as page:
        await page.press("space")
        await page.shows("reply")
        before = len(hub.asked)
        await page.press("x", "escape")
        assert not [each for each in hub.asked[before:] if isinstance(each, q.Enqueue | m.Input | m.SendText)]


def test_the_last_words_are_those_after_the_last_prompt_or_tool() -> None:
    said = [("assistant", "old"), ("user", "go on"), ("assistant", "one"), ("assistant", "two")]
    assert last_words([f.ConversationLine(style, text) for style, text in said]) == "one\ntwo"
    assert last_words([f.ConversationLine("error", "it broke")]) == "it broke"
    assert last_words([]) == ""
    assert last_rows(["", "a", "────", "b ", ""], 1) == "b"


# ── there and back ─────────────────────────────────────────────────────────────────────────────


async def test_the_longest_wait_comes_first_and_the_way_leads_back_when_nobody_waits() -> None:
    hub = FakeHub(session(1), session(2, state="needs_you", since=50.0), session(3, state="needs_you", since=20.0))
    async with open_deck(hub) as page:
        await page.press("w")
        assert page.deck.deck.selected == session(3).id
        hub.change(session(3).id, state="working")
        await page.press("w")
        assert page.deck.deck.selected == session(2).id
        hub.change(session(2).id, state="working")
        await page.press("w")
        assert page.deck.deck.selected == session(1).id
        await page.press("w")
        await page.shows("nothing needs you")


async def test_who_goes_elsewhere_by_herself_is_not_taken_back() -> None:
    hub = FakeHub(session(1), session(2, state="needs_you"), session(3))
    async with open_deck(hub) as page:
        await page.press("w", "3")
        hub.change(session(2).id, state="idle")
        await page.press("w")
        assert page.deck.deck.selected == session(3).id


# ── notifications ──────────────────────────────────────────────────────────────────────────────


def alert(number: int) -> w.Alert:
    return w.Alert(session=session(number).id, state="needs_you", title="s1 needs you", text="make this edit?")


async def test_a_terminal_that_nobody_looks_at_gets_a_notification() -> None:
    hub = hub_of("idle")
    async with open_deck(hub, config=Config(notify=Notify(how="osc9"))) as page:
        told = sent(page)
        page.app.on_app_blur()
        hub.push(alert(1))
        assert told == ["\x1b]9;agentdeck: s1 needs you: make this edit?\x07"]
        page.app.on_app_focus()
        hub.push(alert(1))
        assert len(told) == 1
        assert [each.on for each in hub.requests(w.Looking)] == [False, True]


async def test_a_terminal_that_says_nothing_of_its_focus_is_notified_of_what_is_not_in_view() -> None:
    hub = hub_of("idle", "idle")
    async with open_deck(hub, config=Config(notify=Notify(how="bell"))) as page:
        told = sent(page)
        hub.push(alert(1))
        assert told == []
        hub.push(alert(2))
        assert told == ["\x07"]


async def test_notifications_are_switched_off_for_one_session() -> None:
    hub = hub_of("idle")
    async with open_deck(hub) as page:
        await page.press("Z")
        await page.shows("no notifications")
        assert [(each.session, each.on) for each in hub.requests(w.Mute)] == [(session(1).id, True)]


@pytest.mark.parametrize(
    ("env", "how"),
    [
        ({"TERM_PROGRAM": "iTerm.app"}, "osc9"),
        ({"TERM": "xterm-kitty"}, "osc99"),
        ({"TERM": "foot"}, "osc777"),
        ({"VTE_VERSION": "7600", "TERM": "xterm-256color"}, "osc777"),
        ({"TERM_PROGRAM": "ghostty", "TMUX": "/tmp/x"}, "bell"),
        ({"TERM": "xterm-256color"}, "bell"),
    ],
)
def test_the_dialect_goes_by_the_terminals_name(env: dict[str, str], how: str) -> None:
    assert notify.choose("auto", env) == how
    assert notify.choose("off", env) == "off"


@pytest.mark.parametrize("how", ["osc9", "osc777", "osc99", "bell", "off"])
def test_nothing_in_a_notification_commands_the_terminal(how: str) -> None:
    made = notify.sequence(how, "a\x07b", "c\x1b]0;d\x9ce;f")
    for inside in made.split("\x1b\\"):
        assert inside.count("\x1b") <= 1
        assert "\x9c" not in inside
        assert inside.count("\x07") <= 1


# ── the terminal itself ────────────────────────────────────────────────────────────────────────


async def test_title_and_progress_of_the_terminal_carry_the_summary() -> None:
    hub = hub_of("working", "working", "needs_you", "idle")
    async with open_deck(hub) as page:
        titles: list[str] = []
        states: list[int] = []
        page.app.name_terminal = titles.append  # type: ignore[method-assign, assignment]
        page.app.show_progress = states.append  # type: ignore[method-assign, assignment]
        hub.change(session(4).id, state="needs_you")
        for number in (3, 4):
            hub.change(session(number).id, state="idle")
        for number in (1, 2):
            hub.change(session(number).id, state="done")
        assert titles[0] == "agentdeck · 2 need you · 2 working"
        assert titles[-1] == "agentdeck"
        assert states == [4, 4, 3, 3, 0]


def test_an_old_iterm_would_show_progress_as_a_notification() -> None:
    assert not notify.shows_progress({"TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.5.10"})
    assert notify.shows_progress({"TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.6.6"})
    assert notify.shows_progress({"TERM": "xterm-256color"})
