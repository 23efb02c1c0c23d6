"""The desk for tool calls: asks the rules, holds what a person must see, and passes one answer on.

A call comes in through a hook (`hook_door`) or, from CLIs whose hooks cannot hold one, as a dialog on the screen
(`dialog_watch`). The first answer wins: from a deck, from a command, or in the CLI's own dialog. Time passes on the
loop's clock. When this hub dies, every hook notices and looks after itself.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final

from agentdeck.approvals import alone, install, payload
from agentdeck.approvals.audit import AuditLog
from agentdeck.approvals.call import ToolCall
from agentdeck.approvals.gate import ApprovalGate, Verdict
from agentdeck.approvals.payload import GATE, Asked
from agentdeck.approvals.scope import Scope, scope_of
from agentdeck.errors import AlreadyAnsweredError, ApprovalError
from agentdeck.hub import evidence, screen_dialog
from agentdeck.hub import held as holding
from agentdeck.hub.desk import Answer, Desk
from agentdeck.hub.facts import Listener
from agentdeck.hub.held import Held
from agentdeck.hub.hook_door import NAME, HookDoor, Question
from agentdeck.hub.kin import ancestors
from agentdeck.hub.peer import Peer
from agentdeck.hub.roster import Roster
from agentdeck.hub.session import LiveSession
from agentdeck.hub.waiting import HOW, WaitingCalls
from agentdeck.paths import Paths
from agentdeck.protocol import approvals as a
from agentdeck.protocol import messages as m
from agentdeck.providers import Provider

USES: Final = 64
"""Calls of one session whose ids are remembered."""
GRACE: Final = 30.0
"""Seconds by which a hook waits longer than we do."""
TWICE: Final = 120.0
"""Seconds in which the CLI may ask for what a person has just allowed at the gate."""
QUESTIONS: Final = frozenset({"AskUserQuestion", "ask_user", "request_user_input"})
"""Tools that ask the person something: a yes would be no answer, so the CLI asks by itself."""
PARALLEL: Final = ("claude",)
"""CLIs whose own dialog is on the screen while the hook waits: it need not be handed back."""

Adviser = Callable[[LiveSession, ToolCall], Verdict | None]
"""Another part of the hub that has something to say about a call before it runs."""


class ApprovalDesk(Desk):
    requests = (a.ListApprovals, a.WatchApprovals, a.Decide, a.ReadRules)

    def __init__(
        self,
        paths: Paths,
        roster: Roster,
        *,
        push: Callable[[m.AnyReply], None],
        problem: Callable[[str], None],
        later: Callable[[Coroutine[Any, Any, None]], None],
        listen: Callable[[str, Listener | None], None],
    ) -> None:
        """`listen` has transcripts read and tells what happens in them, until it is called with None."""
        self.gate = ApprovalGate.of(rules_path(paths))
        self.log = AuditLog(log_path(paths))
        self.advisers: list[Adviser] = []
        self._paths = paths
        self._roster = roster
        self._problem = problem
        self._later = later
        self._door = HookDoor(paths.run / NAME, self._asked)
        self._calls = WaitingCalls(roster, self.log, push=push, problem=problem, listen=listen)
        self._scopes: dict[str, list[Scope]] = {}
        """What people allowed for the rest of a session."""
        self._passed: dict[str, dict[str, float]] = {}
        """What they allowed at the gate: by session, when each call stops being expected again."""
        self._uses: dict[str, dict[str, str]] = {}
        """The CLI's own ids of the latest calls, by session and fingerprint: a dialog's question comes without it."""

    # ── what others ask of it ──────────────────────────────────────────────────────────────────

    def waiting(self, session: str) -> a.Approval | None:
        """The call of this session that waits longest for a person, None when none does."""
        return next((held.approval for held in self._calls.of(session)), None)

    def held(self, session: str) -> list[Held]:
        return self._calls.of(session)

    def arguments(self, provider: Provider, given: Sequence[str]) -> tuple[str, ...]:
        """The arguments of a new session, with those that make its CLI ask us."""
        places = {"socket": self._door.path, "rules": rules_path(self._paths), "log": self.log.path}
        return install.arguments(provider.family, given, **places)

    def guard(self) -> None:
        """Open the door again if somebody removed it."""
        try:
            self._door.guard()
        except OSError as error:
            self._problem(f"hooks cannot reach the hub: {error.strerror}")

    # ── the hub's side ─────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        self._tell_errors()
        try:
            self._door.open()
        except OSError as error:
            self._problem(f"hooks cannot reach the hub, so nothing is held: {error.strerror}")
        for session in self._roster.running:
            self.changed(session)

    def stop(self) -> None:
        self._calls.stop()
        self._door.close()

    def gone(self, peer: Peer) -> None:
        self._calls.watching.discard(peer)

    def changed(self, session: LiveSession) -> None:
        if session.info.ended is not None:
            self._scopes.pop(session.info.id, None)
            self._passed.pop(session.info.id, None)
            self._uses.pop(session.info.id, None)
            for held in self._calls.of(session.info.id):
                self._calls.settle(held, "ended")
        else:
            self._calls.dialogs.changed(session)

    def answer(self, peer: Peer, request: m.AnyRequest) -> Answer:
        match request:
            case a.ListApprovals():
                return self._calls.all()
            case a.WatchApprovals():
                self._calls.watching.add(peer)
                return self._watched(peer, request)
            case a.ReadRules():
                self.gate.refresh()
                rules = tuple((r.name, r.action, r.risk, r.reason, r.source) for r in self.gate.rules)
                return a.Rules(rules=rules, errors=tuple(str(error) for error in self.gate.errors))
            case a.Decide():
                self._refuse_agents(peer)
                return self._decide(request)
        raise ApprovalError(f"{type(request).__name__} is no question about approvals", hint="")

    def _watched(self, peer: Peer, request: a.WatchApprovals) -> a.Approvals:
        if not request.id:
            peer.send(self._calls.all())
        return self._calls.all()

    # ── questions of hooks ─────────────────────────────────────────────────────────────────────

    def _asked(self, question: Question) -> None:
        if self.gate.refresh():
            self._tell_errors()
        asked = payload.read(question.data, question.provider)
        if asked is None:
            self._problem(f"a hook of {question.provider} asked something unknown: no rule was applied to that call")
            question.answer(payload.nothing())
            return
        session = self._session_of(question)
        if session is None:
            why = "the call comes from no session of agentdeck"
            question.answer(alone.answer(self.gate, asked, why, self.log))
            return
        evidence.hooked(session, asked.event)
        if asked.event == GATE:
            self._at_the_gate(question, asked, session)
        else:
            self._beside_the_dialog(question, asked, session)

    def _session_of(self, question: Question) -> LiveSession | None:
        if not question.pid:  # the system does not tell: the socket is in a directory of ours alone, so believe it
            return self._roster.sessions.get(question.session)
        running = {session.info.pid: session for session in self._roster.running if session.info.pid > 0}
        return next((running[pid] for pid in ancestors(question.pid) if pid in running), None)

    def _at_the_gate(self, question: Question, asked: Asked, session: LiveSession) -> None:
        uses = self._uses.setdefault(session.info.id, {})
        uses[asked.call.fingerprint] = asked.call.use_id
        while len(uses) > USES:
            del uses[next(iter(uses))]
        verdict = self._judge(asked.call, session)
        said = f"{verdict.why} (rule {verdict.rule})"
        match verdict.action:
            case "deny":
                question.answer(payload.deny(asked, f"agentdeck: {said}"))
                self._calls.note(asked.call, session, verdict, "deny", "rule", said)
                self._calls.notice(session, f"{asked.call.tool} was refused: {said}: {asked.call.subject}")
            case "warn":
                question.answer(payload.warn(asked, f"agentdeck: {said}"))
                self._calls.note(asked.call, session, verdict, "warn", "rule", said)
                self._calls.notice(session, f"{said}: {asked.call.subject}")
            case "hold" if self._covered(session, asked.call, verdict.rule):
                question.answer(payload.allow(asked))
                self._pass(session, asked.call)
                self._calls.note(asked.call, session, verdict, "allow", "always", "allowed for this session before")
            case "hold":
                self._hold(question, asked, session, verdict, "gate")
            case _:
                question.answer(payload.nothing())

    def _beside_the_dialog(self, question: Question, asked: Asked, session: LiveSession) -> None:
        if asked.call.tool in QUESTIONS:
            question.answer(payload.nothing())
            return
        verdict = self._judge(asked.call, session)
        if verdict.action == "deny":
            question.answer(payload.deny(asked, f"agentdeck: {verdict.why} (rule {verdict.rule})"))
            self._calls.note(asked.call, session, verdict, "deny", "rule", verdict.why)
        elif self._was_passed(session, asked.call):
            question.answer(payload.allow(asked))
            self._calls.note(asked.call, session, verdict, "allow", "gate", "allowed at the gate just before")
        elif self._covered(session, asked.call, verdict.rule if verdict.action == "hold" else ""):
            question.answer(payload.allow(asked))
            self._calls.note(asked.call, session, verdict, "allow", "always", "allowed for this session before")
        else:
            self._hold(question, asked, session, verdict, "dialog")

    def _judge(self, call: ToolCall, session: LiveSession) -> Verdict:
        verdict = self.gate.judge(call)
        for adviser in self.advisers:
            advice = adviser(session, call)
            if advice is not None and _severity(advice) > _severity(verdict):
                verdict = advice
        return verdict

    def _covered(self, session: LiveSession, call: ToolCall, rule: str) -> bool:
        return any(scope.covers(call, rule) for scope in self._scopes.get(session.info.id, ()))

    def _pass(self, session: LiveSession, call: ToolCall) -> None:
        until = asyncio.get_running_loop().time() + TWICE
        self._passed.setdefault(session.info.id, {})[call.fingerprint] = until

    def _was_passed(self, session: LiveSession, call: ToolCall) -> bool:
        until = self._passed.get(session.info.id, {}).pop(call.fingerprint, 0.0)
        return asyncio.get_running_loop().time() < until

    # ── holding ────────────────────────────────────────────────────────────────────────────────

    def _hold(self, question: Question, asked: Asked, session: LiveSession, verdict: Verdict, kind: str) -> None:
        rule = verdict.rule if verdict.action == "hold" else ""
        scope = scope_of(asked.call, rule)
        loop = asyncio.get_running_loop()
        patience = install.LONGEST_HOLD - 2 * GRACE if self._shows_itself(session, kind) else self.gate.hold
        approval = holding.describe(
            asked.call,
            verdict,
            id=self._calls.new_id(),
            session=session.info.id,
            name=session.info.name,
            provider=session.provider.name,
            why=verdict.why or "the CLI asks",
            kind=kind,
            always=scope.text,
            since=time.time(),
            until=None if self._shows_itself(session, kind) else time.time() + patience,
        )
        held = Held(approval, loop.time(), asked.call, asked, question, scope, subjects=holding.names(asked.call))
        held.use_id = self._uses.get(session.info.id, {}).get(asked.call.fingerprint, "")
        question.wait(patience + GRACE)
        question.on_gone = lambda: self._calls.settle(held, "ended")
        held.timer = loop.call_later(patience, self._expire, held)
        self._calls.add(held, session)

    @staticmethod
    def _shows_itself(session: LiveSession, kind: str) -> bool:
        return kind == "dialog" and session.provider.family in PARALLEL

    def _expire(self, held: Held) -> None:
        if held.asked is not None and held.question is not None:
            held.question.on_gone = lambda: None
            waited = f"nobody answered in agentdeck within {self.gate.hold:.0f} s"
            held.question.answer(payload.hand_back(held.asked, f"agentdeck: {held.approval.why}; {waited}"))
        self._calls.settle(held, "expired")

    # ── answers ────────────────────────────────────────────────────────────────────────────────

    def _decide(self, request: a.Decide) -> Answer:
        if request.verb not in ("allow", "always", "deny", "back"):
            raise ApprovalError(f"there is no answer {request.verb!r}", hint="answers are allow, always, deny and back")
        held = self._calls.find(request.approval)
        who = request.who or "a client"
        if held.answering:
            raise AlreadyAnsweredError("somebody's answer is on its way")
        if held.question is None:
            return self._by_key(held, request.verb, who, request.reason)
        self._by_hook(held, request.verb, who, request.reason)
        return m.Done(session=held.approval.session, note=f"{HOW[request.verb]}: {held.approval.subject}")

    def _by_hook(self, held: Held, verb: str, who: str, reason: str) -> None:
        assert held.question is not None
        assert held.asked is not None
        match verb:
            case "deny":
                out = payload.deny(held.asked, reason)
            case "back":
                out = payload.hand_back(held.asked, "agentdeck: the person wants to be asked here")
            case _:
                out = payload.allow(held.asked)
        held.question.on_gone = lambda: None
        if not held.question.answer(out):
            self._calls.settle(held, "ended")
            raise ApprovalError("the CLI has given this call up: nothing was answered")
        session = self._roster.sessions.get(held.approval.session)
        self._calls.settle(held, verb, who, reason)
        if session is None:
            return
        if verb in ("allow", "always") and held.asked.event == GATE:
            self._pass(session, held.call)
        if verb == "always" and held.scope is not None:
            self._scopes.setdefault(session.info.id, []).append(held.scope)
            for other in self._calls.of(session.info.id):
                if other.asked is not None and held.scope.covers(other.call, other.approval.rule):
                    self._by_hook(other, "allow", "always", "")
        if verb != "back" and held.mark:
            self._later(self._confirm(session, held))

    async def _by_key(self, held: Held, verb: str, who: str, reason: str) -> m.AnyReply:
        session = self._roster.find(held.approval.session)
        if verb == "back":
            raise ApprovalError("the CLI shows this dialog itself", hint="type into its session to answer there")
        held.answering = True
        age = asyncio.get_running_loop().time() - held.began
        try:
            await screen_dialog.press(session, held.mark, verb, is_new=age < screen_dialog.STEADY)
        except ApprovalError as error:
            self._calls.note(held.call, session, Verdict(), f"{verb} (failed)", who, str(error), held)
            dialog = screen_dialog.on_screen(session) if session.running else None
            if dialog is None or dialog.mark != held.mark:
                self._calls.settle(held, "there")
            raise
        finally:
            held.answering = False
        self._calls.settle(held, verb, who, reason)
        lost = "; this CLI cannot be told the reason" if verb == "deny" and reason else ""
        return m.Done(session=session.info.id, note=f"{HOW[verb]}: {held.approval.subject}{lost}")

    async def _confirm(self, session: LiveSession, held: Held) -> None:
        """See that a dialog which stood beside the hook went away with its answer."""
        await asyncio.sleep(screen_dialog.CONFIRM)
        dialog = screen_dialog.on_screen(session) if session.running else None
        if dialog is not None and dialog.mark == held.mark and not self._calls.of(session.info.id):
            self._calls.notice(session, "the answer was given, but the dialog is still there: look at its screen")

    def _refuse_agents(self, peer: Peer) -> None:
        """What is held for a person is answered by a person: not by what an agent started."""
        line = set(ancestors(peer.pid))
        for session in self._roster.running:
            ours = {session.info.pid, session.info.holder_pid} - {0}
            if not session.provider.foreground and ours & line:
                raise ApprovalError(
                    f"what session {session.info.name} started cannot answer for the person",
                    hint="answer in the deck, or from a terminal outside of its sessions",
                )

    def _tell_errors(self) -> None:
        for error in self.gate.errors:
            self._problem(str(error))


def rules_path(paths: Paths) -> Path:
    """The person's own rules."""
    return paths.config.with_name("rules.toml")


def log_path(paths: Paths) -> Path:
    return paths.state / "approvals.jsonl"


def _severity(verdict: Verdict) -> int:
    return ("allow", "warn", "hold", "deny").index(verdict.action)
