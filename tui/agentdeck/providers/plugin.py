"""Where the plugin for Claude Code lies: package data, in the shape of a marketplace with one plugin in it."""

from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).resolve().parent.parent / "plugins" / "claude"


def directory() -> Path:
    """Return the marketplace's directory; its plugin is in `agentdeck` below it."""
    return _HERE


def arguments(family: str) -> tuple[str, ...]:
    """Return what makes a CLI of this family load the plugin for one session."""
    return ("--plugin-dir", str(directory() / "agentdeck")) if family == "claude" else ()
