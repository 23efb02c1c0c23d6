"""Complete the name of a directory as it is typed, and say what is wrong with it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOST: Final = 400
"""Candidates looked at; a directory with more is completed from the first ones in its own order."""


@dataclass(frozen=True, slots=True)
class Completion:
    text: str
    """What was typed, made as long as all candidates allow."""
    candidates: tuple[str, ...]
    """Names of the directories that it may become, sorted."""
    problem: str = ""
    """Why the text as typed is not a directory to start in; empty when it is one."""


def expand(text: str, home: str) -> str:
    """Return what `~` stands for; nothing typed means home."""
    text = text.strip()
    if not text or text == "~":
        return home
    return os.path.normpath(f"{home}/{text[2:]}" if text.startswith("~/") else text)


def complete(text: str, home: str) -> Completion:
    """Look at the disk, which may block on a network mount: call it in a thread with a deadline."""
    text = text.strip()
    if text in ("", "~"):
        return Completion("~/", (), _problem(Path(home)))
    path = expand(text, home)
    if not text.startswith(("/", "~/")):
        return Completion(text, (), "begin with / or ~/")
    parent, _, partial = text.rpartition("/")
    directory = expand(parent, home) if parent else "/"
    names = [name for name in _directories(directory, hidden=partial.startswith(".")) if name.startswith(partial)]
    made = f"{parent}/{_common_start(names)}" if names else text
    if len(names) == 1:
        made += "/"
    return Completion(made, tuple(names), _problem(Path(path)))


def _common_start(names: list[str]) -> str:
    first, last = min(names), max(names)
    same = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:same]


def _directories(directory: str, *, hidden: bool) -> list[str]:
    found: list[str] = []
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if len(found) >= MOST:
                    break
                if (hidden or not entry.name.startswith(".")) and entry.is_dir():
                    found.append(entry.name)
    except (OSError, ValueError):
        return []
    return sorted(found)


def _problem(path: Path) -> str:
    if "\0" in str(path):
        return "a path cannot hold a null byte"
    try:
        if not path.exists():
            return f"there is no directory {path}"
        if not path.is_dir():
            return f"{path} is not a directory"
    except (OSError, ValueError) as error:  # too long, a loop of links
        return f"{str(path)[:40]!r} is no usable path: {error}"
    return "" if os.access(path, os.X_OK) else f"{path} cannot be entered"
