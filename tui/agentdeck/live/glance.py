"""What the end of a transcript says of its session's state, without reading the rest of it."""

import os
from typing import Final

from agentdeck.events import Source
from agentdeck.live.session import LiveSession
from agentdeck.transcripts.parse import PARSERS

TAIL: Final = 256 * 1024
"""Bytes of it that are read."""


def state(provider: str, path: str) -> str:
    """Return `working`, `idle`, or `unknown` where the last records do not tell.

    A call without a result is no answer: it may run, or wait for the person.
    """
    lines = _last_lines(path)
    parser = PARSERS.get(provider)
    if parser is None or not lines:
        return "unknown"
    reads, session = parser(path), LiveSession(provider, "")
    for offset, line in enumerate(lines):
        for event in reads.feed(line, Source(path=path, offset=offset)):
            session.apply(event)
    if session.pending or not session.messages:
        return "unknown"
    return "working" if session.working else "idle"


def _last_lines(path: str) -> list[bytes]:
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            lines = file.read(TAIL).split(b"\n")
    except OSError:
        return []
    return lines[1 if size > TAIL else 0 : -1]
