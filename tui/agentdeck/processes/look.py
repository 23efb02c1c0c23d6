"""What the system says of one process: read, and nothing else. Nothing here opens a descriptor of another process.

Reading what `/proc/PID/fd/0` leads to would steal keys from whoever runs it, so only the links' texts are read. A
process that vanishes while it is looked at is no error but an empty answer, and so is one that is not ours to see.
"""

import contextlib
import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import psutil

from agentdeck.processes.source import Process, from_psutil, parse_stat

_TICKS: Final = os.sysconf("SC_CLK_TCK")

_PTS_MAJOR: Final = range(136, 144)
_TTY_MAJOR: Final = 4


class Look(ABC):
    """Every question takes a pid. `under` non-empty: only these processes and what descends from them are seen."""

    def __init__(self, under: Iterable[int] = ()) -> None:
        self.under = tuple(under)

    @abstractmethod
    def table(self) -> dict[int, Process]: ...

    @abstractmethod
    def children(self, pid: int) -> list[int]: ...

    @abstractmethod
    def arguments(self, pid: int) -> tuple[str, ...]: ...

    @abstractmethod
    def program(self, pid: int) -> str:
        """The program file."""

    @abstractmethod
    def directory(self, pid: int) -> str: ...

    @abstractmethod
    def environment(self, pid: int) -> dict[str, str]:
        """What it started with."""

    @abstractmethod
    def open_files(self, pid: int) -> list[str]: ...

    @abstractmethod
    def owner(self, pid: int) -> int | None:
        """Its user's number; None when there is no such process."""

    @abstractmethod
    def terminal(self, pid: int) -> str:
        """Its controlling terminal as `ps` writes it, pts/3; empty when it has none."""

    @abstractmethod
    def start(self, pid: int) -> int | None:
        """The start that `Process.start` has; None when there is no such process."""

    @abstractmethod
    def began(self, start: int) -> float:
        """A start in unix time."""

    def is_alive(self, pid: int, start: int) -> bool:
        """Whether it is this process still, and no later one of the same number."""
        return self.start(pid) == start


class ProcLook(Look):
    """Linux. `root` is another tree that looks like /proc, and `boot` when its machine started, for tests."""

    def __init__(self, under: Iterable[int] = (), *, root: Path = Path("/proc"), boot: float | None = None) -> None:
        super().__init__(under)
        self._root = root
        self._boot = boot

    def table(self) -> dict[int, Process]:
        pids = self._below() if self.under else (int(name) for name in self._names() if name.isdigit())
        found = (parse_stat(self._bytes(pid, "stat")) for pid in pids)
        return {process.pid: process for process in found if process is not None}

    def _names(self) -> list[str]:
        with contextlib.suppress(OSError):
            return os.listdir(self._root)
        return []

    def _below(self) -> Iterator[int]:
        waiting, seen = list(self.under), set[int]()
        while waiting:
            pid = waiting.pop()
            if pid not in seen:
                seen.add(pid)
                yield pid
                waiting += self.children(pid)

    def children(self, pid: int) -> list[int]:
        found: list[int] = []
        with contextlib.suppress(OSError):
            for task in os.listdir(self._root / f"{pid}/task"):
                found += map(int, self._bytes(pid, f"task/{task}/children").split())
        return found

    def _bytes(self, pid: int, name: str) -> bytes:
        try:
            return (self._root / f"{pid}/{name}").read_bytes()
        except OSError:
            return b""

    def _link(self, pid: int, name: str) -> str:
        try:
            return os.readlink(self._root / f"{pid}/{name}")  # noqa: PTH115 - a link's text, not a path of ours
        except OSError:
            return ""

    def arguments(self, pid: int) -> tuple[str, ...]:
        raw = self._bytes(pid, "cmdline").rstrip(b"\0")
        return tuple(part.decode("utf-8", "replace") for part in raw.split(b"\0")) if raw else ()

    def program(self, pid: int) -> str:
        return self._link(pid, "exe").removesuffix(" (deleted)")

    def directory(self, pid: int) -> str:
        return self._link(pid, "cwd").removesuffix(" (deleted)")

    def environment(self, pid: int) -> dict[str, str]:
        pairs = (entry.partition("=") for entry in os.fsdecode(self._bytes(pid, "environ")).split("\0"))
        return {name: value for name, found, value in pairs if found}

    def open_files(self, pid: int) -> list[str]:
        try:
            descriptors = os.listdir(self._root / f"{pid}/fd")
        except OSError:
            return []
        links = (self._link(pid, f"fd/{descriptor}") for descriptor in descriptors)
        return [link for link in links if link.startswith("/")]

    def owner(self, pid: int) -> int | None:
        for line in self._bytes(pid, "status").splitlines():
            if line.startswith(b"Uid:"):
                return int(line.split()[1])
        return None

    def terminal(self, pid: int) -> str:
        fields = self._fields(pid)
        number = int(fields[4]) if len(fields) > 4 else 0
        major, minor = os.major(number), os.minor(number)
        if major in _PTS_MAJOR:
            return f"pts/{(major - _PTS_MAJOR.start) * 256 + minor}"
        return f"tty{minor}" if major == _TTY_MAJOR else ""

    def _fields(self, pid: int) -> list[bytes]:
        row = self._bytes(pid, "stat")
        return row[row.rfind(b")") + 2 :].split()

    def start(self, pid: int) -> int | None:
        fields = self._fields(pid)
        return int(fields[19]) if len(fields) > 19 and fields[0] not in (b"Z", b"X") else None

    def began(self, start: int) -> float:
        boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) if self._boot is None else self._boot
        return boot + start / _TICKS


