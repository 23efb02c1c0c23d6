"""`agentdeck ls`: every session, for people in columns, for programs as JSON."""

import argparse
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from agentdeck.cli.commands import Subparsers, add
from agentdeck.cli.output import ago, emit, paint, table

if TYPE_CHECKING:
    from agentdeck.protocol.messages import Session

WORDS: Final[Mapping[str, str]] = {"needs_you": "needs you"}

MORE: Final = """\
--json prints a list of objects with id, name, provider, pid, state, why, since, cwd, argv, started, ended, exit_status,
title, progress, status, problem, resume_id, marked and more. Times are unix seconds. state is one of starting,
working, needs_you, done, idle, limited, exited, error and unknown; exit_status is null while the session runs, and as
a shell has it afterwards (128 + the signal that ended it).
"""


def register(subparsers: Subparsers) -> None:
    add(subparsers, "ls", run, json=True, more=MORE)


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.talk import find

    sessions = find(())
    if arguments.json:
        emit([as_object(session) for session in sessions])
    elif sessions:
        print(listing(sessions, time.time()))
    else:
        print("no sessions; agentdeck run PROVIDER starts one")
    return 0


def as_object(session: "Session") -> dict[str, object]:
    """A session for other programs: everything by name, also what is a bare list on the wire."""
    import msgspec

    whole = msgspec.structs.asdict(session)
    return whole | {name: msgspec.structs.asdict(whole[name]) for name in ("progress", "status")}


def listing(sessions: "list[Session]", now: float) -> str:
    """The sessions as aligned lines under a header; the state is the one thing with a colour."""
    head = ("id", "name", "provider", "state", "for", "pid", "directory")
    rows = [
        (
            session.id,
            ("* " if session.marked else "") + session.name,
            session.provider,
            state_words(session),
            ago(now - session.since) if session.since else "",
            str(session.pid) if session.pid and session.ended is None else "",
            session.cwd,
        )
        for session in sessions
    ]
    first, *lines = table([head, *rows], right=frozenset({4, 5})).split("\n")
    painted = [
        line.replace(words, paint(words, session.state), 1) if (words := state_words(session)) else line
        for line, session in zip(lines, sessions, strict=True)
    ]
    return "\n".join([first, *painted])


def state_words(session: "Session") -> str:
    """The state in words, with the exit status of an ended session."""
    if session.state == "exited" and session.exit_status is not None:
        return f"exited {session.exit_status}"
    return WORDS.get(session.state, session.state)
