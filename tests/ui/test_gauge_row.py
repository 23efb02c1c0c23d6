import pytest

from agentdeck.protocol.messages import Progress, Usage
from agentdeck.ui.widgets.gauge_row import GaugeRow
from agentdeck.ui.widgets.sparkline import Sparkline
from tests.ui.showing import Stage, seen, session

USAGE = Usage(61, 310 << 20, 31, 87, 14, "pytest", 55)


async def line_of(width: int, usage: Usage | None, **facts: object) -> str:
    row = GaugeRow()
    async with Stage(row).run_test(size=(width, 3)) as pilot:
        row.show(session(1, "api", **facts), usage)  # type: ignore[arg-type]
        await pilot.pause()
        return seen(row)[0]


async def test_it_shows_what_the_processes_burn() -> None:
    assert await line_of(100, USAGE) == (
        " cpu ▓▓▓▓▓▓░░░░  61% │ mem 310M │ 14 processes │ pytest 55% │ 31 threads 87 fds"
    )


async def test_a_tree_at_rest_names_no_busiest_child() -> None:
    assert await line_of(100, Usage(0, 88 << 20, 1, 9, 1)) == (
        " cpu ░░░░░░░░░░   0% │ mem 88M │ 1 process │ 1 thread 9 fds"
    )


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (Progress(1, 40), "progress ▓▓▓▓░░░░░░ 40% │"),
        (Progress(2, 70), "progress ▓▓▓▓▓▓▓░░░ 70% failed │"),
        (Progress(3, 0), "progress busy │"),
        (Progress(4, 10), "progress ▓░░░░░░░░░ 10% paused │"),
    ],
)
async def test_progress_that_the_program_reports_comes_first(progress: Progress, said: str) -> None:
    assert said in await line_of(100, USAGE, progress=progress)


@pytest.mark.parametrize("width", range(1, 90, 11))
async def test_facts_are_whole_or_absent(width: int) -> None:
    whole = (await line_of(100, USAGE)).split(" │ ")
    line = await line_of(width, USAGE)
    assert line.split(" │ ") == whole[: len(line.split(" │ "))] or line == ""


async def test_an_ended_session_burns_nothing() -> None:
    assert await line_of(60, USAGE, state="exited", ended=1.0) == " nothing runs here"
    assert await line_of(60, None) == " nothing runs here"


async def test_a_sparkline_grows_from_the_right() -> None:
    chart = Sparkline()
    async with Stage(chart).run_test(size=(6, 1)) as pilot:
        chart.show([0, 50, 100])
        await pilot.pause()
        assert seen(chart) == ["   ▁▅█"]
