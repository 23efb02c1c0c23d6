"""The process that reads transcripts: python -m agentdeck.worker.main [--root PROVIDER=DIRECTORY]…

It follows every session's transcript, keeps the usage ledger up to date, and tells the hub on its standard output.
Reading gigabytes costs CPU, so it is a process of its own with low priority, and the deck never waits for it. What is
needed for the first figures is loaded first, and everything else when they are told.
"""

import contextlib
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Final

from agentdeck import sparing  # noqa: F401  (first)
from agentdeck.paths import Paths
from agentdeck.protocol.worker import Problem
from agentdeck.transcripts.roots import AGENTS, Root, configured, roots
from agentdeck.worker.first import First, begin, open_books
from agentdeck.worker.pipe import Pipe

NICE: Final = 5


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C in the terminal is meant for others
    pipe = Pipe(os.dup(1))
    os.dup2(2, 1)  # nothing else may write among the frames
    words = [word.partition("=")[::2] for word in sys.argv[1:]]
    paths = _paths(dict(words))
    more = [
        *configured(_roots(paths.config), os.environ),
        *(Root(given.partition("=")[0], Path(given.partition("=")[2])) for name, given in words if name == "--root"),
    ]
    for agent in {root.agent for root in more} - AGENTS:
        pipe.write(Problem(f"no transcripts are known of {agent!r}: see transcripts.roots in {paths.config}"))
    places = tuple(dict.fromkeys([*roots(os.environ), *(root for root in more if root.agent in AGENTS)]))
    first = _first(paths, places, pipe)
    with contextlib.suppress(OSError):
        os.nice(NICE)
    import asyncio

    from agentdeck.worker.outlet import Outlet
    from agentdeck.worker.serving import serve

    asyncio.run(serve(Outlet(pipe), paths, places, first))


def _paths(given: dict[str, str]) -> Paths:
    """What the hub says; what it does not, from the environment."""
    state, config = given.get("--state"), given.get("--config")
    if state and config:
        return Paths(state=Path(state), run=Path(state), config=Path(config), cache=Path(state))
    from agentdeck.paths import locate

    return locate()


def _roots(config: Path) -> dict[str, list[str]]:
    if not config.exists():
        return {}
    from agentdeck.config import load

    return load(config)[0].transcripts.roots


def _first(paths: Paths, places: tuple[Root, ...], pipe: Pipe) -> First | None:
    try:
        books = open_books(paths, places, lambda text: pipe.write(Problem(text)))
        try:
            return begin(books, pipe.write)
        except BaseException:
            books.close()
            raise
    except (OSError, sqlite3.Error):
        return None  # it is tried again, and told


if __name__ == "__main__":
    main()
