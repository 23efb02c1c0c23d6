"""`agentdeck export`: a whole conversation as Markdown, as a page to read, or as its events."""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from agentdeck.cli.commands import Subparsers, add

if TYPE_CHECKING:
    from agentdeck.search.portraits import Portrait

FORMATS: Final = ("md", "html", "json")

MORE: Final = """\
The conversation is written whole, with every tool call, its result and its sub-agents; look through it before you give
it to others. ID may also be the path of a transcript, or provider:ID as agentdeck search prints it.

html is one page without scripts, in light or dark as the reader's system is. json is one object with provider, session,
project, title, parent, started, last_at, paths and events, a list as agentdeck watch --json prints them.
"""


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "export", run, session=True, more=MORE)
    parser.add_argument("--format", choices=FORMATS, help="default: what FILE ends with, else md")
    parser.add_argument("-o", "--output", metavar="FILE", help="write there instead of to standard output")


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.finding import find_conversation
    from agentdeck.errors import AgentdeckError

    name = arguments.output or ""
    ending = name.rpartition(".")[2]
    form = arguments.format or (ending if ending in FORMATS else "md")
    portrait = find_conversation(arguments.session)
    pieces = _pieces(portrait, form)
    if not name:
        _write(sys.stdout.fileno(), pieces)
        return 0
    part = f"{name}.part-{os.getpid()}"
    try:
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _write(fd, pieces)
        except BaseException:
            os.unlink(part)  # noqa: PTH108 - as it was opened
            raise
        finally:
            os.close(fd)
        os.replace(part, name)  # noqa: PTH105 - all of it or nothing
    except OSError as error:
        raise AgentdeckError(f"{name} cannot be written: {error.strerror}", hint="choose another FILE") from error
    return 0


def _pieces(portrait: "Portrait", form: str) -> Iterator[str]:
    from agentdeck.cli import markdown, page
    from agentdeck.cli.transcript import Conversation, blocks, model_of, read

    if form == "json":
        return _json(portrait)
    found = blocks(read(portrait), portrait.project)
    conversation = Conversation(portrait, found, model_of(found))
    return page.written(conversation) if form == "html" else markdown.written(conversation)


def _json(portrait: "Portrait") -> Iterator[str]:
    import json

    import msgspec

    from agentdeck.cli.transcript import read
    from agentdeck.events_wire import plain

    head = {name: value for name, value in msgspec.to_builtins(portrait).items() if name != "prompt"}
    yield f'{json.dumps(head)[:-1]}, "events": ['
    comma = "\n"
    for event in read(portrait):
        yield f"{comma}{json.dumps(plain(event))}"
        comma = ",\n"
    yield "\n]}\n"


def _write(fd: int, pieces: Iterable[str]) -> None:
    sys.stdout.flush()
    for piece in pieces:
        data = memoryview(piece.encode("utf-8", "replace"))
        while data:
            data = data[os.write(fd, data) :]
