"""MCP servers by their command lines, and what is left of a session that ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from agentdeck.processes.remains import VARIABLE, Remain, remains
from agentdeck.processes.servers import server_name, servers
from agentdeck.processes.source import Process


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (("/usr/bin/node", "/x/.npm/_npx/1/node_modules/.bin/mcp-server-github"), "github"),
        (("node", "/x/@modelcontextprotocol/server-github/dist/index.js"), "github"),
        (("npm", "exec", "@playwright/mcp@latest"), "playwright"),
        (("node", "/x/node_modules/@playwright/mcp/cli.js"), "playwright"),
        (("npx", "-y", "@modelcontextprotocol/server-filesystem", "/work"), "filesystem"),
        (("sh", "-c", "mcp-server-github --stdio"), "github"),
        (("docker", "run", "-i", "--rm", "mcp/postgres", "postgresql://x"), "postgres"),
        (("/usr/bin/python3", "-m", "mcp_server_git"), "git"),
        (("uvx", "mcp-server-fetch"), "fetch"),
        (("/usr/local/bin/github-mcp-server", "stdio"), "github"),
        (("some-mcp",), "some"),
    ],
)
def test_a_server_is_called_by_what_it_serves(line: tuple[str, ...], name: str) -> None:
    assert server_name(line) == name


@pytest.mark.parametrize(
    "line",
    [(), ("",), ("grep", "mcp"), ("claude", "mcp", "serve"), ("vim", "mcp.json"), ("pytest", "tests/mcp"),
     ("node", "server.js"), ("python3", "emcpy.py")],
)  # fmt: skip
def test_a_word_in_other_arguments_proves_nothing(line: tuple[str, ...]) -> None:
    assert server_name(line) == ""


def test_launcher_shell_and_server_are_one() -> None:
    def process(pid: int, rss: int) -> Process:
        return Process(pid, 1, 1, "node", pid, 0.0, 0.0, rss, 1)

    tree = [
        (process(1, 40), ("npm", "exec", "@playwright/mcp@latest")),
        (process(2, 2), ("sh", "-c", "mcp-server-playwright")),
        (process(3, 90), ("node", "/x/.bin/mcp-server-playwright")),
        (process(4, 7), ("node", "/x/.bin/mcp-server-github")),
    ]
    found = servers(tree)
    assert [(each.name, each.process.pid, each.rss) for each in found] == [("playwright", 3, 132), ("github", 4, 7)]


@pytest.fixture
def left() -> Iterator[subprocess.Popen[bytes]]:
    """A process in a terminal session of its own with the mark of session `cafe0001`."""
    words = [sys.executable, "-c", "import time; time.sleep(60)"]
    process = subprocess.Popen(words, env={**os.environ, VARIABLE: "cafe0001"}, start_new_session=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def found(session: str, leader: int, pid: int) -> list[Remain]:
    """Between fork and exec a process still has its parent's environment and command line."""
    for _ in range(100):
        there = remains(session, leader)
        if any(each.pid == pid for each in there):
            return there
        time.sleep(0.02)
    return []


def test_what_has_the_mark_of_a_session_is_found_and_goes_on(left: subprocess.Popen[bytes]) -> None:
    (each,) = found("cafe0001", 0, left.pid)
    assert each.pid == left.pid
    assert each.name.startswith("python")
    assert left.poll() is None


def test_others_and_what_is_meant_to_stay_are_not_told(left: subprocess.Popen[bytes]) -> None:
    assert found("cafe0001", 0, left.pid)
    assert remains("cafe0002", 0) == []
    assert remains("cafe0001", 0, ("time.sleep(60)",)) == []


def test_the_terminal_session_of_a_leader_that_has_gone_belongs_to_it() -> None:
    read, write = os.pipe()
    script = f"import os, subprocess as s; p = s.Popen(['sleep', '60']); os.write({write}, str(p.pid).encode())"
    leader = subprocess.Popen([sys.executable, "-c", script], start_new_session=True, pass_fds=(write,))
    leader.wait()
    pid = int(os.read(read, 20))
    try:
        assert [each for each in remains("none", leader.pid) if each.pid == pid] == [Remain("sleep", pid)]
    finally:
        os.kill(pid, signal.SIGKILL)
        os.close(read)
        os.close(write)


def test_a_number_that_somebody_else_has_now_belongs_to_nobody(left: subprocess.Popen[bytes]) -> None:
    assert found("cafe0001", 0, left.pid)
    assert remains("none", left.pid) == []
