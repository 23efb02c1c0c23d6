"""What of a conversation can be found: its events as passages of text, and text as the words of the index.

Messages are taken whole, calls by their input, results by their beginning and end: what people search for in a result
is an error or a name, not the middle of a file that was read. Scripts that do without blanks between words are cut
into characters, in the index and in questions alike, so that a part of a sentence finds it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from agentdeck import events as e

MESSAGE: Final = 200_000
"""Characters of a message that are indexed."""

CALL: Final = 4_000
"""Characters of a call's input."""

HEAD: Final = 3_000
TAIL: Final = 1_000
"""Characters of a result's beginning and end."""

ROLES: Final = ("user", "assistant", "thinking", "tool", "result", "error", "title")
SPOKEN: Final = frozenset(("user", "assistant", "thinking"))
"""Roles of messages; the others belong to the message before them."""

LATEST: Final = 2**42
"""Milliseconds, in the year 2109: a later time is damage, and would not fit into the numbers of the index."""

_NO_BLANKS: Final = re.compile("([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])")


class Passage(NamedTuple):
    """A text of a conversation. `at` is unix milliseconds; `agent` names the sub-agent, if one said it."""

    role: str
    at: int
    offset: int
    agent: str
    text: str


def passages(events: Iterable[e.AnyEvent]) -> Iterator[Passage]:
    for event in events:
        role, text = _said(event)
        if text:
            offset = event.source.offset if event.source is not None else 0
            at = min(LATEST, max(0, round(event.at.timestamp() * 1000)))
            yield Passage(role, at, offset, event.agent, text)


def segmented(text: str) -> str:
    """Return `text` with blanks around each character of a script that has none between words, as clean UTF-8."""
    return text if text.isascii() else clean(_NO_BLANKS.sub(r" \1 ", text))


def clean(text: str) -> str:
    """Replace halves of surrogate pairs, which transcripts of JavaScript programs may hold and no database takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _said(event: e.AnyEvent) -> tuple[str, str]:
    match event:
        case e.MessageAdded():
            return (event.role if event.role in ROLES else "assistant"), event.text[:MESSAGE]
        case e.ToolUsed():
            return "tool", f"{event.tool} {' '.join(_words_in(event.input))}"[:CALL]
        case e.ToolReturned():
            return "result", shortened(event.output)
        case e.ErrorRaised():
            return "error", event.text[:CALL]
        case e.TitleChanged():
            return "title", event.title[:CALL]
    return "", ""


def shortened(text: str) -> str:
    """Return the beginning and the end of a long text."""
    return text if len(text) <= HEAD + TAIL else f"{text[:HEAD]}\n…\n{text[-TAIL:]}"


def _words_in(value: object) -> Iterator[str]:
    """Yield the texts in a call's input, in their order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _words_in(item)
    elif isinstance(value, list):
        if all(isinstance(item, int | float) for item in value):
            return
        for item in value:
            yield from _words_in(item)
    elif isinstance(value, int | float):
        yield msgspec.json.encode(value).decode()
