import pytest

from agentdeck.protocol.messages import HostUsage
from agentdeck.ui import glyphs
from agentdeck.ui.widgets.topbar import TopBar
from tests.ui.showing import Stage, asking, inks, seen, session

HOST = HostUsage(31, int(2.4 * 2**30), 16 << 30)
SESSIONS = [
    asking(1, "api", "Edit refresh.py"),
    session(2, "web", "working"),
    session(3, "docs", "working"),
    asking(4, "infra", "Which region?"),
    session(5, "lab", "idle"),
    session(6, "mig", "exited", exit_status=1),
]


async def test_it_counts_states_and_shows_the_machine_and_the_time() -> None:
    bar = TopBar()
    async with Stage(bar).run_test(size=(120, 3)) as pilot:
        bar.show(SESSIONS, HOST, "14:02")
        await pilot.pause()
        [line] = seen(bar)
        assert line.startswith(" agentdeck │  2◆  2● 1○ 1✗ │ cpu 31% ram 2.4G ")
        assert line.endswith(" 14:02")
        assert len(line) == 119


async def test_only_what_waits_for_somebody_is_filled() -> None:
    bar = TopBar()
    async with Stage(bar).run_test(size=(120, 3)) as pilot:
        bar.show(SESSIONS, HOST, "14:02")
        await pilot.pause()
        grounds = {text.strip(): colour for text, colour in inks(bar)}
        assert grounds["2◆"] != grounds["2●"] == grounds["agentdeck"] == grounds["1✗"]


async def test_nothing_that_is_not_known_is_shown() -> None:
    bar = TopBar()
    async with Stage(bar).run_test(size=(60, 3)) as pilot:
        bar.show([], HostUsage(), "14:02")
        await pilot.pause()
        assert seen(bar)[0].split() == ["agentdeck", "14:02"]


@pytest.mark.parametrize("width", [1, 5, 12, 30, 60])
async def test_the_time_stays_when_the_rest_does_not_fit(width: int) -> None:
    bar = TopBar()
    async with Stage(bar).run_test(size=(width, 3)) as pilot:
        bar.show(SESSIONS, HOST, "14:02")
        await pilot.pause()
        [line] = seen(bar)
        assert len(line) <= width
        assert line.endswith("14:02") or width < 8


async def test_it_is_drawn_with_the_active_glyphs() -> None:
    bar = TopBar()
    glyphs.activate(glyphs.ASCII)
    try:
        async with Stage(bar).run_test(size=(120, 3)) as pilot:
            bar.show(SESSIONS, HOST, "14:02")
            await pilot.pause()
            assert seen(bar)[0].isascii()
            assert " 2!  2* 1- 1x | cpu" in seen(bar)[0]
    finally:
        glyphs.activate(glyphs.UNICODE)


async def test_the_same_values_cost_no_repaint() -> None:
    bar = TopBar()
    async with Stage(bar).run_test(size=(120, 3)) as pilot:
        bar.show(SESSIONS, HOST, "14:02")
        await pilot.pause()
        bar._dirty_regions.clear()
        bar.show(list(SESSIONS), HostUsage(31.2, HOST.memory_used, HOST.memory_total), "14:02")
        assert not bar._dirty_regions
        bar.show(SESSIONS, HOST, "14:03")
        assert bar._dirty_regions
