"""Compare and send: a key answers a dialog only while that very dialog is on the screen, and is seen to have worked."""

import asyncio
from typing import Final

from agentdeck.approvals.dialog import Answer, Dialog, find
from agentdeck.errors import ApprovalError
from agentdeck.hub.session import LiveSession

CONFIRM: Final = 4.0
"""Seconds in which the dialog must have gone after its key."""
STEADY: Final = 0.5
"""Seconds for which a dialog must have stood: one that was just drawn does not hear its keys yet (measured)."""
LOOK: Final = 0.05


def on_screen(session: LiveSession) -> Dialog | None:
    """The permission dialog that a session shows now."""
    session.screen.refresh()
    return find([session.emulator.row(y).text for y in range(session.emulator.rows)], session.provider.family)


async def press(session: LiveSession, mark: str, verb: str, *, is_new: bool) -> None:
    """Give a dialog its answer. Raises `ApprovalError`: then no key was sent, or it did not work, and it says which."""
    if is_new:
        await asyncio.sleep(STEADY)
    dialog = on_screen(session)
    if dialog is None or dialog.mark != mark or not session.running:
        raise ApprovalError("the dialog is not on the screen any more: no key was sent")
    answer = _answer(dialog, verb)
    session.write(answer.key)
    until = asyncio.get_running_loop().time() + CONFIRM
    while asyncio.get_running_loop().time() < until:
        await asyncio.sleep(LOOK)
        now = on_screen(session)
        if now is None or now.mark != mark or not session.running:
            return
    raise ApprovalError(
        f"the key for {answer.label!r} was sent, but the dialog is still there", hint="look at the session's own screen"
    )


def _answer(dialog: Dialog, verb: str) -> Answer:
    match verb:
        case "allow":
            return dialog.allow
        case "always" if dialog.always is not None:
            return dialog.always
        case "always":
            raise ApprovalError("this dialog offers no answer that lasts: no key was sent")
        case _:
            return dialog.deny
