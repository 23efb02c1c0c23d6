"""The configuration file: what can be set, its defaults, and what is wrong with it.

A broken file never stops agentdeck: `load` returns the defaults for what it cannot use, and the errors. One bad key
costs that key alone; only a file that is no TOML is left out as a whole, because nobody can tell what it meant.
"""

import re
import tomllib
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, get_args, get_origin

import msgspec

from agentdeck.errors import ConfigError


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """0 = never, for each of them. Times are seconds."""

    sessions: int = 10
    idle: float = 2 * 60 * 60
    idle_check: float = 5 * 60
    idle_warning: float = 10 * 60


class Ending(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a session counts as idle or over. Confidences are between 0 and 1; a sign with 0 is not looked at."""

    idle_after: float = 120
    """Seconds without an event."""
    end_after: float = 30 * 60
    """Seconds without an event and without anybody who could write one."""
    process_gone: float = 0.99
    explicit: float = 0.95
    closed: float = 0.8
    idle: float = 0.5
    least: float = 0.5
    """An end that is less sure than this is not told."""


class Transcripts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    roots: dict[str, list[str]] = {}
    """Provider → directories with transcripts beside the usual ones; ~ is the home directory."""


class CustomProvider(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Any command as a provider of its own, or other words for a known one."""

    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    label: str = ""


class Notify(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens when a session changes its state and nobody looks."""

    how: str = "auto"
    """auto (what the terminal is known to understand), osc9, osc777, osc99, bell or off."""
    states: tuple[str, ...] = ("needs_you", "done", "limited", "error")
    command: tuple[str, ...] = ()
    """A program and its arguments; it gets a title and a text as two more."""


class Keys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    preset: str = "default"
    """default, tmux, zellij or minimal."""
    deck: dict[str, list[str]] = {}
    """Action id → keys, in DECK mode."""
    typing: dict[str, list[str]] = {}
    reading: dict[str, list[str]] = {}
    """Those that mean something else while a pane is scrolled back."""
    joined: dict[str, list[str]] = {}
    """Those of `agentdeck join`."""


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    theme: str = "auto"
    """A theme's name, or auto: follow the terminal's light or dark report."""
    theme_dark: str = "night"
    theme_light: str = "paper"
    glyphs: str = "auto"
    """auto, unicode, narrow or ascii."""
    sidebar_width: int = 26
    scrollback: int = 10_000
    """Rows kept per session, about."""
    clipboard: str = "ask"
    """OSC 52 from programs: ask, allow or deny."""
    limits: Limits = Limits()
    transcripts: Transcripts = Transcripts()
    ending: Ending = Ending()
    notify: Notify = Notify()
    keys: Keys = Keys()
    providers: dict[str, CustomProvider] = {}


CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "glyphs": ("auto", "unicode", "narrow", "ascii"),
    "clipboard": ("ask", "allow", "deny"),
    "notify.how": ("auto", "osc9", "osc777", "osc99", "bell", "off"),
    "keys.preset": ("default", "tmux", "zellij", "minimal"),
}
"""Settings that take one of a few words."""

RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "sidebar_width": (18, 36),
    "scrollback": (0, 1_000_000),
    "limits.sessions": (0, 1000),
    "limits.idle": (0, float("inf")),
    "limits.idle_check": (0, float("inf")),
    "limits.idle_warning": (0, float("inf")),
    "ending.idle_after": (1, float("inf")),
    "ending.end_after": (1, float("inf")),
    "ending.process_gone": (0, 1),
    "ending.explicit": (0, 1),
    "ending.closed": (0, 1),
    "ending.idle": (0, 1),
    "ending.least": (0, 1),
}
"""Settings that take a number, both ends included."""


def load(path: Path) -> tuple[Config, list[ConfigError]]:
    """Read the file at `path`; a missing one is the same as an empty one."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return Config(), []
    except OSError as error:
        return Config(), [ConfigError(str(path), 0, "", f"it cannot be read: {error.strerror}")]
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return Config(), [ConfigError(str(path), line, "", "this is not UTF-8 text")]
    return parse(text, str(path))


def parse(text: str, path: str) -> tuple[Config, list[ConfigError]]:
    """Understand `text`; `path` is only for the errors."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Config(), [_syntax_error(text, path, str(error))]
    reading = _Reading()
    config = reading.struct(Config, table, ())
    lines = Lines(text)
    return config, [ConfigError(path, lines.of(key), ".".join(key), why) for key, why in reading.problems]


class _Reading:
    """One pass over a parsed file: takes what fits, notes what does not."""

    def __init__(self) -> None:
        self.problems: list[tuple[tuple[str, ...], str]] = []

    def struct(self, kind: type[Any], table: object, at: tuple[str, ...]) -> Any:
        if not isinstance(table, dict):
            self.problems.append((at, f"expected a table, found {_found(table)}"))
            return kind()
        fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
        values: dict[str, object] = {}
        for name, value in table.items():
            if name not in fields:
                self.problems.append(((*at, name), f"there is no such setting{_nearest(name, fields)}"))
                continue
            fits, taken = self._value(fields[name], value, (*at, name))
            if fits:
                values[name] = taken
        return kind(**values)

    def _value(self, kind: Any, value: object, at: tuple[str, ...]) -> tuple[bool, object]:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return True, self.struct(kind, value, at)
        if get_origin(kind) is dict and isinstance(value, dict):
            taken = {name: self._value(get_args(kind)[1], entry, (*at, name)) for name, entry in value.items()}
            return True, {name: entry for name, (fits, entry) in taken.items() if fits}
        try:
            converted = msgspec.convert(value, kind)
        except msgspec.ValidationError:
            self.problems.append((at, f"expected {_wanted(kind)}, found {_found(value)}"))
            return False, None
        if why := _refused(".".join(at), converted):
            self.problems.append((at, why))
            return False, None
        return True, converted


def _refused(key: str, value: object) -> str:
    if (choices := CHOICES.get(key)) and value not in choices:
        return f"expected one of {', '.join(choices)}; found {_found(value)}"
    if (span := RANGES.get(key)) and isinstance(value, int | float) and not span[0] <= value <= span[1]:
        end = f" to {span[1]:,.0f}" if span[1] != float("inf") else " or more"
        return f"expected {span[0]:.0f}{end}, found {value}"
    return ""


class Lines:
    """On which line of a TOML text a key is set.

    Found by parsing beginnings of the text: the key's line follows the longest beginning that is whole and lacks it.
    That is exact for dotted keys, inline tables and values over several lines, and only costs when something is wrong.
    """

    def __init__(self, text: str) -> None:
        self._lines = [f"{line}\n" for line in text.split("\n")]
        self._beginnings: dict[int, dict[str, Any] | None] = {}

    def of(self, key: tuple[str, ...]) -> int:
        """Return the 1-based line, or 0 when the text does not set the key."""
        if not self._sets(len(self._lines), key):
            return 0
        lacking, end = 0, len(self._lines)
        while end - lacking > 1:
            middle = (lacking + end) // 2
            whole = next((count for count in range(middle, end) if self._beginning(count) is not None), end)
            if whole < end and not self._sets(whole, key):
                lacking = whole
            else:
                end = middle
        return lacking + 1

    def _sets(self, count: int, key: tuple[str, ...]) -> bool:
        table: object = self._beginning(count)
        for part in key:
            if not isinstance(table, dict) or part not in table:
                return False
            table = table[part]
        return True

    def _beginning(self, count: int) -> dict[str, Any] | None:
        """The first `count` lines, parsed; None when they end inside a value."""
        if count not in self._beginnings:
            try:
                self._beginnings[count] = tomllib.loads("".join(self._lines[:count]))
            except tomllib.TOMLDecodeError:
                self._beginnings[count] = None
        return self._beginnings[count]


def _syntax_error(text: str, path: str, why: str) -> ConfigError:
    """Name the line and, where there is one, the key of what tomllib stumbled over."""
    lines = text.splitlines()
    place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", why)
    line = int(place[1]) if place and place[1] else len(lines)
    key = re.match(r"\s*([\w.\"'-]+)\s*=", lines[line - 1]) if 0 < line <= len(lines) else None
    said = why[: place.start()] if place else why
    return ConfigError(path, line, key[1] if key else "", f"this is not TOML: {said[:1].lower()}{said[1:]}")


def _nearest(name: str, known: Mapping[str, object]) -> str:
    import difflib

    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


_WORDS: Final[Mapping[object, str]] = {
    str: "a text in quotes",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a table",
    list: "a list of texts",
    tuple: "a list of texts",
    types.NoneType: "nothing",
}


def _wanted(kind: Any) -> str:
    return _WORDS.get(get_origin(kind) or kind, "something else")


def _found(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    shown = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return shown if len(shown) <= 40 else f"{shown[:37]}…"
