"""How many tokens fit into a session's context, by provider and model.

Transcripts tell it exactly only for Codex, and there not in what becomes events; so this is the size to assume until a
session proves a larger one. A Claude model id in a transcript does not say whether the person chose the long variant.
"""

from functools import cache
from typing import Final

from agentdeck.usage.context import LARGE, SMALL
from agentdeck.usage.gemini import WINDOW as GEMINI
from agentdeck.usage.prices import Prices

CODEX: Final = 258_400
"""95 % of 272,000 (Codex 0.169)."""


def window(provider: str, model: str) -> int:
    """Return the tokens that fit, as far as provider and model tell."""
    match provider:
        case "codex":
            return CODEX
        case "gemini":
            return GEMINI
        case "claude":
            return LARGE if _prices().has_native_1m(model) else SMALL
    return SMALL


@cache
def _prices() -> Prices:
    return Prices.load()
