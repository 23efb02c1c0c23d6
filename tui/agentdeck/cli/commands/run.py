"""`agentdeck run`: start a session, and open the deck on it unless it is to stay in the background."""

import argparse
import shutil
import sys
from pathlib import Path
from typing import Final

from agentdeck.cli.commands import Subparsers, add
from agentdeck.errors import AgentdeckError, MissingDirectoryError, UnknownProviderError, UsageError

DETACHED_SIZE: Final = (120, 40)
"""Columns and rows of a session that nobody looks at yet."""

MORE: Final = """\
PROVIDER is claude, codex, gemini, cursor, shell or one from the configuration; agentdeck doctor shows what is
installed. With --detach the new session's id is all that is printed. What follows -- goes to the program as it is:

  agentdeck run claude --name api --prompt 'fix the flaky test' -- --model opus
"""


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "run", run, more=MORE)
    parser.usage = "agentdeck run PROVIDER [--name NAME] [--cwd DIR] [--prompt TEXT] [--detach] [-- ARGS]"
    parser.add_argument("provider", metavar="PROVIDER", help="which agent, or shell")
    parser.add_argument("--name", default="", help="what to call it; the directory's name by default")
    parser.add_argument("--cwd", metavar="DIR", default=".", help="where it works; here by default")
    parser.add_argument("--prompt", metavar="TEXT", default="", help="its first prompt; - reads it from standard input")
    parser.add_argument("--detach", action="store_true", help="print its id and leave it in the background")


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.deck import open_deck, require_terminal

    if not arguments.detach:
        require_terminal("add --detach to start the session in the background")
    cwd = Path(arguments.cwd).expanduser().absolute()
    if not cwd.is_dir():
        raise MissingDirectoryError(str(cwd))
    prompt = sys.stdin.read() if arguments.prompt == "-" else arguments.prompt
    session = start(arguments.provider, str(cwd), arguments.name, prompt, tuple(arguments.rest))
    if arguments.detach:
        print(session)
        return 0
    return open_deck(session)


def start(provider: str, cwd: str, name: str, prompt: str, rest: tuple[str, ...]) -> str:
    """Have the hub start a session and return its id."""
    from agentdeck.cli.talk import environment, with_hub
    from agentdeck.hub.client import HubClient
    from agentdeck.protocol import messages as m

    columns, rows = shutil.get_terminal_size(DETACHED_SIZE)
    request = m.Spawn(
        provider=provider,
        cwd=cwd,
        env=environment(),
        name=name,
        prompt=prompt,
        args=rest,
        cols=columns,
        rows=rows,
    )

    async def work(client: HubClient) -> str:
        return (await client.ask(request, m.Done)).session

    try:
        return with_hub(work)
    except UnknownProviderError as error:
        raise _with_suggestion(error, provider) from None


def _with_suggestion(error: UnknownProviderError, name: str) -> AgentdeckError:
    from difflib import get_close_matches

    known = error.hint.partition(": ")[2].split(", ")
    close = get_close_matches(name, known, n=1)
    return UsageError(str(error), hint=f"did you mean {close[0]}? {error.hint}") if close else error
