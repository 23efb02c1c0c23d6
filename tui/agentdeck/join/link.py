"""Reading what a person was given: a link, or a typed code and where to take it. Pure."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from agentdeck.errors import UsageError
from agentdeck.share.certificate import unpinned
from agentdeck.share.tokens import normalised

LOOKS: Final = "a link looks like http://HOST:PORT/s/…#…, in quotes and with all that is after #; a code like 7KQ2-M9XD"

_CODE: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{8}")
_SHARE: Final = re.compile(r"/s/([\w-]{1,64})/?")
_SECRET: Final = re.compile(r"([\w-]{8,128})(?:\.([\w-]{43}))?", re.ASCII)
"""And the fingerprint of the server's certificate, where nobody else vouches for it."""


@dataclass(frozen=True, slots=True)
class Link:
    base: str
    """Scheme, host and port."""
    share: str
    secret: str
    fingerprint: str = ""
    """SHA-256 of the certificate that must answer there, in hex; empty: one that this system trusts."""


@dataclass(frozen=True, slots=True)
class Code:
    code: str
    base: str = ""
    """Empty: nobody has said where it belongs."""
    fingerprint: str = ""


def read(text: str, server: str = "", fingerprint: str = "") -> Link | Code:
    """Read a link or a code, and the fingerprint that somebody gave us besides. Raises `UsageError` for anything else,
    before anything is sent."""
    text, given = text.strip(), unpinned(fingerprint) if fingerprint else ""
    if "://" not in text and _CODE.fullmatch(normalised(text)):
        base = base_of(server) if server else ""
        return _sealed(Code(text, base, given))
    if "://" not in text:
        raise UsageError(f"{text[:60]!r} is neither a link nor a code", hint=LOOKS)
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise UsageError("that is no link of a shared session", hint=LOOKS) from error
    found = _SHARE.fullmatch(parts.path)
    if found is None:
        raise UsageError("that is no link of a shared session", hint=LOOKS)
    secret = _SECRET.fullmatch(parts.fragment)
    if secret is None:
        raise UsageError("the link has no secret: what is after # is missing or cut short", hint=LOOKS)
    told = unpinned(secret[2]) if secret[2] else ""
    if given and told and given != told:
        raise UsageError(
            "the link carries another fingerprint than the one that you give", hint="ask the owner which one is right"
        )
    return _sealed(Link(base_of(text), found[1], secret[1], given or told))


def _sealed(what: Link | Code) -> Link | Code:
    if what.fingerprint and what.base.startswith("http:"):
        raise UsageError(
            "only https has a certificate with a fingerprint", hint="does the address begin with https:// ?"
        )
    return what


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
