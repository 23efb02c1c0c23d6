"""Small, forgiving readers for records that may hold anything: what is not of the right kind is as good as missing."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, TypedDict

import msgspec

from agentdeck.events import Source
from agentdeck.transcripts.mending import mended

EPOCH: Final = datetime.fromtimestamp(0, UTC)

Record = Mapping[str, object]


def record(line: bytes) -> dict[str, object] | None:
    """Return the object on a line, an empty one for a blank line, or None when there is none.

    A byte order mark, NULs that a crash left behind, bytes that are not UTF-8 and halves of surrogate pairs (texts that
    were cut in JavaScript) do not make a line bad.
    """
    line = line.strip(b"\0 \t\r\n\xef\xbb\xbf")
    if not line:
        return {}
    found: object
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        try:
            found = mended(json.loads(line.decode("utf-8", "replace")))
        except (ValueError, RecursionError):
            return None
    except RecursionError:
        return None
    return found if isinstance(found, dict) else None


class Base(TypedDict):
    """What every event of a transcript has."""

    provider: str
    session: str
    at: datetime
    source: Source
    agent: str


def text(record: Record, *path: str) -> str:
    """Return the string at a path of keys, or an empty one."""
    value = _at(record, path)
    return value if isinstance(value, str) else ""


def number(record: Record, *path: str) -> int | None:
    value = _at(record, path)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53 else None


def flag(record: Record, *path: str) -> bool:
    return _at(record, path) is True


def table(record: Record, *path: str) -> dict[str, object]:
    value = _at(record, path)
    return value if isinstance(value, dict) else {}


def items(record: Record, *path: str) -> list[object]:
    value = _at(record, path)
    return value if isinstance(value, list) else []


def tables(record: Record, *path: str) -> list[dict[str, object]]:
    return [item for item in items(record, *path) if isinstance(item, dict)]


def moment(record: Record, *path: str) -> datetime | None:
    """Return an ISO 8601 time in UTC; one without a zone is taken for UTC."""
    value = _at(record, path)
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def joined(content: object) -> str:
    """Return the text of a message's content, which may be a string or a list of blocks."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [
        block if isinstance(block, str) else text(block, "text") for block in content if isinstance(block, str | dict)
    ]
    return "\n".join(part for part in parts if part)


def _at(record: Record, path: tuple[str, ...]) -> object:
    value: object = record
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value
