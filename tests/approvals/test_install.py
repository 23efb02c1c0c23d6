"""The arguments that install our hooks for one session: beside the person's own, in no file."""

import json
import shlex
import tomllib
from pathlib import Path

import pytest

from agentdeck.approvals import install

PLACES = {"socket": Path("/run/a b/approvals.sock"), "rules": Path("/c/rules.toml"), "log": Path("/s/approvals.jsonl")}


def settings(*given: str) -> tuple[dict[str, object], tuple[str, ...]]:
    flag, text, *rest = install.arguments("claude", given, **PLACES)
    assert flag == "--settings"
    found: dict[str, object] = json.loads(text)
    return found, tuple(rest)


def test_claude_gets_both_hooks_for_every_tool() -> None:
    found, rest = settings("--model", "opus")
    assert rest == ("--model", "opus")
    hooks = found["hooks"]
    assert isinstance(hooks, dict)
    assert sorted(hooks) == ["PermissionRequest", "PreToolUse"]
    for event, groups in hooks.items():
        (group,) = groups
        words = shlex.split(group["hooks"][0]["command"])
        assert group["matcher"] == "*"
        assert words[0] == "exec"
        assert Path(words[1]).exists()
        assert Path(words[4]).exists()
        assert words[5:] == ["claude", event, *(str(place) for place in PLACES.values())]


def test_the_persons_own_settings_by_flag_are_kept_beside_ours(tmp_path: Path) -> None:
    theirs = {"model": "opus", "hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": []}], "Stop": [{"hooks": []}]}}
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(theirs))
    for given in (("--settings", str(path), "-c"), (f"--settings={json.dumps(theirs)}", "-c")):
        found, rest = settings(*given)
        assert rest == ("-c",)
        assert found["model"] == "opus"
        hooks = found["hooks"]
        assert isinstance(hooks, dict)
        assert hooks["Stop"] == [{"hooks": []}]
        assert [group["matcher"] for group in hooks["PreToolUse"]] == ["Bash", "*"]
    assert json.loads(path.read_text()) == theirs


@pytest.mark.parametrize("value", ["/nowhere.json", "{broken", "[]", '{"hooks": 3}', '{"hooks": {"PreToolUse": 3}}'])
def test_settings_that_we_cannot_read_are_the_clis_business(value: str) -> None:
    assert install.arguments("claude", ("--settings", value), **PLACES) == ("--settings", value)


def test_words_behind_a_double_dash_are_a_prompt() -> None:
    found, rest = settings("--", "--settings", "x")
    assert rest == ("--", "--settings", "x")
    assert found


def test_codex_gets_hooks_and_trust_in_exactly_those() -> None:
    words = install.arguments("codex", ("-m", "gpt"), **PLACES)
    assert words[-2:] == ("-m", "gpt")
    assert words[:-2:2] == ("-c", "-c", "-c")
    given = [tomllib.loads(word) for word in words[1:-2:2]]
    gate, dialog, state = (table["hooks"] for table in given)
    for event, table in (("PreToolUse", gate), ("PermissionRequest", dialog)):
        ((hook,),) = (list(group["hooks"]) for group in table[event])
        assert shlex.split(hook["command"])[5:7] == ["codex", event]
    assert sorted(state["state"]) == [
        "/<session-flags>/config.toml:permission_request:0:0",
        "/<session-flags>/config.toml:pre_tool_use:0:0",
    ]


def test_the_hash_is_the_one_by_which_codex_knows_a_hook() -> None:
    # what Codex 0.169.0 itself answered for this hook to hooks/list
    told = "sha256:8f950d591957410ddd7adea8800217629621b555411940f070d7306c27295f15"
    assert install.codex_hash("pre_tool_use", "/usr/bin/python3 -I '/a b/é.py' codex", 660) == told


@pytest.mark.parametrize("given", [("-c", "hooks.PreToolUse=[]"), ("--config=hooks.Stop=[]",), ("-chooks.Stop=[]",)])
def test_hooks_of_the_persons_own_by_flag_are_not_replaced(given: tuple[str, ...]) -> None:
    assert install.arguments("codex", given, **PLACES) == given


@pytest.mark.parametrize("family", ["gemini", "cursor", "shell", "other"])
def test_a_cli_without_such_hooks_gets_nothing(family: str) -> None:
    assert install.arguments(family, ("-x",), **PLACES) == ("-x",)
