"""Which part of a screen is in view when it is larger than its pane. Pure.

Each direction is a line of cells of which some are shown: where the first one shown is, is what is decided here.
"""

from typing import NamedTuple


class Hidden(NamedTuple):
    """Rows and columns of a screen that are out of view, by side."""

    left: int = 0
    right: int = 0
    above: int = 0
    below: int = 0

    @property
    def words(self) -> str:
        """The sides that hide something, "37 right, 12 above"; empty when all is in view."""
        return ", ".join(f"{number} {side}" for side, number in zip(self._fields, self, strict=True) if number > 0)


def kept_inside(at: int, shown: int, whole: int) -> int:
    """`at` as far as the line reaches."""
    return max(0, min(at, whole - shown))


def following(at: int, cursor: int | None, shown: int, whole: int, rest: int) -> int:
    """Where to be so that the cursor is in view: at `rest` if that will do, else moved as seldom as can be.

    `at` is where it was; no cursor means that none is to be seen.
    """
    rest = kept_inside(rest, shown, whole)
    if cursor is None or rest <= cursor < rest + shown:
        return rest
    at = kept_inside(at, shown, whole)
    return at if at <= cursor < at + shown else kept_inside(cursor - shown // 2, shown, whole)
