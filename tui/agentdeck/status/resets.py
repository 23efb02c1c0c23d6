"""When a limit is lifted, out of the words in which a CLI tells that it was reached."""

import re
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_LIMIT: Final = re.compile(
    r"\b(?:usage|rate|session|weekly|daily|hour|hourly|spend(?:ing)?|message|Opus|Sonnet) limit\b"
    r"|\blimit (?:reached|exceeded|will reset)\b|hit your (?:\w+ )?limit|\bquota\b|\bRESOURCE_EXHAUSTED\b"
    r"|\brate.?limit(?:ed|_error)?\b|\b429\b",
    re.IGNORECASE,
)
_EPOCH: Final = re.compile(r"\|(1[0-9]{9})\b")
_IN: Final = re.compile(
    r"\b(?:in|after) (?:(?P<d>\d+) ?d(?:ays?)?,? ?)?(?:(?P<h>\d+) ?h(?:ours?|r)?,? ?)?"
    r"(?:(?P<m>\d+) ?m(?:in(?:ute)?s?)?,? ?)?(?:(?P<s>\d+)(?:\.\d+)? ?s(?:ec(?:ond)?s?)?)?",
    re.IGNORECASE,
)
_AT: Final = re.compile(
    r"\b(?:resets?|again|until|reset) (?:(?:at|on|by) )?"
    r"(?:(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* (?P<day>\d{1,2})(?:st|nd|rd|th)?"
    r"(?:, (?P<year>20\d\d))?,? ?(?:at )?)?"
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d\d))?(?: ?(?P<half>[ap])\.?m\.?)?(?: ?\((?P<zone>[A-Za-z_/+-]+)\))?",
    re.IGNORECASE,
)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def is_limit(text: str) -> bool:
    """Whether an error says that a limit of the account was reached."""
    return _LIMIT.search(text) is not None


def lifted_at(text: str, now: float) -> float | None:
    """Return the unix time at which the limit is lifted, or None when the text does not say.

    A time of day is the next one; without a zone it is the machine's own.
    """
    if (stamp := _EPOCH.search(text)) is not None:
        return float(stamp[1])
    for span in _IN.finditer(text):
        parts = {name: int(value) for name, value in span.groupdict().items() if value}
        if parts:
            return (
                now
                + timedelta(
                    days=parts.get("d", 0),
                    hours=parts.get("h", 0),
                    minutes=parts.get("m", 0),
                    seconds=parts.get("s", 0),
                ).total_seconds()
            )
    return next((at for match in _AT.finditer(text) if (at := _clock(match, now)) is not None), None)


def _clock(match: re.Match[str], now: float) -> float | None:
    hour, minute, half = int(match["hour"]), int(match["minute"] or 0), (match["half"] or "").lower()
    if not half and match["minute"] is None:
        return None  # "again 3 times" is no time of day
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour > 23 or minute > 59:
        return None
    try:
        zone = ZoneInfo(match["zone"]) if match["zone"] else None
    except (ZoneInfoNotFoundError, ValueError):
        zone = None
    present = datetime.fromtimestamp(now, zone) if zone else datetime.fromtimestamp(now).astimezone()
    then = present.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if match["month"]:
        try:
            year = int(match["year"] or present.year)
            then = then.replace(year=year, month=_MONTHS.index(match["month"][:3].lower()) + 1, day=int(match["day"]))
        except ValueError:
            return None
        return then.timestamp()
    return (then if then > present else then + timedelta(days=1)).timestamp()
