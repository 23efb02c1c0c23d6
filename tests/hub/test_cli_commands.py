"""The commands as scripts use them: real processes, a real hub, a home directory of their own."""

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agentdeck.cli import hub_process
from agentdeck.paths import Paths, locate


@dataclass(frozen=True)
class Machine:
    """A home directory, and the command line in it."""

    home: Path
    env: dict[str, str]

    def run(self, *words: str, input: str = "", **env: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "agentdeck", *words],
            env=self.env | env,
            cwd=self.home,
            input=input,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def ok(self, *words: str, input: str = "") -> str:
        done = self.run(*words, input=input)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.ok(*words, "--json"))

    def sessions(self) -> dict[str, dict[str, Any]]:
        return {session["name"]: session for session in self.json("ls")}

    @property
    def paths(self) -> Paths:
        return locate(self.env)


@contextmanager
def a_machine() -> Iterator[Machine]:
    with tempfile.TemporaryDirectory(prefix="ad-", ignore_cleanup_errors=True) as root:
        home = Path(root)
        env = {
            "HOME": root,
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "SHELL": "/bin/sh",
            "PS1": "> ",
        }
        machine = Machine(home, env)
        try:
            yield machine
        finally:
            for session in json.loads(machine.run("ls", "--json").stdout or "[]"):
                machine.run("stop", session["id"], "--grace", "0.1")
            hub_process.end(machine.paths)


@pytest.fixture
def machine() -> Iterator[Machine]:
    with a_machine() as machine:
        yield machine


@pytest.fixture(scope="module")
def busy_machine() -> Iterator[Machine]:
    """One for all tests that change nothing: a shell called `a` rests in it."""
    with a_machine() as machine:
        machine.ok("run", "shell", "--name", "a", "--detach")
        until(lambda: machine.sessions()["a"]["state"] == "idle")
        yield machine


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def test_a_session_is_started_typed_into_read_and_stopped(machine: Machine) -> None:
    session = machine.ok("run", "shell", "--name", "garden", "--detach")
    assert session == f"{machine.sessions()['garden']['id']}\n"
    session = session.strip()
    machine.ok("send", session, "echo $((6 * 7)) trees")
    until(lambda: "42 trees" in machine.ok("screen", session).splitlines())
    machine.ok("stop", "garden", "--grace", "0.2")
    ended = machine.sessions()["garden"]
    assert (ended["state"], ended["id"]) == ("exited", session)
    machine.ok("forget", session)
    assert machine.json("ls") == []


def test_what_is_stored_is_closed_to_others(machine: Machine) -> None:
    machine.ok("run", "shell", "--name", "a", "--detach")
    for directory in (machine.paths.state, machine.paths.run):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    names = {entry.name for entry in machine.paths.run.iterdir()}
    session = machine.sessions()["a"]["id"]
    assert {"hub.sock", "hub.lock", f"{session}.sock", f"{session}.json", f"{session}.exit"} <= names
    open_to_others = [entry.name for entry in machine.paths.run.iterdir() if entry.stat().st_mode & 0o077]
    assert open_to_others == []


def test_ls_has_what_scripts_need(machine: Machine) -> None:
    before = time.time()
    (machine.home / "work").mkdir()
    session = machine.ok("run", "shell", "--cwd", "work", "--detach").strip()
    (found,) = machine.json("ls")
    assert found["id"] == session
    assert (found["name"], found["provider"], found["cwd"]) == ("work", "shell", str(machine.home / "work"))
    assert isinstance(found["pid"], int)
    assert found["pid"] > 0
    assert before <= found["started"] <= time.time()
    assert found["exit_status"] is None
    assert found["state"] in ("starting", "idle", "working", "unknown")
    assert found["progress"] == {"state": 0, "percent": 0}


def test_an_ended_session_says_how_it_ended(machine: Machine) -> None:
    machine.ok("run", "shell", "--name", "short", "--detach", "--", "-c", "exit 3")
    until(lambda: machine.sessions()["short"]["exit_status"] == 3)
    assert machine.sessions()["short"]["state"] == "exited"
    assert "exited 3" in machine.ok("ls")


def test_what_follows_the_two_dashes_goes_to_the_program_as_it_is(machine: Machine) -> None:
    machine.ok(
        "run", "shell", "--name", "a", "--detach", "--", "-c", "printf '%s.' \"$@\"; read x", "sh", "--name", "b  c"
    )
    until(lambda: "--name.b  c." in machine.ok("screen", "a"))


