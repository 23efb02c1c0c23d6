"""`agentdeck config`: show what is in force, say where the file is, edit it and check it afterwards."""

import argparse
from pathlib import Path

from agentdeck.cli.commands import Subparsers, add


def register(subparsers: Subparsers) -> None:
    parser = add(
        subparsers, "config", run, more="What can be set: docs/configuration.md, and the comments in the file.\n"
    )
    verbs = parser.add_subparsers(metavar="VERB", dest="verb", required=True)
    show = verbs.add_parser("show", help="print the settings in force, defaults included, as TOML")
    show.add_argument("--json", action="store_true", help="answer with JSON")
    verbs.add_parser("path", help="print where the file is, or would be")
    verbs.add_parser("edit", help="open the file in $VISUAL or $EDITOR, and check it afterwards")


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.paths import locate

    path = locate().config
    match arguments.verb:
        case "path":
            print(path)
            return 0
        case "edit":
            from agentdeck.cli.editing import edit

            edit(path)
            return check(path)
        case _:
            return show(path, as_json=arguments.json)


def show(path: Path, *, as_json: bool) -> int:
    """Print the configuration in force. What is wrong with the file goes to standard error, and exits with 2."""
    import msgspec

    from agentdeck.cli.output import emit
    from agentdeck.config import load

    config, _ = load(path)
    if as_json:
        emit(config)
    else:
        import tomli_w

        print(tomli_w.dumps(msgspec.to_builtins(config)), end="")
    return check(path)


def check(path: Path) -> int:
    """Complain about everything that is wrong with the file; the exit code of the first complaint."""
    from agentdeck.cli.main import complain
    from agentdeck.config import load

    return max([complain(problem) for problem in load(path)[1]], default=0)
