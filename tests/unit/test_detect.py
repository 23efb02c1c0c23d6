"""Command lines as they were seen, with what they are."""

import pytest

from agentdeck.processes import detect

NPM = "/opt/npm/node_modules"


@pytest.mark.parametrize(
    ("argv", "facts", "expected"),
    [
        (
            [f"{NPM}/.bin/claude", "--session-id", "x"],
            {"exe": f"{NPM}/@anthropic-ai/claude-code/bin/claude.exe"},
            "claude",
        ),
        (["claude"], {"comm": "claude"}, "claude"),
        (["node", f"{NPM}/.bin/claude"], {"script": f"{NPM}/@anthropic-ai/claude-code/cli.js"}, "claude"),
        (["node", f"{NPM}/.bin/codex", "--no-daemon"], {"exe": "/usr/bin/node"}, "codex"),
        ([f"{NPM}/@openai/codex-linux-x64/vendor/x/bin/codex", "--no-daemon"], {}, "codex"),
        (["/usr/bin/node", "--max-old-space-size=12052", f"{NPM}/.bin/gemini", "-m", "x"], {}, "gemini"),
        (["/home/dev/.local/bin/cursor-agent"], {}, "cursor"),
        (
            [
                "/home/dev/.local/bin/agent",
                "--use-system-ca",
                "/home/dev/.local/share/cursor-agent/versions/1/index.js",
            ],
            {"exe": "/home/dev/.local/share/cursor-agent/versions/1/node"},
            "cursor",
        ),
        # not sessions
        (["grep", "claude"], {}, None),
        (["vim", "/src/claude"], {}, None),
        (["node", "/src/my-claude/index.js"], {}, None),
        (["node", "/src/codex"], {}, None),
        (["/usr/bin/agent"], {}, None),
        (["claude", "daemon", "run"], {}, None),
        (["claude", "bg-pty-host"], {}, None),
        (["claude", "mcp", "serve"], {}, None),
        (["codex", "app-server", "--listen", "unix://"], {}, None),
        (["codex", "-c", "x=1", "app-server", "daemon", "pid-update-loop"], {}, None),
        (["/Applications/Claude.app/Contents/MacOS/Claude"], {}, None),
        (["/opt/Cursor/cursor", "--type=renderer"], {}, None),
        (["claude", "--type=gpu-process"], {}, None),
        (["bash"], {}, None),
        ([], {}, None),
    ],
)
def test_a_process_is_known_by_what_it_runs(argv: list[str], facts: dict[str, str], expected: str | None) -> None:
    assert detect.provider(argv, **facts) == expected


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["claude", "-p", "hi"], True),
        (["codex", "exec", "hi"], True),
        (["gemini", "--acp"], True),
        (["claude", "--resume", "x"], False),
        (["-p"], False),
    ],
)
def test_a_conversation_is_told_from_a_single_answer(argv: list[str], expected: bool) -> None:
    assert detect.is_headless(argv) is expected


@pytest.mark.parametrize(
    ("argv", "comm", "expected"),
    [
        (["/usr/bin/pytest", "-q"], "pytest", "pytest"),
        (["python3", "-m", "pytest", "-q"], "python3", "pytest"),
        (["/usr/bin/python3.12", "-X", "dev", "/src/build.py"], "python3.12", "build.py"),
        (["node", "--inspect", "/src/node_modules/.bin/vite"], "MainThread", "vite"),
        (["/bin/bash", "-c", "cargo build --release"], "bash", "cargo"),
        (["bash", "-c"], "bash", "bash"),
        (["bash", "-c", "source /home/dev/.claude/shell-snapshots/x.sh && eval 'make'"], "bash", "bash"),
        (["-bash"], "bash", "bash"),
        (["make", "all"], "make", "make"),
        ([], "kworker", "kworker"),
        ([""], "odd", "odd"),
    ],
)
def test_a_process_is_called_what_people_call_it(argv: list[str], comm: str, expected: str) -> None:
    assert detect.spoken_name(argv, comm) == expected


def test_our_own_holders_are_known() -> None:
    assert detect.is_holder(["/usr/bin/python3", "-I", "-S", "-X", "utf8", "/lib/agentdeck/holder/boot.py", "0badcafe"])
    assert not detect.is_holder(["vim", "/src/agentdeck/holder/main.py"])
    assert not detect.is_holder([])
