"""Find the few lines of a transcript that matter without looking at the rest.

Transcripts are gigabytes of text with some numbers in it. Inside a JSON string a quote is escaped, so the raw bytes
`"output_tokens":` can only be a real key: a search for them in the whole buffer is an order of magnitude cheaper than
decoding, and safe. The line is then decoded with a type, which decides.
"""

import heapq
from collections.abc import Iterator, Sequence
from datetime import datetime

Buffer = bytes | bytearray

SANE = 10**12
"""No response has as many tokens; a number above is damage."""


def hits(buffer: Buffer, needles: Sequence[bytes], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield (begin, end) of each line in `buffer[start:end]` that has a needle, in order, without its newline."""
    find = buffer.find
    if len(needles) == 1:
        needle, position = needles[0], start
        while (found := find(needle, position, end)) >= 0:
            begin = buffer.rfind(b"\n", position, found) + 1 or position
            stop = find(b"\n", found, end)
            stop = end if stop < 0 else stop
            yield begin, stop
            position = stop + 1
        return
    last = -1
    for line in heapq.merge(*(hits(buffer, (needle,), start, end) for needle in needles)):
        if line[0] != last:
            last = line[0]
            yield line


def trimmed(line: bytes) -> bytes:
    """Drop what a crash or another system may have put around a record: NULs in front, a carriage return behind."""
    return line.strip(b"\0 \t\r\n")


def milliseconds(timestamp: str | None) -> int:
    """Unix milliseconds of an ISO 8601 time; 0 when it is none."""
    if not timestamp:
        return 0
    try:
        return round(datetime.fromisoformat(timestamp).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return 0


def count(value: float | None) -> int:
    """A token count from a record that may hold anything."""
    return int(value) if value is not None and 0 < value < SANE else 0
