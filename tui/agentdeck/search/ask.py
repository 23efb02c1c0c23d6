"""Questions to the index: what people type as an FTS5 expression, and hits with the words around them."""

import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from agentdeck.events import AnyEvent, Source
from agentdeck.search.gather import DOCUMENT_LIMIT, document, parser_for
from agentdeck.search.index import Index, Row
from agentdeck.search.passages import Passage, clean, passages, segmented
from agentdeck.transcripts.roots import Found

AROUND: Final = 80
"""Characters shown before and after the first word that was found."""

_TERM: Final = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')
_UNFINISHED: Final = re.compile(r"(?:^|[\s\"])(?!-)\S*[^\W_]{2}\Z")
"""A text that ends within a word, or a phrase, that is wanted."""


class Question(NamedTuple):
    """Words or phrases that must all be there, and some that must not."""

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...] = ()

    @property
    def expression(self) -> str:
        """As FTS5 wants it; no character of the words means anything to it, but a star at the end of one."""
        parts = " AND ".join(map(_quoted, self.wanted))
        for word in self.unwanted:
            parts = f"({parts}) NOT {_quoted(word)}"
        return parts


class Hit(NamedTuple):
    provider: str
    session: str
    project: str
    at: int
    """Unix milliseconds; 0 when unknown."""
    agent: str
    """The sub-agent that it is of; empty for the main conversation."""
    turn: int | None
    """Number of its message in the main conversation, from 0: messages that are not blank count, thoughts too, and what
    is no message belongs to the one before it. None for a sub-agent's, and before the first."""
    role: str
    snippet: str
    marks: tuple[tuple[int, int], ...]
    """Where in `snippet` the words stand."""
    path: str
    offset: int
    """Of its line in the transcript."""


def question(text: str) -> Question:
    """Read what somebody typed: words, "phrases", -without, begin*. Nothing to look for gives an empty `wanted`."""
    wanted: list[str] = []
    unwanted: list[str] = []
    for minus, phrase, word in _TERM.findall(clean(text).replace("\0", " ")):
        term = phrase or word
        if any(c.isalnum() for c in term):
            (unwanted if minus else wanted).append(term)
    return Question(tuple(wanted), tuple(unwanted))


def half_typed(text: str) -> Question:
    """Read what somebody is still typing: the word at its end counts as a beginning, from two letters on."""
    return question(f"{text}*" if _UNFINISHED.search(text) else text)


def ask(
    index: Index,
    what: Question,
    *,
    count: int = 20,
    agents: Sequence[str] = (),
    roles: Sequence[str] = (),
    since: int = 0,
    wants: Callable[[Row], bool] = lambda row: True,
) -> Iterator[Hit]:
    """Yield up to `count` hits, newest first. What stands in several transcripts (forks) is told once."""
    if not what.wanted or count < 1:
        return
    told: set[tuple[int, str, str]] = set()
    pattern = _pattern(what.wanted)
    for row in index.find(what.expression, agents=agents, roles=roles, since=since):
        if not wants(row):
            continue
        passage = _passage_at(row, pattern)
        if passage is None:
            continue
        snippet, marks = cut_out(passage.text, pattern)
        key = (row.at, row.role, snippet)
        if key in told:
            continue
        told.add(key)
        yield Hit(
            provider=row.agent,
            session=row.session,
            project=row.project,
            at=row.at,
            agent=passage.agent,
            turn=row.turn if row.turn >= 0 else None,
            role=row.role,
            snippet=snippet,
            marks=marks,
            path=row.path.decode("utf-8", "backslashreplace"),
            offset=row.offset,
        )
        if len(told) >= count:
            return


def cut_out(text: str, pattern: "re.Pattern[str]") -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return what stands around the first hit, on one line, and where the words are in it."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    first = next(_matches(pattern, line), (0, 0))
    start = max(0, first[0] - AROUND)
    end = min(len(line), max(first[1], first[0]) + AROUND)
    if start:
        start = line.find(" ", start, first[0]) + 1 or start
    if end < len(line):
        blank = line.rfind(" ", first[1], end)
        end = blank if blank > first[1] else end
    lead, trail = "…" if start else "", "…" if end < len(line) else ""
    snippet = f"{lead}{line[start:end]}{trail}"
    shift = len(lead) - start
    marks = tuple(
        (begin + shift, stop + shift) for begin, stop in _matches(pattern, line) if begin >= start and stop <= end
    )
    return snippet, marks


def _quoted(term: str) -> str:
    star = term.endswith("*")
    bare = segmented(term.rstrip("*")).replace('"', '""')
    return f'"{bare}"{"*" if star else ""}'


def _pattern(terms: Sequence[str]) -> "re.Pattern[str]":
    """Find the terms as the index does: whatever their case, their accents and what stands between their parts."""
    choices = []
    for term in sorted(terms, key=len, reverse=True):
        parts = re.findall(r"[^\W_]+", _plain(term))
        whole = r"[\W_]*".join(map(re.escape, parts))
        edge = r"(?<![^\W_])" if parts and parts[0].isascii() else ""
        end = r"[^\W_]*" if term.endswith("*") else r"(?![^\W_])" if parts and parts[-1].isascii() else ""
        choices.append(f"{edge}{whole}{end}")
    return re.compile("|".join(choices))


def _matches(pattern: "re.Pattern[str]", line: str) -> Iterator[tuple[int, int]]:
    for found in pattern.finditer(_plain(line)):
        yield found.span()


class _Bare(dict[int, str]):
    """Each character, when it is met for the first time, in lower case without its accents."""

    def __missing__(self, code: int) -> str:
        low = unicodedata.normalize("NFD", chr(code))[0].lower()
        self[code] = bare = low if len(low) == 1 else chr(code)
        return bare


_BARE: Final = _Bare()


def _plain(text: str) -> str:
    """Lower case without accents, character for character."""
    return text.lower() if text.isascii() else text.translate(_BARE)


def _passage_at(row: Row, pattern: "re.Pattern[str]") -> Passage | None:
    """Read the passage of a row again; None when it is not there any more."""
    best: Passage | None = None
    for passage in passages(_events_at(row)):
        if passage.role != row.role or (best is not None and passage.at != row.at):
            continue
        if next(_matches(pattern, passage.text), None) is not None:
            best = passage
            if passage.at == row.at:
                break
    return best


def _events_at(row: Row) -> list[AnyEvent]:
    try:
        status = os.stat(row.path)
        if row.path.endswith((b".json", b".zst")):
            found = Found(row.agent, row.path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            return document(found) or []
        with Path(os.fsdecode(row.path)).open("rb") as file:
            file.seek(row.offset)
            line = file.readline(DOCUMENT_LIMIT)
    except OSError:
        return []
    parser = parser_for(row.agent, row.path, status.st_mtime_ns)
    return parser.feed(line.rstrip(b"\n"), Source(path=os.fsdecode(row.path), offset=row.offset))
