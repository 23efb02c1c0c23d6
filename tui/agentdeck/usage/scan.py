"""Bring the ledger up to date with what stands on disk.

Every transcript that changed is read from where we left it; one that was rewritten, replaced or cut is read again
from the start, into the same ledger. Files are taken newest first, except that Codex rollouts go oldest first because
a fork has to come after its parent. Progress is committed every few files, so that a killed scan loses little and
repeats nothing.
"""

import gc
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Final

from agentdeck.transcripts.roots import Found, Root, transcripts
from agentdeck.usage.birth import born, made
from agentdeck.usage.claude import ClaudeReader
from agentdeck.usage.codex import CodexReader
from agentdeck.usage.gemini import GeminiReader
from agentdeck.usage.ledger import FileMark, Ledger
from agentdeck.usage.prices import Prices

CHUNK: Final = 2 * 1024 * 1024
LINE_LIMIT: Final = 256 * 1024 * 1024
"""Bytes; a longer line is skipped."""

HEAD: Final = 4096
TAIL: Final = 512
"""Bytes at its beginning and before the offset by which a transcript is recognised."""

COMMIT_EVERY: Final = 1.0
"""Seconds of work between two commits."""

Reader = ClaudeReader | CodexReader | GeminiReader


def scan(ledger: Ledger, prices: Prices, roots: Iterable[Root]) -> int:
    """Take in everything new below `roots`; return how many transcripts were read."""
    known = ledger.files()
    found: dict[bytes, Found] = {}
    for root in roots:
        found.update((each.path, each) for each in transcripts(root))
    changed = in_order(each for each in found.values() if not _same(each, known.get(each.path)))
    scanner = Scanner(ledger, prices)
    collects = gc.isenabled()
    gc.disable()  # a scan makes hundreds of thousands of values and no cycles
    try:
        _read(ledger, scanner, originals_first(changed), known)
    finally:
        if collects:
            gc.enable()
    lost = [path for path, mark in known.items() if mark.size >= 0 and path not in found]
    if lost:
        with ledger.writing():
            for path in lost:
                ledger.gone(path)
    return len(changed)


def _read(ledger: Ledger, scanner: "Scanner", work: Iterator[Found], known: dict[bytes, FileMark]) -> None:
    file: Found | None = next(work, None)
    while file is not None:
        until = time.monotonic() + COMMIT_EVERY
        with ledger.writing():
            while file is not None:
                scanner.read(file, known.get(file.path))
                file = next(work, None)
                if time.monotonic() >= until:
                    break


