"""Find a text in what a pane can be scrolled through: the screen, the scrollback, the conversation above it.

A line that is not here is asked for, a stretch at a time, until one has the text. Pure but for the asking.
"""

from collections.abc import Awaitable, Callable, Sequence
from itertools import product
from typing import Final

from rich.cells import cell_len

from agentdeck.protocol import messages as m
from agentdeck.protocol.facts import Conversation, ConversationLine, ReadConversation
from agentdeck.ui.replica import Replica
from agentdeck.ui.selection import Selection, Spot

STRETCH: Final = 500
"""Lines of the scrollback that are looked through at once."""

LEAST: Final = 24
"""Characters of a message's line that are looked for on the screen, where its CLI breaks lines elsewhere."""

SPEAKERS: Final = frozenset(("user", "assistant", "thinking"))
"""Styles of lines that begin a message."""

Ask = Callable[[m.AnyRequest], Awaitable[m.AnyReply]]


def place_in(text: str, wanted: str, line: int) -> Selection | None:
    """Where the wanted text stands in a line, for a person who does not mind its case."""
    lower = text.casefold()
    if len(lower) != len(text):  # some letters become two when their case goes
        lower = text.lower() if len(text.lower()) == len(text) else text
    at = lower.find(wanted.casefold())
    if at < 0:
        return None
    start = cell_len(text[:at])
    return Selection(Spot(line, start), Spot(line, start + cell_len(text[at : at + len(wanted)]) - 1))


def in_message(page: Conversation, words: Sequence[str], role: str = "") -> Selection:
    """Where the message that a page was asked for, or what follows it, has one of these words; else its first line.

    A place where `role` speaks comes before any other.
    """
    at = page.line - page.start
    end = next((n for n in range(at + 1, len(page.lines)) if _begins(page.lines, n)), len(page.lines))
    first: Selection | None = None
    for n, word in product(range(at, end), words):
        if (found := place_in(page.lines[n].text, word, page.start + n)) is not None:
            if page.lines[n].style == role:
                return found
            first = first or found
    return first or Selection(Spot(page.line, 0), Spot(page.line, max(0, cell_len(page.lines[at].text) - 1)))


def _begins(lines: Sequence[ConversationLine], n: int) -> bool:
    """Whether the next message begins here."""
    return lines[n].style in SPEAKERS and lines[n - 1].style == "mark"


async def message(replica: Replica, ask: Ask, turn: int, words: Sequence[str], role: str = "") -> Selection | None:
    """Where a message is in what can be scrolled through: in the conversation above the screen, or on it.

    None when neither has it. Raises `UnknownSessionError` when there is no transcript.
    """
    request = ReadConversation(key=replica.session, width=max(8, replica.columns), count=STRETCH, turn=turn)
    page = await ask(request)
    if not isinstance(page, Conversation) or page.line < 0:
        return None
    place = in_message(page, words, role)
    await _fetch(replica, ask, 0, min(replica.history, STRETCH))
    if not replica.told:
        await _begin(replica, ask)
    line = replica.line_of(place.anchor.line)
    if replica.lowest <= line < -1:
        await _fetch(replica, ask, line, line + 1)
        return Selection(Spot(line, place.anchor.column), Spot(line, place.head.column))
    text = page.lines[place.anchor.line - page.start].text.strip(" >~*")
    return await older(replica, ask, text[:LEAST], replica.history + len(replica.rows)) if text else None


async def older(replica: Replica, ask: Ask, wanted: str, before: int) -> Selection | None:
    """The nearest place above line `before`."""
    line = min(before, replica.history + len(replica.rows))
    floor = 0 if not replica.readable else replica.history
    while line > floor:
        first = max(floor, line - STRETCH) if line <= replica.history else replica.history
        await _fetch(replica, ask, first, line)
        for n in range(line - 1, first - 1, -1):
            if (found := _at(replica, n, wanted)) is not None:
                return found
        line = first
    if not replica.readable and not replica.told:
        await _begin(replica, ask)
    request = replica.seek(wanted, line)
    if request is None:
        return None
    page = await ask(request)
    replica.take(page)
    if not isinstance(page, Conversation) or page.line < 0:
        return None
    return _at(replica, replica.line_of(page.line), wanted)


async def newer(replica: Replica, ask: Ask, wanted: str, after: int) -> Selection | None:
    """The nearest place below line `after`."""
    line, end = after + 1, replica.history + len(replica.rows)
    while line < end:
        last = min(line + STRETCH, 0 if line < 0 else replica.history if line < replica.history else end)
        await _fetch(replica, ask, line, last)
        for n in range(line, last):
            if (found := _at(replica, n, wanted)) is not None:
                return found
        line = last
    return None


async def _begin(replica: Replica, ask: Ask) -> None:
    request = replica.wanted(-1, 0)
    if request is not None:
        replica.take(await ask(request))


async def _fetch(replica: Replica, ask: Ask, first: int, last: int) -> None:
    if first >= replica.history or all(replica.row(line) is not None for line in range(first, last)):
        return
    request = replica.request(first, last)
    if request is not None:
        replica.take(await ask(request))


def _at(replica: Replica, line: int, wanted: str) -> Selection | None:
    row = replica.row(line)
    return place_in(row.text, wanted, line) if row is not None else None
