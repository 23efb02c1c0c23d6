"""Where things live, and that they are ours alone.

Everything under `run` is a socket, a lock or a record of a live session. It is kept in the state directory,
not in /tmp or $XDG_RUNTIME_DIR, because it has to survive a logout; a path that is too long for a unix socket
falls back to the runtime directory.
"""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from agentdeck.errors import UnsafePathError

SOCKET_PATH_LIMIT = 103
"""Bytes; macOS has the smallest `sun_path`, 104 with its end mark."""

_LONGEST_NAME = len("/00000000.sock.12345678")


class Paths(NamedTuple):  # a dataclass costs everything that starts 8 ms
    state: Path
    """Logs, the session store; survives a reboot."""
    run: Path
    """Sockets, locks and session records; 0700."""
    config: Path
    """The configuration file itself; it need not exist."""
    cache: Path

    @property
    def hub_socket(self) -> Path:
        return self.run / "hub.sock"

    @property
    def hub_log(self) -> Path:
        return self.state / "hub.log"


def locate(env: Mapping[str, str] | None = None) -> Paths:
    """Return the paths for `env` (the process's own by default). Creates nothing."""
    import platformdirs

    env = os.environ if env is None else env
    home = Path(env.get("HOME") or Path.home())

    def base(variable: str, ours: Path, fallback: str) -> Path:
        if given := env.get(variable):
            return Path(given) / "agentdeck"
        return ours if env is os.environ else home / fallback / "agentdeck"

    state = base("XDG_STATE_HOME", platformdirs.user_state_path("agentdeck"), ".local/state")
    config = base("XDG_CONFIG_HOME", platformdirs.user_config_path("agentdeck"), ".config")
    cache = base("XDG_CACHE_HOME", platformdirs.user_cache_path("agentdeck"), ".cache")
    host = re.sub(r"[^A-Za-z0-9]", "-", os.uname().nodename.split(".")[0])[:20] or "host"
    run = state / host / "run"
    if len(os.fsencode(run)) + _LONGEST_NAME > SOCKET_PATH_LIMIT:
        import hashlib  # rarely needed, and slow to load

        runtime = Path(env.get("XDG_RUNTIME_DIR") or f"/tmp/agentdeck-{os.getuid()}")
        run = runtime / f"agentdeck-{hashlib.sha256(os.fsencode(state)).hexdigest()[:12]}"
    return Paths(state=state, run=run, config=config / "config.toml", cache=cache)


def make_private(directory: Path) -> Path:
    """Create `directory` as 0700, or check that it is a directory of ours that nobody else can enter.

    Raises `UnsafePathError`.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = os.lstat(directory)
    if not stat.S_ISDIR(found.st_mode):
        raise UnsafePathError(str(directory), "is not a directory")
    if found.st_uid != os.getuid():
        raise UnsafePathError(str(directory), "belongs to somebody else")
    if found.st_mode & 0o077:
        directory.chmod(0o700)
    return directory
