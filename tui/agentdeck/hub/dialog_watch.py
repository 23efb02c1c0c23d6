"""Watches the screens of sessions in which something waits, and only those: has its dialog gone, is there one at all?

A person may answer in the CLI's own dialog, and the hook that waits is not told. So the dialog is looked for on the
screen while a call of the session waits, a few times a second and only when the screen has changed.
"""

import asyncio
from typing import TYPE_CHECKING, Final

from agentdeck.approvals.dialog import Dialog
from agentdeck.hub.held import Held
from agentdeck.hub.screen_dialog import on_screen
from agentdeck.hub.session import LiveSession

if TYPE_CHECKING:
    from agentdeck.hub.waiting import WaitingCalls

FIRST: Final = 0.05
"""Seconds after which a new call's dialog is looked for: somebody may answer it at once."""
LOOK_EVERY: Final = 0.25
"""Seconds between two looks at a screen in whose session something waits."""
SETTLED: Final = 3.0
"""Seconds for which the dialog of a call that was just answered may still be drawn."""
LONG_SAME: Final = 8
"""Looks at the same screen after which it is looked at less often."""
SELDOM: Final = 1.0
GONE: Final = 2
"""Looks without the dialog after which it has gone: a CLI that draws anew takes it off the screen for a moment."""


class DialogWatch:
    def __init__(self, calls: "WaitingCalls") -> None:
        self._calls = calls
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._unchanged: dict[str, tuple[int, int]] = {}
        """What the last look saw: the screen's number, and how many looks have seen the same."""
        self._answered: dict[str, tuple[Held, float]] = {}

    def changed(self, session: LiveSession) -> None:
        """Begin to look, if there is something to look for."""
        name = session.info.id
        if name not in self._timers and session.running and self._wanted(session):
            self._unchanged.pop(name, None)
            self._timers[name] = asyncio.get_running_loop().call_later(FIRST, self._look, session)

    def answered(self, held: Held) -> None:
        """Its dialog is nobody's business any more, for as long as it takes to go."""
        self._unchanged.pop(held.approval.session, None)  # another dialog may stand there already
        self._answered[held.approval.session] = held, asyncio.get_running_loop().time() + SETTLED

    def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _wanted(self, session: LiveSession) -> bool:
        return session.info.state == "needs_you" or bool(self._calls.of(session.info.id))

    def _look(self, session: LiveSession) -> None:
        name = session.info.id
        self._timers.pop(name, None)
        if not session.running or not self._wanted(session):
            self._unchanged.pop(name, None)
            return
        session.screen.refresh()
        seq, looks = self._unchanged.get(name, (-1, 0))
        looks = looks + 1 if seq == session.screen.seq else 0
        self._unchanged[name] = session.screen.seq, looks
        if looks <= GONE:
            self._compare(session)
        pause = LOOK_EVERY if looks < LONG_SAME else SELDOM
        self._timers[name] = asyncio.get_running_loop().call_later(pause, self._look, session)

    def _compare(self, session: LiveSession) -> None:
        dialog = on_screen(session)
        if dialog is None:
            self._answered.pop(session.info.id, None)
        blocked = session.info.status.state == "blocked"
        held = self._calls.of(session.info.id)
        for each in held:
            if each.answering or each.approval.kind == "gate":
                continue
            if dialog is not None and _shows(each, dialog.mark, dialog.is_about(*each.subjects)):
                each.mark, each.missing = dialog.mark, 0
            elif each.mark:
                each.missing += 1
                if each.missing >= GONE:
                    self._calls.settle(each, "there")
            elif each.blocked and not blocked:
                self._calls.settle(each, "there")
            each.blocked = each.blocked or blocked
        if dialog is not None and not held and session.info.state == "needs_you" and not self._is_past(session, dialog):
            self._calls.add_dialog(session, dialog)

    def _is_past(self, session: LiveSession, dialog: Dialog) -> bool:
        """Whether this is the dialog of a call that was answered, or left to the CLI, and that has not gone yet."""
        past, until = self._answered.get(session.info.id, (None, 0.0))
        if past is None:
            return False
        if dialog.mark == past.mark:
            return True
        return asyncio.get_running_loop().time() < until and dialog.is_about(*past.subjects)


def _shows(held: Held, mark: str, is_about: bool) -> bool:
    return mark == held.mark or (held.approval.kind == "dialog" and is_about)
