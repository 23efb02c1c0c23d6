"""`agentdeck health`: how a session does, with what the score is made of, what is wrong and what to do about it."""

import argparse
from typing import TYPE_CHECKING, Final

from agentdeck.cli.commands import Subparsers, add
from agentdeck.cli.output import emit

if TYPE_CHECKING:
    from agentdeck.protocol.insight import InsightTold

FACTORS: Final = ("context", "age", "rest", "errors")

MORE: Final = """\
The score is 0 to 100: 40 for room in the context, 20 each for age, for not having been silent, and for calls that did
not fail. A session that stands still is told only while a deck is open, which reads what its processes use.
--json prints key, name, score, status (healthy, warning, critical), factors (context, age, rest, errors: 1.0 is all
well), alerts (kind, evidence, advice), conflicts (path, at, sessions), servers (name, pid, rss, growing) and remains
(name, pid). score is null without a transcript.
"""


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "health", run, json=True, more=MORE)
    parser.add_argument("ref", metavar="ID|PID", help="a session's id, the beginning of one, its name, or a pid")


def run(arguments: argparse.Namespace) -> int:
    from agentdeck.cli.talk import with_hub
    from agentdeck.hub.client import HubClient
    from agentdeck.protocol.insight import InsightTold, ReadInsight

    async def ask(client: HubClient) -> InsightTold:
        return await client.ask(ReadInsight(ref=arguments.ref), InsightTold)

    told = with_hub(ask)
    if arguments.json:
        emit(as_object(told))
    else:
        print("\n".join(lines(told)))
    return 0


def as_object(told: "InsightTold") -> dict[str, object]:
    """All of it by name, also what is a bare list on the wire."""
    import msgspec

    insight = told.insight
    whole = msgspec.structs.asdict(insight) | {"name": told.names[insight.key]}
    for name in ("alerts", "conflicts", "servers", "remains"):
        whole[name] = [msgspec.structs.asdict(each) for each in whole[name]]
    for conflict in whole["conflicts"]:
        conflict["sessions"] = [{"key": key, "name": told.names.get(key, key)} for key in conflict["sessions"]]
    whole["factors"] = dict(zip(FACTORS, insight.factors, strict=False))
    return whole


def lines(told: "InsightTold") -> list[str]:
    from pathlib import PurePath

    insight, name = told.insight, told.names[told.insight.key]
    if insight.score is None:
        found = [f"{name}: no transcript tells how it does"]
    else:
        found = [f"{name}: {insight.score} of 100, {insight.status}"]
        found += [f"  {factor:<8}{100 * value:>4.0f}" for factor, value in zip(FACTORS, insight.factors, strict=False)]
    for alert in insight.alerts:
        found += ["", f"{alert.kind}: {alert.evidence}", f"  {alert.advice}"]
    for conflict in insight.conflicts:
        others = " and ".join(told.names.get(key, key) for key in conflict.sessions if key != insight.key)
        found += ["", f"conflict: {PurePath(conflict.path).name} was changed by {others}, too", f"  {conflict.path}"]
    for server in insight.servers:
        grows = ", grows" if server.growing else ""
        found += ["", f"MCP server {server.name} (pid {server.pid}): {server.rss // 2**20} MB{grows}"]
    if insight.remains:
        found += ["", "still runs: " + ", ".join(f"{each.name} (pid {each.pid})" for each in insight.remains)]
    return found
