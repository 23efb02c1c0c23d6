"""The base of the widgets around the pane: lines of inked text that repaint only where they changed.

A widget lays its values out as `Line`s of `Piece`s, each with the name of an ink. Inks are component classes, so a
theme colours them and `NO_COLOR` turns them into attributes without a layout knowing of either. A layout that comes
out the same as before costs no repaint, and one that differs in a row repaints that row.
"""

from collections.abc import Iterable
from typing import ClassVar, Final, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from agentdeck.ui import glyphs
from agentdeck.ui.figures import clean, cut
from agentdeck.ui.glyphs import Glyphs

INKS: Final = (
    "muted", "strong", "accent", "working", "needs-you", "error", "done", "limited",
    "frame", "filled", "selected", "typing", "deck", "flash",
)  # fmt: skip
"""`frame` is a panel's edge, `filled` the one filled background (somebody waits for you); `typing`, `deck` and `flash`
are the mode chip's.
"""


class Piece(NamedTuple):
    text: str
    ink: str = ""
    """One of `INKS`, or several with blanks between them, the last on top; empty is the widget's own."""


class Line(NamedTuple):
    pieces: tuple[Piece, ...] = ()
    fill: str = ""
    """An ink under the whole line, behind those of its pieces."""


def line(*pieces: Piece | str, fill: str = "") -> Line:
    return Line(tuple(Piece(piece) if isinstance(piece, str) else piece for piece in pieces), fill)


def width_of(pieces: Iterable[Piece]) -> int:
    return sum(Segment(clean(piece.text)).cell_length for piece in pieces)


def spread(left: tuple[Piece, ...], right: tuple[Piece, ...], width: int, fill: str = " ", ink: str = "") -> Line:
    """Put `left` and `right` at the two ends; where both do not fit, `left` is cut, then `right` goes."""
    space = width - width_of(right)
    if space <= 0:
        return Line(clip(left, width))
    left = clip(left, space)
    return Line((*left, Piece(fill * (space - width_of(left)), ink), *right))


def clip(pieces: Iterable[Piece], width: int, ellipsis: str | None = None) -> tuple[Piece, ...]:
    """Cut a row of pieces to `width` cells, with an ellipsis where something went missing."""
    kept: list[Piece] = []
    for piece in pieces:
        text = clean(piece.text)
        cells = Segment(text).cell_length
        if cells > width:
            if width > 0:
                kept.append(Piece(cut(text, width, ellipsis or glyphs.active().ellipsis), piece.ink))
            break
        kept.append(Piece(text, piece.ink))
        width -= cells
    return tuple(kept)


class Lines(Widget):
    """Subclasses override `lay_out` and call `redraw` when their values change."""

    DEFAULT_CSS = """
    Lines {
        height: 1;
        color: $foreground;
        background: $background;
        & > .ink--muted { color: $foreground-muted; }
        & > .ink--strong { text-style: bold; }
        & > .ink--accent { color: $primary; }
        & > .ink--working { color: $success; }
        & > .ink--needs-you { color: $warning; text-style: bold; }
        & > .ink--error { color: $error; }
        & > .ink--done { color: $accent; }
        & > .ink--limited { color: $secondary; }
        & > .ink--frame { color: $border-blurred; }
        & > .ink--filled { color: $background; background: $warning; text-style: bold; }
        & > .ink--selected { background: $primary-muted; }
        & > .ink--typing { color: $background; background: $success; text-style: bold; }
        & > .ink--deck { color: $background; background: $primary; text-style: bold; }
        & > .ink--flash { color: $background; background: $error; text-style: bold; }
        &:nocolor > .ink--filled { text-style: bold reverse; }
        &:nocolor > .ink--selected { text-style: reverse; }
        &:nocolor > .ink--typing { text-style: bold reverse; }
        &:nocolor > .ink--deck { text-style: bold underline; }
        &:nocolor > .ink--flash { text-style: bold reverse underline; }
        &:nocolor > .ink--error { text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"ink--{name}" for name in INKS}

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[Line] = []

    @property
    def glyphs(self) -> Glyphs:
        return glyphs.active()

    def lay_out(self, width: int, height: int) -> list[Line]:
        """Return the lines, at most `height`, for a content area of this size."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Lay out again and repaint the rows that came out different."""
        width, height = self.size
        if not width or not height:
            return
        new = self.lay_out(width, height)[:height]
        old, self._lines = self._lines, new
        if len(old) != len(new):
            self.refresh()
        elif changed := [Region(0, y, width, 1) for y, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]:
            self.refresh(*changed)

    def on_resize(self, event: events.Resize) -> None:
        self._lines = []
        self.redraw()

    def ink(self, name: str) -> Style:
        style = Style.null()
        for part in name.split():
            style += self.get_component_rich_style(f"ink--{part}", partial=True)
        return style

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        base = self.rich_style
        if y >= len(self._lines):
            return Strip.blank(width, base)
        shown = self._lines[y]
        base += self.ink(shown.fill)
        segments = [Segment(clean(text), base + self.ink(ink)) for text, ink in shown.pieces if text]
        return Strip(segments).adjust_cell_length(width, base)
