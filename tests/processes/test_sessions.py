"""Which processes are agent sessions, and which only look like some."""

import os

import pytest

from agentdeck.errors import SessionError
from agentdeck.processes import outside, sessions
from tests.processes.trees import Tree

NPM = "/opt/npm/node_modules"
CLAUDE = f"{NPM}/@anthropic-ai/claude-code/bin/claude.exe"
CODEX = f"{NPM}/@openai/codex-linux-x64/vendor/bin/codex"


def test_three_clis_are_found_each_once(tree: Tree) -> None:
    tree.add(10, ["claude"], exe=CLAUDE, comm="claude", at=10)
    tree.add(20, ["node", f"{NPM}/.bin/codex"], exe="/usr/bin/node", at=20)
    tree.add(21, [CODEX], parent=20, at=20.1)
    tree.add(30, ["node", f"{NPM}/.bin/gemini", "-m", "x"], exe="/usr/bin/node", at=30)
    tree.add(31, ["/usr/bin/node", "--max-old-space-size=12052", f"{NPM}/.bin/gemini", "-m", "x"], parent=30, at=31)
    found = sessions.find(tree.look)
    assert [(each.provider, each.pid, each.inner) for each in found] == [
        ("claude", 10, ()),
        ("codex", 20, (21,)),
        ("gemini", 30, (31,)),
    ]
    assert [each.began for each in found] == [tree.began(10), tree.began(20), tree.began(30)]
    assert {each.terminal for each in found} == {"pts/3"}


def test_a_desktop_application_and_its_updater_are_no_sessions(tree: Tree) -> None:
    """Five things called claude run; two of them are not the CLI."""
    for n in range(3):
        tree.add(10 + n, ["claude"], exe=CLAUDE)
    tree.add(20, ["/Applications/Claude.app/Contents/MacOS/Claude"])
    tree.add(21, ["/usr/lib/claude-desktop/claude", "--type=renderer"])
    tree.add(22, ["/home/ana/.cache/Claude Updater/claude", "--check"])
    tree.add(23, ["/Applications/Cursor.app/Contents/Resources/app/bin/cursor-agent"])
    tree.add(24, ["/tmp/.mount_CursorX/cursor-agent"])
    assert [each.pid for each in sessions.find(tree.look)] == [10, 11, 12]


@pytest.mark.parametrize(
    "argv",
    [
        ["claude", "daemon", "run"],
        ["claude", "bg-pty-host"],
        ["claude", "bg-spare"],
        ["claude", "mcp", "serve"],
        ["claude", "update"],
        ["claude", "--version"],
        ["codex", "app-server", "--listen", "unix://"],
        ["codex", "-c", "x=1", "app-server", "daemon", "pid-update-loop"],
        ["codex", "mcp-server"],
        ["gemini-cli-server"],
        ["grep", "claude"],
        ["vim", "/src/codex"],
        ["node", "/src/my-claude/index.js"],
        ["tail", "-f", "/home/ana/.claude/history.jsonl"],
    ],
)
def test_helpers_and_namesakes_are_no_sessions(tree: Tree, argv: list[str]) -> None:
    tree.add(10, argv)
    assert sessions.find(tree.look) == []


def test_a_link_is_followed_to_what_it_runs(tree: Tree) -> None:
    package = tree.home / "lib/node_modules/@google/gemini-cli/dist"
    package.mkdir(parents=True)
    (package / "index.js").write_text("")
    (tree.home / "g").symlink_to(package / "index.js")
    tree.add(10, ["node", "g"], exe="/usr/bin/node", cwd=str(tree.home))
    assert [each.provider for each in sessions.find(tree.look)] == ["gemini"]


def test_an_agent_that_an_agent_started_for_a_task_is_a_session_of_its_own(tree: Tree) -> None:
    tree.add(10, ["claude"], exe=CLAUDE)
    tree.add(11, ["/bin/bash", "-c", "claude -p hi"], parent=10, tty=-1)
    tree.add(12, ["claude", "-p", "hi"], parent=11, exe=CLAUDE, tty=-1)
    tree.add(13, ["claude", "-p", "direct"], parent=10, exe=CLAUDE)
    found = sessions.find(tree.look)
    assert [(each.pid, each.headless) for each in found] == [(10, False), (12, True), (13, True)]
    assert all(not each.inner for each in found)


def test_what_runs_in_agentdeck_is_known_by_its_holder(tree: Tree) -> None:
    boot = "/lib/agentdeck/holder/boot.py"
    tree.add(5, ["python3", "-I", "-S", "-X", "utf8", boot, "0badcafe"], tty=-1)
    tree.add(6, ["claude"], exe=CLAUDE, parent=5)
    tree.add(7, ["claude"], exe=CLAUDE)
    assert {each.pid: each.held for each in sessions.find(tree.look)} == {6: "0badcafe", 7: ""}


def test_other_users_agents_are_not_ours(tree: Tree) -> None:
    tree.add(10, ["claude"], exe=CLAUDE, uid=os.getuid() + 1)
    assert sessions.find(tree.look) == []


def test_a_pid_within_an_agent_leads_to_it(tree: Tree) -> None:
    tree.add(20, ["node", f"{NPM}/.bin/codex"], exe="/usr/bin/node")
    tree.add(21, [CODEX], parent=20)
    tree.add(22, ["/bin/bash", "-c", "pytest"], parent=21)
    assert {outside.require(pid, tree.look).pid for pid in (20, 21, 22)} == {20}


@pytest.mark.parametrize(
    ("pid", "words"),
    [
        (99, "there is no process 99"),
        (0, "there is no process 0"),
        (-3, "there is no process -3"),
        (2**40, "there is no process"),
        (30, "process 30 belongs to another user"),
        (31, "process 31 is no agent CLI that agentdeck knows: vim notes"),
        (32, "there is no process 32"),
    ],
)
def test_a_pid_that_cannot_be_watched_is_refused_with_a_reason(tree: Tree, pid: int, words: str) -> None:
    tree.add(30, ["claude"], exe=CLAUDE, uid=os.getuid() + 1)
    tree.add(31, ["vim", "notes"])
    tree.add(32, ["claude"], exe=CLAUDE, state="Z")
    with pytest.raises(SessionError, match=words) as refused:
        outside.require(pid, tree.look)
    assert refused.value.hint


def test_a_process_that_vanishes_while_it_is_looked_at_is_left_out(tree: Tree) -> None:
    tree.add(10, ["claude"], exe=CLAUDE)
    (tree.root / "11").mkdir()
    (tree.root / "12").mkdir()
    (tree.root / "12" / "stat").write_text("12 (cla")
    assert [each.pid for each in sessions.find(tree.look)] == [10]


def test_names_with_any_bytes_break_nothing(tree: Tree) -> None:
    tree.add(10, ["claude", "\udcff\udcfe \n)( 1"], exe=CLAUDE, comm="a) R 1 (b", cwd="/tmp/\udcff")
    assert [each.provider for each in sessions.find(tree.look)] == ["claude"]