class Scanner:
    """Reads transcripts into a ledger, inside whatever transaction the caller has opened."""

    def __init__(self, ledger: Ledger, prices: Prices) -> None:
        self._ledger = ledger
        self._prices = prices
        self._buffer = bytearray(CHUNK)

    def read(self, file: Found, before: FileMark | None) -> None:
        """Take in one transcript. One that cannot be opened is left for the next time."""
        try:
            fd = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                return
            whole = file.path.endswith((b".json", b".zst"))
            since = min(born(fd, status), status.st_mtime_ns)  # what was copied here may be older than its file
            goes_on = before is not None and not whole and _goes_on(fd, status, before)
            offset = before.offset if before is not None and goes_on else 0
            state = before.state if before is not None and goes_on else b""
            reader = self._reader(file, state)
            mark = b""
            if whole:
                self._read_document(fd, file, reader)
                offset = status.st_size
            else:
                offset = self._read_lines(fd, offset, reader)
                mark = _mark(fd, offset)
        except OSError:
            return
        finally:
            os.close(fd)
        bad = reader.bad_lines + (before.bad if before is not None and goes_on else 0)
        if session := reader.session:
            self._ledger.add_session(file.agent, session, parent=reader.parent, project=reader.state.project)
        responses = reader.take()
        if responses:
            costs = reader.costs(responses) if isinstance(reader, ClaudeReader) else map(self._prices.cost, responses)
            self._ledger.add(responses, costs, born=since, latest_wins=reader.latest_wins)
        self._ledger.save_file(
            FileMark(
                path=file.path,
                device=status.st_dev,
                inode=status.st_ino,
                size=status.st_size,
                changed=status.st_mtime_ns,
                offset=offset,
                mark=mark,
                state=reader.saved(),
                agent=file.agent,
                bad=bad,
            )
        )

    def _reader(self, file: Found, state: bytes) -> Reader:
        path = os.fsdecode(file.path)
        if file.agent == "claude":
            return ClaudeReader(path, state, self._prices.cost)
        if file.agent == "codex":
            return CodexReader(
                path,
                state,
                ancestors=lambda thread: self._ledger.ancestors("codex", thread),
                is_known=lambda key: self._ledger.is_known("codex", key),
            )
        return GeminiReader(path, state)

    def _read_lines(self, fd: int, offset: int, reader: Reader) -> int:
        """Feed all complete lines from `offset` on; return where the first incomplete one begins."""
        buffer, have, skipping = self._buffer, 0, False
        while True:
            if have == len(buffer):  # one line fills it all
                if len(buffer) >= LINE_LIMIT:
                    offset, have, skipping = offset + have, 0, True
                else:
                    buffer = self._buffer = buffer + bytes(len(buffer))
            with memoryview(buffer) as view:
                got = os.preadv(fd, [view[have:]], offset + have)
            if not got:
                break
            have += got
            end = buffer.rfind(b"\n", have - got, have) + 1
            if not end:
                continue
            begin = 0
            if skipping:
                begin, skipping = buffer.find(b"\n", 0, end) + 1, False
                reader.bad_lines += 1
            reader.feed(buffer, begin, end)
            offset += end
            have -= end
            buffer[:have] = buffer[end : end + have]
        if len(buffer) > CHUNK:
            self._buffer = bytearray(CHUNK)
        return offset

    def _read_document(self, fd: int, file: Found, reader: Reader) -> None:
        with open(fd, "rb", closefd=False) as raw:
            if not file.path.endswith(b".zst"):
                document = raw.read()
                if isinstance(reader, GeminiReader):
                    reader.feed_document(document)
                return
            import zstandard  # few have such files

            try:
                with zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True) as plain:
                    self._read_stream(plain.read, reader)
            except zstandard.ZstdError:
                reader.bad_lines += 1

    def _read_stream(self, read: Callable[[int], bytes], reader: Reader) -> None:
        """Feed lines from what cannot be read at an offset; the last one may lack its end."""
        rest = b""
        while data := read(CHUNK):
            text = rest + data
            end = text.rfind(b"\n") + 1
            reader.feed(text, 0, end)
            rest = text[end:] if len(text) - end <= LINE_LIMIT else b""
        reader.feed(rest, 0, len(rest))


def _same(file: Found, mark: FileMark | None) -> bool:
    return mark is not None and (file.device, file.inode, file.size, file.changed) == mark[1:5]


def _goes_on(fd: int, status: os.stat_result, before: FileMark) -> bool:
    """Whether the file is the one we know, only longer."""
    if (status.st_dev, status.st_ino) != (before.device, before.inode) or status.st_size <= before.size:
        return False
    return _mark(fd, before.offset) == before.mark


def _mark(fd: int, offset: int) -> bytes:
    """What the file begins with, and what is before `offset`, in a few bytes."""
    parts = os.pread(fd, min(HEAD, offset), 0) + os.pread(fd, min(TAIL, offset), max(0, offset - TAIL))
    return hashlib.blake2b(parts, digest_size=16).digest()


def in_order(files: Iterable[Found]) -> list[Found]:
    """Newest first, but rollouts oldest first, as a fork has to come after its parent."""
    return sorted(files, key=_rank)


def originals_first(ordered: Iterable[Found]) -> Iterator[Found]:
    """Yield, of transcripts in a row with the same time, that one first that was made first.

    What is read first owns what another one has copied. Files are looked at when it is their turn.
    """
    for _, alike in groupby(ordered, _rank):
        some = list(alike)
        if len(some) > 1:
            some.sort(key=lambda file: (made(file.path), file.inode))
        yield from some


def _rank(file: Found) -> tuple[int, bytes, int]:
    if file.agent == "codex":
        return (1, file.path.rpartition(b"/")[2], 0)
    return (0, b"", -file.changed)
