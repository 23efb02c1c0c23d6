"""The ledger, brought up to date with the transcripts, whatever state it was found in.

Where none can be kept (a full disk, a directory that cannot be written) the answer is the same, counted in memory from
what can be read of the ledger and from the transcripts.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from agentdeck.transcripts.roots import Root
from agentdeck.usage.ledger import Ledger
from agentdeck.usage.prices import Prices
from agentdeck.usage.scan import scan

TRIES: Final = 3


@contextmanager
def counted(path: Path, prices: Prices, roots: Sequence[Root], *, problem: Callable[[str], None]) -> Iterator[Ledger]:
    """Open the ledger at `path` and take in what is new. `problem` is told what is wrong, a sentence each."""
    ledger = _kept(path, prices, roots, problem)
    try:
        yield ledger
    finally:
        ledger.close()


def _kept(path: Path, prices: Prices, roots: Sequence[Root], problem: Callable[[str], None]) -> Ledger:
    reason = ""
    for _ in range(TRIES):
        ledger: Ledger | None = None
        try:
            ledger = Ledger(path, problem=problem)
            _take_in(ledger, prices, roots)
        except (OSError, sqlite3.Error) as error:
            reason = str(error)
            if ledger is not None:
                ledger.close()
                if ledger.moved:
                    continue
            break
        else:
            return ledger
    ledger = Ledger.in_memory(path)
    _take_in(ledger, prices, roots)
    problem(f"the usage ledger {path} cannot be kept ({reason}): this was counted without it")
    return ledger


def _take_in(ledger: Ledger, prices: Prices, roots: Sequence[Root]) -> None:
    ledger.reprice(prices.version, prices.cost)
    scan(ledger, prices, roots)
