"""Rebuild a screen after the hub was away: the ring's bytes, with the stored checkpoint applied where it was taken.

Bytes before the checkpoint only refill the scrollback, because the ring may start in the middle of an escape
sequence and has lost the modes that were set earlier; the checkpoint then puts screen and modes right, and the bytes
after it are exact. Replies, bells and clipboard writes of the past must not happen again: the session drops
what the emulator says until the replay is over.
"""

import contextlib

import msgspec

from agentdeck.protocol.messages import ProgramStatus, Progress
from agentdeck.terminal.emulator import Emulator


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What a hub keeps in the holder's memory. `screen` is VT text for an emulator of exactly this size."""

    cols: int
    rows: int
    screen: bytes
    title: str = ""
    progress: Progress = Progress()
    status: ProgramStatus = ProgramStatus()

    def encode(self) -> bytes:
        return msgspec.msgpack.encode(self)

    @classmethod
    def decode(cls, blob: bytes) -> "Checkpoint | None":
        """Return None for a blob of another version; the ring alone must then do."""
        with contextlib.suppress(msgspec.DecodeError, msgspec.ValidationError):
            return msgspec.msgpack.decode(blob, type=cls)
        return None


class Replay:
    """Feeds the past into an emulator. `end` is the offset at which the present begins."""

    def __init__(self, emulator: Emulator, *, end: int, checkpoint: Checkpoint | None, taken_at: int) -> None:
        self._emulator = emulator
        self._end = end
        self._checkpoint = checkpoint
        self._taken_at = taken_at
        if checkpoint is not None:
            emulator.resize(checkpoint.cols, checkpoint.rows)

    def begin(self, base: int) -> None:
        """`base` is the first offset that will come; a checkpoint taken before it is applied at once."""
        if self._taken_at <= base:
            self._apply()

    def feed(self, offset: int, data: bytes) -> bytes | None:
        """Take in output; None while the past goes on, else the part of `data` that is already the present."""
        if self._checkpoint is not None and offset + len(data) >= self._taken_at:
            cut = self._taken_at - offset
            self._emulator.feed(data[:cut])
            self._apply()
            data, offset = data[cut:], self._taken_at
        past = self._end - offset
        if len(data) < past:
            self._emulator.feed(data)
            return None
        self._emulator.feed(data[:past])
        return data[past:]

    def _apply(self) -> None:
        if self._checkpoint is not None:
            self._emulator.feed(self._checkpoint.screen)
            self._checkpoint = None
