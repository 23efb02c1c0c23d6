"""Rules: which tool calls are held for a person, warned of or refused. Data, in TOML; this reads it.

A rule fits a call when everything that it names fits. A file with an error costs the rules that are wrong and no
others, and every error names file, line and key; the built-in rules stay on whatever a file says wrong.
"""

import fnmatch
import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Final

from agentdeck.approvals.call import ToolCall, basename
from agentdeck.approvals.pattern import CommandPattern
from agentdeck.approvals.shell import Command
from agentdeck.errors import ConfigError

ACTIONS: Final = ("warn", "hold", "deny")
"""What a rule can do, mildest first."""
RISKS: Final = ("low", "medium", "high")
HOLD: Final = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Every condition that is set must hold; one without any fits nothing."""

    name: str
    action: str = "hold"
    risk: str = "medium"
    reason: str = ""
    """Told to the person, and to the agent when the call is refused."""
    tool: tuple[str, ...] = ()
    """The CLI's names for tools, as globs, or kinds: shell, edit, read, web, mcp, other."""
    command: tuple[CommandPattern, ...] = ()
    """One of these is run, however it is wrapped and spelled."""
    command_contains: tuple[str, ...] = ()
    """One of these texts is in the command line, as it is written or with its quotes and extra blanks removed."""
    path: tuple[str, ...] = ()
    """A glob for a path, or for its last part when it has no slash."""
    path_not: tuple[str, ...] = ()
    """Paths that `path` and `path_contains` do not mean."""
    path_contains: tuple[str, ...] = ()
    regex: re.Pattern[str] | None = None
    """Found in the command line, or in any text of another tool's input."""
    project: tuple[str, ...] = ()
    """Directories (with everything below) or globs for the name of one."""
    source: str = ""
    """`built-in`, or the file and line."""

    def fits(self, call: ToolCall) -> bool:
        return self._about(call) and all(condition(call) for condition in self._conditions())

    def _conditions(self) -> list[Callable[[ToolCall], bool]]:
        conditions: list[Callable[[ToolCall], bool]] = []
        if self.command:
            conditions.append(
                lambda call: any(pattern.fits(each) for each in call.commands for pattern in self.command)
            )
        if self.command_contains:
            conditions.append(lambda call: _contains(call, self.command_contains))
        if self.path or self.path_contains:
            conditions.append(self._fits_path)
        if self.regex is not None:
            found = self.regex
            conditions.append(lambda call: found.search(call.text) is not None)
        if self.tool or self.project:
            conditions.append(lambda call: True)
        return conditions or [lambda call: False]

    def _about(self, call: ToolCall) -> bool:
        if self.tool and not any(call.kind == name or fnmatch.fnmatchcase(call.tool, name) for name in self.tool):
            return False
        return not self.project or any(_inside(call.cwd, project) for project in self.project)

    def _fits_path(self, call: ToolCall) -> bool:
        return any(
            (any(_glob(path, glob) for glob in self.path) or any(part in path for part in self.path_contains))
            and not any(_glob(path, glob) for glob in self.path_not)
            for path in call.paths
        )


@dataclass(frozen=True, slots=True)
class RuleSet:
    rules: tuple[Rule, ...] = ()
    off: tuple[str, ...] = ()
    """Built-in rules that the person does not want."""
    hold: float = HOLD
    """Seconds for which a call that a rule caught, and that no dialog of the CLI shows, waits for an answer."""
    errors: tuple[ConfigError, ...] = ()


@cache
def builtin() -> RuleSet:
    """The rules that agentdeck comes with (`builtin.toml`)."""
    path = Path(__file__).with_name("builtin.toml")
    found = parse(path.read_text(), path.name)
    if found.errors:
        raise found.errors[0]
    return replace(found, rules=tuple(replace(rule, source="built-in") for rule in found.rules))


def load(path: Path) -> RuleSet:
    """Read a person's rules; a missing file is the same as an empty one."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return RuleSet()
    except OSError as error:
        return RuleSet(errors=(_error(str(path), 0, "", f"it cannot be read: {error.strerror}"),))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return RuleSet(errors=(_error(str(path), line, "", "this is not UTF-8 text"),))
    return parse(text, str(path))


def parse(text: str, path: str) -> RuleSet:
    """Understand `text`; `path` is only for the errors."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        at = int(line[1]) if line else text.count("\n") + 1
        return RuleSet(errors=(_error(path, at, "", f"this is not TOML: {error}"),))
    reading = _Reading(text, path)
    return reading.whole(table)


