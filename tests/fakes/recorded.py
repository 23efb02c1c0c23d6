"""The transcripts that the real CLIs wrote while they were recorded, and copies of them that look as if written now."""

import gzip
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

DATA: Final = Path(__file__).parent.parent / "data" / "transcripts"

_MOMENT: Final = re.compile(rb'"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})Z"')


class Recorded(NamedTuple):
    """One transcript: who wrote it, in which scenario, where below its home directory, and what."""

    provider: str
    scenario: str
    path: str
    data: bytes

    @property
    def lines(self) -> list[bytes]:
        return self.data.splitlines()


def transcripts(provider: str = "", scenario: str = "") -> list[Recorded]:
    """All of them, or those of one provider and scenario, in the order of their names."""
    found: list[Recorded] = []
    for file in sorted(DATA.glob(f"{provider or '*'}/{scenario or '*'}/**/*.gz")):
        whose, where, *rest = file.relative_to(DATA).parts
        found.append(Recorded(whose, where, "/".join(rest).removesuffix(".gz"), gzip.decompress(file.read_bytes())))
    return found


def foreign() -> list[Recorded]:
    """Transcripts of CLIs that no parser is for."""
    return [
        Recorded(file.name.split("-")[0], "", file.name.removesuffix(".gz"), gzip.decompress(file.read_bytes()))
        for file in sorted(DATA.glob("other/*.gz"))
    ]


def moved(data: bytes, by: timedelta) -> bytes:
    """The same records, at another time."""

    def later(found: re.Match[bytes]) -> bytes:
        then = datetime.fromisoformat(found[1].decode()).replace(tzinfo=UTC) + by
        return f'"{then.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]}Z"'.encode()

    return _MOMENT.sub(later, data)


def latest(data: bytes) -> datetime:
    """The newest moment that is written in a transcript."""
    return max(datetime.fromisoformat(each.decode()).replace(tzinfo=UTC) for each in _MOMENT.findall(data))


def lay_out(home: Path, *, ended: timedelta | None = None, recordings: list[Recorded] | None = None) -> list[Path]:
    """Write transcripts below `home` as the CLIs would; with `ended`, all of them ended so long ago."""
    written: list[Path] = []
    for each in transcripts() if recordings is None else recordings:
        path = home / each.path
        path.parent.mkdir(parents=True, exist_ok=True)
        at = latest(each.data)
        by = datetime.now(UTC) - ended - at if ended is not None else timedelta(0)
        path.write_bytes(moved(each.data, by))
        stamp = (at + by).timestamp()
        os.utime(path, (stamp, stamp))
        written.append(path)
    return written
