"""Figures of the process table joined with calls: what is told, and when there is news."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

from agentdeck.hub.burning import Burning
from agentdeck.hub.facts import FactsDesk
from agentdeck.processes.source import Process
from agentdeck.processes.table import ProcessTable
from agentdeck.protocol import insight as i
from agentdeck.protocol import messages as m
from tests.live.calls import Story

MB = 1024 * 1024


@dataclass
class Facts:
    story: Story = field(default_factory=Story)

    def live(self, key: str) -> object:
        return self.story.session


class Table:
    def __init__(self, *rows: tuple[int, int, tuple[str, ...]]) -> None:
        """`rows` are pid, megabytes and command line."""
        self.rows = rows

    def tree(self, pid: int) -> Iterable[Process]:
        return [Process(each, 1, 1, "node", each, 0.0, 0.0, rss * MB, 1) for each, rss, _ in self.rows]

    def arguments(self, process: Process) -> tuple[str, ...]:
        return next(line for pid, _, line in self.rows if pid == process.pid)


def look(burning: Burning, table: Table, usage: m.Usage | None = None) -> set[str]:
    return burning.scanned(cast("ProcessTable", table), {"s": 1}, {"s": usage or m.Usage()})


def test_the_servers_of_a_session_are_news_when_somebody_could_read_the_difference() -> None:
    burning = Burning(cast("FactsDesk", Facts()))
    rows = (1, 200, ("claude",)), (2, 412, ("npx", "@playwright/mcp")), (3, 88, ("mcp-server-github",))
    assert look(burning, Table(*rows)) == {"s"}
    assert look(burning, Table(*rows)) == set()
    assert look(burning, Table(*rows[:2], (3, 89, ("mcp-server-github",)))) == set()
    told = burning.servers("s")
    assert told == (i.Server("playwright", 2, 412 * MB), i.Server("github", 3, 88 * MB))
    assert look(burning, Table(rows[0])) == {"s"}
    assert burning.servers("s") == ()
    assert burning.growing("s") == []


def test_a_running_call_is_told_what_burned_meanwhile() -> None:
    facts = Facts()
    call = facts.story.use("Bash", "command", command="pytest -q")
    burning = Burning(cast("FactsDesk", facts))
    look(burning, Table(), m.Usage(cpu=95.0, busiest="pytest", busiest_cpu=92.0))
    assert burning.of("s", call) == "pytest 92 %"
    assert burning.of("s", "another") == burning.of("nobody", call) == ""
    burning.forget("s")
    assert burning.of("s", call) == ""
