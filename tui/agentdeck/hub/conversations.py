"""Conversations to read, from their transcripts: pages of lines, the line of a text or of a prompt.

A person who scrolls asks for page after page of the same conversation, so the last ones stay rendered until their files
change. Whatever takes long runs in a thread.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from agentdeck.live.conversation import render
from agentdeck.protocol.facts import Conversation, ConversationLine, ReadConversation
from agentdeck.transcripts.follow import read_all
from agentdeck.transcripts.roots import roots, transcripts

KEPT: Final = 4
"""Conversations that stay rendered."""

PAGE: Final = 2000
"""Lines of one answer, at most."""

SPEAKERS: Final = frozenset(("user", "assistant", "thinking"))
"""Styles of what is a message."""

Stamp = tuple[int, tuple[tuple[str, int, int], ...]]
"""A width, and of each file its path, size and time of change."""


class Conversations:
    def __init__(self) -> None:
        self._rendered: OrderedDict[Stamp, tuple[ConversationLine, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, request: ReadConversation, paths: Sequence[str]) -> Conversation:
        lines = self._lines(request.width, paths)
        end, line = min(request.before or len(lines), len(lines)), -1
        if request.turn >= 0:
            line = message_line(lines, request.turn)
            end = min(len(lines), max(0, line) + request.count)
        elif request.find:
            line = _found(lines, request.find, end)
            end = line + 1 if line >= 0 else end
        start = max(0, end - min(request.count, PAGE))
        return Conversation(key=request.key, start=start, total=len(lines), lines=lines[start:end], line=line)

    def _lines(self, width: int, paths: Sequence[str]) -> tuple[ConversationLine, ...]:
        stamp = width, tuple(_stamp(path) for path in paths)
        with self._lock:
            known = self._rendered.get(stamp)
            if known is None:
                known = tuple(render((event for path in paths for event in read_all(path)), width))
                for old in [old for old in self._rendered if _names(old) == _names(stamp) and old[0] == width]:
                    del self._rendered[old]
                self._rendered[stamp] = known
            self._rendered.move_to_end(stamp)
            while len(self._rendered) > KEPT:
                self._rendered.popitem(last=False)
            return known


def _stamp(path: str) -> tuple[str, int, int]:
    try:
        status = os.stat(os.fsencode(path))
    except OSError:
        return path, -1, 0
    return path, status.st_size, status.st_mtime_ns


def _names(stamp: Stamp) -> list[str]:
    return [name for name, _, _ in stamp[1]]


def _found(lines: Sequence[ConversationLine], text: str, end: int) -> int:
    """The last line before `end` that has this text; -1 when none has it."""
    wanted = text.casefold()
    return next((n for n in range(end - 1, -1, -1) if wanted in lines[n].text.casefold()), -1)


def message_line(lines: Sequence[ConversationLine], number: int) -> int:
    """Where the message of this number, counted from 0, begins; -1 when there are fewer."""
    seen, before = 0, "mark"
    for n, line in enumerate(lines):
        if before == "mark" and line.style in SPEAKERS:
            if seen == number:
                return n
            seen += 1
        before = line.style
    return -1


def transcript_of(provider: str, session: str, env: Mapping[str, str]) -> tuple[str, ...]:
    """The transcript of a conversation that rests since long, found by its name; empty when there is none."""
    if not session:
        return ()
    short = f"-{session[:8]}.json"
    found = [
        os.fsdecode(file.path)
        for root in roots(env)
        if root.agent == provider
        for file in transcripts(root)
        if session in Path(name := os.fsdecode(file.path)).stem or short in name
    ]
    return tuple(sorted(found)[:1])
