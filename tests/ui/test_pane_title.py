import pytest
from rich.cells import cell_len

from agentdeck.protocol.messages import ProgramStatus
from agentdeck.ui.widgets.pane_title import PaneTitle
from tests.ui.showing import NOW, Stage, asking, seen, session

API = asking(1, "api", "Edit refresh.py")


async def test_the_rule_names_the_session_and_what_it_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ana")
    title = PaneTitle()
    async with Stage(title).run_test(size=(80, 3)) as pilot:
        title.show(API, 1, NOW, "deck")
        await pilot.pause()
        [line] = seen(title)
        assert line.startswith("─ 1 api · claude · ~/shop ──")
        assert line.endswith("── ◆ asks: Edit refresh.py · 0:42 ─")
        assert cell_len(line) == 80


async def test_a_framed_pane_has_corners() -> None:
    title = PaneTitle()
    async with Stage(title).run_test(size=(80, 3)) as pilot:
        title.frame(True)
        title.show(API, 1, NOW, "deck")
        await pilot.pause()
        assert seen(title)[0].startswith("┌─ 1 api ")
        assert seen(title)[0].endswith(" 0:42 ─┐")
        title.frame(False)
        title.show(API, 1, NOW, "deck")
        await pilot.pause()
        assert seen(title)[0][0] + seen(title)[0][-1] == "──"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"state": "working"}, "● working · 0:42"),
        ({"state": "done"}, "✓ done · 0:42"),
        ({"state": "idle"}, "○ idle · 0:42"),
        ({"state": "limited", "status": ProgramStatus(message="resets 16:10")}, "◐ limited: resets 16:10 · 0:42"),
        ({"state": "exited", "exit_status": 0}, "✗ exit 0 · 0:42"),
        ({"state": "exited", "exit_status": 137}, "✗ SIGKILL · 0:42"),
        ({"state": "error", "problem": "claude was not found"}, "✗ claude was not found · 0:42"),
        ({"state": "unknown", "why": "no signal"}, "? unknown · 0:42"),
        ({"state": "unknown", "since": 0.0}, "? unknown ─"),
        ({"state": "starting"}, "◌ starting · 0:42"),
        ({"state": "needs_you"}, "◆ needs you · 0:42"),
        ({"state": "needs_you", "status": ProgramStatus(kind="auth", message="log in")}, "◆ sign-in: log in · 0:42"),
        ({"state": "idle", "bells": 2}, "○ idle · 0:42 ♪2 ─"),
    ],
)
async def test_every_state_is_a_shape_and_a_word(facts: dict[str, object], said: str) -> None:
    title = PaneTitle()
    async with Stage(title).run_test(size=(120, 3)) as pilot:
        title.show(session(1, "api", **facts), 1, NOW, "deck")  # type: ignore[arg-type]
        await pilot.pause()
        assert said in seen(title)[0]


@pytest.mark.parametrize("width", [*range(1, 30), 40, 60])
async def test_it_is_exactly_one_row_of_cells_at_any_width(width: int) -> None:
    title = PaneTitle()
    async with Stage(title).run_test(size=(width, 3)) as pilot:
        title.show(asking(1, "检查 the 数据 pipeline", "May I run `rm -rf build` in /srv?"), 12, NOW, "typing")
        await pilot.pause()
        assert title.render_line(0).cell_length == width
        assert cell_len(seen(title)[0]) <= width


async def test_the_name_survives_a_long_question() -> None:
    title = PaneTitle()
    async with Stage(title).run_test(size=(60, 3)) as pilot:
        title.show(asking(1, "api", "May I " + "really " * 30 + "?"), 1, NOW, "deck")
        await pilot.pause()
        assert seen(title)[0].startswith("─ 1 api ")
        assert "◆ asks: May I really" in seen(title)[0]


async def test_an_empty_pane_has_an_empty_rule() -> None:
    title = PaneTitle()
    async with Stage(title).run_test(size=(20, 3)) as pilot:
        title.show(None, 0, NOW, "deck")
        await pilot.pause()
        assert seen(title) == ["─" * 20]


async def test_the_pane_with_the_keys_is_marked() -> None:
    title = PaneTitle()
    async with Stage(title).run_test(size=(80, 3)) as pilot:
        title.show(API, 1, NOW, "deck")
        await pilot.pause()
        calm = [segment.style for segment in title.render_line(0)]
        title.show(API, 1, NOW, "typing")
        await pilot.pause()
        assert [segment.style for segment in title.render_line(0)] != calm
