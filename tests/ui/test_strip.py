import pytest
from textual import on

from agentdeck.ui.widgets.strip import SessionStrip
from tests.ui.showing import Stage, asking, seen, session

SESSIONS = [
    asking(1, "api", "Edit"), session(2, "web", "working"), session(3, "docs", "working"),
    asking(4, "infra", "Which?"), session(5, "lab"), session(6, "mig", "exited", exit_status=1),
]  # fmt: skip
MANY = [session(n, f"session-{n}", "working") for n in range(1, 31)]


class Picking(Stage):
    @on(SessionStrip.Picked)
    def picked(self, message: SessionStrip.Picked) -> None:
        self.messages.append(message.session)


async def test_every_session_is_a_number_a_shape_and_a_name() -> None:
    strip = SessionStrip()
    async with Stage(strip).run_test(size=(80, 3)) as pilot:
        strip.show(SESSIONS, SESSIONS[1].id, "14:02")
        await pilot.pause()
        [line] = seen(strip)
        assert line.startswith("  1◆api [2●web] 3●docs  4◆infra  5○lab  6✗mig   ")
        assert line.endswith("  2 need you  14:02")


@pytest.mark.parametrize("width", [20, 40, 60, 80])
@pytest.mark.parametrize("chosen", [0, 7, 15, 29])
async def test_the_selected_session_is_always_visible(width: int, chosen: int) -> None:
    strip = SessionStrip()
    async with Stage(strip).run_test(size=(width, 3)) as pilot:
        for place in (0, 29, chosen):
            strip.show(MANY, MANY[place].id)
        await pilot.pause()
        [line] = seen(strip)
        assert f"[{chosen + 1}●session-{chosen + 1}]" in line
        assert len(line) <= width
        assert ("‹" in line) == (chosen > 0 and not line.startswith("  1●"))
        assert ("›" in line) == ("30●" not in line)


async def test_moving_within_what_is_visible_does_not_scroll() -> None:
    strip = SessionStrip()
    async with Stage(strip).run_test(size=(80, 3)) as pilot:
        strip.show(MANY, MANY[20].id)
        await pilot.pause()
        first = seen(strip)[0].replace("[", " ").replace("]", " ")
        strip.show(MANY, MANY[19].id)
        await pilot.pause()
        assert seen(strip)[0].replace("[", " ").replace("]", " ") == first


async def test_a_click_picks_the_session_under_it() -> None:
    strip = SessionStrip()
    app = Picking(strip)
    async with app.run_test(size=(80, 3)) as pilot:
        strip.show(SESSIONS, SESSIONS[1].id)
        await pilot.pause()
        for name in ("api", "infra", "mig"):
            await pilot.click(strip, offset=(seen(strip)[0].index(name), 0))
        await pilot.click(strip, offset=(70, 0))
        assert app.messages == [SESSIONS[0].id, SESSIONS[3].id, SESSIONS[5].id]


async def test_an_empty_deck_says_so() -> None:
    strip = SessionStrip()
    async with Stage(strip).run_test(size=(40, 3)) as pilot:
        strip.show([], "")
        await pilot.pause()
        assert seen(strip) == [" no sessions"]


async def test_long_and_wide_names_are_cut_by_cells() -> None:
    strip = SessionStrip()
    async with Stage(strip).run_test(size=(40, 3)) as pilot:
        named = [session(1, "检查数据管道的所有步骤", "done"), session(2, "x\x1b[31my")]
        strip.show(named, named[0].id)
        await pilot.pause()
        [line] = seen(strip)
        assert "[1✓检查数据管道…]" in line
        assert "\x1b" not in line
