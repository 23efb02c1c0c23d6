"""What happened while nobody looked: a card, a few lines for each session that did something. Any key closes it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import events
from textual.binding import BindingType
from textual.widget import Widget

from agentdeck.protocol.insight import AwayTold
from agentdeck.protocol.messages import Session
from agentdeck.ui import glyphs, marks
from agentdeck.ui.amounts import dollars
from agentdeck.ui.figures import broken, clean, count
from agentdeck.ui.insight_state import known_as
from agentdeck.ui.screens.dialog import Dialog
from agentdeck.ui.widgets.lines import Line, Piece
from agentdeck.ui.widgets.reader import Reader
from agentdeck.ui.wording import condition, ink_of

SAID_LINES: Final = 2
"""Lines of the last words that are shown."""


@dataclass(frozen=True, slots=True)
class Absent:
    """What one session did. `did` is None for one without a transcript."""

    session: Session
    number: int
    did: AwayTold | None
    changed: bool
    """Its state is another one than before, and worth telling."""

    @property
    def happened(self) -> bool:
        did = self.did
        return self.changed or (did is not None and bool(did.prompts or did.calls or did.last_message or did.waits))


class AwayScreen(Dialog[None]):
    DEFAULT_CSS = """
    AwayScreen > .box { width: 92; }
    AwayScreen Reader { background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = []
    keys = "any key closes this"

    def __init__(self, title: str, absent: Sequence[Absent]) -> None:
        super().__init__()
        self.title_text, self._absent = title, absent
        self.reader = Reader(self._lines)

    def parts(self) -> Iterable[Widget]:
        yield self.reader

    def on_mount(self) -> None:
        super().on_mount()
        wanted = len(self._lines(min(92, self.app.size.width) - 4))
        self.reader.styles.height = min(wanted, max(1, self.app.size.height - 4))

    def on_reader_moved(self, message: Reader.Moved) -> None:
        message.stop()
        words = f"{message.place}, the wheel scrolls  {self.keys}" if message.place else self.keys
        self.query_one(".box").border_subtitle = words

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        self.dismiss(None)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.dismiss(None)

    def _lines(self, width: int) -> list[Line]:
        found: list[Line] = []
        for absent in self._absent:
            found += [*([Line()] if found else []), *lines_of(absent, width)]
        return found


def lines_of(absent: Absent, width: int) -> list[Line]:
    """`◆1 api · asks: Edit refresh.py`, below it what was counted, and what it said last."""
    session, did, dot = absent.session, absent.did, f" {glyphs.active().dot} "
    number = str(absent.number or "")
    head = (
        Piece(f"{glyphs.active().state(session.state)}{number} ", ink_of(session)),
        Piece(clean(known_as(session)), "strong"),
        Piece(f"{dot}{condition(session)}", "muted"),
    )
    found = [Line(head)]
    if did is None:
        return found
    found += [Line((Piece(f"   {line}"),)) for line in broken_facts(counted(did), width - 3, dot)]
    said = broken(clean(did.last_message), width - 3)
    if did.last_message:
        more = glyphs.active().ellipsis if len(said) > SAID_LINES else ""
        shown = said[:SAID_LINES]
        shown[-1] += more
        found += [Line((Piece(f"   {line}", "muted"),)) for line in shown]
    return found


def broken_facts(facts: Sequence[str], width: int, dot: str) -> list[str]:
    """Facts in lines, none of them broken."""
    lines: list[str] = []
    for fact in facts:
        if lines and len(lines[-1]) + len(dot) + len(fact) <= width:
            lines[-1] += dot + fact
        else:
            lines.append(fact)
    return lines


def counted(did: AwayTold) -> list[str]:
    """What is worth a word; what did not happen has none."""
    facts = []
    if did.prompts:
        facts.append(count(did.prompts, "prompt", "prompts"))
    if did.calls:
        facts.append(count(did.calls, "call", "calls") + (f", {did.failures} failed" if did.failures else ""))
    if did.files:
        facts.append(f"{count(did.files, 'file', 'files')} +{did.added} {marks.active().minus}{did.removed}")
    if did.test_runs:
        facts.append(_tests(did))
    if did.waits:
        facts.append("waited for you" + (f" {did.waits} times" if did.waits > 1 else ""))
    if did.cost_since_usd:
        facts.append(dollars(did.cost_since_usd))
    elif did.cost_since_usd is None and did.cost_usd:
        facts.append(f"{dollars(did.cost_usd)} in all")
    return facts


def _tests(did: AwayTold) -> str:
    runs = f" ({did.test_runs} runs)" if did.test_runs > 1 else ""
    if did.tests_passed is None or did.tests_failed is None:
        return ("tests failed" if did.last_run_failed else "tests ran") + runs
    failed = f", {did.tests_failed} failed" if did.tests_failed else ""
    return f"tests {did.tests_passed} passed{failed}{runs}"
