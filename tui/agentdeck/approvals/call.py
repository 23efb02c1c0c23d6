"""A tool call of an agent, in the words of no CLI in particular: what a rule looks at and what a person is shown.

The CLIs name their tools and inputs differently; `ToolCall` keeps what they said and adds what it means: the kind of
tool, the shell commands in it, the paths that it touches.
"""

import fnmatch
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Final

from agentdeck.approvals.shell import Command, commands

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "shell": ("Bash", "BashOutput", "Shell", "shell", "exec_command", "local_shell", "run_shell_command", "Monitor",
              "run_terminal_cmd", "run_terminal_command", "unified_exec", "write_stdin", "PowerShell"),
    "edit": ("Edit", "Write", "MultiEdit", "NotebookEdit", "apply_patch", "replace", "write_file", "edit_file",
             "search_replace", "delete_file", "Delete"),
    "read": ("Read", "read_file", "read_many_files", "NotebookRead", "View", "view_image", "Grep", "Glob", "LS",
             "grep_search", "list_directory", "list_dir", "search_file_content", "glob"),
    "web": ("WebFetch", "WebSearch", "web_fetch", "google_web_search", "web_search"),
    "mcp": ("mcp__*", "mcp_*"),
}  # fmt: skip
"""What kind of tool each of the CLIs' tools is. Others are of the kind `other`."""

_PATHS: Final = frozenset({"file_path", "path", "notebook_path", "absolute_path", "filename", "file", "target_file",
                           "dir_path", "directory", "paths", "file_paths"})  # fmt: skip
_PATCH: Final = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.+)$|^\*\*\* Move to: (.+)$", re.MULTILINE)
_TOKEN: Final = re.compile(r"[\w./~@%+-]+")
_TALK: Final = frozenset({"echo", "printf", "git-commit"})
"""Programs whose words are text and no paths."""


@dataclass(frozen=True, slots=False)
class ToolCall:
    """`input` is the CLI's own object. Frozen; what is derived from it is found once."""

    tool: str
    input: Mapping[str, object] = field(default_factory=dict)
    cwd: str = ""
    provider: str = ""
    session: str = ""
    """The provider's own id of the conversation."""
    use_id: str = ""
    """The provider's id of this call, when it told one."""
    agent: str = ""
    """The sub-agent that calls; empty for the main one."""
    mode: str = ""
    """The CLI's permission mode: default, acceptEdits, plan, bypassPermissions …"""

    @cached_property
    def kind(self) -> str:
        """shell, edit, read, web, mcp or other."""
        for kind, names in KINDS.items():
            if any(fnmatch.fnmatchcase(self.tool, name) for name in names):
                return kind
        return "other"

    @cached_property
    def command(self) -> str:
        """The command line of a shell call, else an empty text."""
        if self.kind != "shell":
            return ""
        for name in ("command", "cmd", "script", "chars"):
            value = self.input.get(name)
            if isinstance(value, str):
                return value
            if isinstance(value, list) and all(isinstance(part, str) for part in value):
                return " ".join(quoted(part) for part in value)
        return ""

    @cached_property
    def commands(self) -> tuple[Command, ...]:
        return tuple(commands(self.command)) if self.command else ()

    @cached_property
    def patch(self) -> str:
        """The patch of Codex's `apply_patch`, else an empty text."""
        if self.tool != "apply_patch":
            return ""
        found = next((self.input[name] for name in ("command", "input", "patch") if name in self.input), "")
        return found if isinstance(found, str) else ""

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """Every path that the call names, as it names it; for shell calls every word that could be one."""
        found = dict.fromkeys(_named_paths(self.input))
        found |= dict.fromkeys(match[0] or match[1] for match in _PATCH.findall(self.patch))
        for command in self.commands:
            found |= dict.fromkeys(_word_paths(command))
        return tuple(found)

    @cached_property
    def text(self) -> str:
        """All that the call says: the command line, or every text in its input."""
        return self.command or "\n".join(_texts(self.input))

    @property
    def subject(self) -> str:
        """The call in one line: its command, its file, its address."""
        first = self.command or (self.patch and ", ".join(self.paths))
        for name in ("file_path", "notebook_path", "path", "absolute_path", "url", "query", "pattern", "description"):
            value = self.input.get(name)
            first = first or (value if isinstance(value, str) else "")
        if not first and self.input:
            first = json.dumps(self.input, ensure_ascii=False)
        return " ".join(first.split())

    @property
    def fingerprint(self) -> str:
        """The same for two calls that ask for the same thing, whatever order or description they come with."""
        essential = {name: value for name, value in self.input.items() if name not in ("description", "justification")}
        return json.dumps([self.tool, essential], sort_keys=True, ensure_ascii=False, default=str)


def quoted(word: str) -> str:
    """A word as a shell would have to read it."""
    if word and re.fullmatch(r"[\w@%+=:,./-]+", word):
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"


def _named_paths(value: object, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _named_paths(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _named_paths(inner, name)
    elif isinstance(value, str) and name in _PATHS and value:
        yield value


def _word_paths(command: Command) -> Iterator[str]:
    yield from command.targets
    if command.program in _TALK:
        return
    for word in command.words[1:]:
        value = word.partition("=")[2] if word.startswith("-") and "=" in word else word.lstrip("@")
        if value.startswith("-"):
            continue
        if any(c.isspace() or c in "'\"()" for c in value):
            yield from (match[0] for match in _TOKEN.finditer(value))
        elif value:
            yield value


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def basename(path: str) -> str:
    return PurePosixPath(path).name
