"""Whether two paths are one file of a repository: git's own files tell which worktrees share a common directory."""

import os
from pathlib import Path


def identity(path: str) -> str:
    """Return a text that is the same for one file in all worktrees of a repository; outside of one, its real path.

    The file itself need not exist any more.
    """
    real = os.path.realpath(path)
    found = _repository(Path(real).parent)
    if found is None:
        return real
    top, common = found
    return f"{common}:{os.path.relpath(real, top)}"


def _repository(directory: Path) -> tuple[str, str] | None:
    """Return the top of the worktree that `directory` is in and the repository's common directory."""
    for top in (directory, *directory.parents):
        git = top / ".git"
        if git.is_dir():
            return str(top), str(git)
        if git.is_file():
            common = _common(git)
            return (str(top), common) if common else None
    return None


def _common(link: Path) -> str:
    """Follow a worktree's `.git` file (gitrepository-layout(5)): gitdir, and in it commondir."""
    try:
        words = link.read_text(encoding="utf-8", errors="surrogateescape").strip()
        if not words.startswith("gitdir:"):
            return ""
        gitdir = link.parent / words.removeprefix("gitdir:").strip()
        common = gitdir / "commondir"
        return os.path.realpath(gitdir / common.read_text().strip() if common.is_file() else gitdir)
    except OSError:
        return ""