class _Reading:
    def __init__(self, text: str, path: str) -> None:
        self._lines = text.split("\n")
        self._heads = [n for n, line in enumerate(self._lines, 1) if re.match(r"\s*\[\[\s*rules\s*\]\]", line)]
        self._path = path
        self.errors: list[ConfigError] = []

    def whole(self, table: Mapping[str, Any]) -> RuleSet:
        rules: list[Rule] = []
        off: tuple[str, ...] = ()
        hold = HOLD
        for key, value in table.items():
            match key:
                case "rules" if isinstance(value, list):
                    rules = [rule for n, each in enumerate(value) if (rule := self._rule(n, each)) is not None]
                case "off":
                    off = self._texts(value, "off", 0) or ()
                case "hold" if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
                    hold = float(value)
                case "hold":
                    self._wrong(0, "hold", "expected seconds, more than 0")
                case "rules":
                    self._wrong(0, "rules", "write each rule under its own [[rules]]")
                case _:
                    self._wrong(0, key, f"there is no such setting{_nearest(key, ('rules', 'off', 'hold'))}")
        return RuleSet(tuple(rules), off, hold, tuple(self.errors))

    def _rule(self, n: int, table: object) -> Rule | None:
        head = self._heads[n] if n < len(self._heads) else 1
        before = len(self.errors)
        if not isinstance(table, dict):
            self._wrong(head, "rules", "write each rule under its own [[rules]]", exact=True)
            return None
        values: dict[str, Any] = {"name": f"rule {n + 1}", "source": f"{self._path}:{head}"}
        for key, value in table.items():
            match key:
                case "name" | "reason":
                    values[key] = self._text(value, key, head)
                case "action" | "risk":
                    values[key] = self._choice(value, key, head, ACTIONS if key == "action" else RISKS)
                case "tool" | "command_contains" | "path" | "path_not" | "path_contains" | "project":
                    values[key] = self._texts(value, key, head)
                case "command":
                    values[key] = self._commands(value, head)
                case "regex":
                    values[key] = self._regex(value, head)
                case _:
                    self._wrong(head, key, f"there is no such key{_nearest(key, _KEYS)}")
        if not {*table} & _CONDITIONS and len(self.errors) == before:
            self._wrong(head, "rules", f"a rule needs one of {', '.join(sorted(_CONDITIONS))}", exact=True)
        return Rule(**values) if len(self.errors) == before else None

    def _text(self, value: object, key: str, head: int) -> str:
        if isinstance(value, str):
            return value
        self._wrong(head, key, "expected a text in quotes")
        return ""

    def _texts(self, value: object, key: str, head: int) -> tuple[str, ...]:
        found = (value,) if isinstance(value, str) else value
        if isinstance(found, list | tuple) and all(isinstance(each, str) and each for each in found):
            return tuple(found)
        self._wrong(head, key, "expected a text in quotes, or a list of them; none of them empty")
        return ()

    def _choice(self, value: object, key: str, head: int, choices: Sequence[str]) -> str:
        if value not in choices:
            self._wrong(head, key, f"expected one of {', '.join(choices)}")
        return str(value)

    def _commands(self, value: object, head: int) -> tuple[CommandPattern, ...]:
        try:
            return tuple(CommandPattern.read(text) for text in self._texts(value, "command", head))
        except ValueError as error:
            self._wrong(head, "command", str(error))
            return ()

    def _regex(self, value: object, head: int) -> re.Pattern[str] | None:
        try:
            return re.compile(self._text(value, "regex", head))
        except re.error as error:
            self._wrong(head, "regex", f"this is no regular expression: {error}")
            return None

    def _wrong(self, head: int, key: str, why: str, *, exact: bool = False) -> None:
        """Note an error at the line that sets `key`: below the rule's head, or at the top of the file."""
        line = head
        if not exact:
            end = next((n for n in self._heads if n > head), len(self._lines) + 1)
            setting = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*=""")
            line = next((n for n in range(max(1, head), end) if setting.match(self._lines[n - 1])), head)
        self.errors.append(_error(self._path, line, key, why))


_KEYS: Final = ("name", "action", "risk", "reason", "tool", "command", "command_contains", "path", "path_not",
                "path_contains", "regex", "project")  # fmt: skip
_CONDITIONS: Final = frozenset({"tool", "command", "command_contains", "path", "path_contains", "regex", "project"})


def _error(path: str, line: int, key: str, why: str) -> ConfigError:
    error = ConfigError(path, line, key, why)
    error.hint = "the built-in rules and the file's other rules are on; agentdeck approvals --rules shows them"
    return error


def _nearest(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _contains(call: ToolCall, wanted: Sequence[str]) -> bool:
    plain = [" ".join(call.command.split()), *(" ".join(_written(each)) for each in call.commands)]
    return any(" ".join(text.split()) in each or text in call.command for text in wanted for each in plain)


def _written(command: Command) -> tuple[str, ...]:
    return (*command.words, *command.targets)


def _glob(path: str, glob: str) -> bool:
    if "/" not in glob:
        return fnmatch.fnmatchcase(basename(path), glob)
    whole, wanted = _at_home(path), _at_home(glob)
    return fnmatch.fnmatchcase(whole, wanted) or (
        not wanted.startswith("/") and fnmatch.fnmatchcase(whole, f"*/{wanted}")
    )


def _inside(cwd: str, project: str) -> bool:
    if "/" not in project and project != "~":
        return any(fnmatch.fnmatchcase(part, project) for part in Path(cwd).parts)
    root = os.path.normpath(_at_home(project))
    return cwd == root or cwd.startswith(root.rstrip("/") + "/")


def _at_home(path: str) -> str:
    """With a `~` or `$HOME` at its beginning replaced; a path that cannot be expanded stays as it is."""
    for home in ("$HOME", "${HOME}"):
        path = "~" + path[len(home) :] if path.startswith(home) else path
    return os.path.expanduser(path) if path.startswith("~") else path  # noqa: PTH111 - a text, not yet a path
