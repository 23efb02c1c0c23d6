"""Health, loops, conflicts, servers and absences, as people see them in the deck."""

from dataclasses import replace

import msgspec
import pytest

from agentdeck.protocol import insight as i
from agentdeck.ui import insight_state
from agentdeck.ui.screens.away import AwayScreen, counted
from agentdeck.ui.screens.health import HealthScreen
from tests.fakes.fake_hub import NOW, FakeHub, session
from tests.ui.deck_page import Page, check_golden, freeze, open_deck
from tests.ui.told import WATCHED, tell_of

SIZES = [(80, 24), (120, 40), (200, 60)]
pytestmark = pytest.mark.usefixtures("utc")

API, WEB, DOCS = session(1).id, session(2).id, session(3).id
LOOP = i.Alert("loop", "Bash git status: 3 times with the same answer", "interrupt it and say what you know")
MET = i.Conflict("/home/ana/shop/src/auth/jwt.py", NOW - 190, (API, DOCS))
HEALTH = i.Insight(
    key=API, score=86, status="healthy", factors=(0.65, 1.0, 1.0, 1.0), alerts=(LOOP,), conflicts=(MET,),
    servers=(i.Server("playwright", 71, 432_013_312, growing=True), i.Server("github", 70, 92_274_688)),
)  # fmt: skip


def hub() -> FakeHub:
    found = FakeHub(
        session(1, name="api", state="working", since=NOW - 42),
        session(2, name="web", state="exited", exit_status=0, ended=NOW - 60, since=NOW - 60),
        session(3, name="docs", cwd="/home/ana/pages"),
    )
    tell_of(found)
    found.feeds[API][2] = msgspec.structs.replace(found.feeds[API][2], burned="pytest 92 %")
    found.facts[WATCHED] = msgspec.structs.replace(found.facts[WATCHED], title="Fix the flaky refresh test")
    found.insights = {
        API: HEALTH,
        DOCS: i.Insight(key=DOCS, score=100, status="healthy", factors=(1.0, 1.0, 1.0, 1.0), conflicts=(MET,)),
        WEB: i.Insight(key=WEB, remains=(i.Remain("vite", 4711),)),
        WATCHED: i.Insight(key=WATCHED, score=41, status="warning", factors=(0.1, 0.4, 0.5, 0.9)),
    }
    found.absences = {
        API: i.AwayTold(
            key=API, prompts=2, calls=14, failures=1, files=3, added=18, removed=6, test_runs=2, tests_passed=41,
            tests_failed=3, last_run_failed=True, last_message="Three tests still fail. Shall I look at the clock?",
            waits=2, cost_usd=4.5, cost_since_usd=0.42,
        ),
        WATCHED: i.AwayTold(
            key=WATCHED, prompts=0, calls=0, failures=0, files=0, added=0, removed=0, test_runs=0, tests_passed=None,
            tests_failed=None, last_run_failed=None, last_message="",
        ),
    }  # fmt: skip
    return found


def drawn(page: Page) -> str:
    """Without the first row, whose clock is that of the machine."""
    return page.text[page.text.index("\n") :]


# ── on the deck ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_concluded_looks_as_drawn(size: tuple[int, int]) -> None:
    async with open_deck(hub(), size) as page:
        await page.shows("git status" if size[0] > 80 else "loop")
        await freeze(page)
        check_golden(f"insight-{size[0]}x{size[1]}", drawn(page))


async def test_a_conflict_is_told_once_and_goes_with_its_cause() -> None:
    fake = hub()
    async with open_deck(fake) as page:
        await freeze(page)
        await page.shows("▲ CONFLICT jwt.py")
        await page.shows("api + docs, 3 min")
        assert page.text.count("CONFLICT") == 1
        for key in (API, DOCS):
            fake.conclude(msgspec.structs.replace(fake.insights[key], conflicts=()))
        await page.until(lambda: "CONFLICT" not in page.text)


async def test_an_alert_marks_its_row_and_says_evidence_and_advice() -> None:
    fake = hub()
    fake.insights.clear()
    async with open_deck(fake) as page:
        fake.conclude(msgspec.structs.replace(HEALTH, alerts=(), conflicts=()))
        await page.pilot.pause()
        assert "▲" not in page.text
        fake.conclude(HEALTH)
        await page.shows("api: Bash git status: 3 times with the same answer; interrupt it and say what you know")
        await page.shows("1 api ▲")
        page.deck.notices.dismiss()
        await page.shows("▲ Bash git status: 3 times with the same answer; interrupt it and say what you know")


async def test_what_was_wrong_before_the_deck_opened_is_no_notice() -> None:
    async with open_deck(hub()) as page:
        await page.shows("▲ Bash git status")
        await page.pilot.pause()
        assert "api: Bash git status" not in page.text


async def test_a_watched_session_is_known_by_its_title() -> None:
    async with open_deck(hub()) as page:
        await freeze(page)
        await page.shows("⇣ co Fix the fl…")


async def test_an_ended_session_names_what_it_left_running() -> None:
    async with open_deck(hub()) as page:
        await page.press("2")
        await page.shows("1 process goes on after its end: vite (pid 4711)")


