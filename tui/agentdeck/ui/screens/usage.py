"""Tokens and cost over time: by day, model and project, with what is hidden, unpriced and limited."""

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import ClassVar

import msgspec
from textual.binding import Binding, BindingType

from agentdeck.errors import AgentdeckError
from agentdeck.protocol.facts import UsageTold
from agentdeck.ui.screens.reading import ReadingDialog
from agentdeck.ui.widgets.lines import Line, Piece
from agentdeck.ui.widgets.usage_plot import Report, page, read

Ask = Callable[[], Awaitable[UsageTold]]


class UsageScreen(ReadingDialog):
    DEFAULT_CSS = "UsageScreen > .box { max-width: 100%; padding: 0; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "by_cost", show=False, priority=True),
        Binding("r", "again", show=False, priority=True),
        Binding("dollar_sign", "cancel", show=False, priority=True),
    ]

    title_text = "tokens and cost"
    keys = "t tokens or dollars  r again  c copy  esc close"

    def __init__(self, ask: Ask, home: str, *, now: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._ask, self._home, self._now = ask, home, now
        self._report: Report | None = None
        self._limits: UsageTold | None = None
        self._problem = ""
        self._by_cost = True

    def on_mount(self) -> None:
        super().on_mount()
        self.action_again()

    def on_resize(self) -> None:
        self.reader.show(self.lines)  # the chart is as high as there is room for

    def action_again(self) -> None:
        self.run_worker(self._read(), exclusive=True)

    async def _read(self) -> None:
        try:
            told = await self._ask()
            self._report, self._limits, self._problem = read(told.report), told, ""
        except AgentdeckError as error:
            self._problem = f"{error} ({error.hint})" if error.hint else str(error)
        except msgspec.DecodeError as error:
            self._problem = f"the hub told a report that cannot be read: {error}"
        self.reader.show(self.lines)

    def action_by_cost(self) -> None:
        self._by_cost = not self._by_cost
        self.reader.show(self.lines)

    def lines(self, width: int) -> Sequence[Line]:
        if self._problem:
            return [Line(), Line((Piece(f" {self._problem}", "error"),))]
        if self._report is None or self._limits is None:
            return [Line(), Line((Piece(" adding up …", "muted"),))]
        now = self._now()
        today = date.fromtimestamp(now)
        return page(
            self._report, self._limits.limits, today, now, self._home, width,
            by_cost=self._by_cost, height=self.reader.size.height,
        )  # fmt: skip

    @property
    def text(self) -> str:
        width = max(40, self.reader.size.width)
        return "\n".join("".join(piece.text for piece in line.pieces).rstrip() for line in self.lines(width))
