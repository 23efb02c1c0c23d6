"""The audit log: complete lines, closed to others, bounded, and no obstacle when it cannot be written."""

import os
from pathlib import Path

import pytest

from agentdeck.approvals import AuditLog, Entry, ToolCall
from agentdeck.approvals import audit as module

CALL = ToolCall("Bash", {"command": "echo 'é\n…'"}, cwd="/w", provider="claude")


def test_what_is_written_is_read_back_oldest_first(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "s" / "approvals.jsonl")
    for decision in ("allow", "deny"):
        log.write(Entry.of(CALL, decision=decision, who="deck", why="because"))
    assert [entry["decision"] for entry in log.read()] == ["allow", "deny"]
    assert [entry["decision"] for entry in log.read(1)] == ["deny"]
    assert log.read()[0]["subject"] == "echo 'é …'"
    assert os.stat(log.path).st_mode & 0o777 == 0o600


def test_a_torn_line_costs_itself_alone(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "approvals.jsonl")
    log.path.write_text('{"decision": "al\n[]\n{"decision": "deny"}\n\xff')
    assert [entry["decision"] for entry in log.read()] == ["deny"]


def test_a_large_log_is_set_aside_and_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 2000)
    log = AuditLog(tmp_path / "approvals.jsonl")
    for number in range(30):
        log.write(Entry.of(CALL, decision="allow", who=f"{number}"))
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert max(sizes) < 3000
    assert log.read()[-1]["who"] == "29"


def test_a_log_that_cannot_be_written_says_so_and_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    log = AuditLog(tmp_path / "file" / "approvals.jsonl")
    log.write(Entry.of(CALL, decision="allow", who="deck"))
    assert "cannot be written" in log.problem


def test_a_link_in_place_of_the_log_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("")
    (tmp_path / "approvals.jsonl").symlink_to(target)
    log = AuditLog(tmp_path / "approvals.jsonl")
    log.write(Entry.of(CALL, decision="allow", who="deck"))
    assert target.read_text() == ""
    assert log.problem
