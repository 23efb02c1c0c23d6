"""Which conversation is whose: certain, probable, one of several, none; never another's."""

import json
import os
from pathlib import Path

import pytest

from agentdeck.processes import conversations, sessions
from agentdeck.processes.conversations import Whose
from tests.processes.trees import TICKS, Tree

A, B, C = (f"{digit * 8}-2222-4333-8444-555555555555" for digit in "1ab")
NPM = "/opt/npm/node_modules"
NODE = "/usr/bin/node"


def resolve(tree: Tree) -> dict[int, Whose]:
    return conversations.resolve(sessions.find(tree.look), tree.look)


def told(whose: Whose) -> tuple[str, str]:
    return whose.how, whose.conversation.id if whose.conversation is not None else ""


def write(path: Path, *records: object, at: float = 0.0) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    if at:
        os.utime(path, (at, at))
    return str(path)


# ── Claude Code ────────────────────────────────────────────────────────────────────────────────


def claude(tree: Tree, pid: int, *words: str, at: float = 100.0, cwd: str = "/app") -> None:
    tree.add(pid, ["claude", *words], exe="/opt/claude.exe", at=at, cwd=cwd)


def says(tree: Tree, pid: int, session: str, start: float = 100.0, **more: object) -> None:
    record = {"pid": pid, "sessionId": session, "procStart": str(int(start * TICKS)), "status": "idle", **more}
    write(tree.home / ".claude" / "sessions" / f"{pid}.json", record)


def transcript(tree: Tree, session: str, *, folder: str = "-app", at: float = 0.0) -> str:
    path = tree.home / ".claude" / "projects" / folder / f"{session}.jsonl"
    return write(path, {"type": "user"}, at=at)


def test_claude_is_certain_by_its_own_file(tree: Tree) -> None:
    for pid, session in ((10, A), (11, B)):
        claude(tree, pid)
        says(tree, pid, session, status="waiting", waitingFor="permission prompt")
    path = transcript(tree, A)
    found = resolve(tree)
    assert told(found[10]) == ("certain", A)
    assert told(found[11]) == ("certain", B)
    assert (found[10].status, found[10].waiting_for) == ("waiting", "permission prompt")
    assert found[10].conversation is not None
    assert found[10].conversation.path == path


def test_clear_changes_the_conversation_of_the_same_process(tree: Tree) -> None:
    claude(tree, 10, "--session-id", A)
    says(tree, 10, B)
    assert told(resolve(tree)[10]) == ("certain", B)


def test_the_file_of_a_dead_process_with_the_same_pid_is_not_believed(tree: Tree) -> None:
    claude(tree, 10, at=500)
    says(tree, 10, A, start=100)
    assert told(resolve(tree)[10]) == ("none", "")


def test_before_its_file_is_there_the_command_line_tells(tree: Tree) -> None:
    claude(tree, 10, "--resume", A)
    claude(tree, 11, f"--session-id={B}")
    claude(tree, 12, "--resume", "a name, not an id")
    found = resolve(tree)
    assert told(found[10]) == ("certain", A)
    assert told(found[11]) == ("certain", B)
    assert told(found[12]) == ("none", "")


def test_an_old_claude_that_names_nothing_is_asked_about(tree: Tree) -> None:
    claude(tree, 10)
    transcript(tree, A, at=tree.began(200))
    transcript(tree, B, at=tree.began(50))
    transcript(tree, C, folder="-other", at=tree.began(300))
    found = resolve(tree)[10]
    assert found.how == "ambiguous"
    assert [each.id for each in found.candidates] == [A], "only what grew in its directory since it started"


def test_each_session_has_the_home_of_its_own_environment(tree: Tree, tmp_path: Path) -> None:
    tree.add(10, ["claude"], exe="/opt/claude.exe", env={"CLAUDE_CONFIG_DIR": str(tmp_path / "work")})
    record = {"pid": 10, "sessionId": A, "procStart": str(100 * TICKS)}
    write(tmp_path / "work" / "sessions" / "10.json", record)
    assert told(resolve(tree)[10]) == ("certain", A)


# ── Codex ──────────────────────────────────────────────────────────────────────────────────────


