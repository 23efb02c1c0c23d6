"""`agentdeck deck`, which is also `agentdeck` alone: the deck on a full screen."""

import argparse

from agentdeck.cli.commands import Subparsers, add
from agentdeck.errors import UsageError


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "deck", run)
    parser.add_argument(
        "--attach",
        metavar="PID",
        default=argparse.SUPPRESS,
        help="watch an agent that was started elsewhere: nothing is written to it, and it never notices",
    )
    parser.add_argument(
        "--at",
        metavar="SESSION:TURN",
        default=argparse.SUPPRESS,
        help="read a conversation from this message on, as a search names it: claude:ID:12",
    )
    parser.add_argument(
        "--no-daemon",
        action="store_true",
        default=argparse.SUPPRESS,
        help="run the hub inside the deck instead of behind it; sessions still outlive both",
    )


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.deck import open_deck, require_terminal

    attach = getattr(arguments, "attach", None)
    if attach is not None and not (attach.isascii() and attach.isdecimal()):
        raise UsageError(f"{attach!r} is no process id", hint="agentdeck ps lists the agents that run, with theirs")
    pid = int(attach) if attach is not None else None
    if pid is not None:
        check(pid)
    at = place(getattr(arguments, "at", None) or "")
    require_terminal("agentdeck ls lists the sessions anywhere")
    return open_deck("", pid=pid, at=at, no_daemon=arguments.no_daemon)


def place(text: str) -> tuple[str, int] | None:
    """Read SESSION:TURN. Raises `UsageError`."""
    if not text:
        return None
    session, _, turn = text.rpartition(":")
    if not session or not (turn.isascii() and turn.isdecimal()):
        raise UsageError(f"{text!r} is no SESSION:TURN", hint="agentdeck search names both, as in --at claude:ID:12")
    return session, int(turn)


def check(pid: int) -> None:
    """Raises `SessionError` for a process that cannot be watched, before anything is drawn."""
    from agentdeck.processes.look import system_look
    from agentdeck.processes.outside import require

    require(pid, system_look())
