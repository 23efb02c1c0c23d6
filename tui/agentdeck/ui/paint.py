"""Paint a widget's rows now, instead of when Textual's 60 Hz timer comes round.

From a key to its echo this saves half a frame, and with many busy panes far more. It goes through Textual's compositor,
so overlays stay right; it is the one place that uses its private names, which is why the Textual version is pinned.
When anything stands in the way (a dialog, a layout under way, a batch) the ordinary refresh does the work.
"""

from collections.abc import Iterable

from textual.geometry import Region
from textual.widget import Widget


def paint(widget: Widget, regions: Iterable[Region]) -> bool:
    """Paint `regions` of the widget (its own coordinates). Returns whether that happened at once."""
    dirty = tuple(regions)
    if not dirty or not widget.is_attached:
        return False
    app, screen = widget.app, widget.screen
    compositor = screen._compositor
    placed = compositor.visible_widgets.get(widget)
    at_once = (
        placed is not None
        and screen is app.screen
        and not app._batch_count
        and not screen._layout_required
        and not app.is_inline
    )
    if placed is None or not at_once:
        widget.refresh(*dirty)
        return False
    region, clip = placed
    visible = [part for area in dirty if (part := area.translate(region.offset).intersection(clip))]
    if visible:
        compositor._dirty_regions.update(visible)
        app._display(screen, compositor.render_update(screen_stack=app._background_screens))
    return True