def thread(began: float, digit: str = "0") -> str:
    """An id like Codex's: a UUID that begins with its time."""
    stamp = f"{int(began * 1000):012x}"
    return f"{stamp[:8]}-{stamp[8:]}-7{digit * 3}-8{digit * 3}-{digit * 12}"


def lock(tree: Tree, session: str) -> str:
    return str(tree.home / ".codex" / "thread-writer-locks" / f"{session}.lock")


def rollout(tree: Tree, session: str, cwd: str = "/app", source: object = "cli", at: float = 0.0) -> str:
    path = tree.home / ".codex" / "sessions" / "2026" / "11" / "21" / f"rollout-2026-11-21T00-00-00-{session}.jsonl"
    return write(path, {"type": "session_meta", "payload": {"id": session, "cwd": cwd, "source": source}}, at=at)


def codex(tree: Tree, pid: int, *files: str, at: float = 100.0, cwd: str = "/app") -> None:
    tree.add(pid, ["node", f"{NPM}/.bin/codex"], exe=NODE, at=at, cwd=cwd)
    tree.add(pid + 1, ["/opt/codex"], parent=pid, at=at + 0.1, cwd=cwd, files=files)


def daemon(tree: Tree, pid: int, *sessions: str) -> None:
    locks = [lock(tree, session) for session in sessions]
    tree.add(pid, ["/opt/codex", "app-server", "--listen", "unix://"], tty=-1, files=locks, comm="codex")


def test_codex_is_certain_by_what_it_holds_open_even_before_its_first_prompt(tree: Tree) -> None:
    codex(tree, 10, lock(tree, A))
    codex(tree, 20, lock(tree, B), rollout(tree, B))
    found = resolve(tree)
    assert told(found[10]) == ("certain", A)
    assert told(found[20]) == ("certain", B)
    assert found[10].conversation is not None
    assert found[10].conversation.path == ""


def test_a_sub_agents_thread_is_not_taken_for_the_conversation(tree: Tree) -> None:
    child = rollout(tree, B, source={"subagent": {"thread_spawn": {}}})
    codex(tree, 10, lock(tree, A), rollout(tree, A), lock(tree, B), child)
    assert told(resolve(tree)[10]) == ("certain", A)


def test_two_conversations_of_one_codex_are_asked_about(tree: Tree) -> None:
    codex(tree, 10, lock(tree, A), rollout(tree, A), lock(tree, B), rollout(tree, B))
    found = resolve(tree)[10]
    assert (found.how, {each.id for each in found.candidates}) == ("ambiguous", {A, B})


def test_behind_its_daemon_the_only_one_that_fits_is_probable(tree: Tree) -> None:
    mine = thread(tree.began(102))
    codex(tree, 10)
    daemon(tree, 30, mine)
    assert told(resolve(tree)[10]) == ("probable", mine)


def test_behind_its_daemon_two_in_one_directory_are_asked_about(tree: Tree) -> None:
    first, second = thread(tree.began(102)), thread(tree.began(103), "1")
    codex(tree, 10)
    codex(tree, 20, at=101)
    daemon(tree, 30, first, second)
    for session in (first, second):
        rollout(tree, session, at=tree.began(200))
    found = resolve(tree)
    assert [found[pid].how for pid in (10, 20)] == ["ambiguous", "ambiguous"]
    assert {each.id for each in found[10].candidates} == {first, second}


def test_a_dead_neighbours_thread_is_not_taken_for_ones_own(tree: Tree) -> None:
    """Its own has no rollout yet, so its directory is unknown; the other one's is in this directory."""
    mine, dead = thread(tree.began(102)), thread(tree.began(103), "1")
    codex(tree, 10)
    daemon(tree, 30, mine, dead)
    rollout(tree, dead, at=tree.began(200))
    assert resolve(tree)[10].how == "ambiguous"


def test_another_directorys_thread_is_not_ones_own(tree: Tree) -> None:
    mine, other = thread(tree.began(102)), thread(tree.began(103), "1")
    codex(tree, 10)
    daemon(tree, 30, mine, other)
    rollout(tree, mine, at=tree.began(150))
    rollout(tree, other, cwd="/elsewhere", at=tree.began(200))
    assert told(resolve(tree)[10]) == ("probable", mine)


