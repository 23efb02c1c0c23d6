"""What people see in the deck of their agents' transcripts, and what they do with it."""

import msgspec
import pytest
from textual import events

from agentdeck.errors import AgentdeckError, SessionError, UnknownSessionError
from agentdeck.protocol import facts as f
from agentdeck.protocol import messages as m
from agentdeck.ui.facts_state import FactsState
from agentdeck.ui.screens import telling
from agentdeck.ui.screens.call_detail import CallScreen, LineScreen
from agentdeck.ui.screens.usage import UsageScreen
from agentdeck.ui.widgets.pane import Pane
from tests.fakes.fake_hub import FakeHub, frame, session
from tests.ui.deck_page import Page, check_golden, freeze, open_deck
from tests.ui.told import WATCHED, line, tell_of

SIZES = [(80, 24), (120, 40), (200, 60)]
pytestmark = pytest.mark.usefixtures("utc")

API, WEB = session(1).id, session(2).id


def telling_hub() -> FakeHub:
    hub = FakeHub(session(1, name="api"), session(2, name="web", state="working"))
    hub.lines = {API: ["the screen of api"], WEB: ["the screen of web"]}
    tell_of(hub)
    return hub


async def look_up_to_the_transcript(page: Page) -> None:
    await page.press("pageup")
    await page.shows("from its transcript")


# ── the feed ───────────────────────────────────────────────────────────────────────────────────


async def test_the_feed_is_that_of_the_selected_session_and_of_no_other() -> None:
    hub = telling_hub()
    async with open_deck(hub) as page:
        await page.shows("pytest -q tests/test_auth.py")
        await page.press("j")
        await page.until(lambda: "pytest -q" not in page.text)
        assert [(sent.key, sent.on) for sent in hub.requests(f.FollowFeed)] == [(API, True), (API, False), (WEB, True)]


async def test_a_call_that_returns_is_completed_in_its_place() -> None:
    hub = telling_hub()
    async with open_deck(hub) as page:
        await page.shows("look at the other tests")
        done = line(6, "tool_use", "Task", "look at the other tests", status="ok", seconds=12.0, call="c6")
        hub.push(f.FeedLines(key=API, lines=(done,)))
        await page.shows("12s")
        rows = [row for row in page.text.splitlines() if "│ 22:12:2" in row]
        assert len(rows) == 7
        assert "look at the other tests" in rows[5]


async def test_a_session_with_another_conversation_has_another_feed() -> None:
    hub = telling_hub()
    async with open_deck(hub) as page:
        await page.shows("pytest -q")
        hub.push(f.FeedLines(key=API, lines=(line(1, "message", "user", "begin again"),), anew=True))
        await page.shows("begin again")
        assert "pytest -q" not in page.text


async def test_enter_opens_a_call_with_its_difference_and_escape_leads_back() -> None:
    hub = telling_hub()
    async with open_deck(hub) as page:
        await page.shows("pytest -q")
        await page.press("tab", "up", "up", "up", "enter")
        await page.until(lambda: isinstance(page.app.screen, CallScreen))
        await page.shows("+if exp <= now + SKEW:")
        await page.shows("It is updated.")
        check_golden("call-120x40", page.text)
        await page.press("c", "escape")
        assert "-if exp < now:" in page.app.clipboard
        await page.until(lambda: page.app.screen is page.deck)
        await page.press("escape", "j")
        assert page.deck.deck.selected == WEB


async def test_a_message_opens_whole() -> None:
    async with open_deck(telling_hub()) as page:
        await page.shows("pytest -q")
        await page.press("tab", "g", "enter")
        await page.until(lambda: isinstance(page.app.screen, LineScreen))
        await page.shows("the whole message")


async def test_a_call_that_nobody_knows_any_more_is_said() -> None:
    hub = telling_hub()
    hub.failing[f.ReadCall] = SessionError("this session has no call 'c7'", hint="")
    async with open_deck(hub) as page:
        await page.shows("pytest -q")
        await page.press("tab", "enter")
        await page.shows("has no call 'c7'")


async def test_the_feed_shows_only_what_is_asked_for() -> None:
    async with open_deck(telling_hub()) as page:
        await page.shows("fix the flaky refresh test")
        await page.press("K")
        await page.until(lambda: "fix the flaky" not in page.text)
        await page.press("K")
        await page.shows("fix the flaky refresh test")
        await page.press("K")
        await page.until(lambda: "src/auth" not in page.text)
        assert "pytest -q" in page.text


