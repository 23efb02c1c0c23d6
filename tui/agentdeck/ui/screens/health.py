"""How a session does: its health with the four factors, what is wrong and what to do, its servers, what it left."""

from collections.abc import Sequence
from typing import Final

from agentdeck.protocol.insight import Insight
from agentdeck.ui import glyphs, insight_state, marks
from agentdeck.ui.figures import bar, broken, clean, memory
from agentdeck.ui.insight_state import STATUS_INKS, Names, factors, sentences
from agentdeck.ui.screens.reading import ReadingDialog
from agentdeck.ui.widgets.lines import Line, Piece
from agentdeck.ui.widgets.reader import wrapped

BAR: Final = 10
NAMES: Final = {
    "context": "room before the CLI compacts",
    "age": "how long the conversation goes on",
    "rest": "silence; to wait for you is none",
    "errors": "failed of the last 50 calls",
}
SHARES: Final = {"context": 40, "age": 20, "rest": 20, "errors": 20}


class HealthScreen(ReadingDialog):
    DEFAULT_CSS = "HealthScreen > .box { max-width: 92; }"

    def __init__(self, name: str, insight: Insight | None, name_of: Names) -> None:
        super().__init__()
        self._insight, self._name_of = insight, name_of
        self.title_text = f"how {name} does"

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(".box").styles.height = len(self.lines(min(92, self.app.size.width) - 4)) + 2

    def lines(self, width: int) -> Sequence[Line]:
        insight = self._insight
        if insight is None:
            return wrapped("Nothing is known yet: its first prompt begins the transcript.", width)
        found: list[Line] = []
        if insight.score is not None:
            ink = STATUS_INKS.get(insight.status, "")
            found = [Line((Piece("health "), Piece(f"{insight.score} of 100, {insight.status}", ink)))]
            found += [self._factor(name, value) for name, value in factors(insight)]
        sign = f"{marks.active().alert} "
        for sentence in sentences(insight, self._name_of):
            first, *rest = broken(sentence, width - 2)
            found += [Line(), Line((Piece(sign, "needs-you"), Piece(first)))]
            found += [Line((Piece(f"  {words}"),)) for words in rest]
        if insight.servers:
            found += [Line(), Line((Piece("MCP servers", "muted"),))]
        for server in insight.servers:
            grows = Piece("  grows", "needs-you") if server.growing else Piece("")
            words = f"  {clean(server.name):<24} {memory(server.rss):>5}  pid {server.pid}"
            found.append(Line((Piece(words), grows)))
        if words := insight_state.left(insight):
            found += [Line(), *(Line((Piece(each, "needs-you"),)) for each in broken(words, width))]
        if found and not found[0].pieces:
            del found[0]
        return found or wrapped("Nothing is wrong, and nothing else is known.", width)

    @staticmethod
    def _factor(name: str, value: int) -> Line:
        ink = "working" if value >= 70 else "needs-you" if value >= 40 else "error"
        gauge = bar(value / 100, BAR, glyphs.active())
        why = f"  counts {SHARES[name]}%: {NAMES[name]}"
        return Line((Piece(f"  {name:<8} "), Piece(gauge, ink), Piece(f" {value:>3}"), Piece(why, "muted")))

    @property
    def text(self) -> str:
        return "\n".join("".join(piece.text for piece in line.pieces) for line in self.lines(100))
