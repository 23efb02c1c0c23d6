"""What the end of a transcript says of its session's state."""

import json
from pathlib import Path

import pytest

from agentdeck.live import glance


def record(kind: str, content: object, n: int = 0) -> dict[str, object]:
    return {
        "type": kind, "uuid": f"u{n}", "sessionId": "s", "cwd": "/app", "timestamp": f"2026-11-21T00:00:{n:02d}.000Z",
        "message": {"role": kind, "content": content, "id": f"m{n}", "stop_reason": "end_turn"},
    }  # fmt: skip


def write(path: Path, *records: object) -> str:
    path.write_text("".join(json.dumps(each) + "\n" for each in records))
    return str(path)


CALL = [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "make"}}]


def test_a_call_without_a_result_is_no_answer(tmp_path: Path) -> None:
    """It may run, or wait for the person."""
    path = write(tmp_path / "t.jsonl", record("user", "do it"), record("assistant", CALL, 1))
    assert glance.state("claude", path) == "unknown"


def test_a_prompt_without_an_answer_is_work(tmp_path: Path) -> None:
    assert glance.state("claude", write(tmp_path / "t.jsonl", record("user", "do it"))) == "working"


@pytest.mark.parametrize("text", [b"", b"\n\n", b"{", b"\xff\x00\n[]\nnull\n", b'{"type": 7}\n'])
def test_what_cannot_be_understood_is_unknown(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(text)
    for provider in ("claude", "codex", "gemini", "cursor", "aider"):
        assert glance.state(provider, str(path)) == "unknown"
    assert glance.state("claude", str(tmp_path / "nothing")) == "unknown"


def test_only_the_end_of_a_long_one_is_read(tmp_path: Path) -> None:
    many = [record("user", "x" * 1000, n % 60) for n in range(1000)]
    path = write(tmp_path / "t.jsonl", *many, record("assistant", CALL, 59))
    assert glance.state("claude", path) == "unknown"
