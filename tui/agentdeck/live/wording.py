"""What a tool call does, in a few words; and its input and result in full, as people want to read them."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

import msgspec

from agentdeck.events import ToolUsed

LONGEST: Final = 200
"""Characters of one line."""

_TELLING: Final = (
    "command",
    "cmd",
    "file_path",
    "path",
    "absolute_path",
    "notebook_path",
    "pattern",
    "query",
    "url",
    "description",
    "prompt",
    "subject",
    "question",
    "skill",
    "input",
)
"""Names of inputs that say what a call is about, the most telling first."""


def one_line(text: str) -> str:
    """Return `text` as one line without control characters, cut to a readable length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * LONGEST]).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def subject(used: ToolUsed, cwd: str = "") -> str:
    """Return what the call is about: its command, file, pattern or first words, relative to `cwd`."""
    for name in _TELLING:
        value = used.input.get(name)
        if isinstance(value, list):
            value = " ".join(part for part in value if isinstance(part, str))
        if not isinstance(value, str) or not value:
            continue
        if value.startswith("*** Begin Patch"):
            return one_line(", ".join(_patched(value)))
        return one_line(_relative(value, cwd) if "path" in name else value)
    questions = used.input.get("questions")
    if isinstance(questions, list) and questions and isinstance(questions[0], dict):
        return one_line(str(questions[0].get("question", "")))
    return one_line(", ".join(f"{name}={value}" for name, value in used.input.items() if isinstance(value, str | int)))


def full_input(used: ToolUsed) -> str:
    """Return a command or a patch as it is, anything else as indented JSON."""
    if len(used.input) <= 2:
        for name in ("command", "cmd", "input"):
            value = used.input.get(name)
            if isinstance(value, str):
                return value
    return pretty(used.input)


def pretty(value: Mapping[str, object]) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _relative(path: str, cwd: str) -> str:
    if cwd and PurePosixPath(path).is_relative_to(cwd):
        return str(PurePosixPath(path).relative_to(cwd))
    return path


def _patched(patch: str) -> list[str]:
    marks = ("*** Update File: ", "*** Add File: ", "*** Delete File: ")
    return [line.partition(": ")[2] for line in patch.splitlines() if line.startswith(marks)]
