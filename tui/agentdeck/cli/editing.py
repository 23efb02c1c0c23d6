"""Open the configuration in the person's editor; a new file starts with every setting, commented out."""

import os
import shlex
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

from agentdeck.errors import SpawnError, UsageError


def edit(path: Path) -> None:
    """Edit the file at `path` and return when the editor has ended.

    Raises `UsageError` when there is no editor, `SpawnError` when it fails.
    """
    command = editor()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(template(), encoding="utf-8")
    try:
        status = subprocess.run([*command, os.fspath(path)], check=False).returncode
    except OSError as error:
        raise SpawnError(f"the editor {command[0]} did not start: {error.strerror}", hint="set $EDITOR") from error
    if status:
        raise SpawnError(f"the editor {command[0]} ended with status {status}", hint=f"the file is {path}")


def editor() -> list[str]:
    """The person's editor, or the first plain one that exists."""
    for variable in ("VISUAL", "EDITOR"):
        if command := shlex.split(os.environ.get(variable, "")):
            return command
    for name in ("nano", "vi"):
        if found := shutil.which(name):
            return [found]
    raise UsageError("there is no editor", hint="set $EDITOR, or write the file that agentdeck config path names")


def template() -> str:
    return files("agentdeck.cli").joinpath("template.toml").read_text("utf-8")
