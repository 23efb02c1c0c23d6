"""How full a context is, by each CLI's own formula.

Claude Code: the prompt of the last response on the main chain over the window; it compacts at the window less the
room for an answer (at most 20,000) less 13,000, compared with prompt and answer. Codex: its `/status` leaves 12,000
tokens out on both sides. Gemini CLI: the last prompt over 1,048,576, compressed at half. (Claude Code 2.1.329, Codex
0.169, gemini-cli 0.61.)
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from agentdeck.usage import claude, codex, gemini
from agentdeck.usage.prices import Prices

SMALL: Final = claude.SMALL_WINDOW
LARGE: Final = 1_000_000
ANSWER: Final = 20_000
MARGIN: Final = 13_000
LEAST_WINDOW: Final = 100_000
CODEX_BASELINE: Final = 12_000
GEMINI_THRESHOLD: Final = 0.5


class Gauge(NamedTuple):
    used: int
    window: int
    used_pct: int
    compact_at: int | None
    """Tokens at which the CLI compacts by itself; None when it does not say."""
    pct_left: int | None
    """Percent until then, or by the CLI's own display."""
    assumed: bool = False
    """The window is deduced from what fitted into it."""


def of_claude(context: claude.Context, prices: Prices, env: Mapping[str, str]) -> Gauge:
    long = context.long_window or prices.has_native_1m(context.model)
    window = LARGE if long or context.outgrown or context.used > SMALL else SMALL
    compact_at = _claude_threshold(window, env)
    tokens = context.used + context.output + context.later
    return Gauge(
        used=context.used,
        window=window,
        used_pct=_rounded(100 * context.used / window),
        compact_at=compact_at,
        pct_left=max(0, _rounded(100 * (compact_at - tokens) / compact_at)),
        assumed=not long and window == LARGE,
    )


def _claude_threshold(window: int, env: Mapping[str, str]) -> int:
    own = env.get("CLAUDE_CODE_AUTO_COMPACT_WINDOW", "")
    if own.isdigit() and int(own) >= LEAST_WINDOW:
        window = min(window, int(own))
    effective = window - ANSWER
    threshold = effective - MARGIN
    percent = env.get("CLAUDE_AUTOCOMPACT_PCT_OVERRIDE", "")
    try:
        share = float(percent) if percent else 0.0
    except ValueError:
        share = 0.0
    return min(int(effective * share / 100), threshold) if 0 < share <= 100 else threshold


def of_codex(state: codex.State) -> Gauge | None:
    window, used = state.window, state.used
    if not window:
        return None
    usable = window - CODEX_BASELINE
    left = None
    if usable > 0:
        left = min(100, max(0, _rounded(100 * (usable - max(0, used - CODEX_BASELINE)) / usable)))
    return Gauge(used=used, window=window, used_pct=_rounded(100 * used / window), compact_at=None, pct_left=left)


def of_gemini(state: gemini.State) -> Gauge | None:
    if not state.model:
        return None
    compact_at = int(gemini.WINDOW * GEMINI_THRESHOLD)
    return Gauge(
        used=state.used,
        window=gemini.WINDOW,
        used_pct=_rounded(100 * state.used / gemini.WINDOW),
        compact_at=compact_at,
        pct_left=max(0, _rounded(100 * (compact_at - state.used) / compact_at)),
    )


def _rounded(value: float) -> int:
    """As JavaScript's Math.round does it: halves go up."""
    return int(value + 0.5) if value >= 0 else -int(-value + 0.5)
