"""Tokens, money and times of day as people read them in a narrow column. Pure: values in, text out.

What is not known is `?`, never zero; money for tokens without a price is never shown as if it were all.
"""

import re
import time
from typing import Final

UNKNOWN: Final = "?"


def tokens(number: int | None) -> str:
    """Tokens in at most 4 characters up to 999M: 950, 2.1k, 182k, 1.2M."""
    if number is None:
        return UNKNOWN
    if number < 1000:
        return str(max(0, number))
    value = float(number)
    for unit in "kMGT":
        value /= 1000
        if value < 9.95:
            return f"{value:.1f}{unit}"
        if value < 999.5:
            return f"{round(value)}{unit}"
    return f"{round(value / 1000)}P"


def dollars(amount: float | None) -> str:
    """US dollars: $1.31, $142, <$0.01. Nothing spent is $0.00; pass None for what is not known."""
    if amount is None:
        return UNKNOWN
    if 0 < amount < 0.005:
        return "<$0.01"
    return f"${amount:,.2f}" if amount < 99.995 else f"${amount:,.0f}"


def spent(amount: float | None, *, unpriced: bool) -> str:
    """A cost that may be only a part of the whole: what has no price is said, not counted as nothing."""
    if not unpriced:
        return dollars(amount)
    return f"{dollars(amount)} + unpriced" if amount else "unpriced"


def cost_of(used: int, amount: float, *, unpriced: bool) -> str:
    """The cost of so many tokens. Nothing although tokens were used has no price, unless everything has one."""
    return spent(amount or None, unpriced=True) if used and not amount and unpriced else dollars(amount)


def model_name(model: str, provider: str) -> str:
    """A model beside its provider's name: `claude-opus-4-1-20250805` is `opus-4.1` of claude."""
    name = re.sub(r"-\d{6,}$", "", model.removeprefix("models/")).removeprefix(f"{provider}-")
    return re.sub(r"(\d)-(?=\d)", r"\1.", name)


def took(seconds: float | None) -> str:
    """How long a call ran: 0.1s, 42s, 3m, 2h."""
    if seconds is None:
        return ""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f}s"
    if seconds < 99.5:
        return f"{round(seconds)}s"
    return f"{round(seconds / 60)}m" if seconds < 99 * 60 else f"{round(seconds / 3600)}h"


def minutes(seconds: float) -> str:
    """The age of what rests, which needs no news each second: <1m, 12m, 3h, 2d."""
    if seconds < 60:
        return "<1m"
    if seconds < 3600:
        return f"{int(seconds // 60)}m"
    return f"{int(seconds // 3600)}h" if seconds < 48 * 3600 else f"{int(seconds // 86400)}d"


def moment(at: float, now: float) -> str:
    """A time to come: 17:05 today, else with its day: Sun 17:05."""
    then = time.localtime(at)
    same_day = then[:3] == time.localtime(now)[:3]
    return time.strftime("%H:%M" if same_day else "%a %H:%M", then)


def clock(at: float) -> str:
    """A unix time as the time of day where we are."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def when(at: float, now: float, *, short: bool = False) -> str:
    """A moment to come, as short as it can be told: 16:10, Mon 09:00, 03 Dec. `short`: of another day only the day."""
    moment = time.localtime(at)
    if at - now < 18 * 3600:
        return time.strftime("%H:%M", moment)
    soon = "%a" if short else "%a %H:%M"
    return time.strftime(soon, moment) if at - now < 6 * 86400 else time.strftime("%d %b", moment)
