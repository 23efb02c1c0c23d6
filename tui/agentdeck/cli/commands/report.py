"""`agentdeck report`: save what was seen of a session lately, so that a wrong state can be looked into and tested."""

import argparse
import time
from pathlib import Path
from typing import Final

from agentdeck.cli.commands import Subparsers, add
from agentdeck.cli.output import emit

MORE: Final = """\
Writes a directory with session.cast (its screens; `asciinema play` shows them), signals.json (what session file, hooks
and transcript said, and when) and explained.json. Secrets, the home directory, your name and the machine's are covered,
and nothing that was typed is in it. It is made as well as it can be: look it through before you hand it to anybody.
"""


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "report", run, session=True, json=True, more=MORE)
    parser.add_argument("--to", metavar="DIRECTORY", help="where to; made if need be, never written over")


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.talk import with_hub
    from agentdeck.errors import UsageError
    from agentdeck.hub.client import HubClient
    from agentdeck.protocol.attention import MakeReport, Report

    async def ask(client: HubClient) -> tuple[str, Report]:
        session = await client.resolve(arguments.session)
        return session.id, await client.ask(MakeReport(session=session.id), Report)

    session, made = with_hub(ask)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    target = Path(arguments.to or f"agentdeck-report-{session}-{stamp}").expanduser()
    try:
        target.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        raise UsageError(f"{target} is there already", hint="name a directory that is not there yet") from None
    except OSError as error:
        raise UsageError(f"{target} cannot be made: {error.strerror}", hint="--to names another place") from None
    for name, data in made.files.items():
        with (target / Path(name).name).open("xb") as file:
            file.write(data)
    if arguments.json:
        emit({"directory": str(target), "files": sorted(made.files)})
    else:
        print(f"{target}: look it through before you hand it to anybody")
    return 0
