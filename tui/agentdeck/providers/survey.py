"""Which agent CLIs are on this machine, and whether they run: for `agentdeck doctor`.

`look` only looks at PATH and is done in a millisecond. `ask_versions` runs each program once, with a home directory of
its own that is thrown away: some of them write into theirs even when all that they are asked is `--version`.
"""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from agentdeck.providers import find_program
from agentdeck.providers.base import Provider

VERSION_DEADLINE: Final = 15.0
"""Seconds; a cold node program on a loaded machine needs several."""

_VERSION: Final = re.compile(r"\b\d+(?:\.\d+)+(?:[-+.][0-9A-Za-z.-]+)?")

_KEPT: Final = re.compile(
    r"PATH|LANG|LC_ALL|TMPDIR|NODE_EXTRA_CA_CERTS|(?:NVM|FNM|VOLTA|ASDF|MISE|PYENV|NODENV|NODE|BUN)_(?:\w+_)?(?:DIR|HOME|ROOT)"
)
"""What a program may need to start at all: version managers put wrappers on PATH that look for these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One provider on this machine. `program` is empty when it is not installed."""

    provider: Provider
    program: str
    version: str = ""
    problem: str = ""
    """Why it is there but does not run; one sentence."""


def look(providers: Mapping[str, Provider], path: str) -> list[Found]:
    """Look for every provider's program on `path`, without running any."""
    return [
        Found(provider=provider, program=find_program(provider, path) or "") for provider in providers.values()
    ]  # fmt: skip


def ask_versions(
    found: Sequence[Found], env: Mapping[str, str], *, deadline: float = VERSION_DEADLINE
) -> list[Found]:  # fmt: skip
    """Run the installed agents with `--version`, all at once, and note what they say."""
    asked = [one for one in found if one.program and not one.provider.foreground]
    with tempfile.TemporaryDirectory(prefix="agentdeck-doctor-", ignore_cleanup_errors=True) as home:
        clean = {name: value for name, value in env.items() if _KEPT.fullmatch(name)}
        clean |= {"HOME": home, "TERM": "dumb", "NO_COLOR": "1"}
        with ThreadPoolExecutor(max_workers=max(1, len(asked))) as pool:
            answers = dict(
                zip(
                    [one.program for one in asked], pool.map(lambda one: _ask(one, clean, deadline), asked), strict=True
                )
            )
    return [answers.get(one.program, one) for one in found]


def _ask(found: Found, env: Mapping[str, str], deadline: float) -> Found:
    try:
        done = subprocess.run(
            [found.program, "--version"],
            env=dict(env),
            cwd=env["HOME"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=deadline,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return replace(found, version=_packaged(found.program), problem=f"--version took more than {deadline:.0f} s")
    except OSError as error:
        return replace(found, problem=f"it does not start: {error.strerror}")
    said = (done.stdout + b"\n" + done.stderr).decode(errors="replace")
    if done.returncode:
        last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "it says nothing")
        why = f"--version ends with status {done.returncode}: {last[:120]}"
        return replace(found, version=_packaged(found.program), problem=why)
    version = _VERSION.search(done.stdout.decode(errors="replace")) or _VERSION.search(said)
    return replace(found, version=version[0] if version else _packaged(found.program))


def _packaged(program: str) -> str:
    """The version in the npm package around a program; empty when there is none."""
    for directory in Path(program).resolve().parents[:4]:
        try:
            version = json.loads((directory / "package.json").read_bytes()).get("version", "")
        except (OSError, ValueError, AttributeError):
            continue
        return version if isinstance(version, str) else ""
    return ""


def search_path() -> str:
    return os.environ.get("PATH", os.defpath)
