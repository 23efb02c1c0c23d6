import os
from pathlib import Path

import pytest

from agentdeck.config import Config, CustomProvider
from agentdeck.errors import UnknownProviderError
from agentdeck.protocol.messages import STATES
from agentdeck.providers import Launch, builtin, custom, find_program, get, known, shell

ID = "11111111-2222-4333-8444-555555555555"


def arguments(name: str, **asked: object) -> list[str]:
    return builtin()[name].arguments(Launch(**asked))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("claude", ["--session-id", ID, "-x", "--", "fix it"]),
        ("codex", ["--no-daemon", "-c", "check_for_update_on_startup=false", "-x", "--", "fix it"]),
        ("gemini", ["--session-id", ID, "-x", "--prompt-interactive=fix it"]),
        ("cursor", ["-x", "--", "fix it"]),
        ("shell", ["-x"]),
    ],
)
def test_a_start_takes_the_prompt_the_id_and_the_persons_arguments(name: str, expected: list[str]) -> None:
    provider = builtin()[name]
    launch = Launch(prompt="fix it", args=("-x",), session_id=ID if provider.chooses_id else "")
    assert provider.arguments(launch) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("claude", ["--resume", ID, "-x"]),
        ("codex", ["--no-daemon", "-c", "check_for_update_on_startup=false", "-x", "resume", ID]),
        ("gemini", ["--resume", ID, "-x"]),
        ("cursor", ["--resume", ID, "-x"]),
    ],
)
def test_a_restart_resumes_the_conversation(name: str, expected: list[str]) -> None:
    assert arguments(name, args=("-x",), resume_id=ID) == expected


@pytest.mark.parametrize("name", ["claude", "codex", "cursor"])
@pytest.mark.parametrize("prompt", ["doctor", "--help", "-c"])
def test_a_prompt_is_never_taken_for_a_command_or_an_option(name: str, prompt: str) -> None:
    *_, separator, last = arguments(name, prompt=prompt)
    assert separator == "--"
    assert last == f"{prompt} "


@pytest.mark.parametrize("given", [("--continue",), ("-r", ID), ("--resume=" + ID,)])
def test_a_conversation_that_the_person_chose_is_left_alone(given: tuple[str, ...]) -> None:
    assert arguments("claude", args=given, session_id=ID) == list(given)


def test_every_builtin_provider_is_usable_as_it_is() -> None:
    for name, provider in builtin().items():
        assert provider.name == provider.family == name
        assert provider.label
        assert provider.programs
        assert provider.interrupt
        assert provider.install
        assert {rule.state for rule in provider.titles} <= set(STATES)
        assert set(provider.common_names) <= set(provider.programs)


def test_the_configuration_adds_providers_after_the_builtin_ones() -> None:
    config = Config(providers={"aider": CustomProvider(command=("aider", "--no-git"), args=("--dark",))})
    providers = known(config)
    assert [*providers] == [*builtin(), "aider"]
    aider = providers["aider"]
    assert aider.programs == ("aider",)
    assert aider.arguments(Launch(args=("x.py",), prompt="ignored")) == ["--no-git", "--dark", "x.py"]
    assert not aider.prompt_in_arguments
    assert not aider.titles


def test_a_builtin_provider_can_get_other_words() -> None:
    settings = CustomProvider(args=("--model", "opus"), env={"CLAUDE_CONFIG_DIR": "/work"}, label="Work")
    claude = known(Config(providers={"claude": settings}))["claude"]
    assert claude.arguments(Launch(session_id=ID)) == ["--model", "opus", "--session-id", ID]
    assert claude.label == "Work"
    assert claude.environment["CLAUDE_CONFIG_DIR"] == "/work"
    assert claude.titles == builtin()["claude"].titles


def test_a_provider_that_runs_a_known_program_has_its_habits() -> None:
    ours = custom.from_config("work", CustomProvider(command=("/opt/demo/codex", "--profile", "work")), builtin())
    assert (ours.name, ours.family, ours.programs) == ("work", "codex", ("/opt/demo/codex",))
    assert ours.arguments(Launch(resume_id=ID))[:2] == ["--profile", "work"]
    assert ours.arguments(Launch(resume_id=ID))[-2:] == ["resume", ID]


def test_a_wrapper_or_a_script_in_a_shell_is_not_taken_for_what_it_runs() -> None:
    for command in (("docker", "run", "claude"), ("bash", "-c", "claude"), ("agent",)):
        provider = custom.from_config("box", CustomProvider(command=command), builtin())
        assert provider.family == "box"
        assert not provider.foreground


def test_a_provider_that_is_gone_from_the_configuration_still_stands_for_its_sessions() -> None:
    provider = custom.unknown("aider")
    assert provider.name == "aider"
    assert provider.arguments(Launch(args=("x",))) == ["x"]


def test_an_unknown_provider_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownProviderError) as error:
        get("cluade", builtin())
    assert "cluade" in str(error.value)
    assert "claude" in error.value.hint


def program(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_a_program_is_found_on_the_path_in_order(tmp_path: Path) -> None:
    first, second = program(tmp_path / "a" / "claude"), program(tmp_path / "b" / "claude")
    claude = builtin()["claude"]
    assert find_program(claude, f"{tmp_path}/none:{tmp_path}/a:{tmp_path}/b") == first
    assert find_program(claude, f"{tmp_path}/b:{tmp_path}/a") == second
    assert find_program(claude, f"{tmp_path}") is None
    assert find_program(claude, "") is None


def test_the_current_directory_is_never_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "claude")
    monkeypatch.chdir(tmp_path)
    assert find_program(builtin()["claude"], ":.:") is None


def test_a_program_that_is_not_executable_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "claude").write_text("")
    assert find_program(builtin()["claude"], str(tmp_path)) is None


def test_a_program_with_a_common_name_must_be_the_providers_own(tmp_path: Path) -> None:
    cursor = builtin()["cursor"]
    program(tmp_path / "bin" / "agent")
    assert find_program(cursor, f"{tmp_path}/bin") is None
    real = program(tmp_path / "share" / "cursor-agent" / "versions" / "1" / "cursor-agent")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "agent").symlink_to(real)
    assert find_program(cursor, f"{tmp_path}/bin:{tmp_path}/links") is None, "the first `agent` hides the other"
    assert find_program(cursor, f"{tmp_path}/links") == f"{tmp_path}/links/agent"


def test_a_program_given_by_its_path_needs_no_path(tmp_path: Path) -> None:
    path = program(tmp_path / "my agent")
    provider = custom.from_config("mine", CustomProvider(command=(path,)), builtin())
    assert find_program(provider, "") == path


def test_the_shell_is_the_persons_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/opt/fish")
    assert shell.provider().programs[0] == "/opt/fish"
    monkeypatch.setenv("SHELL", "/usr/sbin/nologin")
    assert "/usr/sbin/nologin" not in shell.provider().programs
    assert find_program(builtin()["shell"], os.defpath) is not None


@pytest.mark.parametrize(
    ("command", "prompts"),
    [
        (("/bin/bash",), True),
        (("-zsh",), True),
        (("bash", "--norc", "-i"), True),
        (("bash", "--rcfile", "/tmp/rc", "-i"), True),
        (("bash", "-c", "sleep 9"), False),
        (("bash", "script.sh"), False),
        (("python3",), False),
        ((), False),
    ],
)
def test_only_a_shell_without_a_job_shows_a_prompt(command: tuple[str, ...], prompts: bool) -> None:
    assert shell.prompts(command) is prompts
