"""Open the deck: the one place of the command line that loads Textual."""

import sys

from agentdeck.errors import UsageError
from agentdeck.paths import Paths, locate


def require_terminal(instead: str) -> None:
    """Raise `UsageError` when there is no terminal to draw a deck on; `instead` is the hint."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the deck needs a terminal for its input and output", hint=instead)


def open_deck(
    session: str = "",
    *,
    pid: int | None = None,
    at: tuple[str, int] | None = None,
    no_daemon: bool = False,
    paths: Paths | None = None,
) -> int:
    """Run the deck until the person leaves it, and whatever it leads to.

    `session` non-empty: select that one and type into it. `pid`: watch an agent that runs elsewhere. `at`: read a
    session's conversation, ours or `provider:id`, from a message on. `no_daemon`: the hub lives in this process. Raises
    `SessionError` when the pid cannot be watched or there is no such conversation, `HubError` when there is a hub
    already.
    """
    from agentdeck import config as configuration
    from agentdeck.ui.app import run_deck

    paths = paths or locate()
    config, problems = configuration.load(paths.config)
    for problem in problems:  # seen again after the deck, which shows what its hub says of them
        print(f"agentdeck: {problem}", file=sys.stderr)
    then = run_deck(paths, config, attach=session or None, attach_pid=pid, at=at, daemon=not no_daemon)
    if then == "demo":
        from agentdeck.cli.commands.demo import show

        return show()
    return 0
