"""Approvals: which tool calls of agents are held for a person, warned of or refused, and the log of every decision.

For programs that let agents act: build an `ApprovalGate`, ask it about each `ToolCall`. Pure Python, no agentdeck
process needed.

    gate = ApprovalGate.of(Path("rules.toml"))
    verdict = gate.judge(ToolCall("Bash", {"command": "rm -rf /srv"}, cwd="/srv"))
    if verdict.action == "hold": ...
"""

from agentdeck.approvals.audit import AuditLog, Entry
from agentdeck.approvals.call import ToolCall
from agentdeck.approvals.gate import ALLOW, ApprovalGate, Verdict
from agentdeck.approvals.pattern import CommandPattern
from agentdeck.approvals.rules import Rule, RuleSet, builtin, load, parse
from agentdeck.approvals.scope import Scope, scope_of
from agentdeck.approvals.shell import Command, commands

__all__ = [
    "ALLOW",
    "ApprovalGate",
    "AuditLog",
    "Command",
    "CommandPattern",
    "Entry",
    "Rule",
    "RuleSet",
    "Scope",
    "ToolCall",
    "Verdict",
    "builtin",
    "commands",
    "load",
    "parse",
    "scope_of",
]
