"""`agentdeck doctor`: what agentdeck finds on this machine, what is wrong, and how to mend it."""

import argparse
import os
import shutil
import sys
from typing import TYPE_CHECKING, Final

from agentdeck.cli.commands import Subparsers, add

if TYPE_CHECKING:
    from agentdeck.cli.checks import Check

MARKS: Final = {"good": ("✓", "done"), "note": ("–", "needs_you"), "broken": ("✗", "error")}

MORE: Final = """\
Exits with 1 only when something keeps agentdeck itself from working; a missing agent CLI is worth a note.
Each program found is run once with --version, in a home directory of its own. --json prints ok, version and checks, a
list of objects with about, name, state (good, note or broken), text and mend.
"""


def register(subparsers: Subparsers) -> None:
    add(subparsers, "doctor", run, json=True, more=MORE)


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.output import emit

    checks = examine()
    broken = any(check.state == "broken" for check in checks)
    if arguments.json:
        from importlib.metadata import version

        emit({"ok": not broken, "version": version("agentdeck"), "checks": checks})
    else:
        report(checks)
    return 1 if broken else 0


def examine() -> "list[Check]":
    """Look at everything; takes as long as the slowest `--version`."""
    import platform
    from importlib.metadata import version

    from agentdeck import config as configuration
    from agentdeck import providers
    from agentdeck.cli import checks, hub_process, keyboard
    from agentdeck.paths import locate
    from agentdeck.providers import survey
    from agentdeck.terminal import core

    paths = locate()
    config, problems = configuration.load(paths.config)
    path = survey.search_path()
    found = survey.ask_versions(survey.look(providers.known(config), path), os.environ)
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    pid = hub_process.running(paths)
    return [
        checks.Check(
            "program",
            "agentdeck",
            checks.GOOD,
            f"{version('agentdeck')} on Python {platform.python_version()}, {platform.system()} {platform.machine()}",
        ),
        checks.terminal_core(core.load, core.VERSION),
        checks.Check("program", "hub", checks.GOOD, f"running, pid {pid}" if pid else "not running; started on use"),
        checks.tmux(path),
        *checks.agents(found),
        *checks.terminal(os.environ, is_terminal=is_terminal, size=shutil.get_terminal_size()),
        checks.keyboard(keyboard.has_kitty_protocol() if is_terminal else None),
        *checks.directories(paths),
        *checks.configuration(paths.config, config, problems),
    ]


def report(checks: "list[Check]") -> None:
    """Print the checks in groups, and below each that is not well what to do."""
    from agentdeck.cli.output import paint, print_line

    wide = max(len(check.name) for check in checks)
    group = ""
    for check in checks:
        if check.about != group:
            print(("\n" if group else "") + check.about)
            group = check.about
        mark, colour = MARKS[check.state]
        print(f"  {paint(mark, colour)} ", end="")
        print_line(f"{check.name:{wide}}  {check.text}")
        if check.mend and check.state != "good":
            print_line(f"    {'':{wide}}→ {check.mend}")
    broken = sum(check.state == "broken" for check in checks)
    print()
    print(f"{broken} things are broken" if broken > 1 else "1 thing is broken" if broken else "agentdeck can work here")
