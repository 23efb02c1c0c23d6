from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual import on
from textual.events import MouseScrollDown

from agentdeck.protocol.messages import STATES, ProgramStatus, Session, Usage
from agentdeck.ui.glyphs import UNICODE
from agentdeck.ui.state import deck_order
from agentdeck.ui.widgets.sidebar import Listing, Sidebar, groups
from tests.ui.showing import NOW, Stage, asking, inks, seen, session

OPS = "/home/ana/ops"
SESSIONS = [
    asking(1, "api", "Edit refresh.py"),
    session(2, "web", "working", since=NOW - 51),
    session(3, "docs", "working", since=NOW - 4, status=ProgramStatus("working", "", "apply_patch")),
    asking(4, "infra", "Which region?", cwd=OPS, since=NOW - 8),
    session(5, "lab", "idle", cwd=OPS, since=NOW - 4000),
    session(6, "mig", "exited", cwd=OPS, exit_status=1, ended=NOW - 720),
]
USAGES = {SESSIONS[1].id: Usage(61, 700 << 20, busiest="npm test"), SESSIONS[2].id: Usage(3, 200 << 20)}
MANY = [session(n, f"s{n}", "working", cwd=f"/w/{n // 10}") for n in range(1, 41)]


class Picking(Stage):
    @on(Sidebar.Picked)
    def picked(self, message: Sidebar.Picked) -> None:
        self.messages.append(message.session)


def show(
    bar: Sidebar, sessions: Sequence[Session] = SESSIONS, selected: str = SESSIONS[0].id, filter: str = ""
) -> None:
    bar.show(sessions, selected, USAGES, NOW, filter)


async def test_it_lists_what_waits_and_then_everything_by_directory() -> None:
    bar = Sidebar()
    async with Stage(bar).run_test(size=(26, 24)) as pilot:
        show(bar, selected=SESSIONS[1].id)
        await pilot.pause()
        assert seen(bar)[:16] == [
            " NEEDS YOU            2",
            " ◆1 api Edit refr… 0:42",
            " ◆4 infra Which r… 0:08",
            "",
            " SESSIONS             6",
            " ▸ shop",
            " ◆1 api            0:42",
            "❯●2 web        61% 700M",
            "    npm test       0:51",
            " ●3 docs        3% 200M",
            "    apply_patch    0:04",
            " ▸ ops",
            " ◆4 infra          0:08",
            " ○5 lab              1h",
            " ✗6 mig     exit 1  12m",
            "",
        ]


async def test_without_anybody_waiting_there_is_no_such_heading() -> None:
    bar = Sidebar()
    async with Stage(bar).run_test(size=(26, 24)) as pilot:
        show(bar, SESSIONS[1:3])
        await pilot.pause()
        assert seen(bar)[0] == " SESSIONS             2"


async def test_who_waits_longest_comes_first() -> None:
    bar = Sidebar()
    async with Stage(bar).run_test(size=(26, 24)) as pilot:
        show(bar, [asking(1, "new", "a", since=NOW - 1), asking(2, "old", "b", since=NOW - 900)])
        await pilot.pause()
        assert [line.split()[1] for line in seen(bar)[1:3]] == ["old", "new"]


async def test_the_rows_of_the_selected_session_are_filled() -> None:
    bar = Sidebar()
    async with Stage(bar).run_test(size=(26, 24)) as pilot:
        show(bar, selected=SESSIONS[1].id)
        await pilot.pause()
        grounds = [{colour for _, colour in inks(bar, y)} for y in range(10)]
        assert grounds[7] == grounds[8] != grounds[6] == grounds[9]
        assert grounds[1] == grounds[2] != grounds[7]


async def test_marks_bells_and_warnings_are_shown() -> None:
    bar = Sidebar()
    async with Stage(bar).run_test(size=(30, 24)) as pilot:
        show(bar, [session(1, "a", marked=True), session(2, "b", bells=1), session(3, "c", idle_stop=NOW + 540)])
        await pilot.pause()
        text = "\n".join(seen(bar))
        assert "1 a *" in text
        assert "2 b ♪" in text
        assert "    idle: stops in 9:00" in text


