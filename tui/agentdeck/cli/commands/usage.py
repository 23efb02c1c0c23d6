"""`agentdeck usage`: tokens and cost of every agent session on this machine, from the transcripts and the ledger."""

import argparse
import os
import sys
from datetime import datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Final

from agentdeck.cli.commands import Subparsers, add
from agentdeck.cli.output import emit, table
from agentdeck.errors import UsageError

if TYPE_CHECKING:
    from agentdeck.usage.report import Period, Usage

MORE: Final = """\
DAY is YYYY-MM-DD, `today`, or a number of days back such as 7d. --since DAY counts from its beginning, --until DAY to
its end. Costs are those of the price list of this version, of prices.toml in the configuration directory and of the day
on which a response was made; what has no price is named, not counted as 0.
"""


def register(subparsers: Subparsers) -> None:
    parser = add(subparsers, "usage", run, json=True, more=MORE)
    parser.add_argument(
        "--by", choices=("day", "session", "model", "project"), default="model", help="rows of the table"
    )
    parser.add_argument("--since", metavar="DAY", help="leave out what was before")
    parser.add_argument("--until", metavar="DAY", help="leave out what came after")
    parser.add_argument(
        "--tz", metavar="ZONE", help="time zone of the days, such as Europe/Berlin; default: this machine's"
    )


def run(arguments: argparse.Namespace) -> int:
    import sqlite3

    from agentdeck.errors import LedgerError
    from agentdeck.paths import locate
    from agentdeck.transcripts.roots import roots
    from agentdeck.usage.ledger import Ledger
    from agentdeck.usage.prices import Prices
    from agentdeck.usage.report import usage
    from agentdeck.usage.scan import up_to_date

    zone = _zone(arguments.tz)
    period = _period(arguments.since, arguments.until, zone)
    paths = locate()
    prices = Prices.load(paths.config.with_name("prices.toml"))
    try:
        with Ledger(
            paths.state / "usage.db", problem=lambda text: print(f"agentdeck: {text}", file=sys.stderr)
        ) as ledger:
            up_to_date(ledger, prices, roots)
            found = usage(ledger, prices, os.environ, zone=zone, period=period)
    except (OSError, sqlite3.Error) as error:
        raise LedgerError(str(paths.state / "usage.db"), str(error)) from error
    if arguments.json:
        emit(found)
    else:
        print(_table(found, arguments.by))
    return 0


def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"there is no time zone called {name!r}", hint="zones look like Europe/Berlin or UTC"
        ) from None


def _period(since: str | None, until: str | None, zone: tzinfo | None) -> "Period | None":
    from agentdeck.usage.report import Period

    if since is None and until is None:
        return None
    begin = _midnight(since, zone) if since else Period().since
    end = _midnight(until, zone, days=1) if until else Period().until
    return Period(begin, end)


def _midnight(text: str, zone: tzinfo | None, *, days: int = 0) -> int:
    today = datetime.now(zone).date()
    if text == "today":
        day = today
    elif text.endswith("d") and text[:-1].isdigit() and len(text) < 7:
        day = today - timedelta(days=int(text[:-1]))
    else:
        try:
            day = datetime.strptime(text, "%Y-%m-%d").date()
        except ValueError:
            raise UsageError(f"{text!r} is no day", hint="days look like 2026-11-20, today or 7d") from None
    return round(datetime.combine(day + timedelta(days=days), time(), zone).timestamp() * 1000)


def _table(found: "Usage", by: str) -> str:
    rows: list[tuple[str, str, str]] = []
    if by == "model":
        for name, tokens in found.tokens.items():
            total = tokens.input + tokens.cache_write_5m + tokens.cache_write_1h + tokens.cache_read + tokens.output
            rows.append((name, f"{total:,}", _usd(found.models.get(name))))
    elif by == "day":
        rows = [(day, f"{total:,}", _usd(found.day_costs[day])) for day, total in found.days.items()]
    else:
        totals = found.sessions if by == "session" else found.projects
        ordered = sorted(totals.items(), key=lambda item: -item[1].cost_usd)
        rows = [(name, f"{total.tokens:,}", _usd(total.cost_usd)) for name, total in ordered]
    total = sum(session.tokens for session in found.sessions.values())
    lines = [
        table([(by, "tokens", "cost"), *rows, ("total", f"{total:,}", _usd(found.cost_usd))], right=frozenset({1, 2}))
    ]
    if found.hidden_cost_usd:
        lines.append(
            f"and {_usd(sum(found.hidden_cost_usd.values()))} that Claude Code counted for calls it does not record"
        )
    if found.unpriced:
        lines.append(f"unpriced: {', '.join(found.unpriced)}")
    return "\n".join(lines)


def _usd(value: float | None) -> str:
    return "unpriced" if value is None else f"${value:,.2f}"
