"""`agentdeck search`: find words in every conversation of this machine."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from agentdeck.cli.commands import Subparsers, add
from agentdeck.cli.output import coloured, emit

if TYPE_CHECKING:
    from agentdeck.search.ask import Hit
    from agentdeck.search.index import Index, Row

ROLES: Final = ("user", "assistant", "thinking", "tool", "result", "error", "title")

MORE: Final = """\
TEXT is words that must all be there, "a phrase", begin* and -without; hits come newest first. The first search reads
all transcripts, newest first, and later ones only what is new; Ctrl+C while it reads searches what it has so far.
A hit is opened by what it begins with: agentdeck deck --at claude:ID:12 (provider, session and turn).

--json prints a list of objects with provider, session, project, at (unix seconds), role, snippet, marks (where the
words are in it), turn (the number of the message in the conversation, from 0), agent (of a sub-agent), path and offset
(where the record is in the transcript). DAY is YYYY-MM-DD, today, or days back such as 7d.
"""


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "search", run, json=True, more=MORE)
    parser.add_argument("text", metavar="TEXT", nargs="+", help="what to look for")
    parser.add_argument(
        "--provider", metavar="NAME", action="append", default=[], help="only in sessions of this agent"
    )
    parser.add_argument("--project", metavar="DIR", help="only of sessions that work below it, or in one called so")
    parser.add_argument("--role", choices=ROLES, action="append", default=[], help="only where this one speaks")
    parser.add_argument("--since", metavar="DAY", help="leave out what was before")
    parser.add_argument("-n", "--count", type=int, default=20, metavar="N", help="hits at most; default: 20")


def run(arguments: argparse.Namespace) -> int:
    import sqlite3

    from agentdeck.cli.days import midnight
    from agentdeck.cli.places import known_provider, within
    from agentdeck.errors import UsageError
    from agentdeck.paths import locate
    from agentdeck.search.ask import ask, question
    from agentdeck.search.index import Index, unusable

    what = question(" ".join(arguments.text))
    if not what.wanted:
        raise UsageError("there is nothing to look for", hint='give words, as in: agentdeck search "flaky test"')
    if arguments.count < 1:
        raise UsageError("--count must be at least 1", hint="agentdeck search --help shows how it is called")
    for name in arguments.provider:
        known_provider(name)
    since = round(midnight(arguments.since) * 1000) if arguments.since else 0
    lies_in = within(arguments.project) if arguments.project else None
    wants: Callable[[Row], bool] = lambda row: lies_in is None or lies_in(row.project)  # noqa: E731
    path = locate().state / "search.db"
    try:
        with Index(path, problem=_say) as index:
            note = _bring_up_to_date(index)
            found = ask(
                index,
                what,
                count=arguments.count,
                agents=arguments.provider,
                roles=arguments.role,
                since=max(0, since),
                wants=wants,
            )
            _show(list(found), as_json=arguments.json)
    except (OSError, sqlite3.Error) as error:
        raise unusable(path, error) from error
    if note:
        _say(note)
    return 0


def _bring_up_to_date(index: "Index") -> str:
    """Read what is new; return a sentence when not everything could be."""
    import sqlite3

    from agentdeck.paths import locate
    from agentdeck.search.gather import update
    from agentdeck.search.index import is_busy
    from agentdeck.transcripts.roots import everywhere

    shows = sys.stderr.isatty()
    done = of = told = 0
    try:
        for step in update(index, everywhere(locate().config, os.environ)):
            done, of = step.done, step.of
            if shows and done < of:
                told = 1
                print(f"\rreading transcripts: {done:,} of {of:,}; Ctrl+C searches these ", end="", file=sys.stderr)
    except KeyboardInterrupt:
        return f"{done:,} of {of:,} transcripts were read; the next search goes on"
    except sqlite3.Error as error:
        if not is_busy(error):
            raise
        return f"the newest words may be missing: {error}"
    finally:
        if told:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    return ""


def _show(hits: "Sequence[Hit]", *, as_json: bool) -> None:
    if as_json:
        emit([as_object(hit) for hit in hits])
    elif hits:
        print("\n".join(map(shown, hits)))
    else:
        print("nothing found", file=sys.stderr)


def as_object(hit: "Hit") -> dict[str, object]:
    return hit._asdict() | {"at": hit.at / 1000 if hit.at else None}


def shown(hit: "Hit") -> str:
    """One hit for people: where it is, then the words marked in what stands around them."""
    from agentdeck.cli.places import homely, moment

    turn = f":{hit.turn}" if hit.turn is not None else ""
    speaker = f"{hit.role} of a sub-agent" if hit.agent else hit.role
    head = f"{moment(hit.at / 1000)}  {hit.provider}:{hit.session}{turn}  {speaker}  {homely(hit.project)}"
    if not coloured():
        return f"{_clean(head).rstrip()}\n    {_marked(hit, '', '')}"
    return f"\x1b[2m{_clean(head).rstrip()}\x1b[m\n    {_marked(hit, chr(27) + '[1;33m', chr(27) + '[m')}"


def _marked(hit: "Hit", begin: str, end: str) -> str:
    text, done, last = "", hit.snippet, 0
    for start, stop in hit.marks:
        text += f"{done[last:start]}{begin}{done[start:stop]}{end}"
        last = stop
    return text + done[last:]


def _clean(text: str) -> str:
    return "".join(c if c.isprintable() else "·" for c in text)


def _say(text: str) -> None:
    print(f"agentdeck: {text}", file=sys.stderr)
