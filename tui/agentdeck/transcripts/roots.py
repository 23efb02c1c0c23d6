"""Where the CLIs keep their transcripts, and which files there are."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

AGENTS: Final = frozenset(("claude", "codex", "gemini", "cursor"))
"""Whose transcripts can be read."""


class Root(NamedTuple):
    """A directory below which an agent CLI keeps its transcripts: claude, codex, gemini or cursor."""

    agent: str
    path: Path


class Found(NamedTuple):
    """A transcript as the file system shows it."""

    agent: str
    path: bytes
    device: int
    inode: int
    size: int
    changed: int
    """Modification time in nanoseconds."""


def roots(env: Mapping[str, str]) -> list[Root]:
    """Return the directories to look in, each once, in the order in which they are read."""
    home = Path(env.get("HOME") or Path.home())
    claude = [Path(part) for part in env.get("CLAUDE_CONFIG_DIR", "").split(",") if part]
    codex = Path(env.get("CODEX_HOME") or home / ".codex")
    found = [
        *(Root("claude", base / "projects") for base in (*claude, home / ".claude", home / ".config" / "claude")),
        Root("codex", codex / "sessions"),
        Root("codex", codex / "archived_sessions"),
        Root("gemini", home / ".gemini" / "tmp"),
        Root("cursor", home / ".cursor" / "projects"),
    ]
    return list(dict.fromkeys(found))


def configured(more: Mapping[str, Sequence[str]], env: Mapping[str, str]) -> list[Root]:
    """Return the directories that the configuration names, by provider. A relative one lies in the home directory."""
    home = Path(env.get("HOME") or Path.home())
    return [
        Root(agent, home / path.removeprefix("~/")) for agent, paths in more.items() for path in paths if path.strip()
    ]


def everywhere(config: Path, env: Mapping[str, str]) -> list[Root]:
    """Return the usual directories and those that the configuration file names; a broken one names none."""
    more = []
    if config.exists():
        from agentdeck.config import load  # only where there is a file: what starts fast must not pay for it

        more = configured(load(config)[0].transcripts.roots, env)
    return list(dict.fromkeys([*roots(env), *(root for root in more if root.agent in AGENTS)]))


def resolved(roots: Iterable[Root]) -> tuple[Root, ...]:
    """Return where the roots really are, each once; one inside another of the same agent is left out."""
    real = dict.fromkeys(Root(root.agent, Path(os.path.realpath(root.path))) for root in roots)
    return tuple(
        root
        for root in real
        if not any(root.agent == other.agent and other.path in root.path.parents for other in real)
    )


def transcripts(root: Root) -> Iterator[Found]:
    """Yield every transcript below `root`, in no order. What cannot be read is left out, and so are links.

    Paths are real ones, also where the root itself is a link.
    """
    waiting = [os.fsencode(os.path.realpath(root.path))]
    while waiting:
        try:
            entries = os.scandir(waiting.pop())
        except OSError:
            continue
        with entries:
            for entry in entries:
                try:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif is_transcript(root.agent, entry.path) and entry.is_file(follow_symlinks=False):
                        stat = entry.stat(follow_symlinks=False)
                        yield Found(root.agent, entry.path, stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)
                except OSError:
                    continue


def is_transcript(agent: str, path: bytes) -> bool:
    """Whether a path below one of the agent's roots is a transcript, by its name."""
    name = path.rpartition(b"/")[2]
    match agent:
        case "claude":
            return name.endswith(b".jsonl")
        case "codex":
            return name.startswith(b"rollout-") and name.endswith((b".jsonl", b".jsonl.zst"))
        case "gemini":
            return name.startswith(b"session-") and name.endswith((b".jsonl", b".json"))
        case "cursor":
            return name.endswith(b".jsonl") and b"/agent-transcripts/" in path
    return False
