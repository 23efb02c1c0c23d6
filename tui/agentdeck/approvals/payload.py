"""What a CLI tells a hook, and what a hook answers, for each CLI's own format.

The input is whatever reached a hook's standard input, so nothing about it is believed before it was looked at.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agentdeck.approvals.call import ToolCall

GATE: Final = "PreToolUse"
"""Asked of before every call; the CLI waits for the answer and shows nothing."""
DIALOG: Final = "PermissionRequest"
"""Asked when the CLI would ask the person."""
LONGEST: Final = 16 * 1024 * 1024

UNASKED: Final = frozenset({"bypassPermissions", "dontAsk"})
"""Permission modes in which a CLI asks nobody, so that handing a call back to it would let it through."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that a CLI put to a hook."""

    event: str
    call: ToolCall


def read(data: bytes, provider: str) -> Asked | None:
    """Understand a hook's input. None for what is no question about a tool call."""
    if len(data) > LONGEST:
        return None
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    event, tool, given = told.get("hook_event_name"), told.get("tool_name"), told.get("tool_input", {})
    if event not in (GATE, DIALOG) or not isinstance(tool, str) or not tool:
        return None
    if isinstance(given, str):
        given = {"input": given}
    if not isinstance(given, dict):
        return None
    call = ToolCall(
        tool,
        given,
        cwd=_text(told, "cwd"),
        provider=provider,
        session=_text(told, "session_id"),
        use_id=_text(told, "tool_use_id"),
        agent=_text(told, "agent_id"),
        mode=_text(told, "permission_mode"),
    )
    return Asked(event, call)


def _text(told: Mapping[str, object], name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) else ""


# ── answers ────────────────────────────────────────────────────────────────────────────────────


def nothing() -> bytes:
    """The hook has nothing to say: the CLI goes on by its own rules, and asks in its own dialog."""
    return b""


def allow(asked: Asked) -> bytes:
    if asked.event == DIALOG:
        return _dialog({"behavior": "allow"})
    if asked.call.provider == "codex":
        return nothing()  # Codex takes `allow` before a call for a failure of the hook
    return _gate("allow", "allowed in agentdeck")


def deny(asked: Asked, reason: str) -> bytes:
    said = reason.strip() or "denied in agentdeck"
    if asked.event == DIALOG:
        return _dialog({"behavior": "deny", "message": said})
    return _gate("deny", said)


def hand_back(asked: Asked, why: str) -> bytes:
    """Nobody answered here: have the CLI itself ask. Where it would ask nobody, the call is refused."""
    if asked.event == DIALOG:
        return nothing()
    if asked.call.provider == "codex" or asked.call.mode in UNASKED:
        return deny(asked, why)
    return _gate("ask", why)


def warn(asked: Asked, text: str) -> bytes:
    """Let the call go on, with a sentence that the CLI shows."""
    return json.dumps({"systemMessage": text}).encode() if asked.event == GATE else nothing()


def _gate(decision: str, reason: str) -> bytes:
    said = {"hookEventName": GATE, "permissionDecision": decision, "permissionDecisionReason": reason}
    return json.dumps({"hookSpecificOutput": said}).encode()


def _dialog(decision: Mapping[str, str]) -> bytes:
    return json.dumps({"hookSpecificOutput": {"hookEventName": DIALOG, "decision": decision}}).encode()