async def test_a_frozen_feed_stands_still_and_counts_what_came() -> None:
    hub = telling_hub()
    async with open_deck(hub) as page:
        await page.shows("follow ▼")
        await page.press("F")
        hub.push(f.FeedLines(key=API, lines=(line(8, "tool_use", "Bash", "make it rain"),)))
        await page.shows("1 below")
        assert "make it rain" not in page.text
        await page.press("F")
        await page.shows("make it rain")


async def test_a_small_terminal_shows_the_feed_when_asked() -> None:
    hub = telling_hub()
    async with open_deck(hub, (80, 24)) as page:
        assert "events" not in page.text
        await page.press("E")
        await page.shows("pytest -q")
        await page.until(lambda: page.deck._settling is None)
        await page.press("E")
        await page.until(lambda: page.deck._settling is None)
        assert "pytest -q" not in page.text
        assert [view.rows for view in hub.requests(m.View) if view.session == API] == [20, 11, 20]


async def test_where_there_is_no_room_for_a_feed_it_is_said() -> None:
    async with open_deck(telling_hub(), (80, 16)) as page:
        await page.press("E")
        await page.shows("no room for events")


async def test_older_events_are_asked_for_when_the_view_comes_to_them() -> None:
    hub = telling_hub()
    hub.feeds[API] = [line(n, "tool_use", "Bash", f"make {n}", call=f"c{n}") for n in range(1, 401)]
    async with open_deck(hub) as page:
        await page.shows("make 400")
        hub.feeds[API], later = hub.feeds[API][:200], hub.feeds[API][200:]
        page.deck.panels.told = FactsState(known=page.deck.panels.told.known, feeds={API: tuple(later)})
        page.deck.draw()
        await page.press("tab", "g")
        await page.until(lambda: hub.requests(f.ReadFeed))
        await page.until(lambda: len(page.deck.panels.told.feed(API)) == 400)
        assert hub.requests(f.ReadFeed)[0].before == 201


async def test_the_mouse_scrolls_and_opens_the_feed() -> None:
    async with open_deck(telling_hub()) as page:
        await page.shows("pytest -q")
        feed = page.deck.panels.feed
        await page.pilot.click(feed, offset=(20, 4))
        assert page.deck.panels.current
        await page.pilot.click(feed, offset=(20, 4))
        await page.until(lambda: isinstance(page.app.screen, CallScreen))


# ── sessions that were started elsewhere ───────────────────────────────────────────────────────


async def test_a_watched_session_shows_its_conversation_its_feed_and_its_gauge() -> None:
    hub = telling_hub()
    async with open_deck(hub) as page:
        await page.shows("WATCHING")
        await page.press("G")
        await page.shows("answer 59: they grow")
        await page.shows("look into the old repository")
        await freeze(page)
        check_golden("watched-120x40", page.text[page.text.index("\n") :])
        assert all(":" not in view.session for view in hub.requests(m.View))


async def test_nothing_can_be_done_to_a_watched_session() -> None:
    hub = telling_hub()
    async with open_deck(hub) as page:
        await page.shows("WATCHING")
        await page.press("G")
        for key in ("enter", "x", "R", "i", "m"):
            await page.press(key)
            await page.shows("it can only be watched")
            page.deck.notices.dismiss()
        assert not page.deck.typing
        assert not any(isinstance(request, m.Stop | m.Restart | m.Interrupt | m.SendText) for request in hub.asked)


async def test_a_conversation_that_goes_on_is_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "READ_EVERY", 0.05)
    hub = telling_hub()
    async with open_deck(hub) as page:
        await page.shows("WATCHING")
        await page.press("G")
        await page.shows("answer 59")
        hub.conversations[WATCHED].append(f.ConversationLine("assistant", "and one more thing"))
        hub.tell(msgspec.structs.replace(hub.facts[WATCHED], messages=121))
        await page.shows("and one more thing")


async def test_who_rests_leaves_the_list_unless_somebody_reads_it() -> None:
    hub = telling_hub()
    async with open_deck(hub) as page:
        await page.shows("WATCHING")
        await page.press("G")
        await page.shows("answer 59")
        hub.push(f.FactsGone(key=WATCHED))
        await page.press("k")
        assert page.deck.deck.session is not None
        await page.press("j")
        await page.shows("answer 59")
        page.deck.panels.visitors.clear()
        hub.tell(hub.facts[WATCHED])
        await page.press("g")
        hub.push(f.FactsGone(key=WATCHED))
        await page.until(lambda: "WATCHING" not in page.text)


