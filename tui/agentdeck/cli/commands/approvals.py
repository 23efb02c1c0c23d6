"""`agentdeck approvals`: the tool calls that wait for you, the rules that catch them, and what was decided."""

import argparse
import time
from typing import TYPE_CHECKING, Final

from agentdeck.cli.commands import Subparsers, add
from agentdeck.cli.output import ago, emit, print_line, table

if TYPE_CHECKING:
    from agentdeck.protocol.approvals import Approval

LAST: Final = 50
"""Entries of the log that are printed."""

MORE: Final = """\
--json prints a list of objects with id, session, name, provider, tool, subject, input, diff, cwd, agent, risk, rule,
why, kind, always, reasons, since and until. kind is dialog (the CLI asks), gate (a rule holds it) or screen (keys will
answer the dialog on its screen). Times are unix seconds; until is when it goes back to the CLI's own dialog, or null.
"""


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "approvals", run, json=True, more=MORE)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--log", action="store_true", help="what was decided, by whom and why, newest last")
    choice.add_argument("--rules", action="store_true", help="the rules in force, and what is wrong with your own file")
    choice.add_argument("--show", metavar="ID", help="everything about one that waits: its input and what it changes")
    parser.add_argument("-n", type=int, default=LAST, metavar="N", help=f"entries of the log (default {LAST}; 0: all)")


def run(arguments: argparse.Namespace) -> int:
    if arguments.log:
        return _log(arguments)
    if arguments.rules:
        return _rules(arguments)
    found = _waiting()
    if arguments.show:
        return _show(found, arguments)
    if arguments.json:
        import msgspec

        emit([msgspec.structs.asdict(approval) for approval in found])
    elif found:
        print(listing(found, time.time()))
    else:
        print("nothing waits for you")
    return 0


def _waiting() -> "list[Approval]":
    from agentdeck.cli.talk import with_hub
    from agentdeck.hub.client import HubClient
    from agentdeck.protocol.approvals import Approvals, ListApprovals

    async def work(client: HubClient) -> "list[Approval]":
        return list((await client.ask(ListApprovals(), Approvals)).approvals)

    return with_hub(work)


def listing(found: "list[Approval]", now: float) -> str:
    head = ("id", "session", "for", "risk", "rule", "tool", "what")
    rows = [
        (
            approval.id,
            approval.name,
            ago(max(0.0, now - approval.since)),
            approval.risk,
            approval.rule,
            approval.tool,
            approval.subject if len(approval.subject) <= 100 else f"{approval.subject[:99]}…",
        )
        for approval in found
    ]
    return table([head, *rows], right=frozenset({2}))


def _show(found: "list[Approval]", arguments: argparse.Namespace) -> int:
    from agentdeck.errors import UnknownApprovalError

    wanted = [each for each in found if each.id.startswith(arguments.show) or each.name == arguments.show]
    if not wanted:
        raise UnknownApprovalError(arguments.show)
    for approval in wanted:
        if arguments.json:
            import msgspec

            emit(msgspec.structs.asdict(approval))
            continue
        lines = [
            f"{approval.id}  {approval.name} ({approval.provider}) asks: {approval.tool}",
            f"in {approval.cwd}" if approval.cwd else "",
            f"risk {approval.risk}" + (f", caught by the rule {approval.rule!r}" if approval.rule else ""),
            approval.why,
            f"always would cover {approval.always}" if approval.always else "",
            "",
            approval.diff or approval.input,
        ]
        print_line("\n".join(line for n, line in enumerate(lines) if line or n == 5))
    return 0


def _rules(arguments: argparse.Namespace) -> int:
    from agentdeck.approvals.gate import ApprovalGate
    from agentdeck.hub.approvals import rules_path
    from agentdeck.paths import locate

    path = rules_path(locate())
    gate = ApprovalGate.of(path)
    if arguments.json:
        names = ("name", "action", "risk", "reason", "source")
        emit({
            "file": str(path),
            "hold": gate.hold,
            "rules": [{name: getattr(rule, name) for name in names} for rule in gate.rules],
            "errors": [str(error) for error in gate.errors],
        })  # fmt: skip
    else:
        rows = [(rule.action, rule.name, rule.risk, rule.source, rule.reason) for rule in gate.rules]
        print(table([("action", "rule", "risk", "from", "because"), *rows]))
        for error in gate.errors:
            print_line(f"\n{error}\n  {error.hint}")
    return 2 if gate.errors else 0


def _log(arguments: argparse.Namespace) -> int:
    from agentdeck.approvals.audit import AuditLog
    from agentdeck.hub.approvals import log_path
    from agentdeck.paths import locate

    entries = AuditLog(log_path(locate())).read(max(0, arguments.n))
    if arguments.json:
        emit(entries)
        return 0
    if not entries:
        print("nothing has been decided yet")
        return 0
    rows = [
        (
            time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(_number(entry.get("at")))),
            *(str(entry.get(name) or "") for name in ("name", "decision", "who", "rule", "tool", "subject")),
            str(entry.get("why") or ""),
        )
        for entry in entries
    ]
    cut = [tuple(cell if len(cell) <= 80 else f"{cell[:79]}…" for cell in row) for row in rows]
    print(table([("when", "session", "decision", "who", "rule", "tool", "what", "why"), *cut]))
    return 0


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
