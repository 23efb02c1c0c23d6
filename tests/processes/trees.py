"""Trees that look like /proc, made of what a test says of each process."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agentdeck.processes.look import ProcLook

BOOT = 1_700_000_000.0
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Tree:
    """`home` is the HOME of everybody in it."""

    root: Path
    home: Path
    pids: list[int] = field(default_factory=list)

    @property
    def look(self) -> ProcLook:
        return ProcLook(root=self.root, boot=BOOT)

    def began(self, seconds: float) -> float:
        return BOOT + seconds

    def add(
        self,
        pid: int,
        argv: Sequence[str],
        *,
        parent: int = 1,
        at: float = 100.0,
        exe: str = "",
        comm: str = "",
        cwd: str = "/app",
        env: dict[str, str] | None = None,
        files: Sequence[str] = (),
        tty: int = 3,
        uid: int | None = None,
        state: str = "S",
    ) -> int:
        """Say that a process runs: started `at` seconds after boot, in terminal pts/`tty` (none when negative)."""
        folder = self.root / str(pid)
        (folder / "fd").mkdir(parents=True)
        (folder / "task" / str(pid)).mkdir(parents=True)
        (folder / "task" / str(pid) / "children").write_text("")
        number = os.makedev(136, tty) if tty >= 0 else 0
        fields = [state, parent, pid, pid, number, pid, *([0] * 13), int(at * TICKS), 0, 0]
        fields[17] = 1  # threads
        fields[19] = int(at * TICKS)
        (folder / "stat").write_text(f"{pid} ({comm or Path(argv[0]).name[:15]}) " + " ".join(map(str, fields)))
        (folder / "cmdline").write_bytes(b"".join(os.fsencode(word) + b"\0" for word in argv))
        (folder / "environ").write_bytes(
            b"".join(
                os.fsencode(f"{name}={value}") + b"\0"
                for name, value in {"HOME": str(self.home), **(env or {})}.items()
            )
        )
        (folder / "status").write_text(f"Name:\tx\nUid:\t{os.getuid() if uid is None else uid}\t0\t0\t0\n")
        (folder / "exe").symlink_to(exe or argv[0])
        (folder / "cwd").symlink_to(cwd)
        for number, path in enumerate(files, 3):
            (folder / "fd" / str(number)).symlink_to(path)
        self.pids.append(pid)
        return pid

    def end(self, pid: int) -> None:
        for path in sorted((self.root / str(pid)).rglob("*"), reverse=True):
            path.unlink() if path.is_symlink() or not path.is_dir() else path.rmdir()
        (self.root / str(pid)).rmdir()
