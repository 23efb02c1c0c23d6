"""The doctor's single checks, and the survey of agent CLIs behind them."""

import os
import re
import tempfile
import termios
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentdeck import providers
from agentdeck.cli import checks, editing, hub_process, keyboard
from agentdeck.cli.commands.doctor import report
from agentdeck.config import Config, load, parse
from agentdeck.errors import SpawnError, TerminalCoreError, UsageError
from agentdeck.paths import Paths, locate
from agentdeck.providers import survey

GOOD_TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "TERM_PROGRAM": "foo"}


def terminal(env: dict[str, str], columns: int = 120, lines: int = 40) -> dict[str, checks.Check]:
    found = checks.terminal(env, is_terminal=True, size=os.terminal_size((columns, lines)))
    return {check.name: check for check in found}


def test_a_good_terminal_needs_no_word() -> None:
    found = terminal(GOOD_TERMINAL)
    assert {check.state for check in found.values()} == {"good"}
    assert all(not check.mend for check in found.values())
    assert found["host"].text == "foo"


@pytest.mark.parametrize(
    ("change", "name", "state", "mend"),
    [
        ({"TERM": "dumb"}, "TERM", "broken", "export TERM=xterm-256color"),
        ({"TERM": ""}, "TERM", "broken", "export TERM=xterm-256color"),
        ({"COLORTERM": ""}, "colours", "note", "COLORTERM=truecolor"),
        ({"LANG": "C"}, "locale", "note", "LANG=C.UTF-8"),
        ({"LC_ALL": "POSIX"}, "locale", "note", "LANG=C.UTF-8"),
        ({"TMUX": "/tmp/x"}, "host", "note", "extended-keys"),
        ({"STY": "1.x"}, "host", "note", "outside"),
    ],
)
def test_what_a_terminal_lacks_is_named_with_the_remedy(
    change: dict[str, str], name: str, state: str, mend: str
) -> None:
    found = terminal(GOOD_TERMINAL | change)[name]
    assert found.state == state
    assert mend in found.mend


def test_a_small_window_is_worth_a_note() -> None:
    assert terminal(GOOD_TERMINAL, 40, 10)["size"].state == "note"


def test_no_color_is_a_wish_and_no_fault() -> None:
    assert terminal(GOOD_TERMINAL | {"NO_COLOR": "1", "COLORTERM": ""})["colours"].state == "good"


@pytest.fixture
def paths() -> Iterator[Paths]:
    with tempfile.TemporaryDirectory(prefix="ad-") as home:  # short: a long one moves the run directory
        yield locate({"HOME": home})


def test_directories_that_do_not_exist_yet_are_well(paths: Paths) -> None:
    assert {check.state for check in checks.directories(paths)} == {"good"}


def test_a_directory_that_others_can_enter_is_named_with_its_mode(paths: Paths) -> None:
    paths.state.mkdir(parents=True, mode=0o755)
    paths.state.chmod(0o755)
    (found,) = (check for check in checks.directories(paths) if check.name == "state")
    assert (found.state, found.mend) == ("note", f"chmod 700 {paths.state}")
    assert "755" in found.text


def test_a_file_in_place_of_a_directory_is_broken(paths: Paths) -> None:
    paths.state.parent.mkdir(parents=True)
    paths.state.write_text("")
    assert {check.name: check.state for check in checks.directories(paths)}["state"] == "broken"


def test_a_terminal_core_that_does_not_load_is_broken() -> None:
    def load_it() -> object:
        raise TerminalCoreError("it is not there")

    found = checks.terminal_core(load_it, "1")
    assert (found.state, found.text) == ("broken", "it is not there")
    assert "pyghostty" in found.mend


def test_every_problem_of_the_configuration_is_a_check_of_its_own(paths: Paths) -> None:
    _, problems = parse("a = 1\nb = 2\n", "f")
    assert [check.state for check in checks.configuration(paths.config, Config(), problems)] == ["note", "note"]
    assert [check.state for check in checks.configuration(paths.config, Config(), [])] == ["good"]


def test_the_report_ends_with_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    good = checks.Check("program", "hub", "good", "runs", "never shown")
    bad = checks.Check("terminal", "TERM", "broken", "dumb", "export TERM=xterm-256color")
    report([good, bad])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "1 thing is broken"
    assert any("→ export TERM" in line for line in lines)
    assert not any("never shown" in line for line in lines)


