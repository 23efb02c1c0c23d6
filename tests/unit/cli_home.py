"""The command line in a home directory of its own, in this process."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agentdeck.cli import main as command_line


class Said(NamedTuple):
    code: int
    out: str
    err: str


class CliHome:
    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path = path
        self._capsys = capsys

    @property
    def state(self) -> Path:
        return self.path / ".local" / "state" / "agentdeck"

    def run(self, *words: str) -> Said:
        self._capsys.readouterr()
        code = command_line.main(words)
        return Said(code, *self._capsys.readouterr())

    def ok(self, *words: str) -> str:
        said = self.run(*words)
        assert (said.code, said.err) == (0, "")
        return said.out

    def json(self, *words: str) -> Any:
        return json.loads(self.ok(*words, "--json"))

    def refused(self, *words: str) -> Sequence[str]:
        """Run what cannot work; return the sentence and the hint."""
        said = self.run(*words)
        assert said.code != 0
        assert said.out == ""
        lines = said.err.splitlines()
        assert len(lines) == 2
        assert lines[0].startswith("agentdeck: ")
        return lines


def a_home(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CliHome:
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(root))
    monkeypatch.setenv("TZ", "UTC")
    return CliHome(root, capsys)
