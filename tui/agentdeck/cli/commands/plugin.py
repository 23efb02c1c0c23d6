"""`agentdeck plugin`: the commands /agentdeck:share and /agentdeck:unshare inside Claude Code.

Sessions of agentdeck have them anyway, by a flag. For sessions started elsewhere Claude Code's own plugin commands
install them, so that nothing but Claude Code ever writes its settings.
"""

import argparse
from typing import Final

from agentdeck.cli.commands import Subparsers, add

NAME: Final = "agentdeck@agentdeck"

_STEPS: Final = {
    "install": (("marketplace", "add", "{path}"), ("install", NAME)),
    "uninstall": (("uninstall", NAME), ("marketplace", "remove", "agentdeck")),
}
"""What is asked of `claude plugin`, in this order."""

SECONDS: Final = 60.0


def register(subparsers: Subparsers) -> None:
    more = (
        "In sessions of agentdeck /agentdeck:share and /agentdeck:unshare are there without installing anything.\n"
        'For one session elsewhere: claude --plugin-dir "$(agentdeck plugin path)".\n'
    )
    parser = add(subparsers, "plugin", run, more=more)
    parser.add_argument(
        "action", choices=("path", *_STEPS), help="print where it is, or have Claude Code take it or drop it"
    )


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.providers.plugin import directory

    if arguments.action == "path":
        print(directory() / "agentdeck")
        return 0
    for step in _STEPS[arguments.action]:
        _ask(tuple(word.format(path=directory()) for word in step))
    print("installed: /agentdeck:share and /agentdeck:unshare" if arguments.action == "install" else "removed")
    return 0


def _ask(words: tuple[str, ...]) -> None:
    """Raises `SpawnError` when Claude Code is missing or refuses."""
    import subprocess

    from agentdeck.errors import SpawnError

    told = " ".join(("claude", "plugin", *words))
    try:
        done = subprocess.run(
            ("claude", "plugin", *words),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise SpawnError("Claude Code is not installed: no claude on PATH") from error
    except subprocess.TimeoutExpired as error:
        raise SpawnError(f"Claude Code did not answer within {SECONDS:.0f} seconds: {told}") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise SpawnError(f"Claude Code refused: {said[-1] if said else told}", hint=f"try it by hand: {told}")
