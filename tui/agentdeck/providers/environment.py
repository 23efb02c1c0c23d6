"""What of a client's environment its new session gets.

The environment is the client's at the time of the start, never the hub's, which may be days old. What other
terminals, multiplexers and agents left in it about themselves is dropped: a CLI that believes it runs in tmux, in an
editor or inside another agent behaves differently, and an agent's tokens are not for its neighbours.
"""

import re
import sys
from collections.abc import Mapping
from typing import Final

from agentdeck.providers.base import Provider

_HOSTS: Final = re.compile(
    r"TMUX(_.*)?|STY|WINDOW|ZELLIJ.*|ZMX_.*|SHPOOL_.*|DTACH_.*|ABDUCO_.*|BYOBU_.*"
    r"|VSCODE_.*|TERM_PROGRAM.*|TERM_SESSION_ID|LC_TERMINAL.*|ITERM_.*|KITTY_.*|WEZTERM_.*|ALACRITTY_.*|GHOSTTY_.*"
    r"|KONSOLE_.*|GNOME_TERMINAL_.*|VTE_VERSION|WT_SESSION|WT_PROFILE_ID|TERMINAL_EMULATOR|WINDOWID|COLUMNS|LINES"
)
"""Left by the terminal or multiplexer around the client."""

_AGENTS: Final = re.compile(
    r"CLAUDECODE|CLAUDE_PID|CLAUDE_EFFORT|CLAUDE_ENV_FILE|CLAUDE_PROJECT_DIR|CLAUDE_PLUGIN_(ROOT|DATA)"
    r"|CLAUDE_CODE_(CHILD_.*|ENTRYPOINT|EXECPATH|MESSAGING_.*|SESSION_.*|SSE_PORT|PARENT_.*|AGENT_.*|TASK_.*|TEAM_.*)"
    r"|CODEX_(MANAGED_.*|SANDBOX.*|THREAD_ID|INTERNAL_.*|CI)"
    r"|GEMINI_(CLI|CWD|SESSION_ID|PROJECT_DIR|PLANS_DIR)"
    r"|CURSOR_(AGENT|TRACE_ID|SESSION_.*)"
)
"""Set by an agent CLI for its own children. What people set to configure a CLI is not here."""

_OURS: Final = re.compile(r"AGENTDECK_.*|_")


def clean_environment(
    env: Mapping[str, str], provider: Provider, session: str, *, prefix: str = sys.prefix
) -> dict[str, str]:
    """Return the environment for a session.

    `prefix` is agentdeck's own Python environment: its traces are removed, another one that the person activated
    stays.
    """
    clean = {
        name: value
        for name, value in env.items()
        if not (_HOSTS.fullmatch(name) or _AGENTS.fullmatch(name) or _OURS.fullmatch(name))
    }
    if clean.get("VIRTUAL_ENV") == prefix:
        for name in ("VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "PYTHONHOME", "PYTHONPATH", "UV_RUN_RECURSION_DEPTH"):
            clean.pop(name, None)
    for name, value in provider.environment.items():
        clean.setdefault(name, value)
    clean.setdefault("TERM_PROGRAM", "agentdeck")
    return clean | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "AGENTDECK_SESSION": session}
