"""Take the operating system commands out of a program's output before the emulator sees it.

The emulator gets only those that change what it draws or that it answers itself (colours, links, pointer shape).
The rest is for the host: titles, notifications, progress, the clipboard, program status. OSC 133 is dropped, because
the emulator would start a fresh line at `OSC 133;A`, which no real terminal that the CLIs were built on does.

The scanner knows where a command begins and ends, not what it means. A command that never ends, or is too long, is
dropped with bounded memory. Output without commands costs one `bytes.find`.
"""

import re
from typing import Final, NamedTuple

LIMIT: Final = 64 * 1024
"""Bytes of one command."""
CLIPBOARD_LIMIT: Final = 1024 * 1024
"""Bytes of text that a program may put on the clipboard."""
LINK_LIMIT: Final = 4 * 1024
"""Bytes of an OSC 8 link; a longer one closes the link before it instead of opening one."""

_EMULATED: Final = frozenset(str(n).encode() for n in (4, 5, 8, *range(10, 20), 21, 22, 66, 104, 105, *range(110, 120)))
_LONGEST: Final = {b"52": CLIPBOARD_LIMIT * 4 // 3 + 64, b"8": LINK_LIMIT}
_HARD_LIMIT: Final = max(LIMIT, *_LONGEST.values())
_OPEN: Final = b"\x1b]"
_SKIPPED: Final = b"\x1b]9999;"
"""Begins a command that means nothing to any terminal."""
_REPEATED: Final = 8 * 1024
_END: Final = re.compile(rb"[\x07\x18\x1a\x1b]")
_ST: Final = b"\x1b\\"
_CLOSE_LINK: Final = b"\x1b]8;;\x1b\\"


class Osc(NamedTuple):
    number: bytes
    body: bytes
    """What comes after the number and its semicolon."""
    terminator: bytes
    """BEL or ST, as the program wrote it: an answer ends the same way."""


class OscScanner:
    """Cuts output into bytes for the emulator and commands for the host, in order. Chunk borders do not matter."""

    def __init__(self) -> None:
        self._open: bytearray | None = None
        self._too_long = False
        self._escape = False
        """The last chunk ended with an ESC that may begin or end a command."""

    @property
    def idle(self) -> bool:
        """No command is open, nor may the last byte have begun one."""
        return self._open is None and not self._escape

    def scan(self, data: bytes) -> list[bytes | Osc]:
        if self.idle and data.find(_OPEN) < 0 and not data.endswith(b"\x1b"):
            return [data] if data else []
        if self._escape:
            data, self._escape = b"\x1b" + data, False
        pieces: list[bytes | Osc] = []
        position = 0 if self._open is None else self._resume(data, pieces)
        plain = position
        while position < len(data):
            begin = data.find(_OPEN, position)
            if begin < 0:
                break
            end = _END.search(data, begin + 2)
            if end is None or (data[end.start()] == 0x1B and end.start() + 1 == len(data)):
                self._begin(data, begin, end is not None)
                data, position = data[:begin], begin
                break
            stop = end.start()
            after, terminator = _terminator(data, stop)
            number = data[begin + 2 : begin + 8].partition(b";")[0]
            if number in _EMULATED and terminator and stop - begin <= _LONGEST.get(number, LIMIT):
                position = after
                continue
            if begin > plain:
                pieces.append(data[plain:begin])
            if terminator:
                _deliver(data[begin + 2 : stop], terminator, pieces)
            position = plain = after
        if self._open is None and data.endswith(b"\x1b") and len(data) > plain:
            data, self._escape = data[:-1], True
        if len(data) > plain:
            pieces.append(data[plain:])
        return pieces

    def pending(self) -> bytes:
        """What has come of a command without its end, as bytes that bring a fresh scanner to the same place.

        Of a command too long to repeat only that it is open: what follows of it is skipped.
        """
        end = b"\x1b" if self._escape else b""
        if self._open is None:
            return end
        if self._too_long or len(self._open) > _REPEATED:
            return (_CLOSE_LINK if self._open.startswith(b"8;") else b"") + _SKIPPED + end
        return _OPEN + self._open + end

    def _begin(self, data: bytes, begin: int, escape: bool) -> None:
        self._open, self._too_long, self._escape = bytearray(), False, escape
        self._grow(data[begin + 2 : -1] if escape else data[begin + 2 :])

    def _grow(self, data: bytes) -> None:
        assert self._open is not None
        if self._too_long:
            return
        self._open += data
        if len(self._open) > _HARD_LIMIT or len(self._open) > _LONGEST.get(bytes(self._open[:8]).split(b";")[0], LIMIT):
            self._too_long = True
            del self._open[LINK_LIMIT:]

    def _resume(self, data: bytes, pieces: list[bytes | Osc]) -> int:
        """Go on with the command that an earlier chunk began; return where the output goes on."""
        assert self._open is not None
        end = _END.search(data)
        if end is None:
            self._grow(data)
            return len(data)
        stop = end.start()
        self._grow(data[:stop])
        if data[stop] == 0x1B and stop + 1 == len(data):
            self._escape = True
            return len(data)
        after, terminator = _terminator(data, stop)
        whole, self._open = bytes(self._open), None
        if terminator and not self._too_long:
            _deliver(whole, terminator, pieces)
        elif whole.startswith(b"8;"):
            pieces.append(_CLOSE_LINK)
        return after


def _terminator(data: bytes, stop: int) -> tuple[int, bytes]:
    """Return where the output goes on after the end at `stop`, and the terminator; empty if the command was cancelled.

    An ESC that does not begin ST cancels the command and begins another sequence.
    """
    if data[stop] == 0x07:
        return stop + 1, b"\x07"
    if data[stop] == 0x1B:
        return (stop + 2, _ST) if data[stop + 1] == 0x5C else (stop, b"")
    return stop + 1, b""


def _deliver(command: bytes, terminator: bytes, pieces: list[bytes | Osc]) -> None:
    number, _, body = command.partition(b";")
    too_long = len(command) > _LONGEST.get(number, LIMIT)
    if number == b"8" and too_long:
        pieces.append(_CLOSE_LINK)
    elif number in _EMULATED and not too_long:
        pieces.append(b"\x1b]" + command + terminator)
    elif not too_long:
        pieces.append(Osc(number, body, terminator))
