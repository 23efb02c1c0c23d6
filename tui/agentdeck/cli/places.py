"""Providers, directories and moments in the words of the command line."""

import os
from collections.abc import Callable
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from agentdeck.errors import UsageError


def known_provider(name: str) -> str:
    """Return the name of a provider that writes transcripts. Raises `UsageError`."""
    from agentdeck.transcripts.parse import PARSERS

    if name not in PARSERS:
        raise UsageError(f"no transcripts are known of {name!r}", hint=f"known: {', '.join(sorted(PARSERS))}")
    return name


def directory(text: str) -> str:
    """A project as a person types it: a path becomes absolute; a bare name, which may have wildcards, stays one."""
    if text in (".", "..") or "/" in text or text.startswith("~"):
        return os.path.normpath(Path(text).expanduser().absolute())
    return text


def within(text: str) -> Callable[[str], bool]:
    """Whether a directory is the one that `text` means, or, when `text` is a path, lies below it."""
    wanted = directory(text)

    def lies_in(project: str) -> bool:
        place = PurePosixPath(project)
        if not project:
            return False
        return place.is_relative_to(wanted) if wanted.startswith("/") else fnmatchcase(place.name, wanted)

    return lies_in


def homely(path: str) -> str:
    """A path with ~ for one's own home directory."""
    home = os.environ.get("HOME") or str(Path.home())
    return f"~{path[len(home) :]}" if path == home or path.startswith(f"{home}/") else path


def moment(at: float | None) -> str:
    """A time of day on the clock of this machine; blanks when it is not known."""
    if not at:
        return " " * 16
    try:
        return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):
        return "?".ljust(16)
