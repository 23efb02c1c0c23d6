"""Days as people type them: a date, `today`, or how many days back."""

from datetime import datetime, time, timedelta, tzinfo

from agentdeck.errors import UsageError


def zone(name: str | None) -> tzinfo | None:
    """The time zone of this name; None is this machine's own. Raises `UsageError`."""
    if name is None:
        return None
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"there is no time zone called {name!r}", hint="zones look like Europe/Berlin or UTC"
        ) from None


def midnight(text: str, zone: tzinfo | None = None, *, after: int = 0) -> float:
    """When the day that `text` names begins, or the one `after` days after it, in unix seconds. Raises `UsageError`."""
    today = datetime.now(zone).date()
    try:
        if text == "today":
            day = today
        elif text == "yesterday":
            day = today - timedelta(days=1)
        elif text.endswith("d") and text[:-1].isascii() and text[:-1].isdigit():
            day = today - timedelta(days=int(text[:-1]))
        else:
            day = datetime.strptime(text, "%Y-%m-%d").date()
        return datetime.combine(day + timedelta(days=after), time(), zone).timestamp()
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"{text!r} is no day", hint="days look like 2026-11-20, today or 7d") from None
