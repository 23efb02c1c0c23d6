"""A conversation as lines to read: what was said, what was called, what came of it. Wrapped to a width, without frames.

The same lines are scrolled in the deck, searched, copied and exported, so they hold the text and nothing drawn.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from agentdeck import events as e
from agentdeck.live.wording import subject
from agentdeck.protocol.facts import ConversationLine
from agentdeck.terminal import width as columns

RESULT_LINES: Final = 12
"""Lines shown of a result; `ReadCall` has the rest."""

_MARKS: Final = {"user": "> ", "assistant": "", "thinking": "~ "}


def render(events: Iterable[e.AnyEvent], width: int) -> list[ConversationLine]:
    """Return the lines of a conversation, each at most `width` cells wide, oldest first."""
    lines: list[ConversationLine] = []
    for event in events:
        block = list(_block(event, max(8, width)))
        if block and lines:
            lines.append(ConversationLine("mark", ""))
        lines += block
    return lines


def _block(event: e.AnyEvent, width: int) -> Iterator[ConversationLine]:
    match event:
        case e.MessageAdded() if event.text.strip():
            yield from _wrapped(event.role, event.text, width, _MARKS.get(event.role, ""))
        case e.ToolUsed():
            yield from _wrapped("tool", f"{event.tool}({subject(event)})", width, "* ", event.call)
        case e.ToolReturned():
            style = "error" if event.is_error else "result"
            shown = event.output.strip().splitlines()
            for change in event.files:
                yield from _wrapped(style, f"{change.path} +{change.added or 0} -{change.removed or 0}", width, "  ")
            for line in shown[:RESULT_LINES]:
                yield from _wrapped(style, line, width, "  ", event.call)
            if len(shown) > RESULT_LINES:
                more = f"… {len(shown) - RESULT_LINES} more lines"
                yield from _wrapped(style, more, width, "  ", event.call)
        case e.AgentSpawned():
            yield from _wrapped("tool", f"agent {event.description}", width, "* ", event.call)
        case e.Compacted():
            yield ConversationLine("mark", "--- the context was compacted ---"[:width])
        case e.ErrorRaised():
            yield from _wrapped("error", event.text, width, "! ")
        case e.TurnEnded() if event.interrupted:
            yield ConversationLine("mark", "--- interrupted ---"[:width])


def _wrapped(style: str, text: str, width: int, mark: str, call: str = "") -> Iterator[ConversationLine]:
    first = True
    for paragraph in text.strip("\n").split("\n"):
        clean = "".join(c if c.isprintable() else " " if c == "\t" else "" for c in paragraph.rstrip())
        for piece in wrap(clean, width - len(mark)):
            lead = mark if first else " " * len(mark)
            first = False
            yield ConversationLine(style, lead + piece if piece else "", call)


def wrap(text: str, width: int) -> list[str]:
    """Break `text` into pieces of at most `width` cells, between words where that is possible."""
    pieces: list[str] = []
    line, used = "", 0
    for word in _words(text):
        cells = _cells(word)
        if used + cells <= width:
            line, used = line + word, used + cells
            continue
        if line.strip():
            pieces.append(line.rstrip())
            line, used = "", 0
            word = word.lstrip()
            cells = _cells(word)
        if cells > width:
            *whole, word = _chopped(word, width)
            pieces += whole
            cells = _cells(word)
        line, used = line + word, used + cells
    pieces.append(line.rstrip())
    return pieces


def _words(text: str) -> Iterator[str]:
    """Yield words together with the blanks before them."""
    start, inside = 0, False
    for index, character in enumerate(text):
        if character == " " and inside:
            yield text[start:index]
            start, inside = index, False
        elif character != " ":
            inside = True
    if start < len(text):
        yield text[start:]


def _chopped(word: str, width: int) -> list[str]:
    """Cut a word that is too long into pieces, each of as many characters as fit, and at least one."""
    pieces: list[str] = []
    start = used = 0
    for index, character in enumerate(word):
        cells = _cells(character)
        if used + cells > width and index > start:
            pieces.append(word[start:index])
            start, used = index, 0
        used += cells
    return [*pieces, word[start:]]


def _cells(text: str) -> int:
    return len(text) if text.isascii() else sum(map(columns.of, text))
