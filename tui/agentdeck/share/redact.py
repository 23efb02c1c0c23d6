"""Take secrets, places and names out of text before it leaves the machine. Best effort, and viewers are told so.

First what is known: values from the session's environment and `.env` files, wherever eight characters of one show up,
because programs wrap, frame and print in pieces. Then what looks like a secret. Then the home directory, the user and
the host. Everything is found as spans of characters, so that screens can be covered cell by cell.
"""

import base64
import itertools
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from urllib.parse import quote

SHORTEST: Final = 8
"""Characters that a known value must have, and that make a piece of one."""

LONGEST: Final = 100_000
"""Characters of one text; what is beyond does not leave."""

COVER: Final = "█"

SECRET_NAME: Final = re.compile(
    r"KEY|TOKEN|SECRET|PASS(WORD|WD|PHRASE)?|CREDENTIAL|AUTH|PRIVATE|SALT|SIGNATURE|DSN|COOKIE|BEARER|(^|_)PWD$|_PW$",
    re.IGNORECASE,
)
"""Variables whose value is one."""

_NO_SECRET: Final = re.compile(
    r"(?:true|false|none|null|yes|no|on|off|default|disabled?|enabled?|localhost|production|development|testing|staging"
    r"|[\d.,:]+|(?:~|\.{0,2})/[\w./ -]*|https?://[\w.-]+(?::\d+)?/?[\w/.-]*)",
    re.IGNORECASE,
)
"""Values that say nothing, whatever their name is: words, numbers, paths, addresses without credentials."""

_PATTERNS: Final = (
    r"sk-[A-Za-z0-9_-]{16,220}",  # OpenAI, Anthropic, OpenRouter and others
    r"gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}",
    r"gl(?:pat|dt|rt|soat|ptt|cbt)-[A-Za-z0-9_.-]{20,80}",
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}",
    r"AIza[A-Za-z0-9_-]{30,45}|ya29\.[A-Za-z0-9_-]{20,300}|GOCSPX-[A-Za-z0-9_-]{20,40}",
    r"xox[abeoprs]-[A-Za-z0-9-]{10,250}|xapp-[A-Za-z0-9-]{10,250}",
    r"hf_[A-Za-z0-9]{20,60}|npm_[A-Za-z0-9]{30,60}|pypi-[A-Za-z0-9_-]{40,300}|dckr_pat_[A-Za-z0-9_-]{20,60}",
    r"(?:sk|rk|pk|whsec)_(?:live_|test_)?[A-Za-z0-9]{20,255}",
    r"SG\.[A-Za-z0-9_-]{16,40}\.[A-Za-z0-9_-]{30,60}|SK[0-9a-f]{32}|key-[0-9a-f]{32}",
    r"do[opr]_v1_[a-f0-9]{60,70}|hv[sb]\.[A-Za-z0-9_-]{20,200}|dp\.pt\.[A-Za-z0-9]{40,50}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",
    r"glsa_[A-Za-z0-9_]{30,60}|lin_api_[A-Za-z0-9]{30,50}|ntn_[A-Za-z0-9]{30,60}|sntry[su]_[A-Za-z0-9+/=_-]{30,250}",
    r"gsk_[A-Za-z0-9]{30,80}|xai-[A-Za-z0-9]{40,100}|pplx-[A-Za-z0-9]{30,80}|r8_[A-Za-z0-9]{30,60}|tvly-[A-Za-z0-9-]{20,60}",
    r"AGE-SECRET-KEY-1[A-Z0-9]{50,70}|\d{8,10}:AA[A-Za-z0-9_-]{32,36}",
    r"eyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,2000}(?:\.[A-Za-z0-9_-]{0,2000})?",
    r"(?<=[Bb]earer )[A-Za-z0-9._~+/=-]{12,2000}|(?<=[Bb]asic )[A-Za-z0-9+/=]{12,500}",
    r"(?<=://)[^\s/:@]{0,80}:[^\s/@]{1,200}(?=@)",
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:.{0,8000}?-----END [A-Z ]{0,30}PRIVATE KEY-----|.{0,8000})",
    r"[A-Za-z0-9+/]{60,4000}={0,2}",
)

_ASSIGNED: Final = re.compile(
    r"(?:api[_-]?key|access[_-]?key|secret|token|passw(?:or)?d|passphrase|pwd|credential|private[_-]?key|auth[_-]?key)"
    r"[\w-]{0,40}[\"']?\s{0,3}(?::=|=>|=|:)\s{0,3}[\"']?([^\s\"'`,;)}\]]{6,500})",
    re.IGNORECASE,
)
_NO_VALUE: Final = re.compile(
    r"(?:\$|<|\{|%|\(|os\.|process\.|env\b|None\b|null\b|true\b|false\b|str\b|string\b|[A-Za-z_]+\(|[\d,.]+$|\*{3}|█)"
)
"""What stands after a telling name without being a secret: a variable, a call, a type, a count."""

_KNOWN_FORMS: Final = re.compile(r"(?<![A-Za-z0-9])(?:" + "|".join(f"(?:{p})" for p in _PATTERNS) + ")", re.DOTALL)
_HAS_TWO_KINDS: Final = re.compile(r"(?=.*[A-Za-z])(?=.*[0-9+/])", re.DOTALL)
_COMMON_NAMES: Final = frozenset({"root", "user", "admin", "ubuntu", "debian", "home", "dev", "test", "node", "app"})

Span = tuple[int, int]


def worth_hiding(value: str) -> bool:
    return len(value) >= SHORTEST and _NO_SECRET.fullmatch(value) is None


