"""What `always` covers: what it says, and nothing wider."""

import pytest

from agentdeck.approvals import ToolCall, scope_of


def shell(command: str) -> ToolCall:
    return ToolCall("Bash", {"command": command}, cwd="/w")


@pytest.mark.parametrize(
    ("allowed", "text", "covered", "not_covered"),
    [
        ("pytest -q a.py", "'pytest'", ["pytest", "pytest b.py -x"],
         ["pytest a.py; rm x", "python -m pytest", "pytest > x"]),
        ("git status", "'git status'", ["git status -s"], ["git push", "git -C x status", "git"]),
        ("git -C x status", "exactly", ["git -C x status"], ["git -C x push"]),
        ("cd a && make", "exactly", ["cd a && make"], ["make", "cd a && make clean"]),
        ("python x.py", "exactly", ["python x.py"], ["python y.py"]),
        ("bash run.sh", "exactly", ["bash run.sh"], ["bash -c 'rm x'"]),
        ("rm old.txt", "exactly", ["rm old.txt"], ["rm new.txt"]),
        ("./tool a", "exactly", ["./tool a"], ["./tool b"]),
        ("FOO=1 ls", "exactly", ["FOO=1 ls"], ["ls"]),
        ("ls $(pwd)", "exactly", ["ls $(pwd)"], ["ls $(rm x)"]),
        ("curl example.com", "exactly", ["curl example.com"], ["curl example.org"]),
    ],
)  # fmt: skip
def test_a_command_covers_its_like(allowed: str, text: str, covered: list[str], not_covered: list[str]) -> None:
    scope = scope_of(shell(allowed))
    assert text in scope.text
    assert all(scope.covers(shell(command)) for command in covered)
    assert not any(scope.covers(shell(command)) for command in not_covered)


def test_an_edit_covers_edits_inside_the_project() -> None:
    scope = scope_of(ToolCall("Edit", {"file_path": "/w/a.py"}, cwd="/w"))
    assert scope.covers(ToolCall("Edit", {"file_path": "/w/b/c.py"}, cwd="/w"))
    assert scope.covers(ToolCall("Edit", {"file_path": "d.py"}, cwd="/w"))
    assert not scope.covers(ToolCall("Edit", {"file_path": "/w/../etc/passwd"}, cwd="/w"))
    assert not scope.covers(ToolCall("Write", {"file_path": "/w/a.py"}, cwd="/w"))


def test_an_edit_outside_covers_itself_alone() -> None:
    scope = scope_of(ToolCall("Edit", {"file_path": "/etc/hosts", "old_string": "a"}, cwd="/w"))
    assert not scope.covers(ToolCall("Edit", {"file_path": "/etc/hosts", "old_string": "b"}, cwd="/w"))


def test_what_a_rule_caught_is_covered_only_for_that_rule_and_call() -> None:
    scope = scope_of(shell("rm -rf build"), "rm -rf")
    assert scope.covers(shell("rm -rf build"), "rm -rf")
    assert not scope.covers(shell("rm -rf build"))
    assert not scope.covers(shell("rm -rf src"), "rm -rf")
    assert not scope_of(shell("pytest")).covers(shell("pytest"), "rm -rf")
