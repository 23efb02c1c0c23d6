"""`agentdeck queue`: prompts that wait until a session is free."""

import argparse
import sys
import time
from typing import TYPE_CHECKING, Final

from agentdeck.cli.commands import Subparsers, add
from agentdeck.cli.output import ago, emit, table
from agentdeck.errors import SessionError, UsageError

if TYPE_CHECKING:
    from agentdeck.protocol import queue as q
    from agentdeck.protocol.queue import Queued

    Asked = q.Enqueue | q.EditQueued | q.SendQueued | q.MoveQueued | q.CancelQueued | q.PauseQueued

MORE: Final = """\
A queued prompt is sent when the session is really free, never into a dialog, and stays in the list until the transcript
shows that it has arrived. One that may have arrived (unsure) is not sent again by itself: --send N does, --cancel N
drops it. Without TEXT the list is shown. agentdeck send does not wait.
--json prints a list of objects with n, session, place, text, added, state (waiting, sending or unsure) and why.
"""


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "queue", run, json=True, more=MORE)
    parser.add_argument(
        "session", metavar="ID", help="a session's id, the beginning of one, or its name; several with commas"
    )
    parser.add_argument("text", metavar="TEXT", nargs="?", help="what to queue; - reads it from standard input")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--list", action="store_true", help="show what waits; so does no TEXT")
    choice.add_argument(
        "--now", metavar="TEXT", nargs="?", const="", help="send TEXT at once, also into a turn, before what waits"
    )
    choice.add_argument("--send", metavar="N", type=int, help="send prompt N now, or again")
    choice.add_argument("--edit", metavar=("N", "TEXT"), nargs=2, help="give prompt N another text")
    choice.add_argument("--first", metavar="N", type=int, help="put prompt N before the others")
    choice.add_argument("--cancel", metavar="N", type=int, help="drop prompt N")
    choice.add_argument("--pause", action="store_true", help="let nothing go out until --resume")
    choice.add_argument("--resume", action="store_true", help="let it go on, also after an interrupt")


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.talk import find, with_hub
    from agentdeck.hub.client import HubClient
    from agentdeck.protocol import queue as q

    sessions = find([ref for ref in arguments.session.split(",") if ref])
    names = {session.id: session.name for session in sessions}
    requests = _requests(arguments, tuple(names))

    async def listed(client: HubClient) -> list["Queued"]:
        told = [await client.ask(q.ReadQueue(session=session), q.Queues) for session in names]
        return [prompt for each in told for prompt in each.prompts]

    async def ask(client: HubClient) -> list["Queued"]:
        for request in requests:
            number = getattr(request, "n", None)
            if number is not None and number not in [each.n for each in await listed(client)]:
                raise SessionError(f"no prompt {number} waits there", hint="agentdeck queue ID shows those that do")
            await client.ask(request, q.Queues)
        return await listed(client)

    prompts = with_hub(ask)
    if arguments.json:
        emit(prompts)
    elif prompts:
        print(listing(prompts, names, time.time()))
    elif not isinstance(next(iter(requests), None), q.Enqueue):
        print("nothing waits")
    return 0


def _requests(arguments: argparse.Namespace, sessions: tuple[str, ...]) -> "list[Asked]":
    """What the words ask for; nothing when they only ask what waits. Raises `UsageError`."""
    from agentdeck.protocol import queue as q

    now = arguments.now is not None
    given = arguments.text if not now or arguments.text is not None else arguments.now
    takes_none = [
        word for word in ("list", "send", "edit", "first", "cancel", "pause", "resume") if getattr(arguments, word)
    ]
    if (takes_none and given is not None) or (now and arguments.text is not None and arguments.now):
        raise UsageError("there is a text too many", hint="agentdeck queue --help shows how it is called")
    if arguments.edit is not None:
        return [q.EditQueued(n=_number(arguments.edit[0]), text=_text(arguments.edit[1]))]
    if arguments.send is not None:
        return [q.SendQueued(n=arguments.send)]
    if arguments.first is not None:
        return [q.MoveQueued(n=arguments.first, place=1)]
    if arguments.cancel is not None:
        return [q.CancelQueued(n=arguments.cancel)]
    if arguments.pause or arguments.resume:
        return [q.PauseQueued(session=session, on=arguments.pause) for session in sessions]
    if given is None:
        return []
    return [q.Enqueue(sessions=sessions, text=_text(given), now=now)]


def _number(word: str) -> int:
    if not word.isdecimal():
        raise UsageError(f"{word!r} is no number of a prompt", hint="agentdeck queue ID shows them")
    return int(word)


def _text(word: str) -> str:
    text = sys.stdin.read().removesuffix("\n") if word == "-" else word
    if not text.strip():
        raise UsageError("there is no text to queue", hint="agentdeck queue --help shows how it is called")
    return text


def listing(prompts: "list[Queued]", names: dict[str, str], now: float) -> str:
    head = ("n", "session", "", "for", "state", "prompt")
    rows = [
        (
            str(prompt.n),
            names.get(prompt.session, prompt.session),
            str(prompt.place),
            ago(now - prompt.added),
            prompt.why or prompt.state,
            " ".join(prompt.text.split())[:60],
        )
        for prompt in prompts
    ]
    return table([head, *rows], right=frozenset({0, 2, 3}))
