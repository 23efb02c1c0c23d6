"""What a screen says, by rules that are data: one TOML file per provider below `providers/screens`.

A rule is anchored to the bottom of the screen, where the CLIs draw their own dialogs, prompt boxes and status lines. An
agent's words stand above those, so that nothing it prints can match. A rule climbs: its first pattern must match one of
the lowest lines, each further one a line above the match before it. Empty lines and the sides of boxes do not count.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

from agentdeck.errors import ConfigError

STATES: Final = ("needs_you", "working", "idle", "limited", "starting")
ASKS: Final = ("", "approval", "question", "login", "setup")

HEIGHT: Final = 45
"""Lines from the bottom that are looked at."""

_SIDES: Final = re.compile(r"^\s*[│┃]|[│┃]\s*$")
_CORNERS: Final = re.compile(r"^\s*[╭╰└┌][─━]+[╮╯┘┐]\s*$")

_FIELDS: Final = frozenset({"name", "state", "asks", "weight", "since", "until", "climb", "never", "firm"})


@dataclass(frozen=True, slots=True)
class Step:
    pattern: re.Pattern[str]
    within: int
    """Lines that are looked at, from the one above the last match upwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    name: str
    state: str
    asks: str = ""
    """For `needs_you`: approval, question, login or setup."""
    weight: float
    """Against the other signals; see `status.state`."""
    since: tuple[int, ...] = ()
    until: tuple[int, ...] = ()
    """Versions of the CLI: from `since`, before `until`; empty is all. An unknown version is any."""
    firm: bool = False
    """For `idle`: it is not drawn while a turn goes on, so that it counts although output still comes."""
    climb: tuple[Step, ...]
    never: tuple[re.Pattern[str], ...] = ()
    """Lines that must not stand between the bottom and the highest match."""

    def fits(self, version: tuple[int, ...]) -> bool:
        return not version or (self.since <= version and (not self.until or version < self.until))


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule has found on a screen."""

    rule: str
    state: str
    words: str
    """What the rule captured, or its highest match, in one line."""
    asks: str
    weight: float
    firm: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """Of one provider. The first rule that matches decides."""

    rules: tuple[Rule, ...] = ()

    def read(self, rows: Sequence[str], version: str = "") -> Reading | None:
        lines = _lines(rows)
        if not lines:
            return None
        known = parse_version(version)
        for rule in self.rules:
            if rule.fits(known) and (words := _climb(rule, lines)) is not None:
                return Reading(rule.name, rule.state, words, rule.asks, rule.weight, rule.firm)
        return None


def parse_version(text: str) -> tuple[int, ...]:
    """Return the numbers of a version, none for one that is not known."""
    found = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


@cache
def builtin(family: str) -> Rules:
    """Return the rules that come with agentdeck, none for a provider without a file."""
    source = files("agentdeck.providers").joinpath("screens", f"{family}.toml")
    return load(source.read_text(encoding="utf-8"), source.name) if source.is_file() else Rules()


def load(text: str, name: str) -> Rules:
    """Read the rules of one provider. Raises `ConfigError`, which names the file, the rule and what is wrong."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(name, 0, "", str(error)) from None
    rules = table.get("rule", [])
    if not isinstance(rules, list) or set(table) - {"rule"}:
        raise ConfigError(name, 0, "", "only [[rule]] tables are read")
    return Rules(tuple(_rule(entry, _Place(name, number)) for number, entry in enumerate(rules, 1)))


class _Place(NamedTuple):
    file: str
    number: int

    def error(self, why: str) -> ConfigError:
        return ConfigError(self.file, 0, f"rule {self.number}", why)


def _rule(entry: Any, where: _Place) -> Rule:
    if not isinstance(entry, dict):
        raise where.error("is no table")
    if unknown := sorted(set(entry) - _FIELDS):
        raise where.error(f"there is no {unknown[0]!r}")
    state, asks, weight = entry.get("state"), entry.get("asks", ""), entry.get("weight", 0.6)
    if state not in STATES or asks not in ASKS:
        raise where.error(f"state is one of {', '.join(STATES)}; asks one of {', '.join(ASKS[1:])}")
    if not isinstance(weight, int | float) or not 0 < weight < 1:
        raise where.error("weight is a number between 0 and 1")
    climb = entry.get("climb")
    if not isinstance(climb, list) or not climb:
        raise where.error("climb is a list of patterns")
    never = entry.get("never", [])
    if not isinstance(never, list):
        raise where.error("never is a list of patterns")
    return Rule(
        name=str(entry.get("name", f"rule {where.number}")),
        state=state,
        asks=asks,
        weight=float(weight),
        firm=entry.get("firm") is True,
        since=parse_version(str(entry.get("since", ""))),
        until=parse_version(str(entry.get("until", ""))),
        climb=tuple(_step(step, where) for step in climb),
        never=tuple(_pattern(pattern, where) for pattern in never),
    )


def _step(entry: Any, where: _Place) -> Step:
    if isinstance(entry, str):
        return Step(_pattern(entry, where), 1)
    if not isinstance(entry, dict) or set(entry) - {"line", "within"}:
        raise where.error("a step is a pattern, or a table of line and within")
    within = entry.get("within", 1)
    if not isinstance(within, int) or not 0 < within <= HEIGHT:
        raise where.error(f"within is a number of lines, {HEIGHT} at most")
    return Step(_pattern(entry.get("line"), where), within)


def _pattern(text: Any, where: _Place) -> re.Pattern[str]:
    if not isinstance(text, str):
        raise where.error("a pattern is a text")
    try:
        return re.compile(text)
    except re.error as error:
        raise where.error(f"{text!r} is no pattern: {error}") from None


def _lines(rows: Sequence[str]) -> list[str]:
    """The lowest rows that say something, top down, without the sides of boxes. Their lids and bottoms stay."""
    lines: list[str] = []
    for row in reversed(rows):
        line = row.rstrip()
        if "│" in line or "┃" in line:
            line = line if _CORNERS.match(line) else _SIDES.sub("", line).rstrip()
        if line:
            lines.append(line)
            if len(lines) == HEIGHT:
                break
    lines.reverse()
    return lines


def _climb(rule: Rule, lines: list[str]) -> str | None:
    at = len(lines)
    found: re.Match[str] | None = None
    words = ""
    for step in rule.climb:
        lowest = max(0, at - step.within)
        for number in range(at - 1, lowest - 1, -1):
            if (found := step.pattern.search(lines[number])) is not None:
                at = number
                break
        else:
            return None
        if found.re.groups and found[1]:
            words = found[1]
    if any(pattern.search(line) for pattern in rule.never for line in lines[at:]):
        return None
    return " ".join((words or (found[0] if found else "")).split())
