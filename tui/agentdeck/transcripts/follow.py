"""Follow every transcript below some roots: what is appended becomes events, once, across restarts.

Watchers only hint at files (`touch`); the truth is what a look at them shows (`sweep`). Nothing here waits: whoever
drives it takes what is new in slices and may do other things in between. Files that rest are put aside with their
place, so that memory stays flat; links are not followed, because they may lead out of the tree.
"""

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Final

from agentdeck.events import AnyEvent
from agentdeck.transcripts.followed import Followed
from agentdeck.transcripts.positions import Place, Positions, load, save
from agentdeck.transcripts.roots import Found, Root, is_transcript, resolved, transcripts

ACTIVE: Final = 15 * 60.0
"""Seconds after it last grew for which a file is looked at every second."""

REST: Final = 30 * 60.0
"""Seconds after it last grew for which a file's parser is kept."""

KEEP_GONE: Final = 24 * 3600.0
"""Seconds for which we remember a file that is no more: it may come back."""

SAVE_EVERY: Final = 1.0

SLICE: Final = 0.02
"""Seconds of work before a sweep gives others a chance."""

PROBLEMS: Final = 100
"""Sentences kept; a broken disk has thousands."""


class Follower:
    """`positions` is the file in which we remember where we are; files that did not change after `since` are not told.

    What was told in an earlier life, or had happened before this one began, goes to `recall` instead: it is needed to
    know a session, but it is not news. Without `recall` everything from `since` on that was not told before is news.
    """

    def __init__(
        self,
        roots: Sequence[Root],
        *,
        positions: Path | None = None,
        since: datetime | float | None = None,
        recall: Callable[[list[AnyEvent]], None] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.problems: list[str] = []
        """Sentences about what cannot be followed, each once."""
        self.swept = False
        """Whether everything was looked at once."""
        self._given = tuple(roots)
        self.roots: tuple[Root, ...] = resolved(self._given)
        self._prefixes = self._aliases()
        self._path = positions
        self._since = since.timestamp() if isinstance(since, datetime) else since or 0.0
        self._recall = recall
        self._now = now
        saved = load(positions) if positions is not None else Positions()
        self._places = saved.places
        self._files: dict[bytes, Followed] = {}
        self._heard: set[bytes] = set()
        """Files that were read in this life and now rest."""
        self._gone: dict[bytes, float] = {}
        self._bad: dict[str, int] = {}
        self._complete_at = saved.at
        """When the last sweep began that saw everything."""
        self._floor = saved.at or (now() if recall is not None else 0.0)
        """What is older, in a file that nobody has told of, is no news."""
        self._inodes = {place.position[:2]: path for path, place in self._places.items() if place.position is not None}
        self._rollouts = {name: path for path in self._places if (name := _rollout(path))}
        self._saved_at = 0.0
        self._is_dirty = False
        self._grown: set[bytes] = set()

    @property
    def bad_lines(self) -> dict[str, int]:
        """How many lines of each file could not be read; files without any are left out."""
        return {**self._bad, **{each.name: each.bad_lines for each in self._files.values() if each.bad_lines}}

    # ── looking ────────────────────────────────────────────────────────────────────────────────

    def sweep(self) -> list[AnyEvent]:
        """Look at everything, the newest files first."""
        return list(chain.from_iterable(self.sweeping()))

    def touch(self, paths: Iterable[bytes]) -> list[AnyEvent]:
        """Look at these; a directory is looked through, because files in a new one are missed by watchers."""
        return list(chain.from_iterable(self.touching(paths)))

    def sweeping(self, slice: float = SLICE) -> Iterator[list[AnyEvent]]:
        """Sweep in slices of about that many seconds, some of which may bring nothing."""
        began, until = self._now(), time.monotonic() + slice
        self.roots = resolved(self._given)
        self._prefixes = self._aliases()
        found: dict[bytes, Found] = {}
        for root in self.roots:
            for each in transcripts(root):
                found[each.path] = each
                if time.monotonic() >= until:
                    yield []
                    until = time.monotonic() + slice
        for each in sorted(found.values(), key=lambda each: -each.changed):
            for events in self._look(each):
                if events or time.monotonic() >= until:
                    yield events
                    until = time.monotonic() + slice
        self._put_aside(found)
        self.swept, self._complete_at = True, began

    def touching(self, paths: Iterable[bytes]) -> Iterator[list[AnyEvent]]:
        for given in paths:
            path, agent = self._below(given)
            known = self._files.get(path)
            if known is not None:
                yield from self._read(known)
            elif agent and os.path.isdir(path):  # noqa: PTH112 - bytes
                for found in transcripts(Root(agent, Path(os.fsdecode(path)))):
                    yield from self._look(found)
            elif agent and is_transcript(agent, path):
                with contextlib.suppress(OSError):
                    status = os.lstat(path)
                    found = Found(agent, path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
                    yield from self._look(found)

    def active(self) -> list[bytes]:
        """The files that grew lately: worth a look each second, should a watcher miss something."""
        since = time.monotonic() - ACTIVE
        return [path for path, each in self._files.items() if each.grew >= since]

    def take_changed(self) -> set[bytes]:
        """Return the files in which something was found since this was last asked, told or not."""
        changed, self._grown = self._grown, set()
        return changed

    # ── places ─────────────────────────────────────────────────────────────────────────────────

    def save(self, *, now: bool = False) -> None:
        """Remember the positions, atomically, at most once a second. What a crash loses is told again."""
        if self._path is None or not self._is_dirty or (time.monotonic() - self._saved_at < SAVE_EVERY and not now):
            return
        self._saved_at, self._is_dirty = time.monotonic(), False
        places = {path: place for path, place in self._places.items() if place.is_read}
        places.update((path, each.place()) for path, each in self._files.items())
        try:
            save(self._path, Positions(self._complete_at, places))
        except OSError as error:
            self._is_dirty = True
            self._problem(f"where we are in the transcripts cannot be saved: {error.strerror}")

    def _look(self, found: Found) -> Iterator[list[AnyEvent]]:
        each = self._files.get(found.path) or self._meet(found)
        if each is not None and (each.size, each.changed) != (found.size, found.changed):
            yield from self._read(each)

    def _read(self, each: Followed) -> Iterator[list[AnyEvent]]:
        before = each.size, each.changed
        yield from each.read()
        if (each.size, each.changed) != before:
            self._is_dirty = True
            self._grown.add(each.path)
        if each.problem:
            self._problem(f"{each.name} cannot be followed: {each.problem}")

    def _meet(self, found: Found) -> Followed | None:
        """Begin to read a file, unless there is nothing in it to be told."""
        path = found.path
        heard = path in self._heard
        place = self._places.get(path)
        if place is None:
            place, heard = self._moved(found)
        is_old = found.changed / 1e9 < self._since
        if place is None and is_old:
            self._places[path] = Place.unread(found.size, found.changed)
            return None
        recall = None if heard else self._recall
        if place is not None and place.is_same(found.size, found.changed) and (recall is None or is_old):
            self._places.setdefault(path, place)
            return None
        floor = self._floor if place is None and not self.swept else 0.0
        each = self._files[path] = Followed(found, place, floor=floor, recall=recall, now=self._now)
        self._places.pop(path, None)
        self._heard.discard(path)
        self._inodes[(found.device, found.inode)] = path
        if name := _rollout(path):
            self._rollouts[name] = path
        return each

    def _moved(self, found: Found) -> tuple[Place | None, bool]:
        """The place in a file that has another name now, or of a rollout that was archived; and whether it was read."""
        before = self._inodes.get((found.device, found.inode))
        if before is None or before == found.path or os.path.lexists(before):
            before = self._rollouts.get(_rollout(found.path))
        if before is None or before == found.path:
            return None, False
        followed = self._files.get(before)
        place = followed.place() if followed is not None else self._places.get(before)
        return place, followed is not None or before in self._heard

    def _put_aside(self, found: dict[bytes, Found]) -> None:
        """After a sweep: files that rest or are gone give up their memory, not their place."""
        now, resting = self._now(), time.monotonic() - REST
        for path, each in list(self._files.items()):
            if path not in found or each.grew < resting:
                self._places[path] = each.place()
                self._heard.add(path)
                if each.bad_lines:
                    self._bad[each.name] = each.bad_lines
                del self._files[path]
        for path in self._gone.keys() & found.keys():
            del self._gone[path]
        for path in self._places.keys() - found.keys():
            if now - self._gone.setdefault(path, now) > KEEP_GONE:
                self._drop(path)

    def _drop(self, path: bytes) -> None:
        place = self._places.pop(path)
        del self._gone[path]
        self._heard.discard(path)
        self._bad.pop(os.fsdecode(path), None)
        self._rollouts.pop(_rollout(path), None)
        if place.position is not None:
            self._inodes.pop(place.position[:2], None)

    # ── names ──────────────────────────────────────────────────────────────────────────────────

    def _aliases(self) -> list[tuple[bytes, bytes, str]]:
        """Beginnings of paths, where they really are, and whose they are."""
        given = [(root.path, Path(os.path.realpath(root.path)), root.agent) for root in self._given]
        pairs = {
            (os.fsencode(way) + b"/", os.fsencode(real) + b"/", agent) for a, real, agent in given for way in (a, real)
        }
        return sorted(pairs, reverse=True)

    def _below(self, path: bytes) -> tuple[bytes, str]:
        """Return where a path really is and whose it is; nobody's if it is not below a root."""
        for prefix, real, agent in self._prefixes:
            if path.startswith(prefix):
                return real + path[len(prefix) :], agent
            if path == prefix[:-1]:
                return real[:-1], agent
        return path, ""

    def _problem(self, sentence: str) -> None:
        if sentence not in self.problems and len(self.problems) < PROBLEMS:
            self.problems.append(sentence)


class Reading:
    """One transcript from its start to its end, whatever it is by its name; more can be read when it has grown."""

    def __init__(self, path: str) -> None:
        name = _on_disk(path)
        try:
            status = os.lstat(name)
        except OSError:
            self._followed = None
        else:
            found = Found(_agent(path), name, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            self._followed = Followed(found, None, floor=0.0, recall=None, now=time.time)

    def news(self) -> Iterator[list[AnyEvent]]:
        """Yield what was not read yet, in parts; what cannot be read is left out."""
        if self._followed is not None:
            yield from self._followed.read()


def read_all(path: str) -> Iterator[AnyEvent]:
    """Read one transcript from its start to its end, whatever it is by its name; what cannot be read is left out."""
    yield from chain.from_iterable(Reading(path).news())


def _on_disk(path: str) -> bytes:
    """Turn the path of an event's source back into the one on disk."""
    name = os.fsencode(path)
    if b"\\x" not in name or os.path.lexists(name):
        return name
    return re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), name)


def _agent(path: str) -> str:
    folder, _, name = path.rpartition("/")
    if name.startswith("rollout-"):
        return "codex"
    if name.startswith("session-") and folder.endswith("/chats"):
        return "gemini"
    return "cursor" if "/agent-transcripts/" in path else "claude"


def _rollout(path: bytes) -> bytes:
    """The name of a Codex rollout wherever it is kept, archived and compressed or not; empty for other files."""
    name = path.rpartition(b"/")[2]
    return name.removesuffix(b".zst") if name.startswith(b"rollout-") else b""