class PsutilLook(Look):
    """Other systems: what psutil can tell of them."""

    def table(self) -> dict[int, Process]:
        table = from_psutil()
        if not self.under:
            return table
        found = set(self.under)
        while more := {process.pid for process in table.values() if process.ppid in found} - found:
            found |= more
        return {pid: table[pid] for pid in found if pid in table}

    def children(self, pid: int) -> list[int]:
        with contextlib.suppress(psutil.Error, OSError):
            return [child.pid for child in psutil.Process(pid).children()]
        return []

    def arguments(self, pid: int) -> tuple[str, ...]:
        with contextlib.suppress(psutil.Error, OSError):
            return tuple(psutil.Process(pid).cmdline())
        return ()

    def program(self, pid: int) -> str:
        with contextlib.suppress(psutil.Error, OSError):
            return psutil.Process(pid).exe()
        return ""

    def directory(self, pid: int) -> str:
        with contextlib.suppress(psutil.Error, OSError):
            return psutil.Process(pid).cwd()
        return ""

    def environment(self, pid: int) -> dict[str, str]:
        with contextlib.suppress(psutil.Error, OSError):
            return psutil.Process(pid).environ()
        return {}

    def open_files(self, pid: int) -> list[str]:
        with contextlib.suppress(psutil.Error, OSError):
            return [file.path for file in psutil.Process(pid).open_files()]
        return []

    def owner(self, pid: int) -> int | None:
        with contextlib.suppress(psutil.Error, OSError):
            return psutil.Process(pid).uids().real
        return None

    def terminal(self, pid: int) -> str:
        with contextlib.suppress(psutil.Error, OSError):
            return (psutil.Process(pid).terminal() or "").removeprefix("/dev/")
        return ""

    def start(self, pid: int) -> int | None:
        with contextlib.suppress(psutil.Error, OSError):
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE:
                return int(process.create_time() * 1000)
        return None

    def began(self, start: int) -> float:
        return start / 1000


UNDER: Final = "AGENTDECK_PROCESSES_UNDER"
"""An environment variable: pids with commas between them. Only they and what descends from them are looked at."""


def system_look(under: Iterable[int] | None = None) -> Look:
    """Return the way to look at this system's processes."""
    if under is None:
        under = [int(word) for word in os.environ.get(UNDER, "").split(",") if word.strip().isdigit()]
    return ProcLook(under) if sys.platform == "linux" else PsutilLook(under)