# ── the survey ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def program(directory: Path, name: str, script: str) -> Path:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_versions_are_asked_in_an_environment_of_their_own(programs: Path) -> None:
    program(programs, "claude", 'echo "${SECRET:-none} $HOME" >&2; echo 1.2.3-beta.4')
    program(programs, "codex", 'echo "WARNING: 7 things" >&2; echo "codex-cli 0.169.0"; touch "$HOME/left"')
    env = {"PATH": f"{programs}:{os.defpath}", "SECRET": "hush", "HOME": str(programs)}
    found = survey.ask_versions(survey.look(providers.builtin(), env["PATH"]), env)
    assert {one.provider.name: one.version for one in found if one.version} == {
        "claude": "1.2.3-beta.4",
        "codex": "0.169.0",
    }
    assert not (programs / "left").exists()


def test_a_program_that_never_answers_is_given_up_and_its_package_asked(programs: Path) -> None:
    package = programs / "package"
    (package / "bin").mkdir(parents=True)
    (package / "package.json").write_text('{"version": "5.6.7"}')
    slow = program(package / "bin", "gemini.js", "exec sleep 60")
    (programs / "gemini").symlink_to(slow)
    env = {"PATH": f"{programs}:{os.defpath}"}
    (found,) = (
        one for one in survey.ask_versions(survey.look(providers.builtin(), env["PATH"]), env, deadline=0.2)
        if one.provider.name == "gemini"
    )  # fmt: skip
    assert found.version == "5.6.7"
    assert "took more than" in found.problem


def test_an_interpreter_that_is_missing_is_told(programs: Path) -> None:
    path = program(programs, "claude", "")
    path.write_text("#!/does/not/exist\n")
    env = {"PATH": str(programs)}
    found = survey.ask_versions(survey.look(providers.builtin(), env["PATH"]), env)
    assert "does not start" in next(one.problem for one in found if one.program)


# ── the editor ─────────────────────────────────────────────────────────────────────────────────


def test_a_new_configuration_starts_with_every_setting_commented_out(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(editing.template())
    assert load(path) == (Config(), [])
    bare = re.sub(r"^# (?=[a-z_]+ = |\[providers)", "", path.read_text(), flags=re.MULTILINE)
    changed, problems = parse(bare, "")
    assert problems == []
    assert replace_tables(changed) == Config()
    assert all(name in bare for name in Config.__struct_fields__ if name not in ("limits", "keys", "providers"))


def replace_tables(config: Config) -> Config:
    """Without the examples in the tables, which are no defaults."""
    import msgspec

    return msgspec.structs.replace(config, providers={}, keys=msgspec.structs.replace(config.keys, deck={}, typing={}))


def test_an_existing_configuration_is_left_to_the_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.toml"
    path.write_text("# mine\n")
    monkeypatch.setenv("VISUAL", "true --some 'long option'")
    editing.edit(path)
    assert path.read_text() == "# mine\n"


@pytest.mark.parametrize(("editor", "said"), [("/no/such/editor", "did not start"), ("false", "ended with status 1")])
def test_an_editor_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, editor: str, said: str) -> None:
    monkeypatch.setenv("VISUAL", editor)
    with pytest.raises(SpawnError, match=said):
        editing.edit(tmp_path / "sub" / "config.toml")


def test_no_editor_at_all_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="no editor"):
        editing.editor()


# ── the hub's lock, the keyboard ───────────────────────────────────────────────────────────────


def test_a_lock_file_that_nobody_holds_is_no_hub(paths: Paths) -> None:
    assert hub_process.running(paths) is None
    paths.run.mkdir(parents=True)
    (paths.run / "hub.lock").write_text("1\n")
    assert hub_process.running(paths) is None
    assert hub_process.end(paths) is None


@pytest.fixture
def terminal_ends() -> Iterator[tuple[int, int]]:
    """A terminal as its program has it, and as its host has it."""
    host, program = os.openpty()
    yield program, host
    os.close(program)
    os.close(host)


def test_a_terminal_with_kitty_keys_is_recognised(terminal_ends: tuple[int, int]) -> None:
    program, host = terminal_ends
    tty.setraw(program)
    os.write(host, b"\x1b[?0u\x1b[?62;22c")
    assert keyboard.has_kitty_protocol(60, fd=program)
    assert os.read(host, 100) == b"\x1b[?u\x1b[c"


def test_a_terminal_without_them_ends_the_wait_with_its_other_answer(terminal_ends: tuple[int, int]) -> None:
    program, host = terminal_ends
    tty.setraw(program)
    os.write(host, b"\x1b[?62;22c")
    assert not keyboard.has_kitty_protocol(60, fd=program)


def test_a_terminal_that_says_nothing_has_none_and_keeps_its_settings(terminal_ends: tuple[int, int]) -> None:
    program, _ = terminal_ends
    before = termios.tcgetattr(program)
    assert not keyboard.has_kitty_protocol(0.05, fd=program)
    assert termios.tcgetattr(program) == before
