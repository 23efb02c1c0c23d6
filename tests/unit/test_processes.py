"""The process table: over made-up machines, and over real processes that the test itself starts."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from agentdeck.processes import foreground, source
from agentdeck.processes.source import Process, parse_stat
from agentdeck.processes.table import ProcessTable

HOLDER = ("python3", "-I", "-S", "-X", "utf8", "/lib/agentdeck/holder/boot.py", "0badcafe")


class Machine:
    """A process table whose time and processes the test decides."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.processes: dict[int, Process] = {}
        self.lines: dict[int, tuple[str, ...]] = {}
        self.time = 0.0
        monkeypatch.setattr("agentdeck.processes.table.arguments", lambda pid: self.lines.get(pid, ()))
        monkeypatch.setattr("agentdeck.processes.table.descriptors", lambda pid: 3)
        self.table = ProcessTable(lambda: dict(self.processes), lambda: self.time)

    def run(
        self, pid: int, ppid: int, *argv: str, cpu: float = 0.0, reaped: float = 0.0, start: int = 0, sid: int = 0
    ) -> None:
        self.lines[pid] = argv
        self.processes[pid] = Process(pid, ppid, sid or pid, argv[0], start or pid, cpu, reaped, 1000, 2)

    def later(self, *roots: int, seconds: float = 1.0) -> None:
        self.time += seconds
        self.table.scan(roots)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def test_a_tree_is_a_process_with_all_that_descends_from_it(machine: Machine) -> None:
    machine.run(10, 1, "claude")
    machine.run(11, 10, "bash")
    machine.run(12, 11, "pytest")
    machine.run(20, 1, "other")
    machine.later()
    assert {process.pid for process in machine.table.tree(10)} == {10, 11, 12}
    assert machine.table.tree(99) == []


def test_orphans_are_found_by_their_session(machine: Machine) -> None:
    machine.run(10, 1, "claude")
    machine.run(30, 1, "nohup", sid=10)
    machine.later()
    assert {process.pid for process in machine.table.tree(10, sid=10)} == {10, 30}


def test_a_ring_of_parents_does_not_hang(machine: Machine) -> None:
    machine.run(10, 11, "a")
    machine.run(11, 10, "b")
    machine.later()
    assert len(machine.table.tree(10)) == 2


def test_usage_adds_up_the_tree_and_names_its_busiest_child(machine: Machine) -> None:
    machine.run(10, 1, "claude", cpu=1.0)
    machine.run(11, 10, "python3", "-m", "pytest", cpu=5.0)
    machine.later(10)
    machine.run(10, 1, "claude", cpu=1.1)
    machine.run(11, 10, "python3", "-m", "pytest", cpu=5.6)
    machine.later(10)
    usage = machine.table.usage(10)
    assert usage.cpu == pytest.approx(70)
    assert (usage.processes, usage.rss, usage.threads, usage.fds) == (2, 2000, 4, 6)
    assert (usage.busiest, usage.busiest_cpu) == ("pytest", 60)


def test_the_holder_is_ours_and_not_in_the_figures(machine: Machine) -> None:
    machine.run(9, 1, *HOLDER, cpu=1.0)
    machine.run(10, 9, "claude")
    machine.later(9)
    machine.run(9, 1, *HOLDER, cpu=1.5)
    machine.run(10, 9, "claude", cpu=0.2)
    machine.later(9)
    usage = machine.table.usage(9)
    assert usage.processes == 1
    assert usage.cpu == pytest.approx(20)
    assert usage.busiest == "", "the agent itself is not its own busiest child"


def test_the_wrapped_half_of_an_agent_is_no_child_of_it(machine: Machine) -> None:
    for cpu in (0.0, 0.8):
        machine.run(10, 1, "node", "/npm/.bin/codex")
        machine.run(11, 10, "/npm/@openai/codex-linux-x64/bin/codex", cpu=cpu)
        machine.run(12, 11, "rg", cpu=cpu / 4)
        machine.later(10)
    assert machine.table.usage(10).busiest == "rg"