@pytest.mark.parametrize(
    ("facts", "right"),
    [
        ({"state": "exited", "exit_status": 0, "ended": NOW - 5}, "exit 0 0:05"),
        ({"state": "exited", "exit_status": 137, "ended": NOW - 5}, "SIGKILL 0:05"),
        ({"state": "exited", "exit_status": None, "ended": NOW - 5}, "ended 0:05"),
        ({"state": "error", "problem": "claude was not found"}, "failed 0:42"),
        ({"state": "idle", "since": 0.0}, "api"),
        ({"state": "working"}, "api"),
    ],
)
async def test_the_right_edge_has_the_age_or_how_it_ended(facts: dict[str, object], right: str) -> None:
    bar = Sidebar()
    async with Stage(bar).run_test(size=(32, 24)) as pilot:
        one = session(1, "api", **facts)  # type: ignore[arg-type]
        bar.show([one], "", {one.id: Usage()} if right == "never" else {}, NOW, "")
        await pilot.pause()
        line = seen(bar)[2]
        assert line.endswith(right) or (facts["state"] == "working" and line.endswith("0:42"))


async def test_a_narrow_sidebar_shows_less_of_each_but_all_of_them() -> None:
    bar = Sidebar()
    async with Stage(bar).run_test(size=(18, 24)) as pilot:
        bar.styles.width = 18
        show(bar, selected=SESSIONS[1].id)
        await pilot.pause()
        assert "❯●2 web     61%" in seen(bar)
        assert " ✗6 mig  exit 1" in seen(bar)
        assert all(cell_len(line) <= 16 for line in seen(bar))


async def test_the_filter_is_shown_and_hides_without_renumbering() -> None:
    bar = Sidebar()
    async with Stage(bar).run_test(size=(26, 24)) as pilot:
        show(bar, filter="s:waiting")
        await pilot.pause()
        text = seen(bar)
        assert text[0] == " /s:waiting      2 of 6"
        assert [line for line in text if "infra" in line][-1].startswith(" ◆4 infra")
        assert not any("web" in line or "lab" in line for line in text)
        show(bar, filter="nobody")
        await pilot.pause()
        assert " nothing matches" in seen(bar)


async def test_an_empty_deck_says_so() -> None:
    bar = Sidebar()
    async with Stage(bar).run_test(size=(26, 10)) as pilot:
        show(bar, [])
        await pilot.pause()
        assert seen(bar)[0] == " no sessions yet"


# ── scrolling ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("height", [8, 12, 24])
async def test_the_selected_session_is_visible_wherever_one_goes(height: int) -> None:
    bar = Sidebar()
    async with Stage(bar).run_test(size=(26, height)) as pilot:
        for place in [*range(40), 39, 3, 20, 0, 39]:
            show(bar, MANY, MANY[place].id)
            await pilot.pause()
            chosen = [line for line in seen(bar) if line.startswith("❯")]
            assert len(chosen) == 1, (place, seen(bar))
            assert f"{place + 1} s{place + 1} " in chosen[0]


async def test_hidden_rows_are_counted() -> None:
    bar = Sidebar()
    async with Stage(bar).run_test(size=(26, 12)) as pilot:
        show(bar, MANY, MANY[20].id)
        await pilot.pause()
        text = seen(bar)
        above, below = (int(line.split()[1]) for line in (text[0], text[-1]))
        assert text[0].split()[0] == "↑"
        assert text[-1].split()[0] == "↓"
        assert above + below + len(text) - 2 == 1 + 5 + 2 * 40  # the heading, five directories, two rows each


