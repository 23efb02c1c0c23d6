"""What a response cost: dated rates per model, the long-prompt cliff, fast and priority tiers.

An unknown model has no price; that is never the same as zero. The snapshot is made by `tools/make_prices.py`; a
`prices.toml` in the configuration directory adds to it or replaces rows, in the same words:

    [models."my-model"]
    in = 1.0        # USD per million tokens
    out = 5.0
    cr = 0.1        # cache read; cw5 and cw1h are cache writes for 5 minutes and 1 hour
"""

import hashlib
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import msgspec

from agentdeck.usage.models import canonical
from agentdeck.usage.response import Response

PRIORITY: Final = 2.0
"""OpenAI's priority tier costs twice the standard rates (litellm 1.109.1)."""

DAY: Final = 86_400_000
"""Milliseconds."""

EPOCH: Final = date(1970, 1, 1)

_VARIANT: Final = re.compile(r"-(?:preview|exp|latest|\d)[\w.-]*")
"""What may follow a family's name without making it another model."""


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """USD per million tokens; `web` per 1,000 searches. A missing cache rate is charged as input."""

    input: float = msgspec.field(name="in", default=0.0)
    output: float = msgspec.field(name="out", default=0.0)
    cache_read: float | None = msgspec.field(name="cr", default=None)
    cache_write_5m: float | None = msgspec.field(name="cw5", default=None)
    cache_write_1h: float | None = msgspec.field(name="cw1h", default=None)
    web: float = 0.0

    @property
    def all(self) -> tuple[float, float, float, float, float]:
        """For input, cache writes for 5 minutes and for an hour, cache reads, and output."""
        short = self.input if self.cache_write_5m is None else self.cache_write_5m
        long = short if self.cache_write_1h is None else self.cache_write_1h
        return self.input, short, long, self.input if self.cache_read is None else self.cache_read, self.output


class Long(Rates, frozen=True, kw_only=True):
    above: int


class Price(Rates, frozen=True, kw_only=True):
    since: str = msgspec.field(name="from", default="")
    """First UTC day; empty for the oldest."""
    long: Long | None = None
    fast: Rates | None = None


_All = tuple[float, float, float, float, float]

_Card = tuple[float, _All | None, _All, float, float]
"""Prompt tokens above which all costs more, the rates, those above, a factor of the rates, and those of searches."""

NEVER: Final = float("inf")
NO_RATES: Final = (0.0, 0.0, 0.0, 0.0, 0.0)


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    models: dict[str, tuple[Price, ...]] = {}
    aliases: dict[str, str] = {}
    native_1m: tuple[str, ...] = ()
    source: str = ""


class _Own(msgspec.Struct, frozen=True, kw_only=True):
    models: dict[str, Price] = {}


def _own(text: bytes) -> dict[str, Price]:
    import tomllib  # few have prices of their own

    try:
        return msgspec.convert(tomllib.loads(text.decode()), _Own).models
    except ValueError:  # msgspec's and tomllib's errors are ValueErrors
        return {}


class Prices:
    def __init__(self, snapshot: Snapshot, version: str) -> None:
        self.version = version
        """Changes when any rate may have changed."""
        self._models = snapshot.models
        self._exact = {name: target for name, target in snapshot.aliases.items() if not name.endswith("*")}
        families = [(name[:-1], target) for name, target in snapshot.aliases.items() if name.endswith("*")]
        self._families = sorted(families, key=lambda pair: -len(pair[0]))
        self._native_1m = frozenset(snapshot.native_1m)
        self._cards: dict[tuple[str, str, int], _Card] = {}
        self._found: dict[str, tuple[Price, ...] | None] = {}

    @classmethod
    def load(cls, own: Path | None = None) -> "Prices":
        """Read the snapshot, and the person's own rows over it; a broken file of theirs counts for nothing."""
        raw = Path(__file__).with_name("prices.json").read_bytes()
        snapshot = msgspec.json.decode(raw, type=Snapshot)
        if own is not None:
            try:
                added = own.read_bytes()
            except OSError:
                added = b""
            rows = _own(added) if added else {}
            if rows:
                models = {**snapshot.models, **{name: (price,) for name, price in rows.items()}}
                snapshot = msgspec.structs.replace(snapshot, models=models)
                raw += added
        return cls(snapshot, hashlib.sha256(raw).hexdigest()[:16])

    def has_native_1m(self, model: str) -> bool:
        """Whether Claude Code gives this model a window of a million tokens without being asked."""
        return model in self._native_1m

    def cost(self, r: Response) -> float | None:
        """Return USD, or None when the model has no price."""
        _, _, _, model, at, input, short, long, read, output, _, searches, tier, place, _, _, _, _ = r
        what = model, tier, at // DAY
        card = self._cards.get(what)
        if card is None:
            card = self._cards[what] = self._card(*what)
        above, rates, above_rates, factor, web = card
        if rates is None:
            return None
        if input + short + long + read > above:
            rates, factor = above_rates, 1.0
        per_input, per_short, per_long, per_read, per_output = rates
        usd = input * per_input + short * per_short + long * per_long + read * per_read + output * per_output
        return usd * place * factor / 1e6 + (searches * web / 1000 if searches else 0.0)

    def _card(self, model: str, tier: str, day: int) -> _Card:
        """What a model cost on a day, counted from 1970; on day 0 it is not known when that was."""
        rows = self._rows(model)
        if rows is None:
            return NEVER, None, NO_RATES, 1.0, 0.0
        price = rows[0]
        if day:
            date = (EPOCH + timedelta(days=day)).isoformat()
            price = next((row for row in reversed(rows) if row.since <= date), price)
        if tier == "fast" and price.fast is not None:
            return NEVER, price.fast.all, NO_RATES, 1.0, price.web
        factor = PRIORITY if tier == "priority" else 1.0
        if price.long is None:
            return NEVER, price.all, NO_RATES, factor, price.web
        return price.long.above, price.all, price.long.all, factor, price.web

    def _rows(self, model: str) -> tuple[Price, ...] | None:
        if model not in self._found:
            self._found[model] = self._look_up(model)
        return self._found[model]

    def _look_up(self, model: str) -> tuple[Price, ...] | None:
        for name in (model, canonical(model)):
            if name in self._models:
                return self._models[name]
            if name in self._exact:
                return self._models.get(self._exact[name])
            for family, target in self._families:
                if name == family or (name.startswith(family) and _VARIANT.fullmatch(name, len(family))):
                    return self._models.get(target)
        return None
