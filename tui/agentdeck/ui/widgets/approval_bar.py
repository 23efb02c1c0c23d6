"""What the selected session asks, in one line over the foot of the screen, and the keys that answer it."""

from agentdeck.protocol.approvals import Approval
from agentdeck.ui.figures import clean, cut
from agentdeck.ui.widgets.lines import Line, Lines, Piece, clip, spread, width_of


class ApprovalBar(Lines):
    """It never moves what is under it. `whole` says whether all of the call could be read in it."""

    DEFAULT_CSS = """
    ApprovalBar {
        layer: _toastrack;
        dock: bottom;
        margin: 0 0 1 0;
        height: 1;
        background: $panel;
        display: none;
        &.-shown { display: block; }
    }
    """

    whole = True
    _approval: Approval | None = None
    _keys: tuple[tuple[str, str], ...] = ()
    _more = 0

    @property
    def approval(self) -> Approval | None:
        """The one that is shown."""
        return self._approval

    def show(self, approval: Approval | None, keys: tuple[tuple[str, str], ...] = (), more: int = 0) -> None:
        """`keys` are pairs of a key and what it does; `more` is how many others wait."""
        self._approval, self._keys, self._more = approval, keys, more
        self.set_class(approval is not None, "-shown")
        self.redraw()

    def lay_out(self, width: int, height: int) -> list[Line]:
        approval = self._approval
        if approval is None:
            return [Line()]
        keys: list[Piece] = []
        for key, does in self._keys:
            keys += [Piece(f"  {key} ", "accent"), Piece(does, "muted")]
        right = (*((Piece(f"  +{self._more} more", "muted"),) if self._more else ()), *keys, Piece(" "))
        ink = {"high": "error", "medium": "needs-you"}.get(approval.risk, "")
        caught = f" {self.glyphs.dot} {approval.rule}" if approval.rule else ""
        asks = (Piece(f" {self.glyphs.state('needs_you')} ", "needs-you"), Piece(f"{clean(approval.tool)} ", "strong"))
        room = width - width_of(right) - width_of(asks) - width_of((Piece(caught),))
        subject = clean(approval.subject)
        shown = cut(subject, max(0, room), self.glyphs.ellipsis)
        self.whole = shown == subject
        return [spread(clip((*asks, Piece(shown), Piece(caught, ink)), width), right, width)]
