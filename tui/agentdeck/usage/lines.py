"""Find the few lines of a transcript that matter without looking at the rest.

Transcripts are gigabytes of text with some numbers in it. Inside a JSON string a quote is escaped, so the raw bytes
`"output_tokens":` can only be a real key: a search for them in the whole buffer is an order of magnitude cheaper than
decoding, and safe. The line is then decoded with a type, which decides.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import msgspec

from agentdeck.transcripts.mending import mended
from agentdeck.usage.needles import Buffer, finder

T = TypeVar("T")

SANE = 10**12
"""No response has as many tokens; a number above is damage."""

AROUND = b"\0 \t\r\n\xef\xbb\xbf"
"""What a crash or another system may put around a record: NULs or a byte order mark in front, a return behind."""

Count = Annotated[int, msgspec.Meta(ge=0, lt=SANE)]
"""A number of tokens in a record."""

ODD_FIELDS = 16
"""Fields of an unexpected kind that a record may have."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_PLACE = re.compile(r"at `\$((?:\.[\w\[\]$]+)+)`")
"""Where msgspec says that a value is of the wrong kind."""


def hits(buffer: Buffer, needles: Sequence[bytes], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield (begin, end) of each line in `buffer[start:end]` that has a needle, in order, without its newline."""
    if len(needles) == 1:
        find, needle, position = finder(buffer), needles[0], start
        while (found := find(needle, position, end)) >= 0:
            begin = buffer.rfind(b"\n", position, found) + 1 or position
            stop = buffer.find(b"\n", found, end)
            stop = end if stop < 0 else stop
            yield begin, stop
            position = stop + 1
        return
    yield from sorted({line for needle in needles for line in hits(buffer, (needle,), start, end)})


def decoded(line: Buffer | memoryview, decoder: "msgspec.json.Decoder[T]") -> T:
    """Decode a record; what is odd about it costs no more than itself.

    Texts may hold halves of surrogate pairs, or bytes that are not UTF-8; a field of an unexpected kind is left out,
    and so is a number that cannot be a count.
    Raises `msgspec.DecodeError` when there is no record, and `RecursionError` for one too deep.
    """
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        try:
            import json  # only for what is odd: what starts fast must not pay for it

            found = mended(json.loads(bytes(line).strip(AROUND).decode("utf-8", "replace")))
        except ValueError as error:
            raise msgspec.DecodeError(str(error)) from None
        return _converted(found, decoder.type)


def _converted(found: object, wanted: type[T]) -> T:
    for _ in range(ODD_FIELDS):
        try:
            return msgspec.convert(found, wanted)
        except msgspec.ValidationError as error:
            place = _PLACE.search(str(error))
            if place is None or not _without(found, place[1].split(".")[1:]):
                raise
    return msgspec.convert(found, wanted)


def _without(found: object, names: list[str]) -> bool:
    """Drop a field, or the list that it is in an item of, from a decoded record; False when it is not there."""
    for number, name in enumerate(names):
        key, is_item, _ = name.partition("[")
        if not isinstance(found, dict) or key not in found:
            return False
        if is_item or number == len(names) - 1:
            value = found[key]
            if isinstance(value, float) and count(value):
                found[key] = count(value)  # 1e3, where a whole number belongs
            else:
                del found[key]
            return True
        found = found[key]
    return False


def milliseconds(timestamp: str | None) -> int:
    """Unix milliseconds of an ISO 8601 time; 0 when it is none."""
    if not timestamp:
        return 0
    try:
        at = datetime.fromisoformat(timestamp)
        passed = at - EPOCH if at.tzinfo is not None else at.astimezone() - EPOCH
    except (ValueError, OverflowError, OSError):
        return 0
    return passed.days * 86_400_000 + passed.seconds * 1000 + (passed.microseconds + 500) // 1000


def count(value: float | None) -> int:
    """A token count from a record that may hold anything."""
    return int(value) if value and 0 < value < SANE else 0
