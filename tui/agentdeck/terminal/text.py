"""Make text from a program safe to draw, log and send on.

Anything that a program prints can end up in a title bar, a notification or somebody else's browser, so control
characters and the marks that reorder text are taken out before it leaves this package.
"""

from typing import Final

_CONTROLS: Final = (*range(0x20), *range(0x7F, 0xA0))
_REORDERING: Final = (0x061C, 0x200E, 0x200F, 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_BLANKED: Final = dict.fromkeys((*_CONTROLS, *_REORDERING), " ")
_REMOVED: Final = dict.fromkeys((*_CONTROLS, *_REORDERING), None)


def blanked(text: str) -> str:
    """Return `text` with every character that must not be shown as a blank: its length stays the same."""
    return text if text.isprintable() else text.translate(_BLANKED)


def removed(text: str) -> str:
    """Return `text` without the characters that must not be shown."""
    return text if text.isprintable() else text.translate(_REMOVED)


def line(data: bytes, limit: int) -> str:
    """Decode what a program sent as one line of at most `limit` characters; line ends become blanks."""
    return blanked(data[: limit * 4].decode("utf-8", "replace"))[:limit].strip()


def paragraph(data: bytes, limit: int) -> str:
    """Decode what a program sent as text whose newlines and tabs mean something; at most `limit` characters."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")[:limit]
    if text.isprintable():
        return text
    return "\n".join("\t".join(removed(field) for field in row.split("\t")) for row in text.split("\n"))
