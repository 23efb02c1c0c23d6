"""The event feed: what an agent did, a line each, that follows or stands still."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.message import Message
from textual.pilot import Pilot

from agentdeck.protocol.facts import FeedLine
from agentdeck.ui import glyphs
from agentdeck.ui.figures import clean
from agentdeck.ui.widgets.feed import EventFeed, passes
from tests.ui.showing import Stage, on_screen, seen
from tests.ui.told import feed as lines_of_a_day
from tests.ui.told import line

KEY = "00000001"


class FeedStage(Stage):
    """Remembers what the feed says."""

    def __init__(self, feed: EventFeed) -> None:
        super().__init__(feed)
        self.said: list[Message] = []

    def on_event_feed_opened(self, message: EventFeed.Opened) -> None:
        self.said.append(message)

    def on_event_feed_older_wanted(self, message: EventFeed.OlderWanted) -> None:
        self.said.append(message)


def numbered(last: int, first: int = 1) -> tuple[FeedLine, ...]:
    return tuple(line(n, "tool_use", "Bash", f"make {n}", status="ok", call=f"c{n}") for n in range(first, last + 1))


async def shown(feed: EventFeed, pilot: Pilot[None], lines: tuple[FeedLine, ...], *, current: bool = True) -> list[str]:
    feed.show(KEY, "1 api", lines, current=current)
    await pilot.pause()
    return seen(feed)


async def test_it_follows_what_comes() -> None:
    feed = EventFeed()
    async with FeedStage(feed).run_test(size=(80, 7)) as pilot:
        assert "make 5 " in (await shown(feed, pilot, numbered(5)))[-2]
        rows = await shown(feed, pilot, numbered(9))
        assert "make 9 " in rows[-2]
        assert "follow" in rows[0]


async def test_scrolled_up_it_stands_still_until_the_end_is_seen_again() -> None:
    feed = EventFeed()
    async with FeedStage(feed).run_test(size=(80, 7)) as pilot:
        await shown(feed, pilot, numbered(20))
        feed.scroll(-3)
        before = (await shown(feed, pilot, numbered(20)))[1:]
        rows = await shown(feed, pilot, numbered(30))
        assert rows[1:] == before
        assert "13 below" in rows[0]
        feed.scroll(100)
        assert feed.following
        assert "make 30 " in (await shown(feed, pilot, numbered(30)))[-2]


async def test_the_chosen_line_stays_in_view_and_opens() -> None:
    feed = EventFeed()
    app = FeedStage(feed)
    async with app.run_test(size=(80, 7)) as pilot:
        await shown(feed, pilot, numbered(20))
        for _ in range(9):
            feed.move(-1)
        await pilot.pause()
        assert feed.chosen is not None
        assert feed.chosen.text == "make 11"
        assert any("make 11 " in row for row in seen(feed))
        feed.open()
        await pilot.pause()
        assert [message.line.n for message in app.said if isinstance(message, EventFeed.Opened)] == [11]
        feed.move(100)
        assert feed.following


async def test_coming_to_the_oldest_line_older_ones_are_asked_for_once() -> None:
    feed = EventFeed()
    app = FeedStage(feed)
    async with app.run_test(size=(80, 7)) as pilot:
        await shown(feed, pilot, numbered(220, 201))
        feed.first()
        feed.first()
        await pilot.pause()
        assert [message.before for message in app.said if isinstance(message, EventFeed.OlderWanted)] == [201]
        rows = await shown(feed, pilot, numbered(220, 1))
        assert "make 201 " in rows[1], "the view stays where it was"


async def test_another_session_is_followed_from_its_end() -> None:
    feed = EventFeed()
    async with FeedStage(feed).run_test(size=(80, 7)) as pilot:
        await shown(feed, pilot, numbered(20))
        feed.first()
        feed.show("00000002", "2 web", numbered(12), current=True)
        await pilot.pause()
        assert feed.following
        assert "make 12 " in seen(feed)[-2]


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("tools", ["src/auth/refresh.py", "pytest -q tests/test_auth.py", "src/auth/refresh.py",
                   "look at the other tests", "TODO"]),
        ("messages", ["fix the flaky refresh test", "I'll fix the token refresh first. 漢字"]),
        ("errors", ["pytest -q tests/test_auth.py"]),
    ],
)  # fmt: skip
def test_kinds_sift_lines(kind: str, texts: list[str]) -> None:
    assert [each.text for each in lines_of_a_day() if passes(each, kind)] == texts


async def test_a_line_tells_time_sign_what_result_duration_and_tokens() -> None:
    feed = EventFeed()
    async with FeedStage(feed).run_test(size=(94, 9)) as pilot:
        rows = await shown(feed, pilot, tuple(lines_of_a_day()), current=False)
        bash = next(row for row in rows if "pytest" in row)
        assert " $ Bash     pytest -q tests/test_auth.py" in bash
        assert bash.endswith("✗  6.2s   +900 │")
        assert next(row for row in rows if "Edit" in row).endswith("+1 −1 ✓  0.3s        │")


async def test_what_processes_used_stands_at_the_end_where_there_is_room() -> None:
    feed = EventFeed()
    lines = (line(1, "tool_use", "Bash", "make", status="ok", call="c", burned="pytest 92 %"),)
    async with FeedStage(feed).run_test(size=(100, 5)) as pilot:
        assert "pytest 92 %" in (await shown(feed, pilot, lines))[1]
        assert "pytest 92 %" not in (await shown(feed, pilot, ()))[1]


@given(
    st.lists(
        st.builds(
            line,
            st.integers(1, 9),
            st.sampled_from(["message", "tool_use", "error", "session_start", "compaction", "something new"]),
            st.text(max_size=12),
            st.text(max_size=60),
            status=st.sampled_from(["", "ok", "error", "pending"]),
            seconds=st.none() | st.floats(0, 1e6),
            tokens=st.integers(0, 10**7),
            agent=st.sampled_from(["", "a"]),
            added=st.none() | st.integers(0, 99),
        ),
        max_size=6,
        unique_by=lambda each: each.n,
    ),
    st.integers(4, 120),
    st.sampled_from(["unicode", "narrow", "ascii"]),
)
def test_every_line_fits_whatever_it_says(lines: list[FeedLine], width: int, signs: str) -> None:
    feed = EventFeed()
    feed._known = tuple(sorted(lines, key=lambda each: each.n))
    feed._sift()
    was = glyphs.active()
    glyphs.activate(glyphs.SETS[signs])
    try:
        for row in feed.lay_out(width, 8):
            text = "".join(piece.text for piece in row.pieces)
            assert clean(text) == text
            assert glyphs_width(text) <= width
    finally:
        glyphs.activate(was)


def glyphs_width(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


async def test_nothing_yet_is_said() -> None:
    feed = EventFeed()
    async with FeedStage(feed).run_test(size=(60, 5)) as pilot:
        feed.show(KEY, "1 api", (), nothing="a shell keeps no transcript")
        await pilot.pause()
        assert "a shell keeps no transcript" in on_screen(pilot.app)
