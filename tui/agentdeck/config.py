"""The configuration file: what can be set, its defaults, and what is wrong with it.

A broken file never stops agentdeck: `load` returns the defaults for what it cannot use, and the errors.
"""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """0 = never, for each of them. Times are seconds."""

    sessions: int = 10
    idle: float = 2 * 60 * 60
    idle_check: float = 5 * 60
    idle_warning: float = 10 * 60


class CustomProvider(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Any command as a provider of its own, or other words for a known one."""

    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    label: str = ""


class Keys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    preset: str = "default"
    """default, tmux, zellij or minimal."""
    deck: dict[str, list[str]] = {}
    """Action id → keys, in DECK mode."""
    typing: dict[str, list[str]] = {}


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    theme: str = "auto"
    """A theme's name, or auto: follow the terminal's light or dark report."""
    theme_dark: str = "night"
    theme_light: str = "paper"
    glyphs: str = "auto"
    """auto, unicode, narrow or ascii."""
    sidebar_width: int = 26
    scrollback: int = 10_000
    """Rows kept per session, about."""
    clipboard: str = "ask"
    """OSC 52 from programs: ask, allow or deny."""
    limits: Limits = Limits()
    keys: Keys = Keys()
    providers: dict[str, CustomProvider] = {}
