from agentdeck.providers import builtin
from agentdeck.providers.environment import clean_environment

CLAUDE, GEMINI, SHELL = (builtin()[name] for name in ("claude", "gemini", "shell"))


def clean(**env: str) -> dict[str, str]:
    return clean_environment(env, SHELL, "0badcafe", prefix="/opt/agentdeck")


def test_what_the_person_set_stays() -> None:
    theirs = {
        "HOME": "/home/dev",
        "PATH": "/usr/bin",
        "LANG": "de_DE.UTF-8",
        "SSH_AUTH_SOCK": "/run/agent",
        "ANTHROPIC_API_KEY": "k",
        "CLAUDE_CONFIG_DIR": "/home/dev/c",
        "CLAUDE_CODE_USE_BEDROCK": "1",
        "CLAUDE_CODE_TMPDIR": "/big",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CODEX_HOME": "/home/dev/x",
        "GEMINI_API_KEY": "g",
        "GEMINI_CLI_HOME": "/home/dev/g",
        "VIRTUAL_ENV": "/home/dev/project/.venv",
        "PYTHONPATH": "/home/dev/lib",
        "XDG_SESSION_ID": "3",
        "WINDOWS_FONT": "x",
    }
    assert theirs.items() <= clean(**theirs).items()


def test_what_other_hosts_and_agents_left_is_dropped() -> None:
    left = {
        "TMUX": "/tmp/t,1,0", "TMUX_PANE": "%1", "STY": "1.a", "WINDOW": "0", "ZELLIJ": "0", "ZELLIJ_PANE_ID": "1",
        "ZMX_SESSION": "a", "VSCODE_IPC_HOOK_CLI": "/s", "TERM_PROGRAM_VERSION": "3", "KITTY_WINDOW_ID": "1",
        "WEZTERM_PANE": "0", "WINDOWID": "7", "COLUMNS": "80", "LINES": "24", "ITERM_SESSION_ID": "w0",
        "CLAUDECODE": "1", "CLAUDE_PID": "7", "CLAUDE_CODE_ENTRYPOINT": "cli", "CLAUDE_CODE_SSE_PORT": "1",
        "CLAUDE_CODE_SESSION_ID": "x", "CLAUDE_CODE_MESSAGING_TOKEN": "secret", "CLAUDE_CODE_CHILD_SESSION": "1",
        "CODEX_MANAGED_BY_NPM": "1", "CODEX_SANDBOX": "seatbelt", "GEMINI_CLI": "1", "GEMINI_SESSION_ID": "x",
        "AGENTDECK_SECRET": "s",
    }  # fmt: skip
    assert clean(HOME="/h", **left).keys() == {"HOME", "TERM", "COLORTERM", "TERM_PROGRAM", "AGENTDECK_SESSION"}


def test_the_terminal_is_ours_and_the_session_is_named() -> None:
    env = clean(TERM="dumb", TERM_PROGRAM="iTerm.app", COLORTERM="", AGENTDECK_SESSION="11111111")
    assert env == {
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "TERM_PROGRAM": "agentdeck",
        "AGENTDECK_SESSION": "0badcafe",
    }


def test_agentdecks_own_python_environment_is_no_business_of_the_session() -> None:
    env = clean(VIRTUAL_ENV="/opt/agentdeck", PYTHONHOME="/opt/agentdeck", PYTHONPATH="/opt/agentdeck/x")
    assert not {"VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH"} & env.keys()


def test_a_provider_adds_its_variables_unless_the_person_set_them() -> None:
    assert clean_environment({}, GEMINI, "x")["GEMINI_CLI_NO_RELAUNCH"] == "true"
    assert clean_environment({"GEMINI_CLI_NO_RELAUNCH": "0"}, GEMINI, "x")["GEMINI_CLI_NO_RELAUNCH"] == "0"


def test_claude_finds_a_terminal_whose_keyboard_it_knows() -> None:
    assert clean_environment({"TERM_PROGRAM": "vscode"}, CLAUDE, "x")["TERM_PROGRAM"] == "ghostty"
