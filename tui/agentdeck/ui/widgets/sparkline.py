"""A one-line chart of the last values, newest on the right."""

from collections.abc import Sequence

from agentdeck.ui.figures import sparkline
from agentdeck.ui.widgets.lines import Line, Lines, line


class Sparkline(Lines):
    _values: tuple[float, ...] = ()
    _top = 100.0

    def show(self, values: Sequence[float], top: float = 100.0) -> None:
        """`top` is the value of a full bar, unless one is higher."""
        self._values, self._top = tuple(values), top
        self.redraw()

    def lay_out(self, width: int, height: int) -> list[Line]:
        return [line(sparkline(self._values, width, self.glyphs, self._top))]
