"""Every error that agentdeck can explain to the person using it.

AgentdeckError
├── UsageError              exit 2   the call's words are off
│   ├── UnknownProviderError
│   ├── MissingDirectoryError
│   ├── BadKeyError
│   ├── RepositoryError     exit 2   nobody has allowed that this repository is shared
│   └── ConfigError         exit 2   a configuration file cannot be used
├── SessionError            exit 3   the session that was named cannot do this
│   ├── UnknownSessionError
│   ├── AmbiguousSessionError
│   ├── SessionEndedError
│   ├── SessionLimitError
│   └── ApprovalError               a waiting tool call could not be answered
│       ├── UnknownApprovalError
│       └── AlreadyAnsweredError
├── SpawnError              exit 4   a program did not start
├── HubError                exit 5   the hub cannot be reached, or speaks another version
│   ├── HubUnreachableError
│   └── ProtocolError
├── UnsafePathError         exit 6   a directory or socket is not ours alone
├── TerminalCoreError       exit 7   the terminal library is missing or not the one we know
├── LedgerError             exit 8   the usage ledger cannot be read or written
└── ShareError              exit 9   sharing cannot go on
    ├── AllowlistError
    └── GatewayError
"""

from collections.abc import Iterable


class AgentdeckError(Exception):
    """One plain sentence as its text, what to do about it as its hint."""

    exit_code = 1
    hint = ""

    def __init__(self, text: str, *, hint: str | None = None) -> None:
        super().__init__(text)
        if hint is not None:
            self.hint = hint


class UsageError(AgentdeckError):
    exit_code = 2


class UnknownProviderError(UsageError):
    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"there is no provider called {name!r}", hint=f"known providers: {', '.join(known)}")
        self.name = name


class MissingDirectoryError(UsageError):
    hint = "give --cwd an existing directory"

    def __init__(self, path: str) -> None:
        super().__init__(f"the directory {path} does not exist")
        self.path = path


class BadKeyError(UsageError):
    hint = "keys look like enter, esc, ctrl+c, alt+enter, shift+tab, f5, up or a single character"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no key called {name!r}")
        self.name = name


class ConfigError(UsageError):
    """`line` is 1-based, or 0 when the file has no such line."""

    def __init__(self, path: str, line: int, key: str, why: str) -> None:
        where = f"{path}:{line}" if line else path
        super().__init__(
            f"{where}: {key}: {why}" if key else f"{where}: {why}",
            hint="agentdeck config edit opens the file; until it is mended the defaults are used",
        )
        self.path, self.line, self.key, self.why = path, line, key, why


class SessionError(AgentdeckError):
    exit_code = 3
    hint = "agentdeck ls lists the sessions"


class UnknownSessionError(SessionError):
    def __init__(self, ref: str) -> None:
        super().__init__(f"there is no session {ref!r}")
        self.ref = ref


class AmbiguousSessionError(SessionError):
    def __init__(self, ref: str, ids: Iterable[str]) -> None:
        found = sorted(ids)
        super().__init__(f"{ref!r} fits {len(found)} sessions", hint=f"use more of the id: {', '.join(found)}")
        self.ref, self.ids = ref, found


class SessionEndedError(SessionError):
    hint = "agentdeck restarts it with R in the deck"

    def __init__(self, ref: str) -> None:
        super().__init__(f"session {ref} has ended")
        self.ref = ref


class SessionLimitError(SessionError):
    def __init__(self, limit: int, idle: Iterable[str]) -> None:
        names = ", ".join(idle)
        super().__init__(
            f"{limit} sessions are running, which is the limit",
            hint=(f"idle now: {names}; stop one of them, " if names else "stop one, ")
            + "or raise limits.sessions in the configuration",
        )
        self.limit = limit


class ApprovalError(SessionError):
    hint = "agentdeck approvals lists what waits; its session's own screen shows it too"


class UnknownApprovalError(ApprovalError):
    def __init__(self, ref: str) -> None:
        super().__init__(f"nothing waits under {ref!r}")
        self.ref = ref


class AlreadyAnsweredError(ApprovalError):
    hint = "nothing was changed by this answer"

    def __init__(self, how: str) -> None:
        super().__init__(f"this was settled before: {how}")
        self.how = how


class SpawnError(AgentdeckError):
    exit_code = 4
    hint = "agentdeck doctor shows which programs it can find"


class HubError(AgentdeckError):
    exit_code = 5
    hint = "agentdeck hub restart starts a fresh hub; running sessions are kept"


class HubUnreachableError(HubError):
    pass


class ProtocolError(HubError):
    pass


class UnsafePathError(AgentdeckError):
    exit_code = 6

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            f"{path} {why}", hint="it must be owned by you and closed to others: chmod 700 on the directory"
        )
        self.path = path


class TerminalCoreError(AgentdeckError):
    exit_code = 7
    hint = "install the pinned version: pip install pyghostty==0.1.3"


class LedgerError(AgentdeckError):
    exit_code = 8
    hint = "close what else is writing it, or make room on the disk; nothing in it is lost"

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"the usage ledger {path} cannot be used: {why}")
        self.path = path


class RepositoryError(UsageError):
    _FAR = " beyond this machine"

    def __init__(self, repository: str, server: str) -> None:
        more = f" --server {server}" if server != "local" else ""
        super().__init__(
            f"sharing {repository}{self._FAR if more else ''} has not been allowed",
            hint=f"agentdeck repo allow {repository}{more} allows it, once for all its sessions",
        )

    @property
    def repository(self) -> str:
        return str(self).removeprefix("sharing ").removesuffix(" has not been allowed").removesuffix(self._FAR)

    @property
    def server(self) -> str:
        return "lan" if str(self).endswith(f"{self._FAR} has not been allowed") else "local"


class ShareError(AgentdeckError):
    exit_code = 9
    hint = "agentdeck shares lists what is shared"


class AllowlistError(ShareError):
    hint = "nothing is shared until it is mended or removed"

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path} {why}")
        self.path, self.why = path, why


class GatewayError(ShareError):
    hint = "its log is gateway.log in the state directory"
