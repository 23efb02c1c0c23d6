"""Where everything is on the screen. Pure: a size and what the person wishes in, rectangles out.

One pass decides every place, and the size of each PTY follows from it: widgets and programs are never resized one
after the other. What does not fit goes away in a fixed order: right rail, sidebar, feed, gauge row. The width bands
have a hysteresis: dragging a window's edge to and fro over a break point must not scramble every program twice a
second.
"""

from dataclasses import dataclass, replace
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
TOKEN_ROWS: Final = 12
SHARE_ROWS: Final = 14
FEED_ROWS: Final = 9
"""Rows of the event feed where it lies below the pane."""
FEED_LEAST: Final = 9
"""Rows that it needs on the rail."""
ROOMY: Final = 24
"""A feed that nobody asked for leaves the pane below which it lies so many rows, its frame included."""
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
    feed: bool | None = None
    """The same of the event feed."""
    zoom: bool = False
    share: bool = False
    """Something is shared: who is there has a place on the rail."""


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
    feed: Rect | None = None
    tokens: Rect | None = None
    share: Rect | None = None

    @property
    def rects(self) -> list[Rect]:
        """Every place that something is drawn in."""
        bars = (
            self.top, self.strip, self.sidebar, self.gauges, self.feed, self.resources, self.tokens, self.share,
            self.footer,
        )  # fmt: skip
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
        rail = name == "rail" and right - left - RAIL - 2 >= PANE_COLUMNS
        if rail:
            railed = _rail(Rect(right - RAIL, top, RAIL, bottom - top), wish)
            parts |= railed
            right -= RAIL if railed else 0
        if "sidebar" not in parts and rows >= GAUGE_ROWS:
            bottom -= 1
            parts["gauges"] = Rect(left, bottom, right - left, 1)
        if not rail:
            below = _below(Rect(left, top, right - left, bottom - top), wish, roomy=wide)
            parts |= below
            bottom -= sum(rect.height for rect in below.values())
    framed = wide and not wish.zoom
    area = Rect(left, top, right - left, bottom - top)
    slots = tuple(_slot(rect, framed=framed) for rect in _divide(area, wish))
    return Plan(columns=columns, rows=rows, band=name, slots=slots, footer=footer, **parts)


def _rail(area: Rect, wish: Wish) -> dict[str, Rect]:
    """The parts of the right rail, from top to bottom: the feed has what the others leave."""
    if wish.share and area.height >= SHARE_ROWS + FEED_LEAST:
        above = Rect(area.x, area.y, area.width, area.height - SHARE_ROWS)
        parts = _rail(above, replace(wish, share=False))
        height = SHARE_ROWS if parts else area.height
        return parts | {"share": Rect(area.x, area.bottom - height, area.width, height)}
    single = wish.layout == "focus"
    feed = single if wish.feed is None else wish.feed
    resources = single if wish.resources is None else wish.resources
    if resources and not feed:
        return {"resources": area}
    if wish.resources and area.height < FEED_LEAST + RESOURCE_ROWS:
        return {"resources": area}
    if not feed:
        return {}
    parts = {}
    bottom = area.bottom
    wanted = (("tokens", TOKEN_ROWS, True), ("resources", RESOURCE_ROWS, resources))
    for name, rows, on in sorted(wanted, key=lambda part: part[0] == "tokens" and wish.resources is True):
        if on and bottom - rows - area.y >= FEED_LEAST:
            bottom -= rows
            parts[name] = Rect(area.x, bottom, area.width, rows)
    parts["feed"] = Rect(area.x, area.y, area.width, bottom - area.y)
    return parts


def _below(area: Rect, wish: Wish, *, roomy: bool) -> dict[str, Rect]:
    """What lies below the panes: the feed where there is room for it or it is asked for, resources if asked for."""
    parts: dict[str, Rect] = {}
    bottom = area.bottom
    if wish.resources and bottom - area.y - RESOURCE_ROWS >= TALL + 2:
        bottom -= RESOURCE_ROWS
        parts["resources"] = Rect(area.x, bottom, area.width, RESOURCE_ROWS)
    unasked = roomy and wish.layout == "focus" and "resources" not in parts
    least = ROOMY if wish.feed is None else TALL + 1
    if (unasked if wish.feed is None else wish.feed) and bottom - area.y - FEED_ROWS >= least:
        bottom -= FEED_ROWS
        parts["feed"] = Rect(area.x, bottom, area.width, FEED_ROWS)
    return parts


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
