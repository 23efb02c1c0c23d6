"""What becomes of the host terminal's input while somebody types into a session.

Everything goes to the program as it came, except four things: agentdeck's few chords, recognised in every dialect;
pastes, which travel as one piece; mouse and focus reports and the terminal's answers, which are for Textual; and a
chord's own key release. The clock comes in as an argument.

The chord that leaves, pressed twice, goes through to the program: the first press has already left, so the second
one is asked about with `literal`, from the other mode.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from agentdeck.terminal.keys import Key
from agentdeck.ui.host_input import HostInput, Kind, Unit
from agentdeck.ui.key_codes import RELEASE, REPEAT, Press, read_key

TWICE: Final = 0.4
"""Seconds within which the second press of the leaving chord counts as meant for the program."""

LEAVE: Final = "leave"

Chords = Mapping[tuple[Key, ...], str]
"""One key, or a prefix key and another → action id."""


@dataclass(frozen=True, slots=True)
class Raw:
    """For the program, byte by byte."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Chord:
    action: str
    data: bytes
    """What was pressed for it."""


@dataclass(frozen=True, slots=True)
class Unbound:
    """A prefix key, and then one that means nothing after it."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Paste:
    data: bytes


@dataclass(frozen=True, slots=True)
class ForTextual:
    """Mouse and focus reports, and the terminal's answers."""

    data: bytes


Token = Raw | Chord | Unbound | Paste | ForTextual


class TypingStream:
    def __init__(self, chords: Chords) -> None:
        self._chords = dict(chords)
        self._prefixes = {keys[0] for keys in chords if len(keys) > 1}
        self._single = {keys[0] for keys in chords} - self._prefixes
        self._input = HostInput()
        self._prefix: tuple[Key, bytes] | None = None
        self._left: tuple[Key, float] | None = None

    @property
    def patience(self) -> float | None:
        """Seconds without input after which to call `flush`; None while nothing is held."""
        return self._input.patience

    def feed(self, data: bytes, now: float) -> list[Token]:
        return list(merged(self._tokens(self._input.feed(data), now)))

    def flush(self, now: float) -> list[Token]:
        """Give out what is held: no more of it came."""
        return list(merged(self._tokens(self._input.flush(), now)))

    def begin(self) -> None:
        """Forget a prefix key that was pressed before: somebody begins to type."""
        self._prefix = None

    def sort(self, unit: Unit, now: float) -> Iterator[Token]:
        """Say what one unit is, for a caller who cuts the units himself."""
        match unit.kind:
            case Kind.PASTE:
                yield Paste(unit.data)
            case Kind.MOUSE | Kind.FOCUS | Kind.REPLY:
                yield ForTextual(unit.data)
            case Kind.KEY:
                yield from self._key(unit.data, now)
            case Kind.TEXT:
                yield from self._text(unit.data, now)

    def literal(self, unit: Unit, now: float) -> Press | None:
        """The leaving chord, if this is its second press in time: it goes to the program after all."""
        if self._left is None or unit.kind in (Kind.MOUSE, Kind.FOCUS, Kind.REPLY):
            return None
        press = read_key(unit.data)
        if press is not None and (press.event == RELEASE or not press.key.base):
            return None
        (key, at), self._left = self._left, None
        return press if press and press.event != REPEAT and key in _names(press) and now - at <= TWICE else None

    def _tokens(self, units: list[Unit], now: float) -> Iterator[Token]:
        for unit in units:
            yield from self.sort(unit, now)

    def _text(self, data: bytes, now: float) -> Iterator[Token]:
        self._left = None
        if self._prefix is not None:
            text = data.decode("utf-8")
            first = text[0].encode()
            yield from self._key(first, now)
            data = data[len(first) :]
        if data:
            yield Raw(data)

    def _key(self, data: bytes, now: float) -> Iterator[Token]:
        press = read_key(data)
        names = _names(press) if press else ()
        if press and press.event == RELEASE:
            if self._prefix is None and not any(key in self._single or key in self._prefixes for key in names):
                yield Raw(data)
            return
        if press and not press.key.base:
            yield Raw(data)
        elif self._prefix is not None:
            yield self._after_prefix(data, names)
        elif press and (prefix := next((key for key in names if key in self._prefixes), None)):
            self._prefix, self._left = (prefix, data), None
        elif press and (chord := next((key for key in names if (key,) in self._chords), None)):
            if self._chords[chord,] != LEAVE:
                self._left = None
                yield Chord(self._chords[chord,], data)
            elif press.event == REPEAT:
                return
            elif self._left is not None and self._left[0] == chord and now - self._left[1] <= TWICE:
                self._left = None
                yield Raw(data)
            else:
                self._left = (chord, now)
                yield Chord(LEAVE, data)
        else:
            self._left = None
            yield Raw(data)

    def _after_prefix(self, data: bytes, names: tuple[Key, ...]) -> Token:
        assert self._prefix is not None
        (prefix, before), self._prefix = self._prefix, None
        if prefix in names:
            return Raw(data)
        for key in names:
            if action := self._chords.get((prefix, key)):
                return Chord(action, before + data)
        return Unbound(before + data)


def merged(tokens: Iterator[Token]) -> Iterator[Token]:
    """Neighbouring bytes for the program as one piece, so that it gets them in one read as it would from a terminal."""
    waiting = b""
    for token in tokens:
        if isinstance(token, Raw):
            waiting += token.data
            continue
        if waiting:
            yield Raw(waiting)
            waiting = b""
        yield token
    if waiting:
        yield Raw(waiting)


def _names(press: Press) -> tuple[Key, ...]:
    return (press.key, press.elsewhere) if press.elsewhere else (press.key,)
