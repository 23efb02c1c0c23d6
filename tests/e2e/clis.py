"""The real agent CLIs: where they are, and how each is pointed at the loopback API.

AGENTDECK_TEST_CLIS names a directory with one npm prefix per CLI:

    claude/       npm install --prefix claude @anthropic-ai/claude-code
    claude-next/  npm install --prefix claude-next @anthropic-ai/claude-code@2.1.329
    codex/        npm install --prefix codex @openai/codex
    gemini/       npm install --prefix gemini @google/gemini-cli

Two versions of Claude Code, because they differ in nearly everything that a terminal's host sees. Each CLI runs with a
home of its own, with dummy keys, and with updates and telemetry off.
"""

import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CLAUDE_KEY = "sk-ant-mock-" + "0" * 40

Environment = dict[str, str]


@dataclass(frozen=True, slots=True)
class RealCli:
    key: str
    """Its folder in AGENTDECK_TEST_CLIS."""
    provider: str
    program: str
    prepare: Callable[[Path, str], Environment]
    """Given a home and the API's URL, writes what a finished first start leaves behind and returns the environment."""
    tool: str
    tool_input: dict[str, object]
    """A call that asks before it creates APPROVED in the project."""
    args: tuple[str, ...] = ()
    bare_args: tuple[str, ...] = ()
    """Arguments that agentdeck adds by itself: needed only to start the CLI without it."""
    trust: str = ""
    """A word of the row that trusts the folder."""
    ready: re.Pattern[str] = re.compile("")
    asks: re.Pattern[str] = re.compile("")
    """On the screen while a tool waits for an answer."""
    yes: bytes = b"\r"
    """The key that allows the tool once."""
    interrupted: re.Pattern[str] = re.compile("")

    @property
    def path(self) -> Path | None:
        root = os.environ.get("AGENTDECK_TEST_CLIS")
        if not root:
            return None
        path = Path(root) / self.key / "node_modules" / ".bin" / self.program
        return path if path.exists() else None


APPROVED = "approved.txt"


def _claude(home: Path, url: str) -> Environment:
    answered = {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [CLAUDE_KEY[-20:]], "rejected": []},
    }
    (home / ".claude.json").write_text(json.dumps(answered))
    return {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": CLAUDE_KEY,
        "DISABLE_TELEMETRY": "1",
        "DISABLE_ERROR_REPORTING": "1",
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_TMPDIR": str(home.parent / "tmp"),
    }


def _codex(home: Path, url: str) -> Environment:
    (home / ".codex").mkdir(exist_ok=True)
    (home / ".codex" / "config.toml").write_text(
        f"""\
model = "gpt-6.1-sol"
model_provider = "mock"
check_for_update_on_startup = false

[model_providers.mock]
name = "mock"
base_url = "{url}/v1"
env_key = "MOCK_API_KEY"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 1
stream_idle_timeout_ms = 30000

[analytics]
enabled = false
"""
    )
    return {"MOCK_API_KEY": "sk-mock"}


def _gemini(home: Path, url: str) -> Environment:
    (home / ".gemini").mkdir(exist_ok=True)
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
        "model": {"name": "gemini-2.5-pro"},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
    }
    (home / ".gemini" / "settings.json").write_text(json.dumps(settings))
    return {"GEMINI_API_KEY": "mock-key", "GOOGLE_GEMINI_BASE_URL": url, "GEMINI_TELEMETRY_ENABLED": "false"}


_BASH: dict[str, object] = {"command": f"touch {APPROVED}", "description": "Create the file"}

CLAUDE = RealCli(
    key="claude",
    provider="claude",
    program="claude",
    prepare=_claude,
    args=("--permission-mode", "default"),
    tool="Bash",
    tool_input=_BASH,
    trust="Yes, I trust",
    ready=re.compile(r"shortcuts|^❯\s*$", re.MULTILINE),
    asks=re.compile(r"Do you want to (proceed|create|make)"),
    interrupted=re.compile(r"Interrupted"),
)
CLAUDE_NEXT = RealCli(
    key="claude-next",
    provider="claude",
    program="claude",
    prepare=_claude,
    args=("--permission-mode", "manual"),
    tool="Bash",
    tool_input=_BASH,
    trust="Yes, I trust",
    ready=re.compile(r"manual mode on|shortcuts"),
    asks=re.compile(r"Do you want to (proceed|create|make)"),
    interrupted=re.compile(r"Interrupted"),
)
CODEX = RealCli(
    key="codex",
    provider="codex",
    program="codex",
    prepare=_codex,
    bare_args=("--no-daemon",),
    tool="exec_command",
    tool_input={
        "cmd": f"touch {APPROVED}",
        "sandbox_permissions": "require_escalated",
        "justification": "May I create the file?",
    },
    trust="Trust and continue",
    ready=re.compile(r"Ask Codex to do anything"),
    asks=re.compile(r"Would you like to run"),
    yes=b"y",
    interrupted=re.compile(r"interrupted", re.IGNORECASE),
)
GEMINI = RealCli(
    key="gemini",
    provider="gemini",
    program="gemini",
    prepare=_gemini,
    tool="run_shell_command",
    tool_input=_BASH,
    trust="Trust folder",
    ready=re.compile(r"Type your message"),
    asks=re.compile(r"Allow execution"),
    interrupted=re.compile(r"Request cancelled"),
)
ALL = (CLAUDE, CLAUDE_NEXT, CODEX, GEMINI)


def make_project(path: Path) -> Path:
    """A small git repository for the CLIs to work in."""
    path.mkdir(parents=True)
    (path / "README.md").write_text("# orchard\n")
    git = {"HOME": os.devnull, "PATH": os.defpath, "GIT_CONFIG_NOSYSTEM": "1"}
    for name in ("AUTHOR", "COMMITTER"):
        git |= {f"GIT_{name}_NAME": "dev", f"GIT_{name}_EMAIL": "dev@example.com"}
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "start"]):
        subprocess.run(["git", *words], cwd=path, env=git, check=True, timeout=30)
    return path


def keys_to_row(screen: str, label: str) -> bytes:
    """Return the keys that choose the row with `label` in the dialog on `screen`, whichever row it starts on.

    Dialogs differ between versions, down to the preselected row, so the way is read from the screen.
    """
    lines = screen.split("\n")
    target = next((y for y, line in enumerate(lines) if label in line), None)
    chosen = [y for y, line in enumerate(lines) if re.search(r"^[\s│]*[❯›●]\s*(\d+\.\s*)?\S", line)]
    if target is None or not chosen:
        raise AssertionError(f"no row {label!r} and a chosen one on this screen:\n{screen}")
    start = min(chosen, key=lambda y: abs(y - target))
    arrow = b"\x1b[B" if target > start else b"\x1b[A"
    return arrow * abs(target - start) + b"\r"
