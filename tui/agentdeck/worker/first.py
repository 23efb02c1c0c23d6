"""The figures that a person sees at once: told before the rest of the worker is even loaded."""

import os
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from agentdeck.paths import Paths
from agentdeck.protocol.worker import Totals
from agentdeck.transcripts.roots import Root
from agentdeck.usage.books import Books
from agentdeck.usage.prices import Prices
from agentdeck.usage.pulse import Pulse

FIRST: Final = 0.06
"""Seconds of reading before the first totals are told, complete or not."""


class First(NamedTuple):
    """The ledger as it was opened, and the sessions of which something was read."""

    books: Books
    pulse: Pulse
    keys: frozenset[str]


def open_books(paths: Paths, places: Sequence[Root], problem: Callable[[str], None]) -> Books:
    """Raises `OSError` and `sqlite3.Error`."""
    prices = Prices.load(paths.config.with_name("prices.toml"))
    return Books(paths.state / "usage.db", prices, places, problem=problem)


def begin(books: Books, tell: Callable[[Totals], None]) -> First:
    """Tell what the ledger knew, take in some of what was written today, and tell the totals again.

    Raises `OSError` and `sqlite3.Error`.
    """
    until = time.monotonic() + FIRST
    pulse = Pulse(books.ledger, books.prices, os.environ)
    before = pulse.totals(complete=False)
    if before.models:
        tell(before)
    books.look()
    keys = pulse.note(books.take_today(max(FIRST / 2, until - time.monotonic())))
    tell(pulse.totals(complete=books.complete))
    return First(books, pulse, frozenset(keys))
