"""`agentdeck watch`: what happens in all agent sessions of this machine, as it happens."""

import argparse
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from agentdeck.cli.commands import Subparsers, add
from agentdeck.cli.output import coloured

if TYPE_CHECKING:
    from agentdeck.events import AnyEvent
    from agentdeck.live.session import LiveSession
    from agentdeck.realtime import Filter, SessionWatcher

UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}

MORE: Final = """\
It looks on only, and needs no hub. Without --since it tells what happens from now on. WHEN is how long ago (90s, 30m,
4h, 7d), today, a day (2026-11-20) or a moment (2026-11-20T09:30). KINDS are separated by commas: session_start,
message, tool_use, tool_result, agent_spawn, compaction, error, turn_end, title, unknown, session_idle, session_resume,
session_end, context_growth, summarization.

--json prints an object a line: kind, provider, session, at (ISO 8601), source (path and offset in a transcript), agent
(of a sub-agent) and what the kind has. NO_COLOR switches colours off.
"""


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "watch", run, json=True, more=MORE)
    parser.add_argument("--provider", metavar="NAME", action="append", default=[], help="only of this agent")
    parser.add_argument(
        "--session", metavar="ID", action="append", default=[], help="by the agent's own id, or its start"
    )
    parser.add_argument(
        "--project", metavar="DIR", action="append", default=[], help="only below it, or in one called so"
    )
    parser.add_argument("--events", metavar="KINDS", help="only these kinds of events")
    parser.add_argument("--since", metavar="WHEN", help="first tell what has happened since")
    parser.add_argument("--prometheus", metavar=":PORT", help="serve metrics of all sessions there, on loopback")


def run(arguments: argparse.Namespace) -> int:
    import os
    import signal

    from agentdeck.cli.places import known_provider
    from agentdeck.paths import locate
    from agentdeck.realtime import HandlerFailed, SessionWatcher
    from agentdeck.transcripts.roots import everywhere

    wanted = _filters(arguments)
    providers = [known_provider(name) for name in arguments.provider]
    since = moment(arguments.since) if arguments.since else None
    failures: list[HandlerFailed] = []
    places = everywhere(locate().config, os.environ)
    watcher = SessionWatcher(roots=places, providers=providers, since=since, on_error=failures.append)
    out = _Output(watcher, as_json=arguments.json)
    signal.signal(signal.SIGTERM, lambda *_: watcher.stop())
    if arguments.prometheus:
        from agentdeck.integrations.prometheus import serve
        from agentdeck.realtime import MetricsCollector

        metrics = MetricsCollector()
        watcher.on_any(metrics.apply)
        watcher.pipe(*wanted).on_any(out.tell)
        with serve(arguments.prometheus, metrics) as exporter:
            print(f"agentdeck: metrics are at {exporter.url}", file=sys.stderr, flush=True)
            watcher.start()
    else:
        watcher.pipe(*wanted).on_any(out.tell)
        watcher.start()
    for sentence in watcher.problems:
        print(f"agentdeck: {sentence}", file=sys.stderr)
    if failures:
        raise failures[0].error
    return 0


def _filters(arguments: argparse.Namespace) -> "list[Filter]":
    from agentdeck.cli.places import directory
    from agentdeck.realtime import filters

    found = []
    if arguments.events is not None:
        found.append(filters.kind(*(name.strip() for name in arguments.events.split(","))))
    if arguments.session:
        found.append(filters.session(*(name.rpartition(":")[2] for name in arguments.session)))
    if arguments.project:
        found.append(filters.project(*map(directory, arguments.project)))
    return found


def moment(text: str) -> datetime | timedelta:
    """Read WHEN. Raises `UsageError`."""
    from agentdeck.cli.days import midnight
    from agentdeck.errors import UsageError

    number, unit = text[:-1], text[-1:]
    try:
        if unit in UNITS and number.isascii() and number.isdigit() and not (unit == "d" and not number):
            return timedelta(seconds=int(number) * UNITS[unit])
        if "T" in text or " " in text:
            return datetime.fromisoformat(text).astimezone(UTC)
        return datetime.fromtimestamp(midnight(text), UTC)
    except (ValueError, OverflowError, UsageError):
        raise UsageError(f"{text!r} is no time", hint="times look like 30m, 4h, today or 2026-11-20T09:30") from None


class _Output:
    """Prints events. Whoever reads may go away: then there is nothing more to watch for."""

    def __init__(self, watcher: "SessionWatcher", *, as_json: bool) -> None:
        from agentdeck.cli.telling import Teller

        self._watcher = watcher
        self._as_json = as_json
        self._teller = Teller(coloured=coloured())

    def tell(self, event: "AnyEvent") -> None:
        line = self._encoded(event) if self._as_json else self._worded(event)
        if not line:
            return
        data = memoryview(line)
        try:
            while data:
                data = data[os.write(1, data) :]
        except BrokenPipeError:
            self._watcher.stop()

    @staticmethod
    def _encoded(event: "AnyEvent") -> bytes:
        import json

        from agentdeck.realtime import plain

        return f"{json.dumps(plain(event))}\n".encode()

    def _worded(self, event: "AnyEvent") -> bytes:
        session: LiveSession = self._watcher.sessions.live(event)
        line = self._teller.line(event, session.cwd)
        return f"{line}\n".encode("utf-8", "replace") if line else b""
