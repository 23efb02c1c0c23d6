"""Which processes write which sessions, by the traces of processes that really run."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentdeck.live.writers import Writer, Writers
from agentdeck.processes.resume import start_ticks

SESSION = "0b6d7a52-7f0c-4a5e-8f5e-2d1f0a9c3e11"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="start times and descriptors are read from /proc")


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()


def record(home: Path, pid: int, start: str) -> Path:
    path = home / ".claude" / "sessions" / f"{pid}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"pid": pid, "sessionId": SESSION, "procStart": start}))
    return path


def mine(writers: Writers) -> list[Writer]:
    return [writer for writer in writers.look() if writer.session == SESSION]


def test_a_claude_code_lives_until_it_is_gone(tmp_path: Path, process: subprocess.Popen[bytes]) -> None:
    writers = Writers({"HOME": str(tmp_path)})
    assert mine(writers) == []
    path = record(tmp_path, process.pid, start_ticks(process.pid))
    assert mine(writers) == [Writer("claude", SESSION, process.pid, process=True)]
    path.write_text('{"pid": ')  # torn: it is written in place
    assert mine(writers) == [Writer("claude", SESSION, process.pid, process=True)]
    path.unlink()
    assert mine(writers) == [Writer("claude", SESSION, process=False)]
    assert mine(writers) == []


def test_a_file_that_was_left_behind_names_no_living_process(tmp_path: Path, process: subprocess.Popen[bytes]) -> None:
    writers = Writers({"HOME": str(tmp_path)})
    record(tmp_path, process.pid, "1")
    assert mine(writers) == [Writer("claude", SESSION, process=False)]


def test_a_codex_has_its_rollout_open_and_then_not(tmp_path: Path) -> None:
    rollout = tmp_path / f"rollout-2026-11-21T00-00-00-{SESSION}.jsonl"
    program = tmp_path / "codex"
    program.symlink_to("/bin/sleep")
    with rollout.open("w") as file, subprocess.Popen([program, "1000"], stdout=file) as process:
        writers = Writers({"HOME": str(tmp_path)})
        while not (found := mine(writers)):
            assert process.poll() is None  # it is not called codex before it has been executed
        assert found == [Writer("codex", SESSION, process.pid, open=True)]
        process.kill()
        process.wait()
        assert mine(writers) == [Writer("codex", SESSION, open=False)]


def test_nothing_is_known_where_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / ".claude" / "sessions").mkdir(parents=True)
    for name, text in (("notes.json", "{}"), ("1.txt", "{}"), ("1.json", "[]"), (f"{os.getpid()}.json", "{}")):
        (tmp_path / ".claude" / "sessions" / name).write_text(text)
    assert mine(Writers({"HOME": str(tmp_path)})) == []
