"""`agentdeck sessions`: every agent session that this machine knows of, whoever started it, by project."""

import argparse
import shutil
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from agentdeck.cli.commands import Subparsers, add
from agentdeck.cli.output import ago, coloured, emit, table, width

if TYPE_CHECKING:
    from agentdeck.cli.known import Known

STATES: Final = ("live", "idle", "ended")

COLOURS: Final = {"live": "32", "idle": "36", "ended": "2"}

MORE: Final = """\
It reads the transcripts of all agent CLIs, and asks the hub if one runs. A session is live while a process has it, or
for two minutes after it was written; idle after that; ended when its process is gone, or half an hour after it was
written by nobody we can see. DAY is YYYY-MM-DD, today, or days back such as 7d.

--json prints a list of objects with provider, session (the provider's own id), id and name (of a session of the
deck), state, why, confidence (of the end, 0 to 1), pid, project, title, prompt (the first one), parent (of a fork),
started, last_at (unix seconds) and paths (its transcripts).
"""


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "sessions", run, json=True, more=MORE)
    parser.add_argument("--provider", metavar="NAME", action="append", default=[], help="only of this agent")
    parser.add_argument("--project", metavar="DIR", help="only of this directory and below, or of one called so")
    parser.add_argument("--state", choices=STATES, action="append", default=[], help="only in this state")
    parser.add_argument("--since", metavar="DAY", help="only those in which something happened since")


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.days import midnight
    from agentdeck.cli.known import everything
    from agentdeck.cli.places import known_provider, within

    providers = [known_provider(name) for name in arguments.provider]
    since = midnight(arguments.since) if arguments.since else 0.0
    lies_in = within(arguments.project) if arguments.project else None
    found = [
        known
        for known in everything(lambda provider: not providers or provider in providers)
        if (lies_in is None or lies_in(known.project))
        and (not arguments.state or known.state in arguments.state)
        and (known.last_at or 0.0) >= since
    ]
    if arguments.json:
        emit(found)
    elif found:
        columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
        print(listing(found, time.time(), columns))
    else:
        print("no sessions")
    return 0


def listing(sessions: "Iterable[Known]", now: float, columns: int = 0) -> str:
    """Sessions under their projects, the project with the newest first. Lines are cut to `columns`, if given."""
    from agentdeck.cli.places import homely

    projects: dict[str, list[Known]] = {}
    for known in sessions:
        projects.setdefault(known.project, []).append(known)
    rows = [
        (
            "",
            known.state,
            known.provider,
            known.id or known.session[:8] or "?",
            ago(now - known.last_at) if known.last_at else "",
            _about(known),
        )
        for members in projects.values()
        for known in members
    ]
    lines = iter(table(rows, right=frozenset({4})).split("\n"))
    found = []
    for project, members in projects.items():
        heading = homely(project) if project else "somewhere unknown"
        found.append(f"{_printable(heading)} ({len(members)})")
        for known in members:
            line = _cut(next(lines), columns)
            code = COLOURS[known.state]
            found.append(line.replace(known.state, f"\x1b[{code}m{known.state}\x1b[m", 1) if coloured() else line)
    return "\n".join(found)


def _about(known: "Known") -> str:
    from agentdeck.live.wording import one_line

    return one_line(" · ".join(filter(None, (known.name, known.title or known.prompt))))


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "·" for c in text)


def _cut(line: str, columns: int) -> str:
    if not columns or width(line) <= columns:
        return line
    while width(line) > columns - 1:
        line = line[:-1]
    return f"{line}…"
