"""Where everything is in a joined session. Pure: a size and what is wished for in, rectangles out.

The screen of the session has at least 80 columns or all there are; chat, people and queue stand beside it where there
is room, and else take its place in turn.
"""

from typing import Final

from agentdeck.ui.layout import Rect

WIDE: Final = 118
"""Columns from which there is a right column, if there are enough rows for it."""
TALL: Final = 20
PANE: Final = 84
"""Columns of the left one, its frame included, while the right one is not yet as wide as it gets."""
MOST: Final = 50
FEED_FROM: Final = 36
"""Rows from which the events lie below the screen."""
FEED: Final = 9
PANELS: Final = ("screen", "chat", "people", "events")
"""What takes the place of the screen in turn, in a narrow terminal."""


def places(
    columns: int, rows: int, panel: str, *, people: int, prompts: int, zoom: bool = False, figures: bool = True,
    events: bool = True,
) -> dict[str, Rect]:  # fmt: skip
    """`people` and `prompts` are rows that their panels would fill; without figures or events, as beside a shell, the
    screen has their room."""
    found = {"footer": Rect(0, rows - 1, columns, 1), "mark": Rect(0, rows - 2, 3, 1)}
    found["line"] = Rect(3, rows - 2, max(1, columns - 3), 1)
    bottom = max(1, rows - 2)
    if zoom:
        return found | {"pane": Rect(0, 0, columns, bottom)}
    found["top"] = Rect(0, 0, columns, 1)
    if rows >= 16 and figures:
        bottom -= 1
        found["gauges"] = Rect(0, bottom, columns, 1)
    if is_wide(columns, rows):
        return found | _wide(columns, bottom, people, prompts, events=events)
    if panel == "screen" and rows >= 20:
        bottom -= 1
        found["latest"] = Rect(0, bottom, columns, 1)
    area = Rect(0, 1, columns, max(0, bottom - 1))
    if panel == "people":
        above = min(people + 2, area.height // 2)
        found["people"] = Rect(0, 1, columns, above)
        found["queue"] = Rect(0, 1 + above, columns, area.height - above)
    elif panel == "screen":
        found |= _screen(area)
    else:
        found["feed" if panel == "events" else panel] = area
    return found


def waiting_places(columns: int, rows: int) -> dict[str, Rect]:
    """While nobody has let us in there is nothing to show and nothing to say."""
    footer = Rect(0, rows - 1, columns, 1)
    return {"top": Rect(0, 0, columns, 1), "pane": Rect(0, 1, columns, max(0, rows - 2)), "footer": footer}


def is_wide(columns: int, rows: int) -> bool:
    """Whether everything is shown at once."""
    return columns >= WIDE and rows >= TALL


def _wide(columns: int, bottom: int, people: int, prompts: int, *, events: bool) -> dict[str, Rect]:
    right = min(MOST, columns - PANE)
    left = columns - right
    height = bottom - 1
    found: dict[str, Rect] = {}
    below = FEED if events and height >= FEED_FROM - 4 else 0
    if below:
        found["feed"] = Rect(0, bottom - below, left, below)
    found |= _screen(Rect(0, 1, left, height - below))
    most = max(3, height // 4)
    here, waiting = min(people + 2, most), min(prompts + 2, most)
    found["people"] = Rect(left, 1, right, here)
    found["queue"] = Rect(left, 1 + here, right, waiting)
    found["chat"] = Rect(left, 1 + here + waiting, right, height - here - waiting)
    return found


def _screen(area: Rect) -> dict[str, Rect]:
    title = Rect(area.x, area.y, area.width, min(1, area.height))
    return {"title": title, "pane": Rect(area.x, area.y + 1, area.width, max(0, area.height - 1))}
