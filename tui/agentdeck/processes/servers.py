"""Which processes are MCP servers, and what people call them.

Pure over command lines. Nothing marks such a server but its name, by convention: `mcp-server-github`,
`@playwright/mcp`, `mcp/postgres`. It counts where the program is named, or what a launcher (node, npx, uvx, docker
run) starts; in other arguments it proves nothing (`grep mcp`).
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import PurePath
from typing import Final, NamedTuple

from agentdeck.processes import detect
from agentdeck.processes.source import Process

_LAUNCHER: Final = re.compile(
    r"(node|nodejs|MainThread|bun|bunx|deno|npm|npx|pnpm|yarn|uv|uvx|pipx|python[\d.]*|pypy[\d.]*|docker|podman"
    r"|bash|sh|dash|zsh|tsx|ts-node)"
)
_STEPS: Final = frozenset({"exec", "run", "tool", "dlx", "x", "-m", "-c", "--"})
"""What stands between a launcher and what it starts."""

_LOOKED_AT: Final = 8
"""Words of a command line behind a launcher."""

_SAYS_MCP: Final = re.compile(r"(?<![a-z])mcp(?![a-z])|modelcontextprotocol", re.IGNORECASE)
_NOISE: Final = re.compile(
    r"(^|[-_.])(mcp|server|modelcontextprotocol|latest|bin|dist|index|js|mjs|cjs|py|ts)(?=[-_.]|$)"
)


class Server(NamedTuple):
    name: str
    process: Process
    """The one of several (a launcher, a shell, the server) that has most of the memory."""
    rss: int
    """Bytes of all of them."""


def servers(tree: Iterable[tuple[Process, tuple[str, ...]]]) -> list[Server]:
    """Find the servers among a session's processes with their command lines, each once, by name."""
    found: dict[str, Server] = {}
    for process, line in tree:
        name = _remembered(tuple(line))
        if not name:
            continue
        known = found.get(name)
        biggest = process if known is None or process.rss > known.process.rss else known.process
        found[name] = Server(name, biggest, process.rss + (known.rss if known is not None else 0))
    return list(found.values())


@lru_cache(maxsize=4096)
def server_name(line: tuple[str, ...]) -> str:
    """Return what people call an MCP server, such as `github`; empty for any other process."""
    if not line or not line[0] or detect.provider(line) is not None:
        return ""
    program = PurePath(line[0]).name
    words = [line[0]]
    if _LAUNCHER.fullmatch(program):
        words = _started(line[1 : 1 + _LOOKED_AT])
    for word in words:
        if _SAYS_MCP.search(word):
            return _spoken(word)
    return ""


_remembered: Final = lru_cache(1024)(server_name)
"""The same command lines are looked at every few seconds."""


def _started(words: Sequence[str]) -> list[str]:
    """The first words that can name what a launcher starts: a script, a package, an image."""
    rest = [word for part in words for word in part.split()[:1] if word in _STEPS or not word.startswith("-")]
    return [word for word in rest if word not in _STEPS][:2]


def _spoken(word: str) -> str:
    """`/x/@modelcontextprotocol/server-github/dist/index.js` → github; `@playwright/mcp@latest` → playwright."""
    parts = [part for part in re.sub(r"(?<=.)@[^/]*$", "", word).strip("/").split("/") if part]
    says = next(n for n, part in enumerate(parts) if _SAYS_MCP.search(part) or n == len(parts) - 1)
    scope = [part for part in parts[max(0, says - 1) : says] if part.startswith("@")]
    for part in (parts[says], *scope, *parts[says + 1 : says + 2], *reversed(parts[:says])):
        name = _NOISE.sub("", part.lstrip("@")).strip("-_.")
        if name:
            return name
    return "mcp"
