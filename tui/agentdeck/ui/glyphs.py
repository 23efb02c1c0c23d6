"""The signs that agentdeck draws around the panes, in three sets that mean the same.

`unicode` looks best. `narrow` has no character that Unicode calls East Asian Ambiguous, because some terminals draw
those two cells wide and then every column after them is off. `ascii` is for terminals and locales that can show
nothing else. A state has a different shape in each set, so that no set needs colour to be read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agentdeck.protocol.messages import STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """Every sign is one cell wide; `levels` run from the lowest bar of a sparkline to the highest."""

    name: str
    states: Mapping[str, str]
    group: str
    separator: str
    rule: str
    corners: str
    """Top left, then top right."""
    dot: str
    """Between two facts."""
    dash: str
    """In place of a number that is not known."""
    ellipsis: str
    full: str
    empty: str
    levels: str
    marked: str
    bell: str
    above: str
    below: str
    before: str
    after: str
    cursor: str
    """Beside the chosen line of a list."""
    border: str
    """A Textual border type that this set can draw."""

    def state(self, state: str) -> str:
        """Return the sign for one of `STATES`; a state of a newer hub reads as unknown."""
        return self.states.get(state, self.states["unknown"])


def _states(signs: str) -> dict[str, str]:
    return dict(zip(STATES, signs.split(), strict=True))


UNICODE: Final = Glyphs(
    name="unicode", states=_states("◌ ● ◆ ✓ ○ ◐ ✗ ✗ ?"), group="▸", separator="│", rule="─", corners="┌┐", dot="·",
    dash="–", ellipsis="…", full="▓", empty="░", levels="▁▂▃▄▅▆▇█", marked="*", bell="♪", above="↑", below="↓",
    before="‹", after="›", cursor="❯", border="round",
)  # fmt: skip
NARROW: Final = Glyphs(
    name="narrow", states=_states("◌ ◉ ⚑ ✓ ◦ ◔ ✗ ✗ ?"), group="▸", separator="¦", rule="-", corners="++", dot="⋅",
    dash="-", ellipsis="⋯", full="⣿", empty="⣀", levels="⡀⣀⣄⣤⣦⣶⣷⣿", marked="*", bell="!", above="^", below="v",
    before="‹", after="›", cursor="❯", border="ascii",
)  # fmt: skip
ASCII: Final = Glyphs(
    name="ascii", states=_states(". * ! + - % x x ?"), group=">", separator="|", rule="-", corners="++", dot="-",
    dash="-", ellipsis="~", full="#", empty=".", levels="_.:-=+*#", marked="&", bell="!", above="^", below="v",
    before="<", after=">", cursor=">", border="ascii",
)  # fmt: skip
SETS: Final = {glyphs.name: glyphs for glyphs in (UNICODE, NARROW, ASCII)}

_active = UNICODE


def active() -> Glyphs:
    """Return the set that widgets draw with. There is one terminal per process, so there is one set."""
    return _active


def activate(glyphs: Glyphs) -> None:
    """Choose the set for widgets made or repainted from now on."""
    global _active
    _active = glyphs


def choose(setting: str, env: Mapping[str, str], *, ambiguous_wide: bool | None = None) -> Glyphs:
    """Return the set for the `glyphs` setting; `auto` and anything unknown looks at the environment.

    `ambiguous_wide` is the terminal's own answer where somebody has measured it; otherwise the locale decides.
    """
    if setting in SETS:
        return SETS[setting]
    locale = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := env.get(name))), "")
    language, _, encoding = locale.partition("@")[0].partition(".")
    if env.get("TERM") in ("linux", "dumb") or (locale and encoding.lower().replace("-", "") != "utf8"):
        return ASCII
    if ambiguous_wide is None:
        ambiguous_wide = (
            language[:2].lower() in ("ja", "ko", "zh")
            or env.get("VTE_CJK_WIDTH") in ("wide", "2")
            or env.get("RUNEWIDTH_EASTASIAN") == "1"
        )
    return NARROW if ambiguous_wide else UNICODE
