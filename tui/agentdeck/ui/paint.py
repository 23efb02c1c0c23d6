"""Paint a widget's rows now, and only them, instead of when Textual's 60 Hz timer comes round.

From a key to its echo this saves half a frame; with many busy panes it halves the work, because Textual's own update
renders every widget anew. It is the one place that looks into Textual's compositor, which is why the version is pinned.
When anything lies over the widget, or a dialog, a layout or a batch is under way, the ordinary refresh does the work.
"""

from collections.abc import Iterable

from rich.console import Console
from textual._compositor import Compositor, CompositorUpdate
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

Placed = list[tuple[int, int, Strip]]
"""Column and row on the terminal, and what goes there."""


class RowsUpdate(CompositorUpdate):
    """Strips at their places."""

    def __init__(self, placed: Placed) -> None:
        self._placed = placed

    def render_segments(self, console: Console) -> str:
        return "".join(f"\x1b[{y + 1};{x + 1}H{strip.render(console)}" for x, y, strip in self._placed)


def paint(widget: Widget, regions: Iterable[Region]) -> bool:
    """Paint `regions` of the widget (its own coordinates). Returns whether that happened at once."""
    dirty = tuple(regions)
    if not dirty or not widget.is_attached:
        return False
    placed = _placed(widget, dirty)
    if placed is None:
        widget.refresh(*dirty)
        return False
    widget.app._display(widget.screen, RowsUpdate(placed))  # type: ignore[arg-type]
    return True


def paint_asked(widgets: Iterable[Widget]) -> None:
    """Paint now what these widgets of one screen have asked to be repainted; what cannot be waits for its turn."""
    placed: Placed = []
    painted: list[Widget] = []
    for widget in widgets:
        if widget._repaint_regions and (rows := _placed(widget, widget._repaint_regions)) is not None:
            widget._exchange_repaint_regions()
            placed += rows
            painted.append(widget)
    if painted:
        painted[0].app._display(painted[0].screen, RowsUpdate(placed))  # type: ignore[arg-type]


def row_regions(ys: list[int], inner: Region) -> list[Region]:
    """One region for each run of neighbouring rows."""
    regions: list[Region] = []
    for y in sorted(ys):
        if regions and regions[-1].bottom == y:
            last = regions[-1]
            regions[-1] = Region(last.x, last.y, last.width, last.height + 1)
        else:
            regions.append(Region(inner.x, y, inner.width, 1))
    return regions


def _placed(widget: Widget, regions: Iterable[Region]) -> Placed | None:
    """The strips of these regions with their places; None when they cannot be painted on their own."""
    app, screen = widget.app, widget.screen
    compositor = screen._compositor
    found = compositor.visible_widgets.get(widget)
    if (
        found is None
        or screen is not app.screen
        or app._batch_count
        or screen._layout_required
        or app.is_inline
        or found[0].size != widget.outer_size
        or found[1].intersection(found[0]) != found[0]
        or _is_covered(compositor, widget, found[0])
    ):
        return None
    left, top = found[0].offset
    return [
        (left + area.x, top + area.y + n, strip)
        for region in regions
        if (area := region.intersection(widget.outer_size.region))
        for n, strip in enumerate(widget.render_lines(area))
    ]


def _is_covered(compositor: Compositor, widget: Widget, region: Region) -> bool:
    """Whether any other widget but those that it lies in shares cells with it."""
    ancestors = widget.ancestors
    return any(
        other is not widget and other not in ancestors and place.overlaps(region)
        for other, (place, _) in compositor.visible_widgets.items()
    )
