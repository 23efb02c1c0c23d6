"""The gate without a hub: what a hook answers when nobody is there who could ask the person.

A call that a rule would hold is handed back to the CLI's own dialog, or refused where the CLI has none for it. Nothing
is let through in silence, and nothing waits.
"""

import sys
from pathlib import Path

from agentdeck.approvals import payload
from agentdeck.approvals.audit import AuditLog, Entry
from agentdeck.approvals.gate import ApprovalGate
from agentdeck.approvals.payload import Asked


def answer(gate: ApprovalGate, asked: Asked, why: str, log: AuditLog | None = None) -> bytes:
    """Answer by the rules alone. `why` says why nobody was asked."""
    if asked.event != payload.GATE:
        return payload.nothing()
    verdict = gate.judge(asked.call)
    said = f"agentdeck: {verdict.why} (rule {verdict.rule})"
    match verdict.action:
        case "deny":
            out, decision = payload.deny(asked, said), "deny"
        case "hold":
            out, decision = payload.hand_back(asked, f"{said}; {why}"), "hand back"
        case "warn":
            out, decision = payload.warn(asked, said), "warn"
        case _:
            return payload.nothing()
    if log is not None:
        log.write(Entry.of(asked.call, decision=decision, who="rule", rule=verdict.rule, why=why, risk=verdict.risk))
    return out


def main(provider: str, rules: Path, log: Path, why: str, data: bytes) -> bytes:
    asked = payload.read(data, provider)
    return payload.nothing() if asked is None else answer(ApprovalGate.of(rules), asked, why, AuditLog(log))


if __name__ == "__main__":
    named, rule_file, log_file, reason = sys.argv[1:]
    sys.stdout.buffer.write(main(named, Path(rule_file), Path(log_file), reason, sys.stdin.buffer.read()))
