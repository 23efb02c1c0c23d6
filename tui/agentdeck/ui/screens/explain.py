"""Why a session is in its state: each signal, what it says, how old it is, what it weighs, and which one decided."""

from collections.abc import Sequence

from agentdeck.protocol.attention import Explained
from agentdeck.status import words
from agentdeck.ui.screens.reading import ReadingDialog
from agentdeck.ui.widgets.lines import Line, Piece
from agentdeck.ui.widgets.reader import wrapped

INKS = {"won": "strong", "agrees": "", "differs": "needs-you", "silent": "muted"}


class ExplainScreen(ReadingDialog):
    def __init__(self, explained: Explained) -> None:
        super().__init__()
        self._explained = explained
        self.title_text = "why"

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(".box").styles.height = len(self.lines(self.app.size.width - 8)) + 2

    def lines(self, width: int) -> Sequence[Line]:
        state, why = words.headline(self._explained)
        found = [*wrapped(state, width, "strong"), *wrapped(why, width), Line()]
        for row in words.rows(self._explained):
            head = f"{row.mark} {row.source}  {row.weight}  {row.age}  "
            said = wrapped(row.says, max(10, width - len(head)), INKS.get(row.part, ""))
            found.append(Line((Piece(head, "muted" if row.part == "silent" else ""), *said[0].pieces)))
            found += [Line((Piece(" " * len(head)), *line.pieces)) for line in said[1:]]
        if not self._explained.signals:
            return found
        legend = "> decides   + agrees   ! says otherwise   the rest says nothing that decides"
        return [*found, Line(), *wrapped(legend, width, "muted")]

    @property
    def text(self) -> str:
        rows = words.rows(self._explained)
        told = [f"  {row.mark} {row.source}  {row.weight}  {row.age}  {row.says}" for row in rows]
        return "\n".join([*words.headline(self._explained), "", *told])
