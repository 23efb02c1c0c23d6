"""One parser per provider: the lines of a transcript in, events out."""

from collections.abc import Callable
from typing import Final, Protocol

from agentdeck.events import AnyEvent, Source
from agentdeck.transcripts.claude import ClaudeParser
from agentdeck.transcripts.codex import CodexParser
from agentdeck.transcripts.cursor import CursorParser
from agentdeck.transcripts.gemini import GeminiParser


class Parser(Protocol):
    """Stateful, one per file; it never raises for what a file may hold."""

    bad_lines: int
    """Lines that could not be read at all."""

    def feed(self, line: bytes, source: Source) -> list[AnyEvent]: ...


PARSERS: Final[dict[str, Callable[[str], Parser]]] = {
    "claude": ClaudeParser,
    "codex": CodexParser,
    "gemini": GeminiParser,
    "cursor": CursorParser,
}