# ── Gemini ─────────────────────────────────────────────────────────────────────────────────────


def gemini(tree: Tree, pid: int, *words: str, at: float = 100.0, cwd: str = "/app") -> None:
    tree.add(pid, ["node", f"{NPM}/.bin/gemini", *words], exe=NODE, at=at, cwd=cwd)
    tree.add(pid + 1, [NODE, "--x=1", f"{NPM}/.bin/gemini", *words], parent=pid, at=at + 0.5, cwd=cwd)


def chat(tree: Tree, session: str, began: float | None, changed: float, folder: str = "app") -> None:
    from datetime import UTC, datetime

    projects = {"projects": {"/app": "app", "/other": "other"}}
    write(tree.home / ".gemini" / "projects.json", projects)
    header = {"sessionId": session, "startTime": datetime.fromtimestamp(tree.began(began or 0), UTC).isoformat()}
    record = header if began is not None else {"id": "x", "type": "user"}
    path = tree.home / ".gemini" / "tmp" / folder / "chats" / f"session-2026-11-21T00-00-{session[:8]}.jsonl"
    write(path, record, at=tree.began(changed))


def test_gemini_alone_in_its_directory_is_probable(tree: Tree) -> None:
    gemini(tree, 10)
    chat(tree, A, 103, 150)
    chat(tree, B, 20, 60)
    chat(tree, C, 104, 170, folder="other")
    assert told(resolve(tree)[10]) == ("probable", A)


def test_two_geminis_in_one_directory_are_asked_about(tree: Tree) -> None:
    gemini(tree, 10)
    gemini(tree, 20, at=101)
    chat(tree, A, 103, 150)
    chat(tree, B, 104, 160)
    found = resolve(tree)
    assert [found[pid].how for pid in (10, 20)] == ["ambiguous", "ambiguous"]
    assert [each.id for each in found[10].candidates] == [B, A]


def test_a_gemini_that_was_started_before_is_told_from_one_after(tree: Tree) -> None:
    gemini(tree, 10, at=100)
    gemini(tree, 20, at=900)
    chat(tree, A, 103, 150)
    chat(tree, B, 903, 960)
    found = resolve(tree)
    assert told(found[20]) in (("probable", B), ("ambiguous", ""))
    assert told(found[10]) in (("probable", A), ("ambiguous", ""))


def test_gemini_that_went_on_to_another_conversation_is_asked_about(tree: Tree) -> None:
    gemini(tree, 10)
    chat(tree, A, 103, 150)
    chat(tree, B, 900, 950)
    found = resolve(tree)[10]
    assert (found.how, {each.id for each in found.candidates}) == ("ambiguous", {A, B})


def test_a_named_gemini_is_certain_until_it_may_have_gone_on(tree: Tree) -> None:
    gemini(tree, 10, "--session-id", A)
    chat(tree, A, 103, 150)
    assert told(resolve(tree)[10]) == ("certain", A)
    chat(tree, B, 900, 950)
    assert resolve(tree)[10].how == "ambiguous"


def test_a_neighbours_conversation_makes_a_named_gemini_no_less_known(tree: Tree) -> None:
    gemini(tree, 10, "--session-id", A)
    gemini(tree, 20, at=101)
    chat(tree, A, 103, 150)
    chat(tree, B, 104, 950)
    found = resolve(tree)
    assert told(found[10]) == ("probable", A)
    assert told(found[20]) == ("probable", B)


def test_a_chat_without_its_header_is_never_taken_for_certain(tree: Tree) -> None:
    gemini(tree, 10)
    chat(tree, A, None, 150)
    assert resolve(tree)[10].how == "ambiguous"


def test_what_rested_before_its_start_is_not_its_own(tree: Tree) -> None:
    gemini(tree, 10, at=500)
    chat(tree, A, 103, 400)
    assert told(resolve(tree)[10]) == ("none", "")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"projects": 3}'])
def test_strange_files_raise_nothing(tree: Tree, text: str) -> None:
    gemini(tree, 10)
    path = tree.home / ".gemini" / "projects.json"
    path.parent.mkdir()
    path.write_text(text)
    assert told(resolve(tree)[10]) == ("none", "")
