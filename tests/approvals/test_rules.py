"""Rule files: what can be said in them, and what is said about what is wrong with them."""

from pathlib import Path

import pytest

from agentdeck.approvals import ApprovalGate, ToolCall, load, parse

WRONG = """\
# my rules
hold = 120
colour = "red"

[[rules]]
name = "good"
command = "terraform apply"

[[rules]]
name = "bad action"
command = "make deploy"
action = "stop"

[[rules]]
name = "bad regex"
tool = "Bash"
regex = "("

[[rules]]
name = "bad key"
comand = "x"

[[rules]]
name = "nothing"
"""


def test_every_error_names_file_line_and_key_and_costs_its_rule_alone() -> None:
    found = parse(WRONG, "/c/rules.toml")
    assert [(error.line, error.key) for error in found.errors] == [
        (3, "colour"), (12, "action"), (17, "regex"), (21, "comand"), (23, "rules"),
    ]  # fmt: skip
    assert all(str(error).startswith(f"/c/rules.toml:{error.line}: {error.key}: ") for error in found.errors)
    assert [rule.name for rule in found.rules] == ["good"]
    assert "did you mean command?" in str(found.errors[3])
    assert found.hold == 120


def test_a_file_that_is_no_toml_leaves_the_built_in_rules_on(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text('[[rules]]\nname = "a"\ncommand = \n')
    gate = ApprovalGate.of(path)
    assert [error.line for error in gate.errors] == [3]
    assert gate.judge(ToolCall("Bash", {"command": "rm -rf x"})).action == "hold"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\n\nname = '\xe9'"])
def test_a_file_that_is_no_utf8_names_the_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rules.toml"
    path.write_bytes(content)
    (error,) = load(path).errors
    assert error.line == content.count(b"\n") + 1


def test_a_rule_can_be_meant_for_one_project_only() -> None:
    gate = ApprovalGate(parse('[[rules]]\ncommand_contains = "deploy"\nproject = ["~/shop", "infra-*"]\n', "r").rules)
    home = str(Path.home())
    assert gate.judge(ToolCall("Bash", {"command": "make deploy"}, cwd=f"{home}/shop/api")).action == "hold"
    assert gate.judge(ToolCall("Bash", {"command": "make deploy"}, cwd=f"{home}/shopping")).action == "allow"
    assert gate.judge(ToolCall("Bash", {"command": "make deploy"}, cwd="/srv/infra-live/x")).action == "hold"


def test_command_contains_looks_through_quotes_and_blanks() -> None:
    gate = ApprovalGate(parse('[[rules]]\ncommand_contains = "kubectl delete"\n', "r").rules)
    for command in ("kubectl delete pod x", "kubectl   'delete' pod", "bash -c 'kubectl \"delete\" pod'"):
        assert gate.judge(ToolCall("Bash", {"command": command})).action == "hold", command
    assert gate.judge(ToolCall("Bash", {"command": "kubectl get pods"})).action == "allow"


def test_path_contains_and_its_exceptions() -> None:
    rules = parse(
        '[[rules]]\ntool = "edit"\npath_contains = "migrations/"\npath_not = "*/test_*"\naction = "deny"\n', "r"
    ).rules
    gate = ApprovalGate(rules)
    assert gate.judge(ToolCall("Edit", {"file_path": "/a/migrations/1.py"})).action == "deny"
    assert gate.judge(ToolCall("Edit", {"file_path": "/a/migrations/test_1.py"})).action == "allow"
    assert gate.judge(ToolCall("Read", {"file_path": "/a/migrations/1.py"})).action == "allow"


def test_switching_off_a_rule_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text('off = ["sudoo"]\n')
    assert "no built-in rule called 'sudoo'" in str(ApprovalGate.of(path).errors[0])
