"""Which events a handler wants: small claims about an event and its session, to be combined.

A filter is any callable that takes an event and its live session and says yes or no. Those with several arguments are
true when one of them fits; a filter that has no argument at all would never fit, so it is refused.

    watcher.pipe(filters.project("shop"), filters.tool_category("file_write"), filters.path("**/*.py")).on_any(look)
"""

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Final, TypeVar

from agentdeck import events as e
from agentdeck.errors import UsageError
from agentdeck.events_wire import KINDS
from agentdeck.live.session import LiveSession

T = TypeVar("T")

Filter = Callable[[e.AnyEvent, LiveSession], bool]
"""Takes an event and its session as it stands when the event is told; it must not change the session, nor keep it."""

PATHS: Final = ("file_path", "path", "absolute_path", "notebook_path")
"""Inputs of tool calls that name a file."""

_PATCHED: Final = re.compile(r"^\*\*\* (?:Update File|Add File|Delete File|Move to): (.+)$", re.MULTILINE)


def provider(*names: str) -> Filter:
    """Events of these providers: claude, codex, gemini, cursor."""
    wanted = frozenset(_some(names))
    return lambda event, _: event.provider in wanted


def session(*ids: str) -> Filter:
    """Events of these sessions, by the provider's own id or its beginning."""
    wanted = _some(ids)
    return lambda event, _: event.session.startswith(wanted)


def project(*names: str) -> Filter:
    """Events of sessions that work there.

    An absolute path means that directory and everything below it; anything else is the name of the working directory
    itself and may have wildcards, as in `shop-*`.
    """
    wanted = _some(names)

    def fits(_: e.AnyEvent, live: LiveSession) -> bool:
        cwd = PurePosixPath(live.cwd)
        return bool(live.cwd) and any(
            cwd.is_relative_to(name) if name.startswith("/") else fnmatchcase(cwd.name, name) for name in wanted
        )

    return fits


def kind(*kinds: str) -> Filter:
    """Events of these kinds, as in `message` or `tool_use`."""
    wanted = frozenset(map(known_kind, _some(kinds)))
    return lambda event, _: event.kind in wanted


def role(*roles: str) -> Filter:
    """Messages of these roles: user, assistant, thinking."""
    wanted = frozenset(_some(roles))
    return lambda event, _: isinstance(event, e.MessageAdded) and event.role in wanted


def tool(*names: str) -> Filter:
    """Calls of these tools and their results, by the provider's own name; wildcards as in `mcp__github__*`."""
    wanted = _some(names)

    def fits(event: e.AnyEvent, _: LiveSession) -> bool:
        used = used_by(event)
        return used is not None and any(fnmatchcase(used.tool, name) for name in wanted)

    return fits


def tool_category(*categories: str) -> Filter:
    """Calls of these kinds of tools, and their results.

    file_read, file_write, command, search, web, agent, plan, ask, mcp or other, whatever each CLI names its tools.
    """
    wanted = frozenset(_some(categories))

    def fits(event: e.AnyEvent, _: LiveSession) -> bool:
        used = used_by(event)
        return used is not None and used.category in wanted

    return fits


def path(*globs: str) -> Filter:
    """Calls and results that name a file that fits: `*` stays in one directory, `**` does not.

    A glob that begins with `/` is compared with the whole path, any other also with the path below the session's
    working directory.
    """
    wanted = [_compiled(glob) for glob in _some(globs)]

    def fits(event: e.AnyEvent, live: LiveSession) -> bool:
        return any(
            pattern.fullmatch(form)
            for named in paths_of(event)
            for form in _forms(named, live.cwd)
            for pattern in wanted
        )

    return fits


def failed() -> Filter:
    """Results that are errors, and errors."""
    return lambda event, _: isinstance(event, e.ErrorRaised) or (isinstance(event, e.ToolReturned) and event.is_error)


def main() -> Filter:
    """Events of the main conversation, none of its sub-agents'."""
    return lambda event, _: not event.agent


def where(claim: Callable[[e.AnyEvent], bool]) -> Filter:
    """Events of which `claim` says so."""
    return lambda event, _: claim(event)


def any_of(*given: Filter) -> Filter:
    """At least one of these fits."""
    wanted = _some(given)
    return lambda event, live: any(each(event, live) for each in wanted)


def all_of(*given: Filter) -> Filter:
    """All of these fit, as in a pipe; of use inside of `any_of` and `none_of`."""
    wanted = _some(given)
    return lambda event, live: all(each(event, live) for each in wanted)


def none_of(*given: Filter) -> Filter:
    """None of these fits."""
    wanted = _some(given)
    return lambda event, live: not any(each(event, live) for each in wanted)


# ── what events name ───────────────────────────────────────────────────────────────────────────


def known_kind(name: str) -> str:
    """Return the name of a kind of event. Raises `UsageError` for one that does not exist."""
    if name not in KINDS:
        raise UsageError(f"there is no event called {name!r}", hint=f"events are: {', '.join(KINDS)}")
    return name


def used_by(event: e.AnyEvent) -> e.ToolUsed | None:
    """Return the call that an event is, or answers."""
    match event:
        case e.ToolUsed():
            return event
        case e.ToolReturned():
            return event.used
    return None


def paths_of(event: e.AnyEvent) -> Iterator[str]:
    """Yield the files that a call or its result names."""
    if isinstance(event, e.ToolReturned):
        yield from (change.path for change in event.files)
    used = used_by(event)
    if used is None:
        return
    for name in PATHS:
        value = used.input.get(name)
        if isinstance(value, str) and value:
            yield value
    patch = used.input.get("input")
    if isinstance(patch, str):
        yield from (found.strip() for found in _PATCHED.findall(patch))


def _forms(named: str, cwd: str) -> Iterator[str]:
    yield named
    if named.startswith("/"):
        yield named[1:]
    if cwd and PurePosixPath(named).is_relative_to(cwd):
        yield str(PurePosixPath(named).relative_to(cwd))


@lru_cache(maxsize=256)
def _compiled(glob: str) -> re.Pattern[str]:
    """`**/` is any number of directories, `**` anything, `*` and `?` do not cross a slash."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts), re.DOTALL)


def _some(given: tuple[T, ...]) -> tuple[T, ...]:
    if not given:
        raise UsageError("a filter needs something to compare with", hint="give it at least one value")
    return given