async def test_news_does_not_scroll_the_list_that_somebody_scrolled() -> None:
    bar = Sidebar()
    async with Stage(bar).run_test(size=(26, 12)) as pilot:
        show(bar, MANY, MANY[0].id)
        await pilot.pause()
        for _ in range(20):
            bar.post_message(_wheel_down(bar))
        await pilot.pause()
        scrolled = seen(bar)
        assert scrolled[0].split()[0] == "↑"
        show(bar, MANY, MANY[0].id)
        await pilot.pause()
        assert seen(bar) == scrolled
        show(bar, MANY, MANY[1].id)
        await pilot.pause()
        assert any(line.startswith("❯●2") for line in seen(bar))


def _wheel_down(bar: Sidebar) -> MouseScrollDown:
    return MouseScrollDown(bar, 1, 1, 0, 0, 0, False, False, False)


async def test_a_click_picks_the_session_on_either_of_its_rows() -> None:
    bar = Sidebar()
    app = Picking(bar)
    async with app.run_test(size=(26, 24)) as pilot:
        show(bar)
        await pilot.pause()
        for y in (1, 4, 5, 7, 8, 12, 20):
            await pilot.click(bar, offset=(5, y + 1))
        chosen = [SESSIONS[0], SESSIONS[1], SESSIONS[1], SESSIONS[3]]
        assert app.messages == [session.id for session in chosen]


async def test_a_change_in_one_session_repaints_its_rows_alone() -> None:
    bar = Sidebar()
    async with Stage(bar).run_test(size=(26, 24)) as pilot:
        show(bar)
        await pilot.pause()
        bar._dirty_regions.clear()
        show(bar)
        assert not bar._dirty_regions
        bar.show(
            SESSIONS, SESSIONS[0].id, {**USAGES, SESSIONS[1].id: Usage(12, 700 << 20, busiest="npm test")}, NOW, ""
        )
        assert len(bar._dirty_regions) == 1


# ── pure ───────────────────────────────────────────────────────────────────────────────────────

NAMES = st.text(max_size=20)
ANYBODY = st.builds(
    lambda n, name, state, cwd, message: session(
        n, name, state, cwd=cwd, status=ProgramStatus(message=message), since=NOW - n, marked=bool(n % 2), bells=n % 3
    ),
    st.integers(1, 99_999),
    NAMES,
    st.sampled_from(STATES),
    st.sampled_from(["/", "/home/ana/shop", "/srv/shop", "/home/ana/shop/", "relative"]),
    NAMES,
)
DECKS = st.lists(ANYBODY, max_size=12, unique_by=lambda session: session.id)


@given(DECKS, st.integers(4, 40), st.text(max_size=5))
def test_every_row_fits_whatever_sessions_are_called(sessions: list[Session], width: int, filter: str) -> None:
    listing = Listing(
        sessions=tuple(sessions), selected=sessions[0].id if sessions else "", usages={}, now=NOW, filter=filter,
        width=width, glyphs=UNICODE,
    )  # fmt: skip
    for row in listing.rows():
        assert sum(cell_len(piece.text) for piece in row.line.pieces) <= width


@given(DECKS)
def test_the_order_of_the_list_has_everybody_once(sessions: list[Session]) -> None:
    assert sorted(s.id for s in deck_order(sessions)) == sorted(s.id for s in sessions)
    assert [s for _, members in groups(sessions) for s in members] == deck_order(sessions)


@given(DECKS, ANYBODY)
def test_a_new_session_moves_no_other(sessions: list[Session], new: Session) -> None:
    before = [s.id for s in deck_order(sessions) if s.id != new.id]
    assert [s.id for s in deck_order([*sessions, new]) if s.id != new.id] == before or new.id in before


def test_directories_of_the_same_name_are_told_apart() -> None:
    found = groups([session(1, "a", cwd="/home/ana/shop"), session(2, "b", cwd="/srv/shop"), session(3, "c", cwd="/x")])
    assert [name for name, _ in found] == ["ana/shop", "srv/shop", "x"]
