"""The `agentdeck` command: find the subcommand, run it, turn errors into a sentence, a hint and an exit code.

Scripts call it many times a second, so it starts lean: only the module of the command that was named is imported, and
each command imports what it needs when it runs. Textual is loaded for the deck alone.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Final, NoReturn, cast

from agentdeck.cli.commands import COMMANDS, Command
from agentdeck.errors import AgentdeckError, UsageError

EPILOG: Final = """\
ID is a session's id, the beginning of one, or its name.
exit codes: 0 done · 1 other · 2 usage or configuration · 3 session · 4 a program did not start · 5 hub
            6 unsafe directory · 7 terminal library · 8 usage ledger · 9 sharing · 130 Ctrl+C
"""

BROKEN_PIPE: Final = 141
"""128 + SIGPIPE, what a shell reports of a program whose reader went away."""


class Parser(argparse.ArgumentParser):
    """argparse, but a wrong call is a `UsageError` like any other."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message.removeprefix("argument "), hint=f"{self.prog} --help shows how it is called")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        code = _run(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except AgentdeckError as error:
        return complain(error)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at exit
        return BROKEN_PIPE
    return code


def complain(error: AgentdeckError) -> int:
    """Print an error for a person and return its exit code."""
    print(f"agentdeck: {error}", file=sys.stderr)
    if error.hint:
        print(f"  {error.hint}", file=sys.stderr)
    return error.exit_code


def _run(arguments: list[str]) -> int:
    name = next((word for word in _without_values(arguments) if not word.startswith("-")), "")
    if name and name not in COMMANDS:
        raise _unknown_command(name)
    if not name and not {"-h", "--help", "--version"} & set(arguments):
        arguments, name = ["deck", *arguments], "deck"
    rest: list[str] = []
    if name == "run" and "--" in arguments:  # argparse would hand the first of them to an optional positional
        cut = arguments.index("--")
        arguments, rest = arguments[:cut], arguments[cut + 1 :]
    parsed = parser([name] if name else list(COMMANDS)).parse_args(arguments)
    parsed.rest = rest
    return int(parsed.run(parsed))


def _without_values(arguments: list[str]) -> list[str]:
    """Leave out what belongs to the deck's --attach and --at, which would look like a command."""
    for option in ("--attach", "--at"):
        if option in arguments:
            place = arguments.index(option)
            arguments = arguments[:place] + arguments[place + 2 :]
    return arguments


def parser(names: Sequence[str]) -> argparse.ArgumentParser:
    """Build the parser for these commands; all of them for the full help."""
    root: argparse.ArgumentParser = Parser(
        prog="agentdeck",
        description="The cockpit for coding agents. Without a command it opens the deck.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    root.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    root.add_argument("--attach", metavar="PID", help="the deck, watching an agent that was started elsewhere")
    root.add_argument("--at", metavar="SESSION:TURN", help="the deck, opened on a place that a search has found")
    root.add_argument("--no-daemon", action="store_true", help="the deck without a hub process behind it")
    subparsers = root.add_subparsers(metavar="COMMAND", dest="command")  # of the class Parser too
    for name in names:
        module = cast(Command, importlib.import_module(f"agentdeck.cli.commands.{name}"))
        module.register(subparsers)
    return root


class _Version(argparse.Action):
    def __call__(self, *_: object) -> None:
        from importlib.metadata import version

        print(f"agentdeck {version('agentdeck')}")
        sys.exit(0)


def _unknown_command(name: str) -> UsageError:
    from difflib import get_close_matches

    close = get_close_matches(name, COMMANDS, n=1)
    meant = f"did you mean agentdeck {close[0]}? " if close else ""
    return UsageError(f"there is no command called {name!r}", hint=f"{meant}agentdeck --help lists them")


if __name__ == "__main__":
    sys.exit(main())