async def test_a_session_that_goes_takes_its_facts_along() -> None:
    hub = telling_hub()
    async with open_deck(hub) as page:
        await page.until(lambda: API in page.deck.panels.told.known)
        hub.push(m.Gone(session=API))
        assert API not in page.deck.panels.told.known


# ── conversations ──────────────────────────────────────────────────────────────────────────────


async def test_scrolling_up_past_the_oldest_row_goes_on_in_the_conversation() -> None:
    hub = telling_hub()
    async with open_deck(hub) as page:
        await look_up_to_the_transcript(page)
        assert "the screen of api" not in page.text or "above: the conversation" in page.text
        await page.press("pageup")
        await page.shows("answer 3")
        await page.press("escape")
        await page.until(lambda: "answer" not in page.text)
        assert "the screen of api" in page.text


async def test_what_the_screen_has_already_is_not_told_twice() -> None:
    hub = telling_hub()
    hub.lines[API] = ["> prompt 30: what about the trees", "", "answer 30: they grow"]
    async with open_deck(hub) as page:
        await look_up_to_the_transcript(page)
        rows = page.text.splitlines()
        mark = next(n for n, row in enumerate(rows) if "from its transcript" in row)
        assert "29 trees" in rows[mark - 2]
        assert "prompt 30" in rows[mark + 1]


async def test_typing_brings_the_live_screen_back() -> None:
    async with open_deck(telling_hub()) as page:
        await page.press("enter", "shift+pageup")
        await page.shows("from its transcript")
        page.deck.raw(b"x")
        await page.until(lambda: "lines up" not in page.text)


async def test_the_wheel_scrolls_into_the_conversation() -> None:
    hub = telling_hub()
    async with open_deck(hub) as page:
        for _ in range(3):
            wheel = events.MouseScrollUp(page.deck.pane, 5, 5, 0, 0, 0, False, False, False)
            page.deck.pane.post_message(wheel)
        await page.shows("from its transcript")


async def test_a_session_without_transcript_ends_at_its_oldest_row() -> None:
    hub = telling_hub()
    del hub.conversations[API]
    async with open_deck(hub) as page:
        await page.press("pageup")
        await page.until(lambda: page.deck.replica(API).told)
        await page.press("pageup")
        assert "lines up" not in page.text
        assert "the screen of api" in page.text


async def test_a_copy_of_the_conversation_is_its_text() -> None:
    async with open_deck(telling_hub()) as page:
        await look_up_to_the_transcript(page)
        await page.press("pageup", "c")
        copied = page.app.clipboard.splitlines()
        assert "> prompt 35: what about the trees" in copied
        assert all(row == row.rstrip() and "│" not in row for row in copied)


async def test_a_text_is_found_in_the_conversation_further_up_and_down_again() -> None:
    async with open_deck(telling_hub()) as page:
        await look_up_to_the_transcript(page)
        await page.press("slash", *"PROMPT 1", "enter")
        await page.shows("> prompt 19:")
        await page.press("n")
        await page.until(lambda: _found(page) == "> prompt 18:")
        await page.press("n")
        await page.until(lambda: _found(page) == "> prompt 17:")
        await page.press("N")
        await page.until(lambda: _found(page) == "> prompt 18:")
        await page.press("escape")
        await page.until(lambda: "the screen of api" in page.text)


def _found(page: Page) -> str:
    pane = page.deck.pane
    if pane.found is None or pane.replica is None:
        return ""
    row = pane.replica.row(pane.found.anchor.line)
    return row.text[:12] if row is not None else ""


async def test_a_text_is_found_in_the_scrollback_first() -> None:
    hub = telling_hub()
    hub.history[API] = [f"old {n}: prompt 7" if n == 40 else f"old {n}" for n in range(1200)]
    async with open_deck(hub) as page:
        await page.press("pageup", "slash", *"prompt 7", "enter")
        await page.shows("old 40: prompt 7")
        await page.press("n")
        await page.shows("> prompt 7: what about")


async def test_what_is_nowhere_is_said() -> None:
    async with open_deck(telling_hub()) as page:
        await page.press("pageup")
        await page.press("slash", *"a lion", "enter")
        await page.shows("no 'a lion' further up")


async def test_a_search_can_be_given_up_while_it_is_typed() -> None:
    async with open_deck(telling_hub()) as page:
        await look_up_to_the_transcript(page)
        await page.press("slash", "x", "backspace", "y")
        await page.shows("/y_")
        assert " FIND " in page.text
        await page.press("escape")
        assert " FIND " not in page.text


