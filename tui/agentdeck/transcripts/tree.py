"""The directories below some roots: which there are, which have changed, which must not be watched by recursion."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

REMOTE: Final = frozenset(
    (
        "9p",
        "afs",
        "ceph",
        "cifs",
        "davfs",
        "drvfs",
        "fuse.rclone",
        "fuse.sshfs",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
        "vboxsf",
    )
)
"""Kinds of file systems that others can write to without this kernel telling us."""


class Tree:
    """Walk it again for the whole truth; `changed` is cheap. Links are never followed."""

    def __init__(self, roots: Iterable[bytes]) -> None:
        self.roots = tuple(roots)
        self.directories: dict[bytes, int] = {}
        """Modification time in nanoseconds of each directory."""
        self.leaving: set[bytes] = set()
        """Roots with a link below them to a directory outside of all roots: a watcher would follow it."""

    def walk(self) -> None:
        self.directories, self.leaving = {}, set()
        for root in self.roots:
            for directory in self._below(root, root):
                self._note(directory)

    def changed(self) -> set[bytes]:
        """Return the directories in which something was made, renamed or removed since the last time."""
        found: set[bytes] = set()
        for directory, before in list(self.directories.items()):
            now = _changed(directory)
            if now is None:
                del self.directories[directory]
                found.add(os.path.dirname(directory))  # noqa: PTH120 - bytes
            elif now != before:
                found.add(directory)
                root = next(
                    (root for root in self.roots if directory == root or directory.startswith(root + b"/")), directory
                )
                for new in self._below(directory, root):
                    self._note(new)
        return found

    def _note(self, directory: bytes) -> None:
        now = _changed(directory)
        if now is not None:
            self.directories[directory] = now

    def _below(self, top: bytes, root: bytes) -> Iterator[bytes]:
        """Yield `top` and what is below it and not known yet."""
        waiting = [top]
        while waiting:
            directory = waiting.pop()
            yield directory
            try:
                with os.scandir(directory) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            if entry.path not in self.directories:
                                waiting.append(entry.path)
                        elif (
                            entry.is_symlink() and entry.is_dir() and not self._is_inside(os.path.realpath(entry.path))
                        ):
                            self.leaving.add(root)
            except OSError:
                continue

    def _is_inside(self, path: bytes) -> bool:
        return any(path == root or path.startswith(root + b"/") for root in self.roots)


def nearest(path: Path) -> Path:
    """Return the nearest parent that is a directory."""
    return next(parent for parent in path.parents if parent.is_dir() or parent == parent.parent)


def is_remote(path: str, mounts: str) -> bool:
    """Whether a path lies on a file system of another machine, by the text of /proc/self/mounts."""
    best, kind = "", ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) > 2:
            point = fields[1].replace("\\040", " ").rstrip("/")
            if (path == point or path.startswith(point + "/")) and len(point) >= len(best):
                best, kind = point, fields[2]
    return kind in REMOTE


def watched() -> int | None:
    """How many inotify watches this process has; None where nobody tells."""
    count = 0
    try:
        for name in os.listdir("/proc/self/fdinfo"):
            try:
                with open(f"/proc/self/fdinfo/{name}", "rb") as file:
                    count += file.read().count(b"inotify wd:")
            except OSError:
                continue
    except OSError:
        return None
    return count


def _changed(directory: bytes) -> int | None:
    try:
        found = os.lstat(directory)
    except OSError:
        return None
    return found.st_mtime_ns if stat.S_ISDIR(found.st_mode) else None
