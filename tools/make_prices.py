"""Write tui/agentdeck/usage/prices.json: what a million tokens cost, by model and date.

Run it when a model or a price is new:

    uv run --with genai-prices==0.2.3 python tools/make_prices.py

The prices are those of genai-prices (MIT). It knows neither Claude's fast mode nor which models have a window of a
million tokens in Claude Code, and leaves web search out for some Claude models: those facts are the tables below, read
off Claude Code 2.1.329.
"""

import json
from decimal import Decimal
from pathlib import Path

from genai_prices import data

OUT = Path(__file__).parent.parent / "tui" / "agentdeck" / "usage" / "prices.json"

FAST_INPUT = {
    "claude-opus-4-6": 30,
    "claude-opus-4-7": 30,
    "claude-opus-4-8": 10,
    "claude-opus-5": 10,
    "claude-opus-5-5": 8,
    "claude-fable-5-2": 16,
}
"""USD per million input tokens in fast mode; every other rate grows by the same factor."""

NATIVE_1M = [
    "claude-opus-4-7",
    "claude-opus-4-8",
    "claude-opus-5",
    "claude-opus-5-5",
    "claude-sonnet-5",
    "claude-sonnet-5-5",
    "claude-fable-5",
    "claude-fable-5-1",
    "claude-fable-5-2",
    "claude-haiku-5-5",
    "claude-mythos-5",
    "claude-mythos-5-2",
]

CLAUDE_WEB = 10
"""USD per 1,000 web searches, for every Claude model."""

FIELDS = {
    "in": "input_mtok",
    "out": "output_mtok",
    "cr": "cache_read_mtok",
    "cw5": "cache_write_mtok",
    "cw1h": "cache_write_1h_mtok",
}


def number(value):
    return int(value) if value == value.to_integral_value() else float(value)


def rates(price, claude):
    row, long, above = {}, {}, None
    for short, field in FIELDS.items():
        value = getattr(price, field, None)
        if value is None:
            continue
        if isinstance(value, Decimal):
            row[short] = number(value)
            continue
        row[short] = number(value.base)
        tier = value.tiers[0]
        above, long[short] = tier.start, number(tier.price)
    web = getattr(price, "web_searches_kcount", None)
    if isinstance(web, Decimal):
        row["web"] = number(web)
    if claude:
        row["web"] = CLAUDE_WEB
    if long:
        row["long"] = {"above": above, **long}
    return row


def scaled(row, factor):
    return {key: round(row[key] * factor, 6) for key in FIELDS if key in row} | {"web": CLAUDE_WEB}


def names(match, found):
    kind = type(match).__name__
    if kind == "ClauseEquals":
        found.add(match.equals)
    elif kind == "ClauseStartsWith":
        found.add(match.starts_with + "*")
    elif kind == "ClauseOr":
        for part in match.or_:
            names(part, found)
    elif kind == "ClauseAnd":
        for part in match.and_[:1]:
            names(part, found)
    return found


models, aliases = {}, {}
for provider in data.providers:
    if provider.id not in ("anthropic", "openai", "google"):
        continue
    for model in provider.models:
        claude = model.id.startswith("claude")
        if claude and provider.id != "anthropic":
            continue
        dated = model.prices if isinstance(model.prices, list) else None
        rows = []
        for price in dated or [model.prices]:
            condition = getattr(price, "constraint", None)
            if dated and condition is not None and not hasattr(condition, "start_date"):
                continue  # a rate by the hour of the day: the base rate stands
            row = rates(price.prices if dated else price, claude)
            if dated and condition is not None:
                row = {"from": condition.start_date.isoformat(), **row}
            if model.id in FAST_INPUT:
                row["fast"] = scaled(row, FAST_INPUT[model.id] / row["in"])
            rows.append(row)
        if not rows or "in" not in rows[0]:
            continue
        models[model.id] = rows
        for name in names(model.match, set()):
            if name != model.id:
                aliases[name] = model.id

snapshot = {
    "source": "genai-prices 0.2.3 (MIT), Claude Code 2.1.329; USD per million tokens, web per 1,000 searches",
    "aliases": dict(sorted(aliases.items())),
    "native_1m": NATIVE_1M,
    "models": dict(sorted(models.items())),
}
OUT.write_text(json.dumps(snapshot, separators=(",", ":")) + "\n", "utf-8")
print(f"{OUT.name}: {len(models)} models, {OUT.stat().st_size:,} bytes")
