"""What was seen of a session lately, as files that can become a test: its screens, its signals, and the verdict.

Screens are drawn anew and covered cell by cell, because a secret may be scattered over the bytes of a terminal. Of a
transcript there is what the judge gets to see, with words cut short. Nothing here is what was typed.
"""

import base64
import json
import time
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from agentdeck import events as e
from agentdeck.events_wire import plain
from agentdeck.hub.evidence import Heard
from agentdeck.hub.session import LiveSession
from agentdeck.protocol.attention import Explained
from agentdeck.share.redact import Redactor
from agentdeck.share.rows import redacted
from agentdeck.terminal import events as t
from agentdeck.terminal.emulator import Emulator

DRAW_EVERY: Final = 0.1
"""Seconds between two screens of a recording, at least."""

WORDS: Final = 80
"""Characters of a message or result that are kept."""


def report(session: LiveSession, heard: Iterable[Heard], explained: Explained, redactor: Redactor) -> dict[str, bytes]:
    """Return files by name: what a terminal shows, what came beside it, and what was made of both."""
    pieces = list(session.tape.play())
    started = pieces[0][0] if pieces else time.time()
    cast = _cast(session, pieces, started, redactor)
    kept = [each for each in heard if each.at >= started]
    moments = [[round(each.at - started, 3), each.kind, _told(each.value, redactor)] for each in kept]
    signals = {"provider": session.provider.family, "started": started, "moments": moments}
    why = _told(msgspec.to_builtins(msgspec.structs.replace(explained, session="", name="", pid=0)), redactor)
    return {
        "session.cast": "".join(f"{line}\n" for line in cast).encode(),
        "signals.json": json.dumps(signals, ensure_ascii=False, indent=1).encode(),
        "explained.json": json.dumps(why, ensure_ascii=False, indent=1).encode(),
    }


def _told(value: object, redactor: Redactor) -> object:
    match value:
        case e.Event():
            return _plain(value, redactor)
        case str():
            return redactor.text(value)
        case list() | tuple():
            return [_told(each, redactor) for each in value]
        case dict():
            return {name: _told(each, redactor) for name, each in value.items()}
        case _:
            return value


def _plain(event: e.Event, redactor: Redactor) -> dict[str, Any]:
    kept = plain(event)  # type: ignore[arg-type]
    kept["source"], kept["session"] = None, ""
    for name in ("tokens", "used"):
        if name in kept:
            kept[name] = None
    for name in ("text", "output", "description"):
        if name in kept:
            kept[name] = redactor.text(str(kept[name])[:WORDS])
    for name in ("cwd", "parent", "model", "title", "message"):
        if name in kept:
            kept[name] = ""
    if "input" in kept:
        kept["input"] = {}
    if "files" in kept:
        kept["files"] = []
    if "record" in kept:
        kept["record"] = {}
    return json.loads(msgspec.json.encode(kept))  # type: ignore[no-any-return]


def _cast(session: LiveSession, pieces: list[tuple[float, bytes]], started: float, redactor: Redactor) -> Iterator[str]:
    cols, rows = session.info.cols, session.info.rows
    yield json.dumps({"version": 2, "width": cols, "height": rows, "timestamp": int(started)})
    emulator = Emulator(cols, rows, reply=lambda _: None, scrollback=0)
    shown: list[str] = [""] * rows
    drawn = 0.0
    for number, (at, data) in enumerate(pieces):
        emulator.feed(data)
        said = "".join(_osc(event, redactor) for event in emulator.take_events())
        last = number == len(pieces) - 1
        if not last and not said and pieces[number + 1][0] - drawn < DRAW_EVERY:
            continue
        drawn = at
        emulator.refresh()
        screen = [row.text.rstrip() for row in redacted([emulator.row(y) for y in range(rows)], redactor)]
        changed = "".join(f"\x1b[{y + 1};1H\x1b[2K{text}" for y, text in enumerate(screen) if text != shown[y])
        shown = screen
        if said or changed:
            yield json.dumps([round(at - started, 3), "o", said + changed], ensure_ascii=False)
    emulator.close()


def _osc(event: t.TerminalEvent, redactor: Redactor) -> str:
    match event:
        case t.TitleChanged():
            return f"\x1b]0;{redactor.text(event.title)}\x07"
        case t.Progressed():
            return f"\x1b]9;4;{event.progress.state};{event.progress.percent}\x07"
        case t.StatusReported():
            status = event.status
            message = base64.b64encode(redactor.text(status.message).encode()).decode()
            about = f":kind={status.kind}" if status.kind else ""
            return f"\x1b]7501;state={status.state or 'clear'}{about}:msg={message}\x1b\\"
        case _:
            return ""
