import pytest
from rich.cells import cell_len

from agentdeck.protocol.messages import HostUsage, Usage
from agentdeck.ui.widgets.resources import ResourcePanel
from tests.ui.showing import Stage, seen, session

API, WEB = session(1, "api"), session(2, "web")
NAMES = {API.id: "api", WEB.id: "web"}
USAGES = {
    API.id: Usage(92, int(1.2 * 2**30), 31, 87, 14, "pytest", 80),
    WEB.id: Usage(3, 200 << 20, 9, 33, 4),
}
HISTORY = {API.id: [0, 0, 100, 100, 20, 10, 50, 92]}
HOST = HostUsage(31, int(2.4 * 2**30), 16 << 30, 1.25)


async def test_the_rail_shows_every_session_the_chosen_one_in_full_and_the_machine() -> None:
    panel = ResourcePanel()
    async with Stage(panel).run_test(size=(50, 12)) as pilot:
        panel.show(API, USAGES, HISTORY, HOST, NAMES)
        await pilot.pause()
        assert seen(panel) == [
            "                        cpu  mem procs  busiest",
            "❯1 api        ▁▁██▂▂▅▇  92% 1.2G    14  pytest",
            " 2 web                   3% 200M     4  –",
            "",
            " api · busiest: pytest 80%   cpu 92% · mem 1.2G",
            " 14 processes · 31 threads · 87 descriptors",
            " " * 39 + "▁▁██▂▂▅▇",
            "",
            "",
            " machine cpu 31%  ram 2.4G of 16G      load 1.2",
        ]


async def test_a_wide_panel_shows_threads_and_descriptors_of_all() -> None:
    panel = ResourcePanel()
    async with Stage(panel).run_test(size=(90, 12)) as pilot:
        panel.show(API, USAGES, HISTORY, HOST, NAMES)
        await pilot.pause()
        assert seen(panel)[0].split() == ["cpu", "mem", "procs", "thr", "fds", "busiest"]
        assert seen(panel)[1].split()[3:] == ["92%", "1.2G", "14", "31", "87", "pytest"]


@pytest.mark.parametrize("width", [10, 20, 30, 40, 60])
@pytest.mark.parametrize("height", [3, 5, 12, 40])
async def test_it_fits_any_place(width: int, height: int) -> None:
    panel = ResourcePanel()
    async with Stage(panel).run_test(size=(width, height)) as pilot:
        panel.show(API, USAGES, HISTORY, HOST, NAMES)
        await pilot.pause()
        assert all(cell_len(line) <= width - 2 for line in seen(panel))
        assert len(seen(panel)) == height - 2
        assert seen(panel)[-1].startswith(" machin")


async def test_the_chosen_session_is_in_the_table_however_many_there_are() -> None:
    panel = ResourcePanel()
    sessions = [session(n, f"s{n}") for n in range(30)]
    async with Stage(panel).run_test(size=(50, 14)) as pilot:
        for chosen in (sessions[0], sessions[29], sessions[12]):
            names = {s.id: s.name for s in sessions}
            panel.show(chosen, {s.id: Usage() for s in sessions}, {}, HOST, names)
            await pilot.pause()
            assert any(line.startswith(f"❯{int(chosen.name[1:]) + 1} {chosen.name} ") for line in seen(panel))
            assert "+" in seen(panel)[0]


async def test_with_nothing_running_the_machine_is_still_shown() -> None:
    panel = ResourcePanel()
    async with Stage(panel).run_test(size=(50, 6)) as pilot:
        panel.show(None, {}, {}, HOST, {})
        await pilot.pause()
        assert seen(panel) == [" nothing runs", "", "", " machine cpu 31%  ram 2.4G of 16G      load 1.2"]
