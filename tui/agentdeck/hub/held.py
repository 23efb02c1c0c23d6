"""A tool call that waits for a person, inside the hub."""

import asyncio
from dataclasses import dataclass, field

import msgspec

from agentdeck.approvals.call import ToolCall, basename
from agentdeck.approvals.dialog import Dialog
from agentdeck.approvals.difference import difference
from agentdeck.approvals.gate import Verdict
from agentdeck.approvals.payload import Asked
from agentdeck.approvals.scope import Scope
from agentdeck.hub.hook_door import Question
from agentdeck.protocol.approvals import Approval

LONGEST_SUBJECT = 2000
LONGEST_INPUT = 64 * 1024


@dataclass(slots=True)
class Held:
    approval: Approval
    began: float
    """On the loop's clock, which no change of the wall clock moves."""
    call: ToolCall
    asked: Asked | None = None
    question: Question | None = None
    """The hook that waits; None when only a dialog on the screen is known."""
    scope: Scope | None = None
    timer: asyncio.TimerHandle | None = None
    use_id: str = ""
    """The CLI's own id of the call, when it is known."""
    mark: str = ""
    """Of its dialog, once that was seen on the screen."""
    missing: int = 0
    """Looks in a row in which its dialog was not there any more."""
    blocked: bool = False
    """The program itself said that it waits."""
    answering: bool = False
    """Keys are on their way."""
    subjects: tuple[str, ...] = field(default=())
    """How its dialog may name it."""

    def release(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


def describe(call: ToolCall, verdict: Verdict, **known: object) -> Approval:
    """What people are shown of a call."""
    text = msgspec.json.format(msgspec.json.encode(dict(call.input)), indent=2).decode()
    return Approval(
        tool=call.tool,
        subject=_cut(call.subject, LONGEST_SUBJECT),
        input=_cut(text, LONGEST_INPUT),
        diff=difference(call),
        cwd=call.cwd,
        agent=call.agent,
        risk=verdict.risk,
        rule=verdict.rule,
        **known,  # type: ignore[arg-type]
    )


def names(call: ToolCall) -> tuple[str, ...]:
    """How a dialog may name what a call is about."""
    first = call.command.strip().split("\n")[0]
    return tuple(name for name in (first, *(basename(path) for path in call.paths), call.subject) if name)


def of_dialog(dialog: Dialog) -> ToolCall:
    """A call as far as its dialog tells."""
    return ToolCall("dialog", {"question": dialog.question, "text": "\n".join(dialog.text)})


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"
