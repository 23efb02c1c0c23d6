"""Which agent CLI is this process, and what do people call it?

Pure over what the system says of a process. A word inside a command line proves nothing (`grep claude`, an editor
with a file called codex): only the program itself, or the script that an interpreter runs, counts.
"""

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Final

_PACKAGES: Final = {
    "@anthropic-ai/claude-code/": "claude",
    "@openai/codex/": "codex",
    "@google/gemini-cli/": "gemini",
}
"""Where the script of a node CLI really lives, when its links are followed."""

_LAUNCHERS: Final = {".bin/claude": "claude", ".bin/codex": "codex", ".bin/gemini": "gemini"}
"""The links in a node_modules folder, for when they could not be followed."""

_NATIVE: Final = {"claude": "claude", "claude.exe": "claude", "codex": "codex", "cursor-agent": "cursor"}

_SHELLS: Final = ("bash", "sh", "dash", "zsh")
_INTERPRETER: Final = re.compile(r"(node|nodejs|bun|deno|python[\d.]*|pypy[\d.]*|ruby|perl|php|bash|dash|sh|zsh|fish)")
_TAKES_VALUE: Final = frozenset({"-X", "-W", "-r", "--require", "-I", "-o", "--rcfile", "--init-file"})
"""Options of interpreters that are followed by a value, which is not the script."""

_SHELL_WORDS: Final = frozenset(
    {"source", ".", "cd", "eval", "exec", "export", "set", "if", "for", "while", "[", "{", "("}
)
_NODE: Final = re.compile(r"node|nodejs|bun|deno|MainThread")

_HELPERS: Final = {
    "claude": frozenset({
        "daemon", "bg-pty-host", "bg-spare", "mcp", "update", "install", "doctor", "config", "plugin", "setup-token",
        "agents", "auth", "--version", "-v",
    }),
    "codex": frozenset({
        "app-server", "mcp-server", "pid-update-loop", "sandbox", "login", "logout", "mcp", "completion", "debug",
        "apply", "cloud", "features", "update", "queue", "--version", "-V",
    }),
    "gemini": frozenset({"mcp", "extensions", "hooks", "skills", "--version", "-v"}),
    "cursor": frozenset({"update", "login", "logout", "status", "mcp", "ls", "--version", "-v"}),
}  # fmt: skip
"""First arguments that make no session; of Codex some count wherever they stand."""

_CODEX_HELPERS: Final = frozenset({"app-server", "mcp-server", "pid-update-loop"})
_DESKTOP: Final = re.compile(
    r"\.app/Contents/|Claude Helper|Cursor Helper|/usr/lib/claude-desktop|/opt/Cursor|/tmp/\.mount_"
    r"|ShipIt|Squirrel|[Uu]pdater"
)


def provider(argv: Sequence[str], *, exe: str = "", comm: str = "", script: str = "") -> str | None:
    """Return the built-in provider whose interactive CLI this process is, or None.

    `exe` is the program file, `script` the real path of `argv[1]` for interpreters; both may be empty when they
    cannot be read. Helpers (daemons, MCP servers, updates) and desktop applications are not sessions. Of a wrapper
    and its child both match: the caller keeps the outermost.
    """
    if not argv:
        return None
    if _DESKTOP.search(exe) or _DESKTOP.search(argv[0]) or any(part.startswith("--type=") for part in argv):
        return None
    name = _native(argv[0], exe)
    rest = argv[1:]
    if name is None and _NODE.fullmatch(PurePath(exe or argv[0]).name or comm):
        position = _script_position(argv)
        if position is None:
            return None
        name = _scripted(script) or _scripted(argv[position])
        rest = argv[position + 1 :]
    if name is None or (rest and _is_helper(name, rest)):
        return None
    return name


def is_headless(argv: Sequence[str]) -> bool:
    """Whether an agent's command line asks for one answer instead of a conversation."""
    return any(part in ("-p", "--print", "exec", "e", "--acp", "--experimental-acp") for part in argv[1:])


def is_holder(argv: Sequence[str]) -> bool:
    """Whether this is one of agentdeck's own holders."""
    return any(part.endswith("/agentdeck/holder/boot.py") for part in argv[1:8])


def spoken_name(argv: Sequence[str], comm: str) -> str:
    """Return what people call a process: the script or module rather than its interpreter."""
    if not argv or not argv[0]:
        return comm
    program = PurePath(argv[0]).name.lstrip("-") or comm
    if not _INTERPRETER.fullmatch(program):
        return program
    rest = list(argv[1:])
    while rest:
        word = rest.pop(0)
        if word == "-m" and rest:
            return rest[0]
        if word == "-c":
            return _first_command(rest[0]) or program if rest and program in _SHELLS else program
        if word in _TAKES_VALUE:
            del rest[:1]
        elif not word.startswith("-"):
            return PurePath(word).name
    return program


def _first_command(text: str) -> str:
    """Return the program that a shell's `-c` begins with, empty when it begins with something else."""
    word = next(iter(text.split()), "")
    return "" if word in _SHELL_WORDS or "=" in word else PurePath(word).name


def _native(program: str, exe: str) -> str | None:
    for path in (exe, program):
        name = PurePath(path).name
        if name in _NATIVE:
            return _NATIVE[name]
        if name == "agent" and "cursor-agent" in PurePath(path).parts:
            return "cursor"
    if PurePath(program).name in ("node", "agent") and "cursor-agent" in PurePath(exe or program).parts:
        return "cursor"
    return None


def script(argv: Sequence[str], exe: str = "") -> str:
    """Return the script that a node CLI's interpreter runs, as it was named; empty for any other process."""
    if not argv or not _NODE.fullmatch(PurePath(exe or argv[0]).name):
        return ""
    position = _script_position(argv)
    return argv[position] if position is not None else ""


def own_arguments(argv: Sequence[str]) -> tuple[str, ...]:
    """Return what an agent's command line gives to the CLI itself: what follows the program, or its script."""
    if argv and _NODE.fullmatch(PurePath(argv[0]).name) and (position := _script_position(argv)) is not None:
        return tuple(argv[position + 1 :])
    return tuple(argv[1:])


def _script_position(argv: Sequence[str]) -> int | None:
    """Return where the script is on an interpreter's command line, after the interpreter's own options."""
    return next((index for index, part in enumerate(argv) if index and not part.startswith("-")), None)


def _scripted(script: str) -> str | None:
    for place, name in _PACKAGES.items():
        if f"/{place}" in script or script.startswith(place):
            return name
    for link, name in _LAUNCHERS.items():
        if script.endswith(link):
            return name
    return None


def _is_helper(name: str, arguments: Sequence[str]) -> bool:
    return arguments[0] in _HELPERS[name] or (name == "codex" and not _CODEX_HELPERS.isdisjoint(arguments))
