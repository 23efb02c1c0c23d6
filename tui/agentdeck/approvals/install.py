"""The arguments that make an agent CLI ask us: for the one session that gets them, and in no file of the person's.

Claude Code merges the settings of `--settings` with its own. Codex takes hooks by `-c`, and trust in them as a hash of
the hook, so that neither its question whether hooks are to be trusted comes up nor anybody else's hook is trusted along
with ours. Both measured with the CLIs named in docs/approvals.md.
"""

import hashlib
import json
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agentdeck.approvals.payload import DIALOG, GATE

EVENTS: Final = (GATE, DIALOG)
LONGEST_HOLD: Final = 24 * 60 * 60
"""Seconds after which the CLI itself ends a hook; the hub answers long before."""

_PROGRAM: Final = Path(__file__).parent.parent / "hook" / "main.py"
_CODEX_SOURCE: Final = "/<session-flags>/config.toml"
"""Where Codex says that hooks of `-c` come from."""


def arguments(family: str, given: Sequence[str], *, socket: Path, rules: Path, log: Path) -> tuple[str, ...]:
    """The arguments for a session of this kind of CLI, the person's own included.

    They stay as they are for a CLI without hooks, and where the person's own would have to be overruled.
    """
    commands = {event: command(family, event, socket=socket, rules=rules, log=log) for event in EVENTS}
    if family == "claude":
        return _claude(given, commands)
    if family == "codex":
        return _codex(given, commands)
    return tuple(given)


def command(family: str, event: str, *, socket: Path, rules: Path, log: Path) -> str:
    """The command line of the hook. `exec` leaves no shell between it and the CLI whose end it watches for."""
    words = (sys.executable, "-I", "-S", str(_PROGRAM), family, event, str(socket), str(rules), str(log))
    return f"exec {shlex.join(words)}"


def _claude(given: Sequence[str], commands: dict[str, str]) -> tuple[str, ...]:
    ours: dict[str, object] = {
        event: [{"matcher": "*", "hooks": [{"type": "command", "command": each, "timeout": LONGEST_HOLD}]}]
        for event, each in commands.items()
    }
    rest, theirs = _settings_of(given)
    if theirs is None:
        return tuple(given)
    hooks = theirs.get("hooks", {})
    if not isinstance(hooks, dict) or any(not isinstance(hooks.get(event, []), list) for event in ours):
        return tuple(given)
    merged = {**hooks, **{event: [*hooks.get(event, []), *groups] for event, groups in _lists(ours)}}
    settings = {**theirs, "hooks": merged}
    return ("--settings", json.dumps(settings, ensure_ascii=False, separators=(",", ":")), *rest)


def _lists(groups: dict[str, object]) -> list[tuple[str, list[object]]]:
    return [(event, group) for event, group in groups.items() if isinstance(group, list)]


def _settings_of(given: Sequence[str]) -> tuple[list[str], dict[str, object] | None]:
    """Take the person's own `--settings` out of their arguments: the last one would win over ours.

    None for settings that we cannot read; the CLI will say what is wrong with them.
    """
    rest: list[str] = []
    value = ""
    words = iter(given)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word == "--settings":
            value = next(words, "")
        elif word.startswith("--settings="):
            value = word.partition("=")[2]
        else:
            rest.append(word)
    if not value:
        return rest, {}
    try:
        text = value if value.lstrip().startswith("{") else Path(value).expanduser().read_text()
        found = json.loads(text)
    except (OSError, ValueError):
        return rest, None
    return rest, found if isinstance(found, dict) else None


def _codex(given: Sequence[str], commands: dict[str, str]) -> tuple[str, ...]:
    if any(re.match(r"(-c=?|--config=)?\s*[\"']?hooks\b", word) for word in given):
        return tuple(given)  # hooks of the person's by flag: a second list for the same event would replace theirs
    arguments: list[str] = []
    trusted: list[str] = []
    for event, each in commands.items():
        hook = f'{{type="command",command={_toml(each)},timeout={LONGEST_HOLD}}}'
        arguments += ["-c", f"hooks.{event}=[{{hooks=[{hook}]}}]"]
        name = "".join(f"_{c.lower()}" if c.isupper() else c for c in event).lstrip("_")
        key = f"{_CODEX_SOURCE}:{name}:0:0"
        trusted.append(f"{_toml(key)}={{trusted_hash={_toml(codex_hash(name, each, LONGEST_HOLD))}}}")
    return (*arguments, "-c", f"hooks.state={{{','.join(trusted)}}}", *given)


def codex_hash(event: str, line: str, timeout: int) -> str:
    """The hash by which Codex knows a command hook: over its own canonical JSON of it."""
    handler = {"type": "command", "command": line, "timeout": timeout, "async": False}
    identity = {"event_name": event, "hooks": [handler]}
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _toml(text: str) -> str:
    """A TOML basic string: JSON's is one, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
