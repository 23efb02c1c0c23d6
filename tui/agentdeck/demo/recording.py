"""A recorded session: what its screen looked like, step by step.

Screens instead of the bytes that drew them, because bytes fit one size of terminal only, and a pane has any. A step
holds the rows that changed, where the cursor went, and the sequences that told the terminal's host about title,
progress and status. A file is gzipped JSON lines: a header, then the steps.
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import dropwhile
from typing import Final, TypeAlias

Runs: TypeAlias = tuple[tuple[str, int], ...]
"""One row: texts and their packed styles (see `protocol.screen`), blanks at the end left out."""

LONGEST_PAUSE: Final = 1.5
"""Seconds; nobody wants to watch a model think twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    pause: float
    """Seconds since the step before."""
    rows: Mapping[int, Runs] = field(default_factory=dict)
    cursor: tuple[int, int, bool] = (0, 0, True)
    """Column, row, whether it is visible."""
    aside: str = ""
    """OSC sequences for the host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    provider: str
    title: str
    """What the session in the demo is called."""
    columns: int
    height: int
    steps: tuple[Step, ...]

    @property
    def seconds(self) -> float:
        return sum(step.pause for step in self.steps)


def encode(recording: Recording) -> bytes:
    """The same recording gives the same bytes."""
    header = [recording.provider, recording.title, recording.columns, recording.height]
    lines = [json.dumps(header)]
    for step in recording.steps:
        rows = {str(y): [list(run) for run in runs] for y, runs in step.rows.items()}
        lines.append(json.dumps([round(step.pause, 2), rows, list(step.cursor), step.aside], separators=(",", ":")))
    return gzip.compress("\n".join(lines).encode(), 9, mtime=0)


def decode(data: bytes) -> Recording:
    lines = iter(gzip.decompress(data).decode().split("\n"))
    provider, title, columns, height = json.loads(next(lines))
    steps = tuple(_step(*json.loads(line)) for line in lines)
    return Recording(provider=provider, title=title, columns=columns, height=height, steps=steps)


def _step(
    pause: float, rows: Mapping[str, Sequence[Sequence[object]]], cursor: Sequence[object], aside: str
) -> Step:  # fmt: skip
    x, y, visible = cursor
    return Step(
        pause=pause,
        rows={int(y): tuple((str(text), int(str(style))) for text, style in runs) for y, runs in rows.items()},
        cursor=(int(str(x)), int(str(y)), bool(visible)),
        aside=aside,
    )


def compress(steps: Iterable[Step], longest: float = LONGEST_PAUSE) -> Iterator[Step]:
    """Shorten long pauses, and leave out what comes before anything is drawn."""
    for step in dropwhile(lambda step: not step.rows, steps):
        yield Step(pause=min(step.pause, longest), rows=step.rows, cursor=step.cursor, aside=step.aside)


def names() -> list[str]:
    """The recordings that come with agentdeck."""
    found = files("agentdeck.demo").joinpath("recordings").iterdir()
    return sorted(entry.name.removesuffix(".jsonl.gz") for entry in found if entry.name.endswith(".jsonl.gz"))


def open_recording(name: str) -> Recording:
    """Raises `FileNotFoundError` for a name that is not in `names`."""
    return decode(files("agentdeck.demo").joinpath("recordings", f"{name}.jsonl.gz").read_bytes())
