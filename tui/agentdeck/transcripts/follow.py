"""Follow every transcript below some roots: what is appended becomes events, once, across restarts.

Watchers only hint at files (`touch`); the truth is what a look at them shows (`sweep`). A file that was met before a
restart is read silently up to where it had been told, because its parser has to know what came before; a file that
was rewritten is read again, and lines that were told already are not told twice.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import zstandard

from agentdeck.events import AnyEvent, Source
from agentdeck.transcripts.parse import PARSERS, Parser
from agentdeck.transcripts.roots import Found, Root, is_transcript, transcripts
from agentdeck.transcripts.tail import Position, Tail

ACTIVE: Final = 15 * 60.0
"""Seconds after its last change for which a file is looked at every second."""

SAVE_EVERY: Final = 1.0

WHOLE: Final = (b".json", b".zst")
"""Ends of names of transcripts that are one document or compressed: read as a whole."""


class _Followed:
    """One transcript that is being followed."""

    def __init__(self, agent: str, path: bytes, told: int) -> None:
        self.agent = agent
        self.path = path
        self.text_path = os.fsdecode(path)
        self.tail = Tail(path)
        self.parser: Parser = PARSERS[agent](self.text_path)
        self.told = told
        """Lines before this offset were told before we started."""
        self.seen: set[int] = set()
        """Hashes of the lines that were told, to know them again after the file was rewritten."""
        self.changed = 0.0
        self.size = -1

    def read(self, document: bytes | None = None) -> list[AnyEvent]:
        events: list[AnyEvent] = []
        if document is not None:
            for line in document.split(b"\n") if not self.path.endswith(b".json") else [document]:
                events += self._line(0, line)
            return events
        more = True
        while more:
            look = self.tail.look()
            if look.reset:
                self.parser = PARSERS[self.agent](self.text_path)
                self.told = 0
            for offset, line in look.lines:
                events += self._line(offset, line)
            more = look.more
        return events

    def _line(self, offset: int, line: bytes) -> list[AnyEvent]:
        events = self.parser.feed(line, Source(path=self.text_path, offset=offset))
        if not events:
            return events
        known = hash(line)
        if known in self.seen:
            return []
        self.seen.add(known)
        return events if offset >= self.told else []


class _Saved(msgspec.Struct):
    """The positions on disk: path → offset up to which it was told, with the head and mark that prove the file."""

    files: dict[str, Position] = {}


class Follower:
    """`positions` is the file in which we remember where we are; without it everything from `since` on is told."""

    def __init__(
        self,
        roots: Sequence[Root],
        *,
        positions: Path | None = None,
        since: float = 0.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.problems: list[str] = []
        """Sentences about what cannot be followed, each once."""
        self._roots = tuple(roots)
        self._positions = positions
        self._since = since
        self._now = now
        self._files: dict[bytes, _Followed] = {}
        self._told = self._load()
        self._saved_at = 0.0

    @property
    def bad_lines(self) -> dict[str, int]:
        """How many lines of each file could not be read; files without any are left out."""
        return {each.text_path: each.parser.bad_lines for each in self._files.values() if each.parser.bad_lines}

    def sweep(self) -> list[AnyEvent]:
        """Look at everything, the newest files first."""
        found: dict[bytes, Found] = {}
        for root in self._roots:
            found.update((each.path, each) for each in transcripts(root))
        events: list[AnyEvent] = []
        for each in sorted(found.values(), key=lambda each: -each.changed):
            events += self._look(each)
        for path in self._files.keys() - found.keys():
            del self._files[path]
        return events

    def touch(self, paths: Iterable[bytes]) -> list[AnyEvent]:
        """Look at these; a directory is looked through, because files in a new one are missed by watchers."""
        events: list[AnyEvent] = []
        for path in paths:
            agent = self._agent(path)
            if agent is None:
                continue
            try:
                status = os.stat(path)
            except OSError:
                continue
            if os.path.isdir(path):  # noqa: PTH112 - bytes
                for found in transcripts(Root(agent, Path(os.fsdecode(path)))):
                    events += self._look(found)
            elif is_transcript(agent, path):
                found = Found(agent, path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
                events += self._look(found)
        return events

    def active(self) -> list[bytes]:
        """The files that changed lately: worth a look each second, should a watcher miss something."""
        since = self._now() - ACTIVE
        return [path for path, each in self._files.items() if each.changed >= since]

    def save(self) -> None:
        """Remember the positions, atomically, at most once a second. What a crash loses is read again silently."""
        if self._positions is None or self._now() - self._saved_at < SAVE_EVERY:
            return
        self._saved_at = self._now()
        files = {**self._told, **{each.text_path: each.tail.position for each in self._files.values()}}
        temporary = self._positions.with_suffix(f".{os.getpid()}.tmp")
        try:
            self._positions.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
                file.write(msgspec.msgpack.encode(_Saved(files)))
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(self._positions)
        except OSError as error:
            self._problem(f"positions cannot be saved: {error.strerror}")

    def _look(self, found: Found) -> list[AnyEvent]:
        each = self._files.get(found.path)
        if each is None:
            if found.changed / 1e9 < self._since:
                return []
            saved = self._told.pop(os.fsdecode(found.path), None)
            each = self._files[found.path] = _Followed(found.agent, found.path, saved.offset if saved else 0)
        if (found.size, found.changed / 1e9) == (each.size, each.changed):
            return []
        each.size, each.changed = found.size, found.changed / 1e9
        if not found.path.endswith(WHOLE):
            return each.read()
        document = self._document(found.path)
        return each.read(document) if document is not None else []

    def _document(self, path: bytes) -> bytes | None:
        try:
            with open(path, "rb") as file:
                if not path.endswith(b".zst"):
                    return file.read()
                with zstandard.ZstdDecompressor().stream_reader(file) as plain:
                    return bytes(plain.read())
        except (OSError, zstandard.ZstdError) as error:
            self._problem(f"{os.fsdecode(path)} cannot be read: {error}")
            return None

    def _agent(self, path: bytes) -> str | None:
        return next((root.agent for root in self._roots if path.startswith(os.fsencode(root.path) + b"/")), None)

    def _load(self) -> dict[str, Position]:
        if self._positions is None:
            return {}
        try:
            return msgspec.msgpack.decode(self._positions.read_bytes(), type=_Saved).files
        except (OSError, msgspec.DecodeError, msgspec.ValidationError):
            return {}

    def _problem(self, sentence: str) -> None:
        if sentence not in self.problems:
            self.problems.append(sentence)