async def test_a_hit_of_a_search_opens_at_its_message() -> None:
    hub = telling_hub()
    hub.conversations["claude:rests"] = hub.conversations[WATCHED]
    async with open_deck(hub, at=("claude:rests", 21)) as page:
        await page.shows("answer 10: they grow")
        assert page.deck.deck.selected == "claude:rests"
        assert "answer 10" in page.text.splitlines()[2]
        assert _found(page) == "answer 10: t"


async def test_a_hit_in_one_of_our_sessions_opens_its_conversation() -> None:
    hub = telling_hub()
    hub.sessions[API] = session(1, name="api", resume_id="mine")
    hub.conversations["claude:mine"] = hub.conversations[API]
    async with open_deck(hub, at=("api", 4)) as page:
        await page.until(lambda: page.deck.deck.selected == "claude:mine")
        await page.shows("> prompt 2:")


async def test_a_conversation_that_is_nowhere_ends_the_deck_with_its_reason() -> None:
    async with open_deck(telling_hub(), at=("claude:lost", 4)) as page:
        await page.until(lambda: page.app.failure is not None)
    assert isinstance(page.app.failure, UnknownSessionError)


# ── tokens and cost ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", SIZES)
async def test_the_usage_screen_looks_as_drawn(size: tuple[int, int]) -> None:
    hub = telling_hub()
    async with open_deck(hub, size) as page:
        await freeze(page)
        await page.press("dollar_sign")
        await page.shows("US$ by day")
        check_golden(f"usage-{size[0]}x{size[1]}", page.text)
        await page.press("t")
        await page.shows("tokens by day")
        await page.press("escape")
        await page.until(lambda: page.app.screen is page.deck)


async def test_a_report_that_cannot_be_had_is_said() -> None:
    hub = telling_hub()
    hub.failing[f.ReadUsage] = AgentdeckError("the ledger is locked", hint="try again")
    async with open_deck(hub) as page:
        await page.press("dollar_sign")
        await page.until(lambda: isinstance(page.app.screen, UsageScreen))
        await page.shows("the ledger is locked (try again)")
        del hub.failing[f.ReadUsage]
        await page.press("r")
        await page.shows("US$ by day")


async def test_the_usage_screen_without_colour_sends_attributes_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with open_deck(telling_hub()) as page:
        await page.press("dollar_sign")
        await page.shows("US$ by day")
        strips = page.app.screen._compositor.render_strips()
        colours = {each.style.color for strip in strips for each in strip if each.style and each.style.color}
        assert all(colour.is_default for colour in colours)


# ── the hub's news ─────────────────────────────────────────────────────────────────────────────


async def test_after_a_new_line_to_the_hub_everything_is_asked_anew() -> None:
    hub = telling_hub()
    async with open_deck(hub) as page:
        await page.shows("pytest -q")
        hub.asked.clear()
        hub.feeds[API] = [line(1, "message", "user", "counted anew")]
        hub.die()
        await page.until(lambda: hub.requests(f.WatchFacts) and hub.requests(f.FollowFeed))
        await page.shows("counted anew")
        assert "pytest -q" not in page.text


async def test_facts_that_look_the_same_cost_no_repaint(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = telling_hub()
    async with open_deck(hub) as page:
        await page.shows("pytest -q")
        await freeze(page)
        painted: list[object] = []
        monkeypatch.setattr(page.app, "_display", lambda *update: painted.append(update))
        hub.push(f.FactsChanged(facts=tuple(hub.facts.values())))
        hub.tell(msgspec.structs.replace(hub.facts[API], tokens=182 * 9000 + 3, burn_usd_hour=1.3099))
        page.deck.draw()
        await page.pilot.pause(0.3)
        assert painted == []


async def test_a_frame_is_not_delayed_by_facts() -> None:
    hub = telling_hub()
    async with open_deck(hub) as page:
        painted: list[object] = []
        page.deck.pane.changed = painted.append  # type: ignore[method-assign, assignment]
        hub.tell(msgspec.structs.replace(hub.facts[API], tokens=1))
        hub.push(m.Screen(frame=frame(API, ["now"], 92, 27, seq=5)))
        assert len(painted) == 1
        assert isinstance(page.deck.pane, Pane)


async def test_tab_goes_to_the_feed_and_back() -> None:
    async with open_deck(telling_hub()) as page:
        await page.press("tab")
        assert page.deck.panels.current
        await page.press("tab")
        assert not page.deck.panels.current
        await page.press("tab", "E", "j")
        assert page.deck.deck.selected == WEB
