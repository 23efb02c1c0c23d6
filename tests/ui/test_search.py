"""Searching all conversations inside the deck: what is seen while one types, where it leads, and the way back."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual import events

from agentdeck.config import Config
from agentdeck.errors import AgentdeckError, SessionError
from agentdeck.protocol import facts as f
from agentdeck.protocol import messages as m
from agentdeck.protocol import search as se
from agentdeck.ui import glyphs
from agentdeck.ui.screens.search import SearchScreen
from agentdeck.ui.theme import contrast
from agentdeck.ui.widgets.search_results import rows_of, window
from tests.fakes.fake_hub import NOW, FakeHub, session
from tests.ui.deck_page import Page, check_golden, freeze, open_deck
from tests.ui.told import WATCHED, conversation, tell_of

SIZES = [(80, 24), (120, 40), (200, 60)]
pytestmark = pytest.mark.usefixtures("utc")

API, WEB = session(1).id, session(2).id
PAST, OLD = "claude:0b6d7a52", "codex:7f0c4a5e"
WORK = "/home/ana/code/orchard"
MORE = "more " * 20
HOUR, DAY = 3600.0, 86400.0


def place(key: str, snippet: str, age: float, role: str = "user", turn: int = 0, **more: str) -> se.Place:
    provider, _, own = key.partition(":")
    return se.Place(
        provider, own, more.get("project", WORK), NOW - age if age else 0.0, role, more.get("agent", ""), turn, snippet
    )


def searching_hub() -> FakeHub:
    hub = FakeHub(session(1, name="api", resume_id="conversation-1"), session(2, name="web", state="working"))
    hub.lines = {API: ["the screen of api"], WEB: ["the screen of web"]}
    tell_of(hub)
    for key in (PAST, OLD):
        hub.conversations[key] = conversation(40)
    hub.titles = {PAST: "How trees grow in an orchard", OLD: "漢字 and trees"}
    ours = "claude:conversation-1"
    hub.places = [
        place(ours, "answer 39: they grow, what about the trees", 42, "assistant", 79, project="/home/ana/shop"),
        *(
            place(PAST, f"prompt {n}: what of the trees, the other trees and {MORE}", HOUR * (40 - n), turn=2 * n)
            for n in range(39, 32, -1)
        ),
        place(WATCHED, "look into the old trees of the repository", DAY, turn=0, project="/home/ana/old"),
        place(OLD, "grep -rn trees src", 3 * DAY, "tool", 3),
        place(OLD, "it counts 漢字 and " + "other " * 20 + "trees", 3 * DAY, agent="a1", turn=-1),
        place(OLD, "they are all trees", 0, "thinking", 1),
    ]  # fmt: skip
    return hub


async def search(page: Page, *text: str) -> SearchScreen:
    await page.press("s")
    await page.until(lambda: isinstance(page.app.screen, SearchScreen) and page.app.screen.focused)
    screen = page.app.screen
    assert isinstance(screen, SearchScreen)
    screen.results._now = lambda: NOW
    if text:
        await page.press(*text)
    return screen


async def search_trees(page: Page) -> SearchScreen:
    screen = await search(page, *"trees")
    await page.shows("How trees grow")
    return screen


async def open_the_past_one(page: Page) -> None:
    await search(page, *"prompt")
    await page.shows("prompt 39")
    await page.press("enter")
    await page.shows("a resumes this conversation here")


def lines(page: Page) -> list[str]:
    return [line.strip("│ ") for line in page.text.splitlines()]


# ── what is seen ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_hits_stand_under_their_conversations_newest_first(size: tuple[int, int]) -> None:
    async with open_deck(searching_hub(), size) as page:
        await freeze(page)
        await search_trees(page)
        check_golden(f"search-{size[0]}x{size[1]}", page.text)


@pytest.mark.parametrize("theme", ["night", "paper"])
async def test_the_words_are_marked_and_so_is_the_chosen_line(theme: str) -> None:
    async with open_deck(searching_hub(), config=Config(theme=theme)) as page:
        screen = await search_trees(page)
        line = screen.results.render_line(1)
        (marked,) = [segment for segment in line if segment.text == "trees"]
        (plain,) = [segment for segment in line if segment.text.startswith("answer 39")]
        assert marked.style is not None
        assert plain.style is not None
        assert marked.style.bold
        assert marked.style.color != plain.style.color
        assert marked.style.bgcolor == plain.style.bgcolor != screen.results.rich_style.bgcolor
        ink, ground = marked.style.color, marked.style.bgcolor
        assert ink is not None
        assert ground is not None
        assert contrast(ink.get_truecolor().hex, ground.get_truecolor().hex) >= 3


async def test_without_colour_marks_and_choice_are_seen_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with open_deck(searching_hub()) as page:
        screen = await search_trees(page)
        (marked,) = [segment for segment in screen.results.render_line(1) if segment.text == "trees"]
        assert marked.style is not None
        assert (marked.style.underline, marked.style.reverse) == (True, True)
        other = next(segment for segment in screen.results.render_line(3) if segment.text == "trees")
        assert other.style is not None
        assert other.style.underline
        assert not other.style.reverse


async def test_plain_terminals_get_plain_signs() -> None:
    glyphs.activate(glyphs.ASCII)
    try:
        async with open_deck(searching_hub()) as page:
            await search(page, *"all tr")
            await page.shows("they are all trees")
            await page.press("backspace", "backspace", "backspace", "backspace", "backspace", "backspace", *"what")
            await page.shows("prompt 39")
            assert page.text.isascii()
    finally:
        glyphs.activate(glyphs.UNICODE)


async def test_every_key_asks_and_only_the_newest_answer_counts() -> None:
    hub = searching_hub()
    async with open_deck(hub) as page:
        await search_trees(page)
        assert [sent.text for sent in hub.requests(se.Search)] == ["t", "tr", "tre", "tree", "trees"]
        await page.press(*" of")
        await page.shows("old trees of the repository")
        await page.until(lambda: "prompt 39" not in page.text)
        await page.press(*" x")
        await page.shows("nothing found")


async def test_what_is_typed_faster_than_the_screen_opens_is_searched_and_does_nothing_else() -> None:
    hub = searching_hub()
    async with open_deck(hub) as page:
        for key in "strees":
            page.app.post_message(events.Key(key, key))
        await page.shows("How trees grow")
        assert hub.requests(se.Search)[-1].text == "trees"
        assert page.deck.deck.selected == API


async def test_an_answer_that_is_outdated_changes_nothing() -> None:
    hub = searching_hub()
    async with open_deck(hub) as page:
        screen = await search_trees(page)
        before = page.text
        await screen._asked(se.Search(text="tree"), screen._number - 1, anew=True)
        hub.places.clear()
        await screen._asked(se.Search(text="none"), screen._number - 1, anew=True)
        assert page.text == before


async def test_an_empty_line_says_what_can_be_asked() -> None:
    async with open_deck(searching_hub()) as page:
        await search(page)
        await page.shows('"a phrase"')
        assert "-without" in page.text
        await page.press(*"trees")
        await page.shows("prompt 39")
        await page.press("ctrl+u")
        await page.shows('"a phrase"')


async def test_where_nothing_has_been_said_that_is_said() -> None:
    hub = FakeHub(session(1))
    hub.indexing = se.Indexing(complete=True, empty=True)
    async with open_deck(hub, (80, 24)) as page:
        await search(page)
        await page.shows("nothing has been said yet")
        await page.press(*"pear")
        await page.shows("nothing has been said yet")


async def test_while_the_index_is_made_it_says_how_far_it_is_and_shows_what_comes() -> None:
    hub = searching_hub()
    hub.indexing = se.Indexing(done=12, of=2094)
    places, hub.places = hub.places, []
    async with open_deck(hub) as page:
        await search(page, *"trees")
        await page.shows("reading 12 of 2,094 transcripts")
        await page.shows("nothing found so far")
        hub.places = places[1:3]
        hub.push(se.Indexing(done=500, of=2094))
        await page.shows("prompt 38")
        await page.press("down")
        hub.places = places
        hub.push(se.Indexing(done=2094, of=2094, complete=True))
        await page.shows("they are all trees")
        assert next(line for line in lines(page) if "❯" in line).startswith("❯ user       prompt 38")
        assert "reading" not in page.text
        await page.press("pageup")
        await page.shows("answer 39")


async def test_what_is_wrong_with_the_index_is_said() -> None:
    hub = searching_hub()
    hub.failing[se.Search] = AgentdeckError("the search index cannot be used: disk full", hint="make room")
    async with open_deck(hub) as page:
        await search(page, *"trees")
        await page.shows("cannot be used: disk full (make room)")
        del hub.failing[se.Search]
        hub.push(se.Indexing(problem="the search index was damaged"))
        await page.shows("the search index was damaged")
        await page.press("space")
        await page.shows("prompt 39")


async def test_another_hub_is_asked_to_keep_the_index() -> None:
    hub = searching_hub()
    async with open_deck(hub) as page:
        await search(page)
        await page.until(lambda: len(hub.requests(se.OpenSearch)) == 1)
        hub.die()
        await page.until(lambda: len(hub.requests(se.OpenSearch)) == 2)
        await page.press("escape")
        await page.until(lambda: [sent.on for sent in hub.requests(se.OpenSearch)] == [True, True, False])


# ── moving ─────────────────────────────────────────────────────────────────────────────────────


async def test_the_arrows_choose_places_and_pass_headings_over() -> None:
    async with open_deck(searching_hub(), (80, 24)) as page:
        screen = await search_trees(page)
        kinds = []
        for _ in range(12):
            row = screen.results.chosen
            assert row is not None
            kinds.append(row.kind)
            await page.press("down")
        assert kinds == ["place"] * 6 + ["more"] + ["place"] * 4 + ["place"]
        await page.press("pageup", "pageup")
        assert screen.results.chosen == screen.results.rows[1]
        await page.press("up")
        assert screen.results.chosen == screen.results.rows[1]
        await page.press("pagedown")
        assert screen.results.chosen is not None
        assert screen.results.chosen.kind != "heading"


async def test_all_places_of_a_conversation_come_on_request() -> None:
    hub = searching_hub()
    async with open_deck(hub) as page:
        screen = await search(page, *"trees")
        await page.shows("more places in this conversation")
        await page.press(*["down"] * 6, "enter")
        await page.until(lambda: "prompt 33" in page.text)
        assert "more places" not in page.text
        assert hub.requests(se.Search)[-1].within == PAST
        assert screen.is_current


async def test_more_are_asked_for_when_one_comes_to_the_end() -> None:
    hub = searching_hub()
    hub.places = [place(f"claude:{n:08}", f"tree {n}", n * HOUR) for n in range(200)]
    async with open_deck(hub, (80, 24)) as page:
        screen = await search(page, *"tree")
        await page.shows("tree 5")
        assert len(screen.results.rows) == 40
        for _ in range(12):
            await page.press("pagedown")
        await page.until(lambda: len(screen.results.rows) > 100)
        row = screen.results.chosen
        assert row is not None
        assert row.place.snippet in page.text


async def test_a_large_terminal_is_filled() -> None:
    hub = searching_hub()
    hub.places = [place(f"claude:{n:08}", f"tree {n}", n * HOUR) for n in range(200)]
    async with open_deck(hub, (200, 60)) as page:
        screen = await search(page, *"tree")
        await page.until(lambda: len(screen.results.rows) >= screen.results.size.height)


async def test_a_click_opens_and_the_wheel_moves() -> None:
    async with open_deck(searching_hub()) as page:
        screen = await search_trees(page)
        await page.pilot._post_mouse_events([], screen.results)
        await page.pilot.click(screen.results, offset=(20, 4))
        await page.until(lambda: page.app.screen is page.deck)
        assert page.deck.deck.selected == PAST


# ── there and back ─────────────────────────────────────────────────────────────────────────────


async def test_escape_leads_back_and_the_search_is_remembered() -> None:
    hub = searching_hub()
    async with open_deck(hub) as page:
        await page.press("j")
        await search_trees(page)
        await page.press("escape")
        await page.until(lambda: page.app.screen is page.deck)
        assert page.deck.deck.selected == WEB
        assert "WATCHING             1" in page.text
        await search(page)
        await page.shows("How trees grow")
        await page.press(*"grep")  # in place of what was sought before
        await page.until(lambda: "grep -rn" in page.text and "prompt" not in page.text)


async def test_a_past_conversation_opens_at_its_message_and_escape_leads_back() -> None:
    hub = searching_hub()
    async with open_deck(hub) as page:
        await page.press("j")
        await search_trees(page)
        await page.press("down", "down", "enter")
        await page.shows("prompt 38: what about the trees")
        await page.shows("a resumes this conversation here")
        await page.until(lambda: page.deck.pane.found is not None)
        found = page.deck.pane.found
        assert found is not None
        row = page.deck.replica(PAST).row(found.anchor.line)
        assert row is not None
        assert row.text[found.anchor.column : found.head.column + 1] == "trees"
        assert "prompt 38" in row.text
        assert page.deck.deck.selected == PAST
        assert "esc back" in page.text
        await page.press("escape")
        await page.until(lambda: page.deck.deck.selected == WEB)
        await page.until(lambda: "orchard" not in page.text)


async def test_only_one_conversation_is_a_guest_at_a_time_and_the_way_leads_back_to_the_beginning() -> None:
    async with open_deck(searching_hub()) as page:
        await search_trees(page)
        await page.press("down", "enter")
        await page.until(lambda: page.deck.deck.selected == PAST)
        await search(page)
        await page.shows("How trees grow")
        assert next(line for line in lines(page) if "❯" in line).startswith("❯ user       prompt 39")
        await page.press("ctrl+u", *"grep")
        await page.shows("grep -rn")
        await page.press("enter")
        await page.until(lambda: page.deck.deck.selected == OLD)
        assert set(page.deck.panels.visitors) == {OLD}
        await page.press("escape")
        await page.until(lambda: page.deck.deck.selected == API)
        assert not page.deck.panels.visitors


async def test_a_session_of_the_deck_is_selected_and_shows_its_message() -> None:
    hub = searching_hub()
    hub.places[0] = place("claude:conversation-1", "prompt 3: what about the trees", 42, turn=6)
    async with open_deck(hub) as page:
        await page.press("j")
        await search(page, *"trees")
        await page.shows("1 api")
        await page.press("enter")
        await page.until(lambda: page.deck.deck.selected == API)
        await page.shows("prompt 3: what about the trees")
        assert page.deck.pane.lines_up > 0
        assert not page.deck.panels.visitors
        await page.press("escape")
        await page.shows("the screen of api")
        assert page.deck.deck.selected == API


async def test_a_message_that_is_still_on_the_screen_is_shown_there() -> None:
    hub = searching_hub()
    hub.lines[API] = ["> prompt 39: what about the trees", "", "answer 39: they grow"]
    hub.places[0] = place("claude:conversation-1", "answer 39: they grow", 42, "assistant", turn=79)
    async with open_deck(hub) as page:
        await search(page, *"they g")
        await page.shows("answer 39")
        await page.press("enter")
        await page.until(lambda: page.deck.pane.found is not None)
        found = page.deck.pane.found
        assert found is not None
        assert found.anchor.line == 2
        assert page.deck.pane.lines_up == 0


async def test_a_watched_session_is_selected_where_its_message_is() -> None:
    hub = searching_hub()
    async with open_deck(hub) as page:
        await page.shows("WATCHING")
        await search(page, *"old trees")
        await page.shows("look into")
        await page.press("enter")
        await page.until(lambda: page.deck.deck.selected == WATCHED)
        await page.shows("prompt 0: what about the trees")
        assert "resumes this conversation" not in page.text
        await page.press("escape")
        await page.until(lambda: page.deck.deck.selected == API)
        assert "WATCHING" in page.text


async def test_a_sub_agents_words_open_its_conversation_at_the_end() -> None:
    async with open_deck(searching_hub()) as page:
        await search(page, *"counts")
        await page.shows("sub-agent")
        await page.press("enter")
        await page.shows("answer 39: they grow")


async def test_a_conversation_that_has_gone_is_said() -> None:
    hub = searching_hub()
    del hub.conversations[PAST]
    async with open_deck(hub) as page:
        await search(page, *"prompt")
        await page.shows("prompt 39")
        await page.press("enter")
        await page.shows(f"no session {PAST!r}"[:20])
        assert page.deck.deck.selected == API
        assert not page.deck.panels.visitors


# ── going on with it ───────────────────────────────────────────────────────────────────────────


async def test_a_past_conversation_is_resumed_where_it_was() -> None:
    hub = searching_hub()
    async with open_deck(hub) as page:
        await open_the_past_one(page)
        await page.press("a")
        await page.shows("goes on with this conversation here")
        hub.sessions["0000000c"] = session(12, name="orchard")
        await page.press("enter")
        await page.until(lambda: hub.requests(se.ResumeFound))
        (sent,) = hub.requests(se.ResumeFound)
        assert (sent.provider, sent.session, sent.cwd) == ("claude", "0b6d7a52", WORK)
        assert sent.env["HOME"] == "/home/ana"
        await page.until(lambda: not page.deck.panels.visitors)


async def test_what_speaks_against_resuming_is_said() -> None:
    hub = searching_hub()
    hub.failing[se.ResumeFound] = SessionError("process 7 has gone on with this conversation", hint="")
    async with open_deck(hub) as page:
        await open_the_past_one(page)
        await page.press("a")
        await page.shows("goes on with this conversation here")
        await page.press("enter")
        await page.shows("process 7 has gone on with this conversation")
        assert page.deck.deck.selected == PAST


async def test_a_conversation_somebody_has_is_not_offered() -> None:
    hub = searching_hub()
    async with open_deck(hub) as page:
        await open_the_past_one(page)
        provider, _, own = PAST.partition(":")
        hub.tell(f.Facts(key=PAST, provider=provider, provider_session=own, watched=True, state="working"))
        await page.until(lambda: "resumes this conversation" not in page.text)
        assert not any(isinstance(sent, m.Spawn | se.ResumeFound) for sent in hub.asked)


# ── pure ───────────────────────────────────────────────────────────────────────────────────────


def test_a_conversation_stands_once_where_its_newest_place_is() -> None:
    one, two, three = place(PAST, "a", 1), place(OLD, "b", 2), place(PAST, "c", 3)
    rows = rows_of([one, two, three], fuller=[OLD])
    assert [(row.kind, row.place.snippet) for row in rows] == [
        ("heading", "a"), ("place", "a"), ("place", "c"), ("heading", "b"), ("place", "b"), ("more", "b"),
    ]  # fmt: skip


@given(st.text(max_size=120), st.integers(0, 119), st.integers(1, 30), st.integers(4, 100))
def test_a_cut_snippet_fits_and_has_the_beginning_of_its_first_mark(
    text: str, begin: int, length: int, width: int
) -> None:
    marks = ((begin, begin + length),) if begin + length <= len(text) else ()
    pieces = window(text, marks, width)
    assert sum(cell_len(piece.text) for piece in pieces) <= width
    if marks and cell_len(text[begin]) == 1 and text[begin].isprintable():
        assert any(piece.ink == "found" for piece in pieces)


def test_the_place_object_names_its_words_once() -> None:
    found = msgspec.structs.replace(place(PAST, "tree and tree", 1), marks=((0, 4), (9, 13)))
    assert found.words == ("tree",)
