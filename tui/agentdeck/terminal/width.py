"""How many columns text takes, in the one way that emulator and pane agree on.

The emulator decides how many cells a character gets and Textual measures the text of a row by itself. They agree on
what people write (checked against Textual's measure over all of Unicode) and differ on characters that stand where
they mean nothing: half a flag, a skin tone or a vowel sign without a base, a joiner with nothing to join. Those are
replaced, because one column of difference would shift the rest of the row.
"""

import functools
import unicodedata
from typing import Final

from agentdeck.terminal import text

JOINER: Final = "\u200d"
_EMOJI_STYLE: Final = "\ufe0f"
_REPLACEMENT: Final = "\ufffd"
_MARKS: Final = ("Mn", "Mc", "Me", "Cf")
_SPACING: Final = "\u00ad\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
"""Format characters that are drawn."""
_DISPUTED: Final = "\u115f\u2e3a\u2e3b"


def of(character: str) -> int:
    """The columns of one character on its own: 0, 1 or 2."""
    if character.isascii():
        return 1
    if unicodedata.category(character) in _MARKS or _is_skin_tone(character):
        return int(character in _SPACING)
    return 2 if is_flag(character) or unicodedata.east_asian_width(character) in "WF" else 1


def is_flag(character: str) -> bool:
    """Whether it is a regional indicator, two of which are a flag."""
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _is_skin_tone(character: str) -> bool:
    return "\U0001f3fb" <= character <= "\U0001f3ff"


@functools.lru_cache(8192)
def fitted(cluster: str, columns: int) -> str:
    """Return the text for a cell of 1 or 2 `columns`: the cluster itself if it is safe and takes exactly those."""
    shown = text.removed(cluster).rstrip(JOINER)
    if not shown.strip(" "):
        return " " * columns
    return shown if _width(shown, columns) == columns else _REPLACEMENT + " " * (columns - 1)


def _width(cluster: str, unknown: int) -> int:
    first = cluster[0]
    if unicodedata.category(first) == "Cn":  # newer than Python's tables
        return unknown
    if first in _DISPUTED:
        return 0
    if is_flag(first) and sum(map(is_flag, cluster)) != 2:
        return 0
    total, last, joined = of(first), of(first), False
    for character in cluster[2 if is_flag(first) else 1 :]:
        if character == _EMOJI_STYLE and last == 1:
            total, last = total + 1, 2
        elif not joined and (columns := of(character)):
            total, last = total + columns, columns
        joined = character == JOINER
    return total if of(first) else 0
