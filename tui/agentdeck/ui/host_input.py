"""Cut what the host terminal sends into whole units: text, keys, mouse reports, answers, pastes.

Bytes in, units out, every byte in exactly one unit and in order, however the reads happened to cut them. What a unit
means, and whom it is for, is decided elsewhere.

The one hard question is an ESC at the end of a read: the Esc key, or the beginning of something? The unit is held for
`patience` seconds, then the owner calls `flush` and what was held goes out as it is.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from agentdeck.terminal.keys import PASTE_END, PASTE_START

ESCAPE_PATIENCE: Final = 0.025
"""A key's bytes come in one write; only a slow link between them and us can part them."""
SEQUENCE_PATIENCE: Final = 0.1
STRING_PATIENCE: Final = 0.5
PASTE_PATIENCE: Final = 5.0
"""A link may stall in mid-paste, and what follows must not be typed as keys, where each line end would submit."""

_STRING_LIMIT: Final = 65536


class Kind(Enum):
    TEXT = auto()
    """Whole printable characters."""
    KEY = auto()
    """One control byte or one escape sequence."""
    MOUSE = auto()
    FOCUS = auto()
    REPLY = auto()
    """The terminal's own words: answers to queries, and reports nobody typed."""
    PASTE = auto()
    """What was pasted, without its brackets."""


@dataclass(frozen=True, slots=True)
class Unit:
    kind: Kind
    data: bytes


_CHARACTER: Final = rb"(?:[\x20-\x7e]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})"
_PARTIAL_CHARACTER: Final = rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})"
_STRING: Final = rb"\x1b(?:\]\d|P[\d;]*[!$+>|]|_G)[^\x07\x1b]{0,%d}" % _STRING_LIMIT

_WHOLE: Final = re.compile(
    rb"(?P<text>%(char)s+)"
    rb"|(?P<reply>%(string)s(?:\x07|\x1b\\))"
    rb"|(?P<mouse>\x1b\[M[\x00-\xff]{3}|\x1b\[<[\d;]*[Mm]|\x1b\[\d+;\d+;\d+M)"
    rb"|(?P<focus>\x1b\[[IO])"
    rb"|(?P<answer>\x1b\[[<=>?][\d:;]*[ -/]*[@-~]|\x1b\[[\d:;]+[nty]|\x1b\[[\d:]*;[\d:;]*\$y)"
    rb"|(?P<console>\x1b\[\[[A-E])"
    rb"|(?P<csi>\x1b\[\d+\$|\x1b\[(?![\[M])[\d:;]*[ -/]*[@-~])"
    rb"|(?P<ss3>\x1bO[\d;]*[ -/:<-~])"
    rb"|(?P<alt>\x1b(?![\[O\]P_])(?:%(char)s|[\x00-\x1a\x1c-\x1f\x7f]))"
    rb"|(?P<control>[\x00-\x1a\x1c-\x1f\x7f])" % {b"char": _CHARACTER, b"string": _STRING}
)
_UNFINISHED: Final = re.compile(
    rb"(?P<escape>\x1b[\[O\]P_]?)"
    rb"|(?P<sequence>\x1b\[(?:[<=>?]?[\d:;]*[ -/]*|\[|M[\x00-\xff]{0,2})|\x1bO[\d;]+|\x1bP[\d;]+|\x1b?%(partial)s)"
    rb"|(?P<string>%(string)s\x1b?)" % {b"partial": _PARTIAL_CHARACTER, b"string": _STRING}
)
_BROKEN: Final = re.compile(
    rb"(?P<reply>%(string)s)|\x1b(?:\[(?:[<=>?]?[\d:;]*[ -/]*|\[|M)|O[\d;]*|P[\d;]*|[\]_])?|[\x80-\xff]"
    % {b"string": _STRING}
)
"""Something that began as a sequence and went on as none."""

_KINDS: Final = {
    "text": Kind.TEXT,
    "reply": Kind.REPLY,
    "answer": Kind.REPLY,
    "mouse": Kind.MOUSE,
    "focus": Kind.FOCUS,
}
_PATIENCE: Final = {"escape": ESCAPE_PATIENCE, "sequence": SEQUENCE_PATIENCE, "string": STRING_PATIENCE}


class HostInput:
    patience: float | None = None
    """Seconds without input after which to `flush`; None while nothing is held."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._pasting = False

    def feed(self, data: bytes) -> list[Unit]:
        units: list[Unit] = []
        searched = max(0, len(self._held) - len(PASTE_END)) if self._pasting else 0
        self._held += data
        self.patience = None
        while self._pasting or self._cut_keys(units):
            end = self._held.find(PASTE_END, searched)
            if end < 0:
                self.patience = PASTE_PATIENCE
                break
            units.append(Unit(Kind.PASTE, bytes(self._held[:end])))
            del self._held[: end + len(PASTE_END)]
            self._pasting, searched = False, 0
        return units

    def flush(self) -> list[Unit]:
        """Give up waiting for the rest of what is held."""
        held, self._held, self.patience = bytes(self._held), bytearray(), None
        if self._pasting:
            self._pasting = False
            return [Unit(Kind.PASTE, held)]
        if not held:
            return []
        pending = _UNFINISHED.fullmatch(held)
        is_string = pending is not None and pending.lastgroup == "string"
        return [Unit(Kind.REPLY if is_string else Kind.KEY, held)]

    def _cut_keys(self, units: list[Unit]) -> bool:
        """Cut units off the front until a paste begins (True) or the rest is none yet (False)."""
        held, at = bytes(self._held), 0
        while at < len(held):
            if held.startswith(PASTE_START, at):
                self._pasting = True
                at += len(PASTE_START)
                break
            if whole := _WHOLE.match(held, at):
                units.append(Unit(_KINDS.get(whole.lastgroup or "", Kind.KEY), whole.group()))
                at = whole.end()
            elif pending := _UNFINISHED.fullmatch(held, at):
                self.patience = _PATIENCE[pending.lastgroup or ""]
                break
            else:
                broken = _BROKEN.match(held, at)
                assert broken is not None, "every byte begins a unit or is a broken one"
                units.append(Unit(Kind.REPLY if broken["reply"] else Kind.KEY, broken.group()))
                at = broken.end()
        del self._held[:at]
        return self._pasting
