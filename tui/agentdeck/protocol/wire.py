"""Messages as bytes: a 4-byte big-endian length, then one msgpack value.

Pure: bytes in, messages out. The limit keeps a broken or hostile peer from making us buffer without end.
"""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import msgspec

from agentdeck.errors import ProtocolError

LIMIT = 64 * 1024 * 1024
"""Bytes in one message; the largest honest one is a history page."""

_encoder = msgspec.msgpack.Encoder()

T = TypeVar("T")


def encode(message: object) -> bytes:
    body = _encoder.encode(message)
    return len(body).to_bytes(4, "big") + body


class Decoder(Generic[T]):
    """Cut a byte stream into messages of one type, which may be a union."""

    def __init__(self, kind: object) -> None:
        self._decode: Callable[[bytes], T] = msgspec.msgpack.Decoder(kind).decode
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[T]:
        """Yield the messages that `data` completes. Raises `ProtocolError` on anything else."""
        buffer = self._buffer
        buffer += data
        start = 0
        try:
            while len(buffer) - start >= 4:
                size = int.from_bytes(buffer[start : start + 4], "big")
                if size > LIMIT:
                    raise ProtocolError(f"a message of {size:,} bytes was announced")
                if len(buffer) - start - 4 < size:
                    break
                body = bytes(buffer[start + 4 : start + 4 + size])
                start += 4 + size
                try:
                    message = self._decode(body)
                except (msgspec.DecodeError, msgspec.ValidationError) as error:
                    raise ProtocolError(f"a message could not be understood: {error}") from error
                yield message
        finally:
            del buffer[:start]
