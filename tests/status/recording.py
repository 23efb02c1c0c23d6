"""One recorded session of a real CLI with all that it told, on one clock: terminal, session file, hooks, transcript.

A recording is read from a scenario's folder (cast, `sessions.jsonl`, `hooks.jsonl`, `fs.jsonl`, `home/`), from what
`agentdeck report` saved, or from the compact form in which the project keeps it: casts below `tests/data/recordings`,
the rest below `tests/data/states`, and the true states beside it.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from agentdeck import events as e
from agentdeck.events_wire import KINDS, plain
from agentdeck.transcripts.parse import PARSERS

DATA: Final = Path(__file__).parent.parent / "data"
TEXT: Final = 160
"""Characters of a message that are kept."""
KEPT: Final = (e.SessionStarted, e.MessageAdded, e.ToolUsed, e.ToolReturned, e.ErrorRaised, e.TurnEnded)


@dataclass(frozen=True)
class Moment:
    """Something that became known at `t` seconds. `kind`: o, i, m, r as in the cast; file, hook, held, event."""

    t: float
    kind: str
    value: Any


@dataclass(frozen=True)
class Recording:
    name: str
    provider: str
    cols: int
    rows: int
    started: float
    """Unix time of the cast's zero."""
    moments: tuple[Moment, ...]

    @property
    def length(self) -> float:
        return max(moment.t for moment in self.moments)

    def without(self, *kinds: str) -> "Recording":
        """The same without some of what it told."""
        return replace(self, moments=tuple(moment for moment in self.moments if moment.kind not in kinds))


def names() -> list[str]:
    return sorted(path.name.removesuffix(".json.gz") for path in (DATA / "states").glob("*.json.gz"))


def kept(name: str) -> Recording:
    """Read a recording that the project keeps."""
    cast = gzip.decompress((DATA / "recordings" / f"{name}.cast.gz").read_bytes())
    beside = json.loads(gzip.decompress((DATA / "states" / f"{name}.json.gz").read_bytes()))
    return _recording(name, beside["provider"], beside["started"], cast, _thaw(beside["moments"]))


def from_folder(cast: Path) -> Recording:
    """Read one cast of a scenario's folder, with what was recorded beside it."""
    folder = cast.parent
    meta = json.loads((folder / "meta.json").read_text())
    raw = gzip.decompress(cast.read_bytes()) if cast.suffix == ".gz" else cast.read_bytes()
    stem = cast.name.split(".")[0]
    provider = str(meta["provider"])
    beside: list[Moment] = []
    if cast == sorted(folder.glob("session*.cast*"), key=lambda path: path.name.split(".")[0])[-1]:
        beside = [*_files(folder), *_hooks(folder), *_events(folder, provider, meta["t0"])]
    return _recording(f"{folder.parent.name}-{folder.name}-{stem}", provider, meta["t0"], raw, beside)


def from_report(folder: Path) -> Recording:
    """Read what `agentdeck report` saved."""
    beside = json.loads((folder / "signals.json").read_text())
    cast = (folder / "session.cast").read_bytes()
    return _recording(folder.name, beside["provider"], beside["started"], cast, _thaw(beside["moments"]))


def freeze(recording: Recording) -> bytes:
    """Return what the project keeps of a recording beside its cast."""
    beside = [moment for moment in recording.moments if moment.kind in ("file", "hook", "held", "event")]
    moments = [[round(m.t, 3), m.kind, plain(m.value) if m.kind == "event" else m.value] for m in beside]
    table = {"provider": recording.provider, "started": recording.started, "moments": moments}
    return gzip.compress(msgspec.json.encode(table), mtime=0)


def _recording(name: str, provider: str, started: float, cast: bytes, beside: list[Moment]) -> Recording:
    header, *rows = [json.loads(line) for line in cast.decode().split("\n") if line]
    moments = [Moment(t, kind, value) for t, kind, value in rows] + beside
    moments.sort(key=lambda moment: moment.t)
    return Recording(name, provider, header["width"], header["height"], started, tuple(moments))


def _thaw(rows: list[list[Any]]) -> list[Moment]:
    moments = []
    for t, kind, value in rows:
        if kind == "event":
            value = msgspec.convert({k: v for k, v in value.items() if k != "kind"}, KINDS[value["kind"]])
        moments.append(Moment(t, kind, value))
    return moments


def _lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _files(folder: Path) -> Iterator[Moment]:
    """Claude's session file whenever it changed; a torn one is what it was before."""
    last: object = None
    for row in _lines(folder / "sessions.jsonl"):
        value = None
        if row["event"] != "DELETE":
            try:
                record = json.loads(row.get("content") or "")
            except ValueError:
                continue
            at = record.get("statusUpdatedAt", 0) / 1000
            value = [record.get("status", ""), record.get("waitingFor") or "", at]
        if value != last:
            last = value
            yield Moment(row["t"], "file", value)


def _hooks(folder: Path) -> Iterator[Moment]:
    """What hooks heard; a permission request that a hook took its time for was held for so long."""
    for row in _lines(folder / "hooks.jsonl"):
        yield Moment(row["t"], "hook", row["event"])
        if row["event"] == "PermissionRequest" and row.get("dt", 0) > 0.1:
            yield Moment(row["t"], "held", str(row["input"].get("tool_name", "a call")))
            yield Moment(row["t"] + row["dt"], "held", "")


def _events(folder: Path, provider: str, started: float) -> Iterator[Moment]:
    """Transcript events, when the file system showed the write that their record was in."""
    writes: dict[str, list[float]] = {}
    for t, _, path, _ in _lines(folder / "fs.jsonl"):
        writes.setdefault(path, []).append(t)
    for path in sorted((folder / "home").rglob("*.jsonl")):
        name = path.relative_to(folder / "home").as_posix()
        if not any(part in name for part in ("/projects/", "/sessions/", "/chats/")):
            continue
        parser = PARSERS[provider](name)
        offset = 0
        for line in path.read_bytes().splitlines(keepends=True):
            for event in parser.feed(line, e.Source(path=name, offset=offset)):
                at = event.at.timestamp() - started
                if at >= 0 and isinstance(event, KEPT):
                    seen = next((t for t in writes.get(name, ()) if t >= at), at + 0.1)
                    yield Moment(seen, "event", _short(event))
            offset += len(line)


def _short(event: e.AnyEvent) -> e.AnyEvent:
    match event:
        case e.MessageAdded():
            return replace(event, source=None, text=event.text[:TEXT], tokens=None, message="", model="")
        case e.ToolUsed():
            return replace(event, source=None, input={}, tokens=None, message="")
        case e.ToolReturned():
            return replace(event, source=None, output=event.output[:TEXT], files=(), used=None)
        case _:
            return replace(event, source=None)
