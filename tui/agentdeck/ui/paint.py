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
    app, screen = widget.app, widget.screen
    compositor = screen._compositor
    found = compositor.visible_widgets.get(widget)
    if (
        found is None
        or screen is not app.screen
        or app._batch_count
        or screen._layout_required
        or app.is_inline
        or found[0].size != widget.size
        or found[1].intersection(found[0]) != found[0]
        or _is_covered(compositor, widget, found[0])
    ):
        widget.refresh(*dirty)
        return False
    left, top = found[0].offset
    placed = [
        (left + area.x, top + area.y + n, strip) for area in dirty for n, strip in enumerate(widget.render_lines(area))
    ]
    app._display(screen, RowsUpdate(placed))  # type: ignore[arg-type]
    return True


def _is_covered(compositor: Compositor, widget: Widget, region: Region) -> bool:
    """Whether any other widget but those that it lies in shares cells with it."""
    ancestors = widget.ancestors
    return any(
        other is not widget and other not in ancestors and place.overlaps(region)
        for other, (place, _) in compositor.visible_widgets.items()
    )
