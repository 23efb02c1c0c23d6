"""Where a chunk of output can be cut so that a frame taken there shows no half-drawn screen.

Programs bracket a redraw with DEC mode 2026. Chunks end inside such a block nearly always, and the emulator draws what
it is given, so an open block is kept back while the screen is whole and has not been shown. A private sequence that
the end of the chunk cut in two is kept back as well, so that the next look sees it in one piece.
"""

import re
from typing import Final

BEGIN: Final = b"\x1b[?2026h"
END: Final = b"\x1b[?2026l"
_PRIVATE: Final = b"\x1b[?"
LIMIT: Final = 64 * 1024
"""Bytes of an open block that are kept back; a longer block is drawn as it comes."""

_MAY_ASK: Final = re.compile(rb"\x05|\x1b(?:[P_Z]|\[[0-9;?>=<!\"'$ ]*[cnpqtux]|\].*\?)", re.DOTALL)
"""Anything that could be a question: a program that waits for the answer must not wait for a frame."""
_PARTIAL: Final = re.compile(rb"\x1b(?:\[(?:\?[0-9;]*)?)?\Z")
_PARTIAL_LIMIT: Final = 24


def cut(data: bytes, *, inside: bool, unseen: bool) -> int:
    """Return how much of `data` to draw before the next frame.

    `inside` says that the screen before `data` is in the middle of a block, `unseen` that it was not shown yet.
    """
    if data.find(_PRIVATE) < 0:
        return complete(data)
    end = data.rfind(END)
    begin = -1 if inside and end < 0 else data.find(BEGIN, max(end, 0))
    if begin < 0 or len(data) - begin > LIMIT or _MAY_ASK.search(data, begin):
        return complete(data)
    return begin if begin or unseen else complete(data)


def complete(data: bytes) -> int:
    """Return where the private sequence begins that the end of `data` cuts in two, or the length of `data`."""
    escape = data.rfind(b"\x1b", max(0, len(data) - _PARTIAL_LIMIT))
    return escape if escape >= 0 and _PARTIAL.match(data, escape) else len(data)
