"""The signs beside events and amounts, in the same three sets as `glyphs`: unicode, narrow and ascii.

None of the unicode ones is an emoji to any terminal, because those are drawn two cells wide by some.
"""

from dataclasses import dataclass
from typing import Final

from agentdeck.ui import glyphs


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Every sign is one cell wide."""

    user: str
    assistant: str
    thinking: str
    tool: str
    command: str
    edit: str
    web: str
    agent: str
    context: str
    session: str
    ask: str
    good: str
    bad: str
    pending: str
    follow: str
    frozen: str
    about: str
    minus: str
    leads: str
    """From a fact to what comes of it."""
    alert: str
    watched: str
    inside: str
    """Before what a sub-agent did."""
    bottom: str
    """The lower corners of a frame."""


_UNICODE: Final = Marks(
    user="▸", assistant="◂", thinking="~", tool="▪", command="$", edit="✎", web="@", agent="»", context="▴",
    session="∙", ask="◆", good="✓", bad="✗", pending="…", follow="▼", frozen="‖", about="≈", minus="−", leads="→",
    alert="▲", watched="⇣", inside="›", bottom="└┘",
)  # fmt: skip
_NARROW: Final = Marks(
    user="▸", assistant="◂", thinking="~", tool="▪", command="$", edit="✎", web="@", agent="»", context="▴",
    session="∙", ask="⚑", good="✓", bad="✗", pending="⋯", follow="▾", frozen="=", about="~", minus="−", leads="›",
    alert="▵", watched="⇣", inside="›", bottom="++",
)  # fmt: skip
_ASCII: Final = Marks(
    user=">", assistant="<", thinking="~", tool="*", command="$", edit="=", web="@", agent="%", context="^",
    session="-", ask="!", good="+", bad="x", pending="~", follow="v", frozen="=", about="~", minus="-", leads=">",
    alert="^", watched="v", inside=">", bottom="++",
)  # fmt: skip
_SETS: Final = {"unicode": _UNICODE, "narrow": _NARROW, "ascii": _ASCII}


def active() -> Marks:
    """Return the set that belongs to the glyphs in use."""
    return _SETS[glyphs.active().name]
