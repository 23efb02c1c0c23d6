"""A plain shell: the person's own, or the first that exists."""

import os
import pwd
from collections.abc import Sequence
from pathlib import PurePath
from typing import Final

from agentdeck.providers.base import Launch, Provider

_SHELLS: Final = frozenset({"bash", "zsh", "fish", "sh", "dash", "ksh", "mksh", "tcsh", "csh", "nu", "elvish", "xonsh"})
_TAKES_VALUE: Final = frozenset({"--rcfile", "--init-file", "-o", "+o", "-O", "+O", "--emulate"})


def _arguments(launch: Launch) -> list[str]:
    return list(launch.args)


def provider() -> Provider:
    return Provider(
        name="shell",
        label="Shell",
        programs=(*_own(), "bash", "zsh", "sh"),
        arguments=_arguments,
        interrupt=(b"\x03",),
        prompt_in_arguments=False,
        install="set SHELL to a shell that exists",
        foreground=True,
    )


def prompts(argv: Sequence[str]) -> bool:
    """Whether this command line is a shell that will show a prompt, rather than run a script or a command."""
    if not argv or PurePath(argv[0]).name.lstrip("-") not in _SHELLS:
        return False
    before = ""
    for argument in argv[1:]:
        if before not in _TAKES_VALUE and (argument == "-c" or not argument.startswith(("-", "+"))):
            return False
        before = argument
    return True


def _own() -> tuple[str, ...]:
    """Return the shell of this account: SHELL, else what the account database says, unless that refuses logins."""
    try:
        listed = pwd.getpwuid(os.getuid()).pw_shell
    except KeyError:
        listed = ""
    candidates = (os.environ.get("SHELL", ""), listed)
    return tuple(name for name in candidates if name.startswith("/") and not name.endswith(("/nologin", "/false")))
