"""The agent CLIs that agentdeck knows: one file and one row each, plus what the configuration adds.

To add one, write a file that makes a `Provider` and name it in `builtin`; nothing else has to change.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from agentdeck.config import Config
from agentdeck.errors import UnknownProviderError
from agentdeck.providers import claude, codex, cursor, custom, gemini, shell
from agentdeck.providers.base import Launch, Provider, TitleRule

__all__ = ["Launch", "Provider", "TitleRule", "builtin", "find_program", "get", "known"]


def builtin() -> dict[str, Provider]:
    """Return the built-in providers by name, in the order in which they are offered."""
    everyone = (claude.PROVIDER, codex.PROVIDER, gemini.PROVIDER, cursor.PROVIDER, shell.provider())
    return {provider.name: provider for provider in everyone}


def known(config: Config) -> dict[str, Provider]:
    """Return the built-in providers, as the configuration changes them, and its own ones after them."""
    providers = builtin()
    for name, settings in config.providers.items():
        providers[name] = custom.from_config(name, settings, builtin())
    return providers


def get(name: str, providers: Mapping[str, Provider]) -> Provider:
    """Raises `UnknownProviderError`."""
    try:
        return providers[name]
    except KeyError:
        raise UnknownProviderError(name, providers) from None


def find_program(provider: Provider, path: str) -> str | None:
    """Return the program that a session of this provider runs, or None when it is not installed.

    `path` is a PATH; an entry that is empty or relative is not searched, whatever the shell does with it. A name
    with a slash is taken as it is.
    """
    directories = ":".join(entry for entry in path.split(":") if entry.startswith("/"))
    for name in provider.programs:
        found = shutil.which(str(Path(name).expanduser()) if "/" in name else name, path=directories)
        if found and (name not in provider.common_names or provider.home in Path(found).resolve().parts):
            return found
    return None
