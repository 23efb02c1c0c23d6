"""What a transcript is about, from its beginning and its end: enough for a list, without reading gigabytes."""

import os
import stat
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from agentdeck import events as e
from agentdeck.search.gather import document, parser_for
from agentdeck.transcripts.roots import Found, Root, resolved, transcripts

HEAD: Final = 192 * 1024
TAIL: Final = 48 * 1024
"""Bytes that are read of a transcript's beginning and end."""

_TITLES: Final = (b'"custom-title"', b'"ai-title"', b'"thread_name_updated"')
"""What a record with a title has in it, the ones that people gave first."""


class Portrait(msgspec.Struct, frozen=True, kw_only=True):
    """One session as its main transcripts show it."""

    provider: str
    session: str
    paths: tuple[str, ...]
    project: str = ""
    title: str = ""
    prompt: str = ""
    """Its first prompt."""
    parent: str = ""
    """The session that it was forked from."""
    started: float | None = None
    last_at: float = 0.0
    """Unix seconds; `last_at` is when its transcript was last written."""


def portraits(roots: Iterable[Root]) -> list[Portrait]:
    """Return all sessions that have a transcript, the one written last first."""
    found: dict[tuple[str, str], Portrait] = {}
    for root in resolved(roots):
        for each in transcripts(root):
            if b"/subagents/" in each.path:
                continue
            portrait = portrait_of(each)
            key = portrait.provider, portrait.session
            found[key] = _together(found[key], portrait) if key in found else portrait
    return sorted(found.values(), key=lambda portrait: -portrait.last_at)


def portrait_of(found: Found) -> Portrait:
    name = os.fsdecode(found.path)
    session = _name_of(found)
    project = title = prompt = parent = ""
    started: datetime | None = None
    for event in _beginning(found):
        session = event.session or session
        if event.agent:
            continue
        if event.source is None or event.at.timestamp() > 0:
            started = started or event.at
        match event:
            case e.SessionStarted():
                project, parent = project or event.cwd, parent or event.parent
            case e.TitleChanged():
                title = event.title
            case e.MessageAdded(role="user"):
                prompt = prompt or event.text
    title = _last_title(found) or title
    return Portrait(
        provider=found.agent,
        session=session,
        paths=(name,),
        project=project,
        title=title,
        prompt=prompt[:1000],
        parent=parent,
        started=started.timestamp() if started is not None and found.agent != "cursor" else None,
        last_at=found.changed / 1e9,
    )


def _beginning(found: Found) -> list[e.AnyEvent]:
    if found.path.endswith((b".json", b".zst")):
        return document(found) or []
    parser = parser_for(found.agent, found.path, found.changed)
    events: list[e.AnyEvent] = []
    offset = 0
    for line in _bytes(found.path, 0, HEAD).split(b"\n")[:-1]:
        told = parser.feed(line, e.Source(path="", offset=offset))
        offset += len(line) + 1
        events += told
        if any(isinstance(event, e.MessageAdded) and event.role == "user" for event in told):
            break
    return events


def _last_title(found: Found) -> str:
    """The newest title near the end: it may have been changed long after the beginning."""
    if found.path.endswith((b".json", b".zst")) or found.agent not in ("claude", "codex"):
        return ""
    data = _bytes(found.path, max(0, found.size - TAIL), TAIL)
    for mark in _TITLES:
        at = data.rfind(mark)
        while at >= 0:
            begin, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at)
            line = data[begin : end if end >= 0 else len(data)]
            for event in parser_for(found.agent, found.path, found.changed).feed(line, e.Source(path="", offset=0)):
                if isinstance(event, e.TitleChanged):
                    return event.title
            at = data.rfind(mark, 0, at)
    return ""


def _bytes(path: bytes, offset: int, count: int) -> bytes:
    """Read a part of a file; nothing if it is none or cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return b""
    try:
        return os.pread(fd, count, offset) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
    except OSError:
        return b""
    finally:
        os.close(fd)


def _name_of(found: Found) -> str:
    stem = os.fsdecode(found.path).rpartition("/")[2].partition(".")[0]
    return stem[-36:] if found.agent == "codex" else stem


def _together(one: Portrait, other: Portrait) -> Portrait:
    """One session in two files: archived and not, or continued under another project."""
    newest, oldest = (one, other) if one.last_at >= other.last_at else (other, one)
    starts = [portrait.started for portrait in (one, other) if portrait.started is not None]
    return Portrait(
        provider=one.provider,
        session=one.session,
        paths=(*oldest.paths, *newest.paths),
        project=newest.project or oldest.project,
        title=newest.title or oldest.title,
        prompt=oldest.prompt or newest.prompt,
        parent=oldest.parent or newest.parent,
        started=min(starts) if starts else None,
        last_at=newest.last_at,
    )


def chosen(portraits: Iterable[Portrait], ref: str) -> list[Portrait]:
    """Return the sessions that `ref` means: by id, `provider:id`, the beginning of one, or the exact title."""
    every = list(portraits)
    provider, colon, rest = ref.partition(":")
    if colon and any(portrait.provider == provider for portrait in every):
        every, ref = [portrait for portrait in every if portrait.provider == provider], rest
    exact = [portrait for portrait in every if portrait.session == ref]
    if exact or not ref:
        return exact
    named = [portrait for portrait in every if portrait.title == ref]
    return named or [portrait for portrait in every if portrait.session.startswith(ref)]
