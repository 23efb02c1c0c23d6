"""The permission dialog on a CLI's screen: what it asks, which answers it offers, and which key gives each.

Keys are never sent to a screen that only looks as if it were waiting. A dialog is one with a question that this CLI
asks, an answer that allows and one that denies; `mark` tells whether it is still the very same one. How dialogs look
is data (`dialogs.toml`). Pure: rows of text in, values out.
"""

import hashlib
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

HIGHEST: Final = 40
"""Rows above its answers that belong to a dialog at most."""

_FRAME: Final = re.compile(r"^[\s│┃|╎▏▕]+|[\s│┃|╎▏▕]+$")
_RULE: Final = re.compile(r"[─━═╌┄\-╭╮╰╯┌┐└┘▄▀]{8,}")
_POINTER: Final = re.compile(r"^[❯›●→▶>]\s+")
_NUMBER: Final = re.compile(r"^(\d)\.\s+")
_HINT: Final = re.compile(r"\s+\(([^()]{1,24})\)$")
_SPACE: Final = re.compile(r"\s+")
_KEYS: Final = {"esc": b"\x1b", "enter": b"\r", "return": b"\r", "tab": b"\t", "shift+tab": b"\x1b[Z"}


@dataclass(frozen=True, slots=True)
class Look:
    """How one CLI's dialogs look."""

    question: re.Pattern[str]
    allow: re.Pattern[str]
    always: re.Pattern[str]
    deny: re.Pattern[str]
    by_number: bool
    edge: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Answer:
    label: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Dialog:
    question: str
    text: tuple[str, ...]
    """Its rows above the answers, without frames."""
    allow: Answer
    deny: Answer
    always: Answer | None
    mark: str
    """The same for the same dialog, whichever answer is preselected; another for any other one."""

    def is_about(self, *subjects: str) -> bool:
        """Whether it shows one of these commands, files or addresses, which may be wrapped or cut there."""
        shown = _SPACE.sub("", "".join(self.text))
        return any(wanted in shown for subject in subjects if (wanted := _SPACE.sub("", subject)[:24]))

    @property
    def subject(self) -> str:
        """What it is about, in one line."""
        return " ".join(row for row in self.text if row != self.question) or self.question


@cache
def looks() -> dict[str, Look]:
    table = tomllib.loads(Path(__file__).with_name("dialogs.toml").read_text())
    return {
        name: Look(
            question=re.compile(entry["question"]),
            allow=re.compile(entry["allow"]),
            always=re.compile(entry["always"]),
            deny=re.compile(entry["deny"]),
            by_number=entry["keys"] == "number",
            edge=re.compile(entry["edge"]) if "edge" in entry else None,
        )
        for name, entry in table.items()
    }


def find(rows: Sequence[str], family: str) -> Dialog | None:
    """Return the permission dialog on the screen of a CLI of this family, or None."""
    look = looks().get(family)
    if look is None:
        return None
    plain = [_FRAME.sub("", row) for row in rows]
    for end in range(len(plain) - 1, -1, -1):
        start = _answers_begin(plain, end, look)
        if start is None:
            continue
        dialog = _read(rows, plain, start, end, look)
        if dialog is not None:
            return dialog
    return None


def _answers_begin(rows: Sequence[str], end: int, look: Look) -> int | None:
    """The first row of a block of answers that ends at row `end`; None when none ends there."""
    if not _is_answer(rows[end], look):
        return None
    start = end
    while start > 0 and rows[start - 1] and not _RULE.search(rows[start - 1]):
        if _is_answer(rows[start], look) and _number(rows[start]) == "1":
            return start
        start -= 1
        if end - start > 12:
            break
    while start < end and not _is_answer(rows[start], look):
        start += 1
    return start if start < end else None


def _is_answer(row: str, look: Look) -> bool:
    bare = _POINTER.sub("", row)
    return bool(_NUMBER.match(bare)) if look.by_number else bool(_HINT.search(bare) or _NUMBER.match(bare))


def _number(row: str) -> str:
    match = _NUMBER.match(_POINTER.sub("", row))
    return match[1] if match else ""


def _read(raw: Sequence[str], rows: Sequence[str], start: int, end: int, look: Look) -> Dialog | None:
    answers = [answer for row in rows[start : end + 1] if (answer := _answer(row, look)) is not None]
    asked = next((y for y in _upwards(start) if look.question.search(rows[y])), None)
    allow = next((answer for answer in answers if look.allow.search(answer.label)), None)
    deny = next((answer for answer in answers if look.deny.search(answer.label)), None)
    if asked is None or allow is None or deny is None:
        return None
    always = next((answer for answer in answers if look.always.search(answer.label)), None)
    top = asked
    if look.edge is not None:
        top = next((y + 1 for y in _upwards(start) if look.edge.search(raw[y])), asked)
    text = tuple(row for row in rows[top:start] if row and not _RULE.fullmatch(row))
    said = "\n".join((*text, *(answer.label for answer in answers)))
    return Dialog(rows[asked], text, allow, deny, always, hashlib.sha256(said.encode()).hexdigest()[:16])


def _upwards(start: int) -> range:
    """The rows above the answers, the nearest first."""
    return range(start - 1, max(-1, start - 1 - HIGHEST), -1)


def _answer(row: str, look: Look) -> Answer | None:
    bare = _POINTER.sub("", row)
    if not _is_answer(row, look):
        return None
    number, hint = _NUMBER.match(bare), _HINT.search(bare)
    label = bare[number.end() if number else 0 : hint.start() if hint else len(bare)]
    hints = [word.strip().lower() for word in re.split(r"\s+or\s+|,|/", hint[1])] if hint else []
    letters = [word.encode() for word in hints if len(word) == 1]  # milder than Esc, which may end the turn
    named = letters[0] if letters else next((_KEYS[word] for word in hints if word in _KEYS), b"")
    key = number[1].encode() if number and (look.by_number or not named) else named
    return Answer(label, key) if key else None
