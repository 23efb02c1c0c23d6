"""Answers that are read from transcripts and from the ledger. All of it waits for the disk: call it in threads."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from agentdeck import events as e
from agentdeck.errors import LedgerError, SessionError
from agentdeck.live.wording import full_input
from agentdeck.paths import Paths
from agentdeck.protocol import facts as f
from agentdeck.transcripts.follow import read_all
from agentdeck.usage.ledger import Ledger
from agentdeck.usage.prices import Prices
from agentdeck.usage.report import Period, usage

SURELY_WHOLE: Final = 1000
"""Characters; texts that are longer may have been cut before they were kept."""


def usage_told(paths: Paths, since: float, limits: tuple[f.Limit, ...]) -> f.UsageTold:
    """Sum up the ledger from a moment on, in unix seconds. Raises `LedgerError`."""
    ledger, prices = paths.state / "usage.db", paths.config.with_name("prices.toml")
    period = Period(since=round(since * 1000)) if since else None
    try:
        with Ledger(ledger) as opened:
            report = usage(opened, Prices.load(prices), os.environ, period=period)
    except (OSError, sqlite3.Error, msgspec.MsgspecError) as error:
        raise LedgerError(str(ledger), str(error)) from error
    return f.UsageTold(report=msgspec.json.encode(report), limits=limits)


def is_whole(used: e.ToolUsed | None, returned: e.ToolReturned | None) -> bool:
    """Whether a call that was kept in memory cannot have been cut."""
    if used is None:
        return False
    texts: list[object] = [*used.input.values()]
    if returned is not None:
        texts += [returned.output, *(change.diff for change in returned.files)]
    return all(isinstance(text, str) and len(text) < SURELY_WHOLE for text in texts)


def call_detail(
    request: f.ReadCall, paths: Sequence[str], used: e.ToolUsed | None, returned: e.ToolReturned | None
) -> f.CallDetail:
    """Return a call and its result in full, from the transcripts, else what was kept of it.

    Raises `SessionError` when nobody knows of it.
    """
    for event in _of_call(request.call, paths):
        if isinstance(event, e.ToolUsed):
            used = event
        else:
            returned = event
    if used is None and returned is None:
        raise SessionError(f"this session has no call {request.call!r}", hint="its transcript may have been rewritten")
    return detail(request, used, returned)


def _of_call(call: str, paths: Sequence[str]) -> Iterator[e.ToolUsed | e.ToolReturned]:
    for path in paths:
        for event in read_all(path):
            if isinstance(event, e.ToolUsed | e.ToolReturned) and event.call == call:
                yield event


def detail(request: f.ReadCall, used: e.ToolUsed | None, returned: e.ToolReturned | None) -> f.CallDetail:
    used = used or (returned.used if returned is not None else None)
    seconds = returned.seconds if returned is not None else None
    if seconds is None and used is not None and returned is not None:
        seconds = max(0.0, (returned.at - used.at).total_seconds())
    return f.CallDetail(
        key=request.key,
        call=request.call,
        tool=used.tool if used is not None else "",
        input=full_input(used) if used is not None else "",
        output=returned.output if returned is not None else "",
        status="pending" if returned is None else "error" if returned.is_error else "ok",
        seconds=seconds,
        diff="\n".join(change.diff for change in returned.files if change.diff) if returned is not None else "",
    )