def test_a_text_is_read_from_standard_input_and_left_unsent_on_demand(machine: Machine) -> None:
    machine.ok("run", "shell", "--name", "a", "--detach", "--", "-c", "read x; echo got=$x; read y")
    machine.ok("send", "a", "-", "--no-enter", input="half a line\n")
    until(lambda: "half a line" in machine.ok("screen", "a"))
    assert "got=" not in machine.ok("screen", "a")
    machine.ok("key", "a", "space", "!", "enter")
    until(lambda: "got=half a line !" in machine.ok("screen", "a"))


def test_a_screen_comes_as_text_with_colours_and_as_json(machine: Machine) -> None:
    machine.ok("run", "shell", "--name", "a", "--detach", "--", "-c", r"printf '\033[31mred\033[m apple'; read x")
    until(lambda: "red apple" in machine.ok("screen", "a"))
    assert "\x1b" not in machine.ok("screen", "a")
    assert "31m" in machine.ok("screen", "a", "--ansi")
    screen = machine.json("screen", "a")
    assert screen["lines"][0] == "red apple"
    assert (screen["cursor"]["x"], screen["cursor"]["y"], len(screen["lines"])) == (9, 0, screen["rows"])


def test_a_session_is_found_by_id_beginning_of_id_and_name(machine: Machine) -> None:
    session = machine.ok("run", "shell", "--name", "first", "--detach").strip()
    for ref in (session, session[:6], "first"):
        machine.ok("rename", ref, "first")
    machine.ok("rename", "first", "second")
    machine.ok("mark", "second")
    assert machine.sessions()["second"]["marked"]
    assert "* second" in machine.ok("ls")
    machine.ok("mark", "second", "--off")
    assert not machine.sessions()["second"]["marked"]


def test_a_restarted_session_runs_again_under_its_id(machine: Machine) -> None:
    session = machine.ok("run", "shell", "--name", "a", "--detach").strip()
    first = machine.sessions()["a"]["pid"]
    machine.ok("stop", "a", "--grace", "0.1")
    machine.ok("restart", "a")
    again = machine.sessions()["a"]
    assert again["id"] == session
    assert again["pid"] not in (0, first)
    assert again["ended"] is None


def test_a_hub_is_looked_at_restarted_and_stopped_and_the_sessions_stay(machine: Machine) -> None:
    machine.ok("run", "shell", "--name", "a", "--detach")
    before = machine.sessions()["a"]["pid"]
    first = machine.json("hub", "status")
    assert (first["sessions"], first["clients"]) == (1, 0)
    second = machine.json("hub", "restart")
    assert second["pid"] != first["pid"]
    assert machine.sessions()["a"]["pid"] == before
    assert machine.json("hub", "stop") == {"stopped": second["pid"]}
    assert hub_process.running(machine.paths) is None
    assert machine.run("hub", "status").returncode == 5
    assert machine.ok("hub", "stop") == "no hub is running\n"
    assert machine.sessions()["a"]["pid"] == before


def test_a_hub_that_does_not_answer_can_be_stopped(machine: Machine) -> None:
    pid = machine.json("hub", "restart")["pid"]
    os.kill(pid, signal.SIGSTOP)  # it keeps its lock and socket, and says nothing
    assert machine.json("hub", "stop") == {"stopped": pid}
    assert machine.json("ls") == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("stop", "nope"), 3, "there is no session 'nope'"),
        (("send", "nope", "x"), 3, "there is no session 'nope'"),
        (("key", "a", "enterr"), 2, "there is no key called 'enterr'"),
        (("run", "clude", "--detach"), 2, "there is no provider called 'clude'\n  did you mean claude?"),
        (("run", "claude", "--detach"), 4, "Claude Code is not installed"),
        (("run", "shell", "--detach", "--cwd", "nowhere"), 2, "nowhere does not exist"),
        (("run", "shell", "--detach", "--name", "a"), 2, "a session is already called 'a'"),
        (("forget", "a"), 3, "session a is still running"),
        (("run", "shell"), 2, "the deck needs a terminal"),
        (("attach", "a"), 2, "the deck needs a terminal"),
        ((), 2, "the deck needs a terminal"),
        (("demo",), 2, "the deck needs a terminal"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_a_hint_and_an_exit_code_and_changes_nothing(
    busy_machine: Machine, words: tuple[str, ...], code: int, said: str
) -> None:
    before = busy_machine.sessions()["a"]
    done = busy_machine.run(*words)
    assert done.returncode == code
    assert done.stdout == ""
    assert said in done.stderr
    assert done.stderr.startswith("agentdeck: ")
    assert len(done.stderr.splitlines()) == 2
    assert busy_machine.sessions() == {"a": before}


def test_what_an_ended_session_cannot_do_is_said(machine: Machine) -> None:
    machine.ok("run", "shell", "--name", "a", "--detach", "--", "-c", "true")
    until(lambda: machine.sessions()["a"]["state"] == "exited")
    for words in (("send", "a", "x"), ("key", "a", "enter"), ("interrupt", "a")):
        done = machine.run(*words)
        assert (done.returncode, done.stderr.splitlines()[0]) == (3, "agentdeck: session a has ended")


def test_a_reader_that_goes_away_is_not_worth_a_word(machine: Machine) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "agentdeck", "config", "show"],
        env=machine.env,
        stdout=write,
        stderr=subprocess.PIPE,
        timeout=60,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_ls_is_plain_where_nobody_looks_and_aligned(machine: Machine) -> None:
    machine.ok("run", "shell", "--name", "a", "--detach")
    machine.ok("run", "shell", "--name", "much longer", "--detach")
    lines = machine.ok("ls").splitlines()
    assert "\x1b" not in "".join(lines)
    assert len({line.index("shell") for line in lines[1:]}) == 1