def secrets_in(environment: Iterable[tuple[str, str]]) -> list[str]:
    """Values of variables whose name says that they are secret."""
    return [value for name, value in environment if SECRET_NAME.search(name) and worth_hiding(value)]


def secrets_in_file(text: str) -> list[str]:
    """Every value of a `.env` file that is long enough to be one."""
    found = []
    for line in text.splitlines():
        name, separator, value = line.strip().removeprefix("export ").partition("=")
        value = value.strip()
        if value[:1] in ("'", '"'):
            value = value[1:].split(value[0])[0]
        elif " #" in value:
            value = value.split(" #")[0].rstrip()
        if separator and not name.startswith("#") and worth_hiding(value):
            found.append(value)
    return found


class Redactor:
    """Homes, users and the host may be empty. The same line is looked at once as long as it is remembered."""

    def __init__(
        self, values: Iterable[str] = (), *, homes: Iterable[str] = (), users: Iterable[str] = (), host: str = ""
    ) -> None:
        known = {form for value in values if len(value) >= SHORTEST for form in _forms(value)}
        self._known = sorted(known, key=len, reverse=True)
        self._pieces = frozenset(
            piece for value in self._known if _looks_random(value) for piece in _windows(value, SHORTEST)
        )
        self.breaks: dict[str, list[tuple[str, str]]] = {}
        """The two halves of every known value, wherever it may be broken, by the two characters at the break."""
        for value in self._known:
            for cut in range(1, len(value)):
                self.breaks.setdefault(value[cut - 1 : cut + 1], []).append((value[:cut], value[cut:]))
        own = sorted({home.rstrip("/") for home in homes if home.rstrip("/")}, key=len, reverse=True)
        self._places = _places(own, sorted(set(filter(None, users))), host)
        self.spans = lru_cache(8192)(self._spans)
        self._homes = [cover(home, self.spans(home)) for home in own]
        """As they look when covered."""

    @property
    def known(self) -> list[str]:
        """The values that are known, in every form that is looked for, longest first."""
        return self._known

    def text(self, text: str) -> str:
        """`text` without what must not leave; it may get shorter: the home directory becomes `~`, and it has an end."""
        text = text[:LONGEST]
        covered = cover(text, self.spans(text))
        for home in self._homes:
            covered = covered.replace(home, "~")
        return covered

    def _spans(self, text: str) -> tuple[Span, ...]:
        found: list[Span] = []
        for value in self._known:
            start = text.find(value)
            while start >= 0:
                found.append((start, start + len(value)))
                start = text.find(value, start + 1)
        if self._pieces:
            pieces = self._pieces
            found += [
                (at, at + SHORTEST) for at in range(len(text) - SHORTEST + 1) if text[at : at + SHORTEST] in pieces
            ]
        for match in _KNOWN_FORMS.finditer(text):
            if len(match[0]) < 60 or _HAS_TWO_KINDS.match(match[0]) or match[0].startswith("-----"):
                found.append(match.span())
        for match in _ASSIGNED.finditer(text):
            if not _NO_VALUE.match(match[1]):
                found.append(match.span(1))
        if self._places is not None:
            for match in self._places.finditer(text):
                found += [match.span(n) for n in range(1, (match.lastindex or 0) + 1) if match.start(n) >= 0]
        return merged(found)


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same characters as few spans, in order."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return tuple(result)


def cover(text: str, spans: Iterable[Span]) -> str:
    """Replace the characters of these spans, one for one."""
    parts, last = [], 0
    for start, end in spans:
        parts += [text[last:start], COVER * (end - start)]
        last = end
    return "".join(parts) + text[last:] if last else text


def _forms(value: str) -> set[str]:
    """A value as programs also write it."""
    forms = {
        value,
        quote(value, safe=""),
        json.dumps(value)[1:-1],
        base64.b64encode(value.encode()).decode().rstrip("="),
    }
    forms.update(line for line in value.splitlines() if len(line) >= SHORTEST and not line.startswith("-----"))
    return {form for form in forms if len(form) >= SHORTEST}


def _looks_random(value: str) -> bool:
    """Whether a piece of it would not turn up by chance in prose, paths and code."""
    kinds = (any(map(str.islower, value)), any(map(str.isupper, value)), any(map(str.isdigit, value)))
    longest_word = max(
        (sum(1 for _ in run) for letter, run in itertools.groupby(value, str.islower) if letter), default=0
    )
    return sum(kinds) >= 2 and longest_word < 12


def _windows(text: str, size: int) -> Iterable[str]:
    return (text[at : at + size] for at in range(len(text) - size + 1))


def _places(homes: Iterable[str], users: Iterable[str], host: str) -> "re.Pattern[str] | None":
    """Finds, as its groups, the parts of paths and prompts that name the person and the machine."""
    parts = []
    for home in homes:
        name = home.rpartition("/")[2]
        parts.append(f"{re.escape(home[: -len(name)])}({re.escape(name)})(?![\\w.-])")
    for user in users:
        quoted = re.escape(user)
        parts += [f"/(?:home|Users)/({quoted})(?![\\w-])", f"(?<![\\w.-])({quoted})(?=@)"]
        if len(user) >= 3 and user.lower() not in _COMMON_NAMES:
            parts.append(f"(?<![\\w-])({quoted})(?![\\w-])")
    for each in dict.fromkeys(filter(None, (host, host.partition(".")[0]))):
        quoted = re.escape(each)
        parts.append(f"@({quoted})(?![\\w-])")
        if len(each) >= 4 and each.lower() not in {*_COMMON_NAMES, "localhost"}:
            parts.append(f"(?<![\\w-])({quoted})(?![\\w-])")
    return re.compile("|".join(parts)) if parts else None
