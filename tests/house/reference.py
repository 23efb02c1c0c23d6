"""Write the command reference in docs/usage.md from the parsers themselves: `python -m tests.house.reference`."""

import argparse
import os
import re
from pathlib import Path
from typing import Final

from agentdeck.cli.commands import COMMANDS
from agentdeck.cli.main import parser

PAGE: Final = Path(__file__).parents[2] / "docs" / "usage.md"
_GENERATED: Final = re.compile(r"(?<=<!-- commands -->\n).*(?=<!-- end of commands -->)", re.DOTALL)


def reference() -> str:
    """The help of every command, as it is printed in a terminal of 100 columns."""
    os.environ["COLUMNS"] = "100"
    root = parser(list(COMMANDS))
    (subparsers,) = (action for action in root._actions if isinstance(action, argparse._SubParsersAction))
    commands: dict[str, argparse.ArgumentParser] = subparsers.choices
    parts = [f"### agentdeck\n\n```text\n{root.format_help().rstrip()}\n```\n"]
    for name, command in commands.items():
        parts.append(f"### agentdeck {name}\n\n```text\n{command.format_help().rstrip()}\n```\n")
    return "\n" + "\n".join(parts) + "\n"


def page_with(text: str) -> str:
    """The usage page with this reference in it."""
    return _GENERATED.sub(lambda _: text, PAGE.read_text("utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page_with(reference()), "utf-8")