def test_doctor_says_what_is_missing_and_is_content(machine: Machine) -> None:
    said = machine.ok("doctor")
    assert "npm install -g @openai/codex" in said
    report = machine.json("doctor")
    assert report["ok"] is True
    by_name = {(check["about"], check["name"]): check for check in report["checks"]}
    assert by_name["agents", "claude"]["state"] == "note"
    assert by_name["program", "terminal core"]["state"] == "good"
    assert str(machine.home) in by_name["directories", "state"]["text"]


def test_doctor_finds_programs_with_their_versions_and_those_that_do_not_run(machine: Machine) -> None:
    programs = machine.home / "bin"
    programs.mkdir()
    for name, script in {
        "claude": 'echo "9.8.7 (Claude Code)"; echo "$HOME" > "$(dirname "$0")/home"',
        "codex": "echo broken >&2; exit 4",
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    done = machine.run("doctor", "--json", PATH=f"{programs}:{os.defpath}")
    by_name = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 0
    assert by_name["claude"]["text"] == f"9.8.7  {programs / 'claude'}"
    assert (programs / "home").read_text().strip() != str(machine.home)
    assert by_name["codex"]["state"] == "note"
    assert "ends with status 4: broken" in by_name["codex"]["text"]


def test_doctor_is_not_content_when_agentdeck_cannot_work(machine: Machine) -> None:
    (machine.home / ".local").write_text("a file where a directory belongs")
    done = machine.run("doctor")
    assert done.returncode == 1
    assert "broken" in done.stdout.splitlines()[-1]


def test_the_configuration_is_shown_found_edited_and_checked(machine: Machine) -> None:
    path = Path(machine.ok("config", "path").strip())
    assert path == machine.paths.config
    assert 'theme = "auto"' in machine.ok("config", "show")
    editor = machine.home / "editor"
    editor.write_text('#!/bin/sh\ncp "$1" "$HOME/before"\nprintf \'theme = 3\\nglyphs = "ascii"\\n\' > "$1"\n')
    editor.chmod(0o755)
    done = machine.run("config", "edit", VISUAL=str(editor))
    assert done.returncode == 2
    assert f"agentdeck: {path}:1: theme: expected a text in quotes, found 3" in done.stderr
    assert "# theme" in (machine.home / "before").read_text()
    shown = machine.run("config", "show")
    assert 'theme = "auto"' in shown.stdout
    assert 'glyphs = "ascii"' in shown.stdout
    assert shown.returncode == 2


def test_a_broken_configuration_stops_nothing_and_the_hub_names_it(machine: Machine) -> None:
    machine.paths.config.parent.mkdir(parents=True)
    machine.paths.config.write_text("[limits]\nsessions = 'x'\n")
    machine.ok("run", "shell", "--detach")
    (problem,) = machine.json("hub", "status")["problems"]
    assert "config.toml:2: limits.sessions" in problem
    assert "config.toml:2: limits.sessions" in machine.ok("doctor")


def test_a_command_of_ones_own_is_a_provider(machine: Machine) -> None:
    machine.paths.config.parent.mkdir(parents=True)
    machine.paths.config.write_text('[providers.greet]\ncommand = ["/bin/echo", "hello"]\nargs = ["there"]\n')
    machine.ok("run", "greet", "--name", "a", "--detach", "--", "you")
    until(lambda: "hello there you" in machine.ok("screen", "a"))