async def test_the_health_of_a_session_that_is_only_watched_is_shown_with_its_factors() -> None:
    async with open_deck(hub(), (200, 60)) as page:
        await page.shows("health 86")
        await page.press("G")
        await page.shows("health 41 · context 10 age 40 rest 50 errors 90")


@pytest.mark.parametrize("size", SIZES)
async def test_the_health_card_looks_as_drawn(size: tuple[int, int]) -> None:
    async with open_deck(hub(), size) as page:
        await page.until(lambda: page.deck.panels.insight_of(API) is not None)
        await page.press("H")
        await page.until(lambda: isinstance(page.app.screen, HealthScreen))
        await page.shows("86 of 100, healthy")
        await freeze(page)
        check_golden(f"health-{size[0]}x{size[1]}", drawn(page))
        await page.press("escape")
        await page.until(lambda: page.app.screen is page.deck)


async def test_a_session_without_a_transcript_has_no_health_and_says_why() -> None:
    fake = hub()
    fake.insights.clear()
    async with open_deck(fake) as page:
        await page.press("H")
        await page.shows("its first prompt begins the transcript")


# ── absences ───────────────────────────────────────────────────────────────────────────────────


async def leave_for(page: Page, seconds: float) -> None:
    """The terminal loses the focus, and gets it back after so many seconds."""
    page.deck.now = lambda: NOW
    page.deck.terminal_focused(False)
    page.deck.now = lambda: NOW + seconds
    page.deck.terminal_focused(True)
    await page.pilot.pause()


@pytest.mark.parametrize("size", SIZES)
async def test_who_comes_back_is_told_as_drawn_until_any_key(size: tuple[int, int]) -> None:
    async with open_deck(hub(), size) as page:
        await leave_for(page, 42 * 60)
        await page.shows("while you were away")
        await page.shows("Shall I look at the clock?")
        words = "2 prompts · 14 calls, 1 failed · 3 files +18 −6 · tests 41 passed, 3 failed (2 runs)"
        assert all(part in page.text for part in words.split(" · "))
        assert "waited for you 2 times" in page.text
        assert "$0.42" in page.text
        page.deck.draw()
        await page.pilot.pause()
        check_golden(f"away-{size[0]}x{size[1]}", drawn(page))
        assert "codex" not in "".join(row for row in page.text.splitlines() if "while" in row)
        await page.press("x")
        await page.until(lambda: page.app.screen is page.deck)
        assert page.deck.deck.session is not None


async def test_a_short_absence_is_none() -> None:
    async with open_deck(hub()) as page:
        await leave_for(page, 200)
        assert not asked_away(page)


def asked_away(page: Page) -> list[i.ReadAway]:
    return page.hub.requests(i.ReadAway)


async def test_an_absence_in_which_nothing_happened_is_not_told() -> None:
    fake = hub()
    fake.absences.clear()
    fake.sessions.pop(WEB)
    async with open_deck(fake) as page:
        await leave_for(page, 900)
        await page.until(lambda: asked_away(page))
        await page.pilot.pause()
        assert page.app.screen is page.deck


async def test_a_card_never_comes_under_the_fingers_of_somebody_who_types() -> None:
    async with open_deck(hub()) as page:
        await page.press("enter")
        await page.shows("TYPING")
        await leave_for(page, 900)
        await page.shows("W tells what")
        assert page.app.screen is page.deck


async def test_a_deck_that_opens_after_a_while_tells_what_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentdeck.ui.screens.concluding.SETTLE", 0.01)
    fake = hub()
    fake.left_at = NOW
    async with open_deck(fake) as page:
        await page.shows("while you were away")
        assert {request.since for request in asked_away(page)} == {NOW}


async def test_a_key_tells_of_the_last_hour_to_somebody_who_was_not_away() -> None:
    async with open_deck(hub()) as page:
        await page.press("W")
        await page.shows("lately: since")
        assert isinstance(page.app.screen, AwayScreen)


def test_counts_of_nothing_are_left_out() -> None:
    plain = i.AwayTold(
        key=API, prompts=1, calls=0, failures=0, files=0, added=0, removed=0, test_runs=0, tests_passed=None,
        tests_failed=None, last_run_failed=None, last_message="",
    )  # fmt: skip
    assert counted(plain) == ["1 prompt"]
    assert counted(msgspec.structs.replace(plain, cost_usd=1.5)) == ["1 prompt", "$1.50 in all"]
    assert counted(msgspec.structs.replace(plain, test_runs=1, last_run_failed=True))[1] == "tests failed"
    assert counted(msgspec.structs.replace(plain, test_runs=1, last_run_failed=False))[1] == "tests ran"


# ── what is kept ───────────────────────────────────────────────────────────────────────────────


def test_only_news_changes_what_is_known() -> None:
    state = insight_state.fold(insight_state.InsightState(), i.InsightChanged(insights=(HEALTH,)))
    assert insight_state.fold(state, i.InsightChanged(insights=(HEALTH,))) is state
    assert state.conflicts == (MET,)
    later = i.Conflict(MET.path, MET.at + 5, (DOCS, API))
    more = i.InsightChanged(insights=(i.Insight(key=DOCS, conflicts=(later,)),))
    assert insight_state.fold(state, more).conflicts == (later,)
    assert replace(state, known={}).conflicts == ()
