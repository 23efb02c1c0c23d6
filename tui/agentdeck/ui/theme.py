"""Palettes: what colours mean in agentdeck, and how they become a Textual theme.

A palette is a TOML file with a handful of roles and the sixteen colours that programs in the panes may ask for.
Widgets never name a colour; they name a role. A broken file of the person's own never stops the deck: the file is
left out and `Themes.problems` says why. Contrast follows WCAG 2.2, success criterion 1.4.3.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from textual.app import App
from textual.filter import Monochrome, NoColor
from textual.theme import Theme

from agentdeck.errors import ConfigError

ROLES: Final = (
    "text", "background", "panel", "selected", "border", "muted",
    "accent", "working", "needs_you", "error", "done", "limited",
)  # fmt: skip
INKS: Final = ("text", "muted", "accent", "working", "needs_you", "error", "done", "limited")
"""The roles that text is written in."""
ANSI: Final = tuple(
    f"{prefix}{name}"
    for prefix in ("", "bright_")
    for name in ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
)

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours are `#rrggbb`. `needs_you` is also the one filled background, with `background` as its ink."""

    name: str
    dark: bool
    text: str
    background: str
    panel: str
    """Behind bars and dialogs."""
    selected: str
    """Behind the selected row."""
    border: str
    muted: str
    accent: str
    working: str
    needs_you: str
    error: str
    done: str
    limited: str
    ansi: tuple[str, ...]
    """The terminal's colours 0-15, in their usual order."""


@dataclass(frozen=True, slots=True)
class Themes:
    palettes: dict[str, Palette]
    problems: list[ConfigError] = field(default_factory=list)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    dark: bool | None = None
    base: str = ""
    roles: dict[str, str] = {}
    ansi: dict[str, str] = {}


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two `#rrggbb` colours, 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def parse_palette(name: str, text: str, known: Mapping[str, Palette], path: str = "") -> Palette:
    """Read one theme file. `known` are the palettes that its `base` may name. Raises `ConfigError`."""

    def problem(key: str, why: str) -> ConfigError:
        return ConfigError(path or f"{name}.toml", _line_of(key, text), key, why)

    try:
        file = msgspec.toml.decode(text, type=_File)
    except msgspec.ValidationError as error:
        raise problem("", str(error)) from None
    except msgspec.DecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        raise ConfigError(path or f"{name}.toml", int(found[1]) if found else 0, "", str(error)) from None
    if file.base and file.base not in known:
        raise problem("base", f"there is no theme called {file.base!r}; there are {', '.join(sorted(known))}")
    base = known.get(file.base)
    values: dict[str, Any] = {role: getattr(base, role) for role in ROLES} if base else {}
    ansi: dict[str, str] = dict(zip(ANSI, base.ansi, strict=True)) if base else {}
    for given, into, allowed in ((file.roles, values, ROLES), (file.ansi, ansi, ANSI)):
        for key, colour in given.items():
            if key not in allowed:
                raise problem(key, f"is not one of {', '.join(allowed)}")
            if not _COLOUR.fullmatch(colour):
                raise problem(key, f"{colour!r} is not a colour like #7aa2f7")
            into[key] = colour.lower()
    if missing := [key for key in ROLES if key not in values] + [key for key in ANSI if key not in ansi]:
        raise problem("", f'{", ".join(missing)} missing; add them, or base = "night" to take the rest from there')
    dark = file.dark if file.dark is not None else _luminance(values["background"]) < 0.2
    return Palette(name=name, dark=dark, ansi=tuple(ansi[key] for key in ANSI), **values)


def _line_of(key: str, text: str) -> int:
    if not key:
        return 0
    return next((n for n, line in enumerate(text.splitlines(), 1) if re.match(rf"\s*{re.escape(key)}\s*=", line)), 0)


def find_themes(user: Path | None = None) -> Themes:
    """Read the shipped themes, then those in the directory `user`, which may replace shipped ones by name."""
    themes = Themes({})
    for directory in (_shipped(), user):
        if directory is None or not directory.is_dir():
            continue
        for path in sorted(directory.glob("*.toml")):
            try:
                text = path.read_text(encoding="utf-8")
                themes.palettes[path.stem] = parse_palette(path.stem, text, themes.palettes, str(path))
            except ConfigError as error:
                themes.problems.append(error)
            except (OSError, UnicodeDecodeError) as error:
                themes.problems.append(ConfigError(str(path), 0, "", f"cannot be read: {error}"))
    return themes


def load_palettes(user: Path | None = None) -> dict[str, Palette]:
    """Return every usable palette by name; `find_themes` also says what is wrong with the others."""
    return find_themes(user).palettes


def _shipped() -> Path:
    package = Path(__file__).parents[1] / "themes"
    return package if package.is_dir() else Path(__file__).parents[3] / "themes"


def choose_palette(
    palettes: Mapping[str, Palette], theme: str = "auto", *, dark: bool = True, night: str = "night", day: str = "paper"
) -> tuple[Palette, str]:
    """Return the palette for the settings, and a sentence when it is not the one that was asked for.

    `dark` is what the terminal reported of itself; it matters only while `theme` is "auto".
    """
    wanted = theme if theme != "auto" else night if dark else day
    if wanted in palettes:
        return palettes[wanted], ""
    instead = palettes["night" if dark else "paper"]
    return instead, f"there is no theme called {wanted!r}; using {instead.name} ({', '.join(sorted(palettes))})"


def textual_theme(palette: Palette) -> Theme:
    """Return the Textual theme of the same name, every variable that agentdeck's widgets use set from the roles."""
    p = palette
    return Theme(
        name=p.name,
        dark=p.dark,
        primary=p.accent,
        accent=p.done,
        secondary=p.limited,
        success=p.working,
        warning=p.needs_you,
        error=p.error,
        foreground=p.text,
        background=p.background,
        surface=p.background,
        panel=p.panel,
        boost=p.panel,
        variables={
            "text-muted": p.muted,
            "text-disabled": p.muted,
            "foreground-muted": p.muted,
            "primary-muted": p.selected,
            "text-primary": p.accent,
            "text-secondary": p.limited,
            "text-accent": p.done,
            "text-success": p.working,
            "text-warning": p.needs_you,
            "text-error": p.error,
            "border": p.accent,
            "border-blurred": p.border,
            "block-cursor-foreground": p.background,
            "block-cursor-background": p.accent,
            "block-cursor-text-style": "bold",
            "block-cursor-blurred-foreground": p.text,
            "block-cursor-blurred-background": p.selected,
            "block-cursor-blurred-text-style": "bold",
            "block-hover-background": p.selected,
            "input-cursor-background": p.text,
            "input-cursor-foreground": p.background,
            "input-selection-background": p.selected,
            "input-selection-foreground": p.text,
            "scrollbar": p.border,
            "scrollbar-hover": p.muted,
            "scrollbar-active": p.accent,
            "scrollbar-background": p.panel,
            "scrollbar-background-hover": p.panel,
            "scrollbar-background-active": p.panel,
            "scrollbar-corner-color": p.panel,
            "button-foreground": p.text,
            "button-color-foreground": p.background,
            "button-focus-text-style": "bold",
        },
    )


def without_colour(app: App[Any]) -> None:
    """Send attributes only (bold, reverse, underline), as NO_COLOR asks; Textual on its own would send greys.

    Call it before the app runs: the styles for `:nocolor` are chosen when widgets are mounted.
    """
    app.no_color = True
    app._filters = [kept for kept in app._filters if not isinstance(kept, Monochrome)] + [NoColor()]
