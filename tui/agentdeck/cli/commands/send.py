"""`agentdeck send`: paste a text into a session and press Enter, the way that every CLI hears."""

import argparse
import sys

from agentdeck.cli.commands import Subparsers, add
from agentdeck.errors import UsageError


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "send", run, session=True, more="A text that begins with a dash goes after --.\n")
    parser.add_argument("text", metavar="TEXT", help="what to send; - reads it from standard input")
    parser.add_argument("--no-enter", action="store_true", help="leave it in the prompt, unsent")


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.talk import tell
    from agentdeck.protocol.messages import SendText

    text = sys.stdin.read().removesuffix("\n") if arguments.text == "-" else arguments.text
    if not text:
        raise UsageError("there is no text to send", hint="agentdeck key ID enter presses Enter alone")
    tell(arguments.session, lambda session: SendText(session=session, text=text, enter=not arguments.no_enter))
    return 0