def test_children_that_came_and_went_between_two_scans_count(machine: Machine) -> None:
    machine.run(10, 1, "make")
    machine.later(10)
    machine.run(10, 1, "make", reaped=0.9)
    machine.later(10)
    assert machine.table.usage(10).cpu == pytest.approx(90)


def test_a_child_that_ends_after_long_work_does_not_count_twice(machine: Machine) -> None:
    machine.run(10, 1, "make")
    machine.run(11, 10, "cc", cpu=40.0)
    machine.later(10)
    del machine.processes[11]
    machine.run(10, 1, "make", reaped=40.2)
    machine.later(10)
    assert machine.table.usage(10).cpu == pytest.approx(20)


def test_nobody_inherits_the_past_of_a_pid(machine: Machine) -> None:
    machine.run(10, 1, "old", cpu=1.0, start=100)
    machine.later(10)
    machine.run(10, 1, "new", cpu=50.0, start=200)
    machine.later(10)
    assert machine.table.usage(10).cpu == 0.0
    assert machine.table.arguments(machine.processes[10]) == ("new",)


def test_a_process_that_is_gone_burns_nothing(machine: Machine) -> None:
    machine.run(10, 1, "claude")
    machine.later(10)
    machine.processes.clear()
    machine.later(10)
    assert machine.table.usage(10).processes == 0


def test_a_process_name_may_hold_parentheses_and_spaces() -> None:
    row = b"42 (a) S (b) R 7 42 41 0 -1 4194304 0 0 0 0 150 50 20 30 20 0 3 0 9000 1000000 25 0"
    process = parse_stat(row)
    assert process is not None
    assert (process.pid, process.comm, process.ppid, process.sid) == (42, "a) S (b", 7, 41)
    assert (process.start, process.threads) == (9000, 3)
    assert process.cpu == pytest.approx(200 / os.sysconf("SC_CLK_TCK"))
    assert process.reaped == pytest.approx(50 / os.sysconf("SC_CLK_TCK"))


@pytest.mark.parametrize("row", [b"", b"42", b"42 (x) S 1", b"garbage"])
def test_half_a_row_is_no_process(row: bytes) -> None:
    assert parse_stat(row) is None


# ── real ones ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def burning() -> Iterator["subprocess.Popen[bytes]"]:
    """A child that burns CPU in a child of its own."""
    burn = "print(flush=True)\nwhile True: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
    process.kill()
    process.wait()
    process.stdout.close()


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_real_tree_is_measured(burning: "subprocess.Popen[bytes]") -> None:
    table = ProcessTable()
    table.scan([burning.pid])

    def measured() -> bool:
        table.scan([burning.pid])
        usage = table.usage(burning.pid)
        return usage.cpu > 5 and usage.busiest.startswith("python") and usage.busiest_cpu > 5

    eventually(measured)
    usage = table.usage(burning.pid)
    assert usage.processes == 2
    assert usage.rss > 1_000_000
    assert usage.fds >= 6
    assert usage.threads >= 2


def test_both_ways_to_read_the_machine_agree_on_our_own_children(burning: "subprocess.Popen[bytes]") -> None:
    ours, theirs = source.read_all()(), source.from_psutil()
    for pid in (os.getpid(), burning.pid):
        assert ours[pid].ppid == theirs[pid].ppid
        assert ours[pid].sid == theirs[pid].sid
        assert ours[pid].threads == theirs[pid].threads


def test_the_host_has_memory_and_a_load() -> None:
    host = ProcessTable().host()
    assert 0 < host.memory_used < host.memory_total
    assert host.load >= 0


def test_nothing_is_known_of_a_process_that_is_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert source.arguments(process.pid) == ()
    assert source.descriptors(process.pid) == 0
    assert foreground.is_busy(process.pid) is None


def test_a_process_without_a_terminal_has_no_foreground() -> None:
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        assert foreground.is_busy(process.pid) is None
    finally:
        process.kill()
        process.wait()
