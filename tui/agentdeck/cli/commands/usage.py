"""`agentdeck usage`: tokens and cost of every agent session on this machine, from the transcripts and the ledger."""

import argparse
import os
import sys
import time
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Final

from agentdeck.cli.commands import Subparsers, add
from agentdeck.cli.output import emit

if TYPE_CHECKING:
    from agentdeck.cli.bill import Now
    from agentdeck.usage.ledger import Ledger
    from agentdeck.usage.prices import Prices
    from agentdeck.usage.report import Period

MORE: Final = """\
DAY is YYYY-MM-DD, `today`, or a number of days back such as 7d. --since DAY counts from its beginning, --until DAY to
its end. Costs are those of the price list of this version, of prices.toml in the configuration directory and of the day
on which a response was made; what has no price is named, not counted as 0. Today, the 7 days, the burn rate (of the
last 15 minutes) and the limits are those of now, whatever the period.

--json prints one object with messages, tokens, cost_usd, sessions, days, day_costs, models, projects, unpriced,
hidden_cost_usd, context, bad_lines, and of now: today, week, burn and limits.
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

    from agentdeck import sparing  # noqa: F401  (first)
    from agentdeck.cli.bill import bill
    from agentdeck.cli.days import zone
    from agentdeck.errors import LedgerError
    from agentdeck.paths import locate
    from agentdeck.transcripts.roots import everywhere
    from agentdeck.usage.counted import counted
    from agentdeck.usage.prices import Prices
    from agentdeck.usage.report import usage

    where = zone(arguments.tz)
    period = _period(arguments.since, arguments.until, where)
    paths = locate()
    prices = Prices.load(paths.config.with_name("prices.toml"))
    path = paths.state / "usage.db"
    try:
        with counted(path, prices, everywhere(paths.config, os.environ), problem=_say) as ledger:
            found = usage(ledger, prices, os.environ, zone=where, period=period)
            now = _now(ledger, prices, where)
    except (OSError, sqlite3.Error) as error:
        raise LedgerError(str(path), str(error)) from error
    if arguments.json:
        import msgspec

        emit(msgspec.to_builtins(found) | msgspec.to_builtins(now))
    else:
        print(bill(found, now, arguments.by, where))
    return 0


def _period(since: str | None, until: str | None, zone: tzinfo | None) -> "Period | None":
    from agentdeck.cli.days import midnight
    from agentdeck.errors import UsageError
    from agentdeck.usage.report import Period

    if since is None and until is None:
        return None
    begin = round(midnight(since, zone) * 1000) if since else Period().since
    end = round(midnight(until, zone, after=1) * 1000) if until else Period().until
    if begin >= end:
        raise UsageError("the period ends before it begins", hint="--since DAY must not be after --until DAY")
    return Period(begin, end)


def _now(ledger: "Ledger", prices: "Prices", zone: tzinfo | None) -> "Now":
    from agentdeck.cli.bill import Burn, Now, Spent
    from agentdeck.usage.limits import told
    from agentdeck.usage.pulse import BURN, Pulse

    at = time.time()
    pulse = Pulse(ledger, prices, os.environ)
    pulse.note(mark for mark in ledger.files().values() if mark.agent == "codex")  # whose limits stand in rollouts
    totals = pulse.totals(complete=True, now=datetime.fromtimestamp(at, zone))
    tokens, cost = ledger.query("SELECT sum(total), sum(cost) FROM billed WHERE at >= ?", (round((at - BURN) * 1000),))[
        0
    ]
    an_hour = 3600 / BURN
    return Now(
        today=Spent(totals.today_tokens, totals.today_usd),
        week=Spent(totals.week_tokens, totals.week_usd),
        burn=Burn(
            tokens_hour=(tokens if isinstance(tokens, int) else 0) * an_hour,
            usd_hour=(cost if isinstance(cost, int | float) else 0.0) * an_hour,
        ),
        limits=told(pulse.limits(at), ledger, at),
    )


def _say(text: str) -> None:
    print(f"agentdeck: {text}", file=sys.stderr)
