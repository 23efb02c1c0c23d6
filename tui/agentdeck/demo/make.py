"""Make a recording for the demo from an asciicast: `python -m agentdeck.demo.make CAST FILE --provider claude`.

The cast is played into the terminal emulator, and its screen is looked at ten times a second.
"""

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agentdeck.demo.recording import Recording, Runs, Step, compress, encode
from agentdeck.protocol.screen import Row
from agentdeck.terminal.emulator import Emulator

EVERY: Final = 0.1
"""Seconds between two looks at the screen."""

_ASIDE: Final = re.compile(r"\x1b\](?:[02];|9;4;|7501;(?!\?))[^\x07\x1b]*(?:\x07|\x1b\\)")
"""Titles, progress and program status, but not the question whether the host understands the last."""


def trimmed(row: Row) -> Runs:
    runs = list(row.runs)
    while runs and not runs[-1][1] and not runs[-1][0].strip(" "):
        runs.pop()
    if runs and not runs[-1][1]:
        runs[-1] = (runs[-1][0].rstrip(" "), 0)
    return tuple(runs)


def chunks(cast: str, begin: float, end: float) -> Iterator[tuple[float, str]]:
    """The output of a cast in slices of `EVERY`; everything before `begin` is the first one."""
    held, due = "", begin
    for line in cast.splitlines()[1:]:
        at, kind, data = json.loads(line)
        if at > end:
            break
        if kind != "o":
            continue
        while at > due:
            yield due, held
            held, due = "", max(due + EVERY, at - at % EVERY)
        held += data
    yield due, held


def steps(cast: str, begin: float, end: float) -> Iterator[Step]:
    width, height = (json.loads(cast.splitlines()[0])[name] for name in ("width", "height"))
    emulator = Emulator(width, height, reply=lambda answer: None)
    shown: dict[int, Runs] = {}
    last, carry = begin, ""
    for at, output in chunks(cast, begin, end):
        emulator.feed(output.encode())
        emulator.refresh()
        rows = {y: trimmed(emulator.row(y)) for y in range(height)}
        changed = {y: runs for y, runs in rows.items() if shown.get(y, ()) != runs}
        text = carry + output
        asides = _ASIDE.findall(text)
        start = text.rfind("\x1b]")
        carry = text[start:] if start >= 0 and not _ASIDE.match(text, start) and len(text) - start < 4096 else ""
        if changed or asides:
            cursor = emulator.cursor
            yield Step(
                pause=at - last, rows=changed, cursor=(cursor.x, cursor.y, cursor.visible), aside="".join(asides)
            )
            shown, last = rows, at
    emulator.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m agentdeck.demo.make", description=__doc__)
    parser.add_argument("cast", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--provider", required=True)
    parser.add_argument("--title", default="")
    parser.add_argument("--begin", type=float, default=0.0)
    parser.add_argument("--end", type=float, default=float("inf"))
    given = parser.parse_args()
    cast = given.cast.read_text("utf-8")
    header = json.loads(cast.splitlines()[0])
    recording = Recording(
        provider=given.provider,
        title=given.title or given.provider,
        columns=header["width"],
        height=header["height"],
        steps=tuple(compress(steps(cast, given.begin, given.end))),
    )
    given.file.write_bytes(encode(recording))
    print(f"{given.file.name}: {len(recording.steps)} steps, {recording.seconds:.0f} s")


if __name__ == "__main__":
    main()
