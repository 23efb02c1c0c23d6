"""Where everything is on the screen. Pure: a size and what the person wishes in, rectangles out.

One pass decides every place, and the size of each PTY follows from it: widgets and programs are never resized one
after the other. What does not fit goes away in a fixed order: right rail, sidebar, gauge row. The width bands have a
hysteresis: dragging a window's edge to and fro over a break point must not scramble every program twice a second.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

PANE_COLUMNS: Final = 80
"""The sidebar goes away rather than leave a pane with fewer columns."""
HYSTERESIS: Final = 5
"""Columns by which a terminal must shrink below a break point before its layout goes back."""
BANDS: Final = ((0, "sheet"), (64, "single"), (100, "sidebar"), (160, "rail"))
"""The narrowest width of each band."""
SIDEBAR: Final = range(18, 37)
RAIL: Final = 50
GAUGE_ROWS: Final = 24
"""Below this height there is no gauge row."""
RESOURCE_ROWS: Final = 12
TALL: Final = 8
"""No pane is made lower than this while fewer panes would do."""
LAYOUTS: Final = ("focus", "split", "tiles")


@dataclass(frozen=True, slots=True)
class Rect:
    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    def overlaps(self, other: "Rect") -> bool:
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for one session: its title row and, under it, its pane."""

    title: Rect
    pane: Rect
    framed: bool
    """The pane draws side and bottom edges inside its own rectangle."""

    @property
    def columns(self) -> int:
        return max(2, self.pane.width - 2 * self.framed)

    @property
    def rows(self) -> int:
        return max(2, self.pane.height - self.framed)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person asked for; the terminal's size decides how much of it can be had."""

    layout: str = "focus"
    sessions: int = 0
    sidebar: bool = True
    sidebar_width: int = 26
    resources: bool | None = None
    """None: where there is room beside a single pane."""
    zoom: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    columns: int
    rows: int
    band: str
    slots: tuple[Slot, ...]
    footer: Rect
    top: Rect | None = None
    strip: Rect | None = None
    sidebar: Rect | None = None
    gauges: Rect | None = None
    resources: Rect | None = None

    @property
    def rects(self) -> list[Rect]:
        """Every place that something is drawn in."""
        bars = (self.top, self.strip, self.sidebar, self.gauges, self.resources, self.footer)
        return [rect for rect in bars if rect is not None] + [r for slot in self.slots for r in (slot.title, slot.pane)]


def band(columns: int, previous: str = "") -> str:
    """Return the width band; a wider `previous` stays until the terminal is over `HYSTERESIS` columns too narrow."""
    name = BANDS[0][1]
    for start, candidate in BANDS:
        stays = candidate == previous or _is_wider(previous, candidate)
        if columns >= start - (HYSTERESIS if stays else 0):
            name = candidate
    return name


def _is_wider(one: str, other: str) -> bool:
    names = [name for _, name in BANDS]
    return one in names and names.index(one) > names.index(other)


def plan(columns: int, rows: int, wish: Wish, previous: str = "") -> Plan:
    """Lay out a terminal of this size. `previous` is the band of the plan before."""
    columns, rows = max(1, columns), max(1, rows)
    name = band(columns, previous)
    footer = Rect(0, rows - 1, columns, 1)
    left, top, right, bottom = 0, 0, columns, rows - 1
    parts: dict[str, Rect] = {}
    wide = name in ("sidebar", "rail")
    if bottom > 2 and not wish.zoom:
        parts["top" if wide else "strip"] = Rect(0, 0, columns, 1)
        top = 1
    if not wish.zoom:
        if wide and wish.sidebar:
            width = min(max(wish.sidebar_width, SIDEBAR.start), SIDEBAR.stop - 1)
            if columns - width - 2 >= PANE_COLUMNS:
                parts["sidebar"] = Rect(0, top, width, bottom - top)
                left = width
        resources = wish.layout == "focus" and name == "rail" if wish.resources is None else wish.resources
        if resources and name == "rail" and right - left - RAIL - 2 >= PANE_COLUMNS:
            parts["resources"] = Rect(right - RAIL, top, RAIL, bottom - top)
            right -= RAIL
        elif resources and bottom - top - RESOURCE_ROWS >= TALL + 2:
            parts["resources"] = Rect(left, bottom - RESOURCE_ROWS, right - left, RESOURCE_ROWS)
            bottom -= RESOURCE_ROWS
        if "sidebar" not in parts and rows >= GAUGE_ROWS:
            bottom -= 1
            parts["gauges"] = Rect(left, bottom, right - left, 1)
    framed = wide and not wish.zoom
    area = Rect(left, top, right - left, bottom - top)
    slots = tuple(_slot(rect, framed=framed) for rect in _divide(area, wish))
    return Plan(columns=columns, rows=rows, band=name, slots=slots, footer=footer, **parts)


def _slot(rect: Rect, *, framed: bool) -> Slot:
    title = Rect(rect.x, rect.y, rect.width, min(1, rect.height))
    return Slot(title, Rect(rect.x, rect.y + 1, rect.width, max(0, rect.height - 1)), framed)


def _divide(area: Rect, wish: Wish) -> list[Rect]:
    """Cut the area into equal panes: moving the selection between them then resizes no program."""
    wanted = 1 if wish.zoom or wish.layout == "focus" else max(1, wish.sessions)
    across = max(1, area.width // (PANE_COLUMNS + 2))
    down = max(1, area.height // TALL)
    if wish.layout == "split":
        wanted = min(wanted, 2)
    wanted = min(wanted, across * down)
    across = min(across, wanted)
    if wish.layout == "tiles":
        while across > 1 and (across - 1) * (across - 1) >= wanted:
            across -= 1
    lines = -(-wanted // across)
    panes: list[Rect] = []
    for line, (y, height) in enumerate(_shares(area.y, area.height, lines)):
        here = min(across, wanted - line * across)
        panes += [Rect(x, y, width, height) for x, width in _shares(area.x, area.width, here)]
    return panes


def _shares(start: int, length: int, count: int) -> list[tuple[int, int]]:
    edges = [start + length * n // count for n in range(count + 1)]
    return [(a, b - a) for a, b in pairwise(edges)]


def window(count: int, selected: int, slots: int) -> range:
    """Which of `count` sessions the slots show: a page that holds `selected` (0-based), as full as can be."""
    if slots >= count:
        return range(count)
    start = min(selected // slots * slots, count - slots)
    return range(start, start + slots)
