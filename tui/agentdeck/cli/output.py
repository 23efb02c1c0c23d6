"""What commands print: JSON for programs, aligned columns for people."""

import os
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

COLOURS: Final[Mapping[str, str]] = {
    "working": "32",
    "needs_you": "1;33",
    "done": "36",
    "limited": "35",
    "error": "31",
    "exited": "2",
    "unknown": "2",
}


def emit(value: object) -> None:
    """Print a value as one JSON document, indented when a person looks at it."""
    import msgspec

    text = msgspec.json.encode(value)
    print((msgspec.json.format(text, indent=2) if sys.stdout.isatty() else text).decode())


def print_line(text: str) -> None:
    """Print text that a program may have chosen: nothing in it can steer the terminal."""
    print("".join(c if c.isprintable() or c == "\n" else "·" for c in text))


def table(rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> str:
    """Align `rows` in columns that are two blanks apart; `right` are the columns of numbers."""
    clean = [["".join(c if c.isprintable() else "·" for c in cell) for cell in row] for row in rows]
    widths = [max(width(row[column]) for row in clean) for column in range(len(clean[0]))] if clean else []
    lines = []
    for row in clean:
        cells = []
        for column, cell in enumerate(row):
            gap = " " * (widths[column] - width(cell))
            cells.append(gap + cell if column in right else cell + gap)
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def width(text: str) -> int:
    """Cells that `text` takes on a terminal, near enough for a list of names."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )  # fmt: skip


def coloured() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, state: str) -> str:
    """Colour `text` as `state`, if colours are wanted."""
    code = COLOURS.get(state)
    return f"\x1b[{code}m{text}\x1b[m" if code and coloured() else text


def ago(seconds: float) -> str:
    """42s, 12m, 3h or 5d: how long something has lasted."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(0, int(seconds))}s"
