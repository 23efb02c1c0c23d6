"""The list of tool calls that wait for a person: what comes on it, what goes off it and why, who hears of it.

Everything that is decided is written down here, so that nothing leaves the list without a line in the log.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Final

from agentdeck import events as e
from agentdeck.approvals import payload
from agentdeck.approvals.audit import AuditLog, Entry
from agentdeck.approvals.call import ToolCall
from agentdeck.approvals.dialog import Dialog
from agentdeck.approvals.gate import Verdict
from agentdeck.errors import AlreadyAnsweredError, ApprovalError, UnknownApprovalError
from agentdeck.hub import evidence
from agentdeck.hub import held as holding
from agentdeck.hub.dialog_watch import DialogWatch
from agentdeck.hub.facts import Listener
from agentdeck.hub.held import Held
from agentdeck.hub.peer import Peer
from agentdeck.hub.roster import Roster
from agentdeck.hub.session import LiveSession
from agentdeck.protocol import approvals as a
from agentdeck.protocol import messages as m

SETTLED: Final = 500
"""Settled approvals that are remembered, for those who answer too late."""
HOW: Final = {
    "allow": "allowed",
    "always": "allowed for the session",
    "deny": "denied",
    "back": "handed back to the CLI",
    "expired": "handed back to the CLI, because nobody answered",
    "there": "answered in the CLI itself",
    "ended": "given up by the CLI",
}

LISTENER: Final = "approvals"


class WaitingCalls:
    """`listen` has transcripts read and tells what happens in them, until it is called with None."""

    def __init__(
        self,
        roster: Roster,
        log: AuditLog,
        *,
        push: Callable[[m.AnyReply], None],
        problem: Callable[[str], None],
        listen: Callable[[str, Listener | None], None],
    ) -> None:
        self.watching: set[Peer] = set()
        """Clients that want to hear of every change."""
        self.dialogs = DialogWatch(self)
        self._roster = roster
        self._log = log
        self._push = push
        self._problem = problem
        self._listen = listen
        self._held: dict[str, Held] = {}
        self._settled: dict[str, str] = {}

    def all(self) -> a.Approvals:
        """The longest wait first."""
        return a.Approvals(approvals=tuple(held.approval for held in self._held.values()))

    def of(self, session: str) -> list[Held]:
        return [held for held in self._held.values() if held.approval.session == session]

    def stop(self) -> None:
        self.dialogs.stop()
        for held in self._held.values():
            held.release()

    def _tell(self, message: m.AnyReply) -> None:
        for peer in tuple(self.watching):
            peer.send(message)

    # ── on it ──────────────────────────────────────────────────────────────────────────────────

    def add(self, held: Held, session: LiveSession) -> None:
        for other in self.of(session.info.id):
            if other.approval.kind == "screen" and not other.answering:  # its hook came after it
                del self._held[other.approval.id]
                self._tell(a.ApprovalGone(approval=other.approval.id, session=session.info.id, how="ended"))
        self._held[held.approval.id] = held
        self._listen(LISTENER, self._hear)
        self._tell(a.ApprovalAsked(approval=held.approval))
        self.dialogs.changed(session)
        if held.question is not None:  # the screen speaks for itself
            evidence.hold(session, held.approval.id, f"{held.approval.tool} {held.approval.subject}"[:200])

    def add_dialog(self, session: LiveSession, dialog: Dialog) -> None:
        """Offer a dialog that no hook told of: keys will answer it."""
        call = holding.of_dialog(dialog)
        approval = a.Approval(
            id=self.new_id(),
            session=session.info.id,
            name=session.info.name,
            provider=session.provider.name,
            tool="dialog",
            subject=dialog.subject[: holding.LONGEST_SUBJECT],
            input="\n".join((*dialog.text, dialog.allow.label, dialog.deny.label)),
            cwd=session.info.cwd,
            why=dialog.question,
            kind="screen",
            always=dialog.always.label if dialog.always is not None else "",
            reasons=False,
            since=time.time(),
        )
        self.add(Held(approval, asyncio.get_running_loop().time(), call, mark=dialog.mark), session)

    def _hear(self, session: str, event: e.AnyEvent) -> None:
        """The transcript says that a call came to its end: then nobody needs to answer it any more."""
        if not isinstance(event, e.ToolReturned):
            return
        for held in self.of(session):
            if held.question is not None and _is_call(held, event):
                self.settle(held, "there")

    def new_id(self) -> str:
        while (candidate := secrets.token_hex(3)) in self._held or candidate in self._settled or candidate.isdigit():
            pass
        return candidate

    # ── off it ─────────────────────────────────────────────────────────────────────────────────

    def settle(self, held: Held, how: str, who: str = "", why: str = "") -> None:
        """Take a call off the list: it was answered, or it waits no more."""
        if self._held.pop(held.approval.id, None) is None:
            return
        held.release()
        if not self._held:
            self._listen(LISTENER, None)
        self.dialogs.answered(held)
        if held.question is not None and not held.question.answered:
            held.question.on_gone = lambda: None
            held.question.answer(payload.nothing())
        self._settled[held.approval.id] = f"{HOW[how]}{f' by {who}' if who else ''}"
        while len(self._settled) > SETTLED:
            del self._settled[next(iter(self._settled))]
        self._tell(a.ApprovalGone(approval=held.approval.id, session=held.approval.session, how=how, who=who))
        session = self._roster.sessions.get(held.approval.session)
        verdict = Verdict(rule=held.approval.rule, risk=held.approval.risk)
        self.note(held.call, session, verdict, how, who or "nobody", why or held.approval.why, held)
        if how == "expired" and session is not None:
            self.notice(session, f"nobody answered, so the CLI itself asks: {held.approval.subject}")
        if session is not None and held.question is not None:
            evidence.release(session, held.approval.id)

    def find(self, ref: str) -> Held:
        if ref in self._held:
            return self._held[ref]
        if ref in self._settled:
            raise AlreadyAnsweredError(self._settled[ref])
        found = [held for held in self._held.values() if ref and held.approval.id.startswith(ref)]
        found = found or [held for held in self._held.values() if ref in (held.approval.name, held.approval.session)]
        if len(found) > 1:
            ids = ", ".join(held.approval.id for held in found)
            raise ApprovalError(f"{ref!r} fits {len(found)} that wait", hint=f"name one of them: {ids}")
        if not found:
            raise UnknownApprovalError(ref)
        return found[0]

    # ── telling ────────────────────────────────────────────────────────────────────────────────

    def note(
        self,
        call: ToolCall,
        session: LiveSession | None,
        verdict: Verdict,
        decision: str,
        who: str,
        why: str,
        held: Held | None = None,
    ) -> None:
        waited = asyncio.get_running_loop().time() - held.began if held is not None else 0.0
        entry = Entry.of(
            call,
            decision=decision,
            who=who,
            why=why,
            session=session.info.id if session is not None else "",
            name=session.info.name if session is not None else "",
            rule=verdict.rule,
            risk=verdict.risk,
            approval=held.approval.id if held is not None else "",
            waited=round(waited, 3),
        )
        self._log.write(entry)
        if self._log.problem:
            self._problem(self._log.problem)

    def notice(self, session: LiveSession, text: str) -> None:
        self._push(m.Notice(text=text[:300], level="warning", session=session.info.id))


def _is_call(held: Held, returned: e.ToolReturned) -> bool:
    if held.use_id:
        return returned.call == held.use_id
    used = returned.used
    return used is not None and ToolCall(used.tool, used.input).fingerprint == held.call.fingerprint
