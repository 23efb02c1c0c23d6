"""The list of what is shared, as the hub asks and changes it. It is the owner's file: read at every question."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from agentdeck.errors import AgentdeckError
from agentdeck.protocol import viewers as v
from agentdeck.share.allowlist import Allowlist, Entry, Guard, write


class ShareList:
    def __init__(self, path: Path, problem: Callable[[str], None]) -> None:
        self._guard = Guard(path)
        self._problem = problem

    @property
    def problem(self) -> AgentdeckError | None:
        """Why nothing is shared, when that is not because nobody shared anything."""
        return self._guard.problem

    def now(self) -> Allowlist:
        """What cannot be believed is an empty list, and a `problem`."""
        return self._guard.now()

    def entry(self, share: str) -> Entry | None:
        return self._guard.now().entry_of(share)

    def roles(self, share: str) -> tuple[str, ...]:
        """The roles that are allowed in a share."""
        entry = self.entry(share)
        return entry.roles if entry is not None else ()

    def servers(self, share: str) -> tuple[str, ...]:
        """By which ways a share may be reached, besides from this machine; links name the first."""
        entry = self.entry(share)
        return entry.servers if entry is not None else ()

    def lets_in(self, share: str, door: str) -> bool:
        return door == "local" or door in self.servers(share)

    # ── changes ────────────────────────────────────────────────────────────────────────────────

    def checked(self) -> Allowlist:
        """The list, to be changed. Raises `AllowlistError`: one that cannot be believed is not overwritten."""
        listed = self._guard.now()
        if self._guard.problem is not None:
            raise self._guard.problem
        return listed

    def write(self, listed: Allowlist) -> None:
        """Raises `AllowlistError`."""
        write(self._guard.path, listed)

    def widen(self, share: str, server: str) -> tuple[str, ...]:
        """Let a share be reached by another way, too, which its links name from now on; return all its ways.

        Raises `AllowlistError`.
        """
        entry = self.entry(share)
        if entry is None:
            return ()
        servers = (server, *(each for each in entry.servers if each != server))
        if servers != entry.servers:
            self._replace(entry, msgspec.structs.replace(entry, servers=servers))
        return servers

    def allow_role(self, share: str, role: str) -> None:
        """The owner gives this role to somebody: the list has to say so. Raises `AllowlistError`."""
        entry = self.entry(share)
        if entry is not None and role in v.GUEST_ROLES and role not in entry.roles:
            wider = v.GUEST_ROLES[: max(v.GUEST_ROLES.index(role) + 1, len(entry.roles))]
            self._replace(entry, msgspec.structs.replace(entry, roles=wider))

    def remove(self, share: str) -> None:
        """Take a share off the list; one that cannot be believed shares nothing anyway and is left as it is."""
        listed = self._guard.now()
        if listed.entry_of(share) is not None:
            try:
                write(self._guard.path, listed.without(share))
            except AgentdeckError as error:
                self._problem(str(error))

    def _replace(self, entry: Entry, changed: Entry) -> None:
        listed = self._guard.now()
        name = next(name for name, each in listed.sessions.items() if each.share == entry.share)
        write(self._guard.path, listed.with_entry(name, changed))

    # ── watching ───────────────────────────────────────────────────────────────────────────────

    async def watch(self, look: Callable[[], bool]) -> None:
        """Call `look` whenever something changes beside the list, until it says that nobody cares any more."""
        from watchfiles import awatch  # only for those who share

        while True:
            with contextlib.suppress(FileNotFoundError, OSError, RuntimeError):
                async for _ in awatch(
                    self._guard.path.parent, debounce=100, step=20, recursive=False, rust_timeout=500,
                    yield_on_timeout=True, watch_filter=None,
                ):  # fmt: skip
                    if not look():
                        return
            if not look():  # the directory itself is gone or cannot be watched
                return
            await asyncio.sleep(0.3)
