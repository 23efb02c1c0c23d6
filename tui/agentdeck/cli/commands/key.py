"""`agentdeck key`: press named keys in a session, encoded for the modes that its program is in."""

import argparse

from agentdeck.cli.commands import Subparsers, add


def register(subparsers: Subparsers) -> None:
    more = "Keys are enter, esc, tab, up, f5, ctrl+c, alt+enter, shift+tab … or a single character.\n"
    parser = add(subparsers, "key", run, session=True, more=more)
    parser.add_argument("keys", metavar="KEY", nargs="+", help="pressed in this order")


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.talk import tell
    from agentdeck.protocol.messages import SendKeys

    tell(arguments.session, lambda session: SendKeys(session=session, keys=tuple(arguments.keys)))
    return 0
