"""Reading what a person was given: a link, or a typed code and where to take it. Pure."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from agentdeck.errors import UsageError
from agentdeck.share.tokens import normalised

LOOKS: Final = "a link looks like http://HOST:PORT/s/…#…, in quotes and with all that is after #; a code like 7KQ2-M9XD"

_CODE: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{8}")
_SHARE: Final = re.compile(r"/s/([\w-]{1,64})/?")
_SECRET: Final = re.compile(r"[\w-]{8,128}")


@dataclass(frozen=True, slots=True)
class Link:
    base: str
    """Scheme, host and port."""
    share: str
    secret: str


@dataclass(frozen=True, slots=True)
class Code:
    code: str
    base: str = ""
    """Empty: nobody has said where it belongs."""


def read(text: str, server: str = "") -> Link | Code:
    """Read a link or a code. Raises `UsageError` for anything else, before anything is sent."""
    text = text.strip()
    if "://" not in text and _CODE.fullmatch(normalised(text)):
        return Code(text, base_of(server) if server else "")
    if "://" not in text:
        raise UsageError(f"{text[:60]!r} is neither a link nor a code", hint=LOOKS)
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise UsageError("that is no link of a shared session", hint=LOOKS) from error
    found = _SHARE.fullmatch(parts.path)
    if found is None:
        raise UsageError("that is no link of a shared session", hint=LOOKS)
    secret = parts.fragment
    if not _SECRET.fullmatch(secret):
        raise UsageError("the link has no secret: what is after # is missing or cut short", hint=LOOKS)
    return Link(base_of(text), found[1], secret)


def base_of(url: str) -> str:
    """Scheme, host and port of an address; http when it names no scheme. Raises `UsageError`."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(f"{url[:60]!r} is no address of a server", hint="it looks like http://127.0.0.1:41873")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def is_local(base: str) -> bool:
    """Whether a server is on this machine: no proxy stands before it."""
    host = urlsplit(base).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
