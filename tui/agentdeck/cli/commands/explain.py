"""`agentdeck explain`: every signal of a session's state, what it says, how old it is, its weight, and what won."""

import argparse
from typing import Final

from agentdeck.cli.commands import Subparsers, add
from agentdeck.cli.output import emit

MORE: Final = """\
The heaviest signal that says something decides (won). One that says what cannot be true at the same time differs; when
those that differ outweigh it for some seconds, the state is unknown.
--json prints state, why, since, asks, until, and signals: source, state, says, age, weight, part.
"""


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "explain", run, json=True, more=MORE)
    parser.add_argument("ref", metavar="ID|PID", help="a session's id, the beginning of one, its name, or a pid")


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.talk import with_hub
    from agentdeck.hub.client import HubClient
    from agentdeck.protocol.attention import Explain, Explained
    from agentdeck.status import words

    async def ask(client: HubClient) -> Explained:
        return await client.ask(Explain(ref=arguments.ref), Explained)

    explained = with_hub(ask)
    if arguments.json:
        import msgspec

        told = msgspec.to_builtins(explained)
        names = ("source", "state", "says", "age", "weight", "part")
        told["signals"] = [dict(zip(names, signal, strict=True)) for signal in told["signals"]]
        emit({name: told[name] for name in told if name not in ("id", "is")})
        return 0
    state, why = words.headline(explained)
    print(f"{state}\n  {why}")
    if explained.signals:
        print()
    for row in words.rows(explained):
        differs = "  [says otherwise]" if row.part == "differs" else ""
        print(f"  {row.mark} {row.source}  {row.weight}  {row.age}  {row.says}{differs}")
    return 0
