"""`agentdeck plugin`: where the plugin lies, what Claude Code is asked, and what is said when it refuses."""

import json
from pathlib import Path

import pytest

from agentdeck.cli.main import main
from agentdeck.providers import plugin

RECORDS = '#!/bin/sh\necho "$@" >> "$HOME/asked"\n'


@pytest.fixture
def claude(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that plays Claude Code; the file that it writes down its arguments in."""
    program = tmp_path / "bin" / "claude"
    program.parent.mkdir()
    program.write_text(RECORDS)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "asked"


def test_the_plugin_is_complete_and_names_only_commands_of_ours() -> None:
    marketplace = json.loads((plugin.directory() / ".claude-plugin" / "marketplace.json").read_text())
    (entry,) = marketplace["plugins"]
    root = plugin.directory() / entry["source"]
    assert json.loads((root / ".claude-plugin" / "plugin.json").read_text())["name"] == entry["name"] == "agentdeck"
    for name in ("share", "unshare"):
        text = (root / "commands" / f"{name}.md").read_text()
        assert f"allowed-tools: Bash(agentdeck {name}:*)" in text
        assert f"agentdeck {name} ${{CLAUDE_SESSION_ID}}" in text


def test_path_prints_what_plugin_dir_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugin", "path"]) == 0
    printed = Path(capsys.readouterr().out.strip())
    assert (printed / "commands" / "share.md").is_file()
    assert plugin.arguments("claude") == ("--plugin-dir", str(printed))
    assert plugin.arguments("codex") == ()


def test_install_and_uninstall_leave_the_writing_to_claude_code(claude: Path) -> None:
    assert main(["plugin", "install"]) == 0
    assert main(["plugin", "uninstall"]) == 0
    assert claude.read_text().splitlines() == [
        f"plugin marketplace add {plugin.directory()}",
        "plugin install agentdeck@agentdeck",
        "plugin uninstall agentdeck@agentdeck",
        "plugin marketplace remove agentdeck",
    ]


def test_a_refusal_and_a_missing_program_are_one_sentence(
    claude: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = claude.parent / "bin" / "claude"
    program.write_text("#!/bin/sh\necho 'no such option' >&2\nexit 1\n")
    assert main(["plugin", "install"]) == 4
    assert "Claude Code refused: no such option" in capsys.readouterr().err
    monkeypatch.setenv("PATH", "/nonexistent")
    assert main(["plugin", "install"]) == 4
    assert "Claude Code is not installed" in capsys.readouterr().err
