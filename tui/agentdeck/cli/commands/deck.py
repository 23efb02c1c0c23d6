"""`agentdeck deck`, which is also `agentdeck` alone: the deck on a full screen."""

import argparse

from agentdeck.cli.commands import Subparsers, add


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "deck", run)
    parser.add_argument(
        "--no-daemon",
        action="store_true",
        default=argparse.SUPPRESS,
        help="run the hub inside the deck instead of behind it; sessions still outlive both",
    )


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.deck import open_deck, require_terminal

    require_terminal("agentdeck ls lists the sessions anywhere")
    return open_deck("", no_daemon=arguments.no_daemon)
