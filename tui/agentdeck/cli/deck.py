"""Open the deck: the one place of the command line that loads Textual."""

import sys

from agentdeck.errors import HubError, UsageError
from agentdeck.paths import Paths, locate, make_private


def require_terminal(instead: str) -> None:
    """Raise `UsageError` when there is no terminal to draw a deck on; `instead` is the hint."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the deck needs a terminal for its input and output", hint=instead)


def open_deck(session: str = "", *, no_daemon: bool = False, paths: Paths | None = None) -> int:
    """Run the deck until the person leaves it, and whatever it leads to.

    `session` non-empty: select that one and type into it. `no_daemon`: the hub lives in this process; it takes the same
    lifetime lock as the other kind, so that there is never a second one. Raises `HubError` when there is one already.
    """
    from agentdeck import config as configuration
    from agentdeck.hub.main import Lifetime
    from agentdeck.ui.app import run_deck

    paths = paths or locate()
    config, problems = configuration.load(paths.config)
    for problem in problems:  # seen again after the deck, which shows what its hub says of them
        print(f"agentdeck: {problem}", file=sys.stderr)
    if no_daemon and not Lifetime(make_private(paths.run)).take():
        raise HubError("a hub is already running", hint="agentdeck hub stop ends it; its sessions go on")
    then = run_deck(paths, config, attach=session or None, daemon=not no_daemon)
    if then == "demo":
        from agentdeck.cli.commands.demo import show

        return show()
    return 0
