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
import tomllib
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from agentdeck.usage.models import canonical
from agentdeck.usage.response import Response

PRIORITY: Final = 2.0
"""OpenAI's priority tier costs twice the standard rates (litellm 1.109.1)."""

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

    def tokens(self, r: Response) -> float:
        """USD for the tokens of a response, times a million."""
        read = self.input if self.cache_read is None else self.cache_read
        short = self.input if self.cache_write_5m is None else self.cache_write_5m
        long = short if self.cache_write_1h is None else self.cache_write_1h
        return (
            r.input * self.input
            + r.cache_write_5m * short
            + r.cache_write_1h * long
            + r.cache_read * read
            + r.output * self.output
        )


class Long(Rates, frozen=True, kw_only=True):
    above: int


class Price(Rates, frozen=True, kw_only=True):
    since: str = msgspec.field(name="from", default="")
    """First UTC day; empty for the oldest."""
    long: Long | None = None
    fast: Rates | None = None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    models: dict[str, tuple[Price, ...]] = {}
    aliases: dict[str, str] = {}
    native_1m: tuple[str, ...] = ()
    source: str = ""


class _Own(msgspec.Struct, frozen=True, kw_only=True):
    models: dict[str, Price] = {}


class Prices:
    def __init__(self, snapshot: Snapshot, version: str) -> None:
        self.version = version
        """Changes when any rate may have changed."""
        self._models = snapshot.models
        self._exact = {name: target for name, target in snapshot.aliases.items() if not name.endswith("*")}
        families = [(name[:-1], target) for name, target in snapshot.aliases.items() if name.endswith("*")]
        self._families = sorted(families, key=lambda pair: -len(pair[0]))
        self._native_1m = frozenset(snapshot.native_1m)
        self._found: dict[str, tuple[Price, ...] | None] = {}

    @classmethod
    def load(cls, own: Path | None = None) -> "Prices":
        """Read the snapshot, and the person's own rows over it; a broken file of theirs counts for nothing."""
        raw = resources.files("agentdeck.usage").joinpath("prices.json").read_bytes()
        snapshot = msgspec.json.decode(raw, type=Snapshot)
        if own is not None:
            try:
                added = own.read_bytes()
                rows = msgspec.convert(tomllib.loads(added.decode()), _Own).models
            except (OSError, ValueError):  # msgspec's and tomllib's errors are ValueErrors
                rows = {}
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
        rows = self._rows(r.model)
        if rows is None:
            return None
        price = rows[0]
        if len(rows) > 1 and r.at:
            day = datetime.fromtimestamp(r.at / 1000, UTC).strftime("%Y-%m-%d")
            price = next((row for row in reversed(rows) if row.since <= day), price)
        rates: Rates = price
        factor = r.factor
        if r.tier == "fast" and price.fast is not None:
            rates = price.fast
        elif price.long is not None and r.prompt > price.long.above:
            rates = price.long
        elif r.tier == "priority":
            factor *= PRIORITY
        return rates.tokens(r) * factor / 1e6 + r.web_search * price.web / 1000

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
