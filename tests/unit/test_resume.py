"""Session ids from what CLIs leave on disk, in folders that look like theirs."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentdeck.processes import resume
from agentdeck.processes.resume import Places

A, B = "11111111-2222-4333-8444-555555555555", "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
LONG_AGO = 1_000_000.0
NEVER = 2**31


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places.of({"HOME": str(tmp_path)})


@pytest.fixture
def child() -> Iterator[int]:
    process = subprocess.Popen(["sleep", "60"])
    yield process.pid
    process.kill()
    process.wait()


def write(path: Path, *records: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def live(places: Places, pid: int, **record: object) -> None:
    known = {"pid": pid, "sessionId": A, "procStart": resume.start_ticks(pid), "status": "idle"}
    write(places.claude / "sessions" / f"{pid}.json", known | record)


def test_claude_says_its_session_and_its_status(places: Places, child: int) -> None:
    live(places, child, status="waiting", waitingFor="permission prompt", statusUpdatedAt=1_795_222_238_216)
    session = resume.claude_session(child, places)
    assert session is not None
    assert (session.id, session.status, session.waiting_for) == (A, "waiting", "permission prompt")
    assert session.at == pytest.approx(1_795_222_238.216)


@pytest.mark.skipif(sys.platform != "linux", reason="start times in ticks come from /proc")
def test_the_file_of_an_earlier_process_with_this_pid_is_not_believed(places: Places, child: int) -> None:
    live(places, child, procStart="1")
    assert resume.claude_session(child, places) is None


@pytest.mark.parametrize("text", ["", "{", '{"pid":1}16,"x"}', "[]", "null", '{"sessionId": 7, "status": []}'])
def test_a_torn_or_strange_file_raises_nothing(places: Places, child: int, text: str) -> None:
    path = places.claude / "sessions" / f"{child}.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    session = resume.claude_session(child, places)
    assert session is None or session.id == session.status == ""


def test_claude_is_found_under_a_wrapper(places: Places) -> None:
    wrapper = subprocess.Popen(
        [sys.executable, "-c", "import subprocess; subprocess.run(['sleep', '60'])"], start_new_session=True
    )
    try:
        deadline = time.monotonic() + 20
        while len(family := list(resume.descendants(wrapper.pid))) < 2:
            assert time.monotonic() < deadline
        live(places, family[1])
        assert resume.running_id("claude", wrapper.pid, places, cwd="/", started=LONG_AGO) == A
    finally:
        for pid in reversed(family):
            os.kill(pid, 9)
        wrapper.wait()


def rollout(places: Places, session: str, cwd: str = "/app") -> Path:
    path = places.codex / "sessions" / "2026" / "11" / "21" / f"rollout-2026-11-21T00-56-59-{session}.jsonl"
    return write(path, {"type": "session_meta", "payload": {"id": session, "cwd": cwd}})


def test_the_conversation_that_codex_holds_open_is_its_own(places: Places) -> None:
    rollout(places, B)
    with rollout(places, A).open():
        found = resume.running_id("codex", os.getpid(), places, cwd="/app", started=LONG_AGO, known=B)
    assert found == A


def test_without_an_open_file_the_only_fitting_conversation_is_taken(places: Places, child: int) -> None:
    rollout(places, A)
    rollout(places, B, cwd="/elsewhere")
    assert resume.running_id("codex", child, places, cwd="/app", started=LONG_AGO) == A


def test_two_that_fit_are_no_answer(places: Places, child: int) -> None:
    rollout(places, A)
    rollout(places, B)
    assert resume.running_id("codex", child, places, cwd="/app", started=LONG_AGO) == ""
    assert resume.running_id("codex", child, places, cwd="/app", started=LONG_AGO, others={B}) == A


def test_what_was_written_before_the_start_is_somebody_elses(places: Places, child: int) -> None:
    rollout(places, A)
    assert resume.running_id("codex", child, places, cwd="/app", started=NEVER) == ""


def test_a_guess_never_replaces_a_known_id(places: Places, child: int) -> None:
    rollout(places, A)
    assert resume.running_id("codex", child, places, cwd="/app", started=LONG_AGO, known=B) == ""


def gemini(places: Places, session: str, folder: str = "app") -> None:
    write(
        places.gemini / "tmp" / folder / "chats" / f"session-2026-11-21T07-30-{session[:8]}.jsonl",
        {"sessionId": session},
    )


def test_gemini_is_found_by_its_project(places: Places, child: int, tmp_path: Path) -> None:
    write(places.gemini / "projects.json", {"projects": {os.path.realpath(tmp_path): "app"}})
    gemini(places, A)
    gemini(places, B, folder="other")
    assert resume.running_id("gemini", child, places, cwd=str(tmp_path), started=LONG_AGO) == A
    assert resume.running_id("gemini", child, places, cwd="/none", started=LONG_AGO) == ""


def test_cursor_is_found_by_its_folder(places: Places, child: int) -> None:
    write(places.cursor / "projects" / "home-dev-my-app" / "agent-transcripts" / A / f"{A}.jsonl", {"role": "user"})
    assert resume.running_id("cursor", child, places, cwd="/home/dev/my.app", started=LONG_AGO) == A


def test_only_a_conversation_that_exists_can_be_resumed(places: Places) -> None:
    write(places.claude / "projects" / "-app" / f"{A}.jsonl", {"type": "user"})
    rollout(places, A)
    gemini(places, A)
    for family in ("claude", "codex", "gemini"):
        assert resume.exists(family, A, places)
        assert not resume.exists(family, B, places)
    assert resume.exists("aider", B, places), "nothing is known of it, so it may try"


@pytest.mark.parametrize("family", ["claude", "codex", "gemini", "cursor", "shell", "aider"])
def test_a_process_that_is_gone_and_folders_that_are_missing_raise_nothing(places: Places, family: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert resume.running_id(family, process.pid, places, cwd="/app", started=0.0) == ""
    assert resume.environment(process.pid) == {}


def test_the_folders_follow_the_sessions_own_environment() -> None:
    places = Places.of({"HOME": "/h", "CLAUDE_CONFIG_DIR": "/c", "CODEX_HOME": "/x"})
    assert (str(places.claude), str(places.codex), str(places.gemini)) == ("/c", "/x", "/h/.gemini")


def test_the_environment_of_our_own_process_can_be_read(child: int) -> None:
    assert resume.environment(child)["PATH"] == os.environ["PATH"]
