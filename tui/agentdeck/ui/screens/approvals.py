"""All that waits for the person, one at a time and in full: what it would do, what caught it, and the answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType

from agentdeck.protocol.approvals import Approval
from agentdeck.ui import glyphs
from agentdeck.ui.figures import clean
from agentdeck.ui.screens.call_detail import diff_lines
from agentdeck.ui.screens.reading import ReadingDialog
from agentdeck.ui.widgets.lines import Line, Piece
from agentdeck.ui.widgets.reader import wrapped


@dataclass(frozen=True, slots=True)
class Chosen:
    """`verb`: allow, always, deny, back or go (to its session)."""

    approval: Approval
    verb: str


class ApprovalsScreen(ReadingDialog):
    """Returns nothing: `choose` gets what the person chose, and the dialog stays while something waits."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "choose('allow')", show=False, priority=True),
        Binding("A,Y", "choose('always')", show=False, priority=True),
        Binding("n", "choose('deny')", show=False, priority=True),
        Binding("o", "choose('back')", show=False, priority=True),
        Binding("enter", "choose('go')", show=False, priority=True),
        Binding("tab,right,l", "other(1)", show=False, priority=True),
        Binding("shift+tab,left,h", "other(-1)", show=False, priority=True),
    ]

    def __init__(self, waiting: Sequence[Approval], shown: str, choose: Callable[[Chosen], None]) -> None:
        self._waiting = tuple(waiting)
        self._shown = shown
        self._choose = choose
        super().__init__()
        self._entitle()

    def show_waiting(self, waiting: Sequence[Approval]) -> None:
        """Show what waits now. The one that is read stays until it waits no more; with the last one the dialog goes."""
        before = self._index
        self._waiting = tuple(waiting)
        if not self._waiting:
            self.dismiss(None)
            return
        if all(approval.id != self._shown for approval in self._waiting):
            self._shown = self._waiting[min(before, len(self._waiting) - 1)].id
            self.reader.top = 0
        self._again()

    @property
    def approval(self) -> Approval | None:
        """The one that is read."""
        return self._waiting[self._index] if self._waiting else None

    @property
    def _index(self) -> int:
        return next((n for n, approval in enumerate(self._waiting) if approval.id == self._shown), 0)

    def _entitle(self) -> None:
        approval = self.approval
        count = f" {self._index + 1} of {len(self._waiting)}" if len(self._waiting) > 1 else ""
        self.title_text = f"{approval.name} asks{count}" if approval is not None else "nothing waits"
        keys = ["y allow", "A always" if approval is not None and approval.always else "", "n deny", "o ask there"]
        keys += ["tab next" if len(self._waiting) > 1 else "", "enter go to it", "esc later"]
        self.keys = "  ".join(key for key in keys if key)

    def _again(self) -> None:
        self._entitle()
        if self.is_mounted:
            box = self.query_one(".box")
            box.border_title, box.border_subtitle = clean(self.title_text), self.keys
        self.reader.show(self.lines)

    def lines(self, width: int) -> Sequence[Line]:
        approval = self.approval
        if approval is None:
            return []
        ink = {"high": "error", "medium": "needs-you"}.get(approval.risk, "muted")
        found = [*wrapped(f"{approval.tool}  {approval.subject}", width, "strong"), Line()]
        caught = f", caught by the rule {approval.rule}" if approval.rule else ""
        found.append(Line((Piece(f"{glyphs.active().state('needs_you')} risk: {approval.risk}", ink), Piece(caught))))
        found += wrapped(approval.why, width, "muted") if approval.why else []
        if approval.cwd:
            found += wrapped(f"in {approval.cwd}", width, "muted")
        if approval.agent:
            found += wrapped(f"by the sub-agent {approval.agent}", width, "muted")
        if approval.always:
            found += wrapped(f"always covers: {approval.always}", width, "muted")
        if not approval.reasons:
            found += wrapped("answered by a key on its own screen; it cannot be told a reason", width, "muted")
        if approval.diff:
            found += [Line(), Line((Piece("changes", "muted"),)), *diff_lines(approval.diff, width)]
        return [*found, Line(), Line((Piece("given", "muted"),)), *wrapped(approval.input, width)]

    @property
    def text(self) -> str:
        approval = self.approval
        return (
            "\n\n".join(part for part in (approval.subject, approval.diff, approval.input) if part) if approval else ""
        )

    def action_other(self, by: int) -> None:
        if self._waiting:
            self._shown = self._waiting[(self._index + by) % len(self._waiting)].id
            self.reader.top = 0
            self._again()

    def action_choose(self, verb: str) -> None:
        approval = self.approval
        if approval is None:
            return
        if verb == "go":
            self.dismiss(None)
        self._choose(Chosen(approval, verb))
