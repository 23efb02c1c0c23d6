"""Numbers and names as people read them in a narrow column. Pure: values in, text out.

Widths are terminal cells, not characters: a name may be Chinese and a title may carry emoji.
"""

import signal
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from agentdeck.ui.glyphs import Glyphs

_BLANKED = dict.fromkeys(
    (*range(0x20), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)), " "
)


def clean(text: str) -> str:
    """Replace control and bidi-control characters, which would move everything after them, by blanks."""
    return text.translate(_BLANKED)


def fit(text: str, width: int, ellipsis: str = "…") -> str:
    """Return `text` in exactly `width` cells: padded, or cut with an ellipsis."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text + " " * (width - cell_len(text))
    return set_cell_size(text, width - 1) + ellipsis


def cut(text: str, width: int, ellipsis: str = "…") -> str:
    """Return `text` in at most `width` cells."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + ellipsis if width > 0 else ""


def broken(text: str, width: int) -> list[str]:
    """Return `text` in lines of at most `width` cells, broken between words; a longer word has a line of its own."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and cell_len(joined) > width:
            lines.append(word)
        else:
            lines[-1] = joined
    return lines


def memory(size: int) -> str:
    """Bytes in at most 4 characters up to 999G: 0, 12K, 310M, 1.2G."""
    if size <= 0:
        return "0"
    value = size / 1024
    for unit in "KMGTPE":
        if value < 9.95 and unit not in "KM":
            return f"{value:.1f}{unit}"
        if value < 999.5:
            return f"{max(1, round(value))}{unit}"
        value /= 1024
    return f"{round(value)}Z"


def duration(seconds: float) -> str:
    """Seconds as 0:42 below ten minutes, then 12m, 3h, 2d. Negative counts as none: clocks of two machines differ."""
    whole = max(0, int(seconds))
    if whole < 600:
        return f"{whole // 60}:{whole % 60:02}"
    if whole < 60 * 60:
        return f"{whole // 60}m"
    if whole < 48 * 60 * 60:
        return f"{whole // 3600}h"
    return f"{whole // 86400}d"


def percent(value: float) -> str:
    """A percentage without decimals; over 100 is meant (several cores)."""
    return f"{max(0, round(value))}%"


def count(number: int, one: str, many: str) -> str:
    """1 session, 2 sessions."""
    return f"{number} {one if number == 1 else many}"


def sparkline(values: Sequence[float], width: int, glyphs: Glyphs, top: float = 100.0) -> str:
    """Draw the newest `width` values, oldest first; `top` is a full bar unless a value is higher."""
    shown = values[-width:] if width > 0 else ()
    highest = max((top, *shown)) or 1.0
    last = len(glyphs.levels) - 1
    bars = "".join(glyphs.levels[min(last, max(0, round(value / highest * last)))] for value in shown)
    return " " * (max(0, width) - len(bars)) + bars


def bar(share: float, width: int, glyphs: Glyphs) -> str:
    """A gauge of `width` cells; `share` is 0.0 to 1.0 and is held inside that."""
    full = round(min(1.0, max(0.0, share)) * max(0, width))
    return glyphs.full * full + glyphs.empty * (max(0, width) - full)


def exit_words(status: int | None) -> str:
    """How a program ended: `exit 1`, or the signal that ended it. `status` is a shell's."""
    if status is None:
        return "ended"
    if status > 128:
        try:
            return signal.Signals(status - 128).name
        except ValueError:
            pass
    return f"exit {status}"


def short_path(path: str, home: str, width: int = 0, ellipsis: str = "…") -> str:
    """`~/shop` for a directory below `home`; with a width, the first parts give way to the last ones."""
    home = home.rstrip("/")
    if home and (path == home or path.startswith(home + "/")):
        path = "~" + path[len(home) :]
    if not width or cell_len(path) <= width:
        return path
    parts = path.split("/")
    while len(parts) > 1 and cell_len("/".join(parts)) + 2 > width:
        del parts[0]
    return cut(f"{ellipsis}/{'/'.join(parts)}", width, ellipsis)
