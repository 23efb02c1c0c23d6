"""Does something run in the foreground of a shell?

The kernel knows which process group has the terminal: while it is the shell's own, the shell shows its prompt.
"""

from pathlib import Path


def is_busy(shell: int) -> bool | None:
    """Return whether another process group than the shell's has its terminal; None when the system does not tell."""
    try:
        row = Path(f"/proc/{shell}/stat").read_bytes()
    except OSError:
        return None
    fields = row[row.rfind(b")") + 2 :].split()
    if len(fields) < 6 or fields[0] == b"Z":
        return None
    group, foreground = int(fields[2]), int(fields[5])
    return None if foreground <= 0 else group != foreground
