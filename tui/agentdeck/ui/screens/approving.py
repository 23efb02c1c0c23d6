"""Answering what agents ask, in place: `y` for what is shown, `Y` for always, `p` for all that waits, denying there.

Nothing is answered blind: a key answers what the bar shows, after it was there to be read; what the bar cannot show
whole is opened first. Somebody who types into a session gets the CLI's own dialog there, if a hook kept it back.
"""

import time
from typing import Final

from textual.app import ComposeResult

from agentdeck.protocol import approvals as a
from agentdeck.ui.screens.approvals import ApprovalsScreen, Chosen
from agentdeck.ui.screens.prompt import TextPrompt
from agentdeck.ui.screens.telling import Telling
from agentdeck.ui.widgets.approval_bar import ApprovalBar

READABLE: Final = 0.3
"""Seconds for which something must have been shown before a key answers it: the key may have been meant otherwise."""

ApprovalNews = a.Approvals | a.ApprovalAsked | a.ApprovalGone


class Approving(Telling):
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.approvals: dict[str, a.Approval] = {}
        """What waits, by id, the longest wait first."""
        self.approval_bar = ApprovalBar()
        self._approval_line = 0
        """Which line to the hub we have asked for approvals."""
        self._shown_since: tuple[str, float] = ("", 0.0)
        self._handed_back: set[str] = set()
        self._reading: ApprovalsScreen | None = None

    def compose(self) -> ComposeResult:
        for widget in super().compose():
            if widget is self.notices:
                yield self.approval_bar  # under the notices, which go by themselves
            yield widget

    # ── the hub's news ─────────────────────────────────────────────────────────────────────────

    def subscribe(self) -> None:
        super().subscribe()
        if self._approval_line != self.bridge.lines:
            self._approval_line = self.bridge.lines
            self.bridge.post(a.WatchApprovals())

    def take_approvals(self, news: ApprovalNews) -> None:
        match news:
            case a.Approvals():
                self.approvals = {approval.id: approval for approval in news.approvals}
            case a.ApprovalAsked():
                self.approvals[news.approval.id] = news.approval
            case a.ApprovalGone():
                self.approvals.pop(news.approval, None)
        if self._reading is not None:
            self._reading.show_waiting(tuple(self.approvals.values()))
        self.draw_soon()

    # ── what is shown ──────────────────────────────────────────────────────────────────────────

    def draw(self) -> None:
        super().draw()
        if not self.is_mounted:
            return
        here = self._here_waiting()
        if self.typing:
            self._hand_back(here)
        shown = here[0] if here else None
        if (shown.id if shown else "") != self._shown_since[0]:
            self._shown_since = (shown.id if shown else "", time.monotonic())
        self.approval_bar.show(shown, self._approval_keys(shown), max(0, len(self.approvals) - 1))

    def _here_waiting(self) -> list[a.Approval]:
        return [approval for approval in self.approvals.values() if approval.session == self.deck.selected]

    def _approval_keys(self, shown: a.Approval | None) -> tuple[tuple[str, str], ...]:
        if shown is None:
            return ()
        if self.typing:
            return ((self.keymap.keys_for("leave", "typing").split()[0], "to answer"),)
        keys = [("approve", "yes"), ("approve_always", "always" if shown.always else ""), ("approvals", "open, deny")]
        return tuple((self.keymap.keys_for(action), does) for action, does in keys if does)

    def _hand_back(self, here: list[a.Approval]) -> None:
        """The CLI shows its own dialog only once its hook says nothing: have it do so for who types there."""
        for approval in here:
            if approval.kind == "dialog" and approval.until is not None and approval.id not in self._handed_back:
                self._handed_back.add(approval.id)
                self.bridge.post(a.Decide(approval=approval.id, verb="back", who="deck", reason="typing there"))

    # ── what the person does ───────────────────────────────────────────────────────────────────

    async def action_approve(self) -> None:
        await self._answer_shown("allow")

    async def action_approve_always(self) -> None:
        await self._answer_shown("always")

    async def action_approvals(self) -> None:
        if not self.approvals:
            self.say("nothing waits for you")
            return
        here = self._here_waiting()
        await self._open_all(here[0].id if here else next(iter(self.approvals)))

    async def _answer_shown(self, verb: str) -> None:
        shown = self.approval_bar.approval
        if shown is None or shown.id not in self.approvals:
            self.say(
                "nothing waits in this session" if not self.approvals else "nothing waits here; p shows what waits"
            )
            return
        if time.monotonic() - self._shown_since[1] < READABLE:
            self.footer.flash()
            return
        beside = shown.kind != "gate" and shown.until is None  # the CLI's dialog is on the screen, whole
        if (not self.approval_bar.whole or shown.diff) and not beside:
            await self._open_all(shown.id)
            return
        if verb == "always" and not shown.always:
            self.say("it offers no answer that lasts", "warning")
            return
        await self._decide(shown, verb)

    async def _open_all(self, first: str) -> None:
        self._reading = ApprovalsScreen(tuple(self.approvals.values()), first, self._chosen)
        try:
            await self.app.push_screen_wait(self._reading)
        finally:
            self._reading = None

    def _chosen(self, chosen: Chosen) -> None:
        if chosen.verb == "go":
            self.choose(chosen.approval.session)
        else:
            self.run_worker(self._see_through(self._carry_out(chosen)), group="deeds", exit_on_error=True)

    async def _carry_out(self, chosen: Chosen) -> None:
        reason = ""
        if chosen.verb == "deny" and chosen.approval.reasons:
            title, hint = f"deny: {chosen.approval.subject[:40]}", "what the agent is told; may stay empty"
            told = await self.app.push_screen_wait(TextPrompt(title, "", placeholder=hint))
            if told is None:
                return
            reason = told
        await self._decide(chosen.approval, chosen.verb, reason)

    async def _decide(self, approval: a.Approval, verb: str, reason: str = "") -> None:
        await self.bridge.call(a.Decide(approval=approval.id, verb=verb, reason=reason, who="deck"))
        did = {"allow": "allowed", "always": "allowed for the session", "deny": "denied", "back": "handed back"}[verb]
        self.say(f"{did}: {approval.tool} {approval.subject}"[:200])
