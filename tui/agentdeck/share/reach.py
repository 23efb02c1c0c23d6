"""How other machines reach this one: its addresses and names, and which of them a link names.

Whoever asks for one of these names may be served; everything else is a name that was rebound to us, so names are whole
and never beginnings of others.
"""

import ipaddress
import re
import socket
import threading
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final
from urllib.parse import urlsplit

from agentdeck.errors import UsageError

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")

NAMING: Final = 1.0
"""Seconds for the resolver to tell our full name: it may ask a network that does not answer."""

_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
_SHARED_SPACE: Final = ipaddress.ip_network("100.64.0.0/10")
_VIRTUAL: Final = re.compile(r"(docker|br-|veth|virbr|vmnet|vboxnet|lxc|cni|flannel|podman|ifb)")


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, seen from itself."""
    return host == "localhost" or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def bracketed(host: str) -> str:
    """A host as addresses of pages write it."""
    return f"[{host}]" if ":" in host else host


def host_of(text: str) -> str:
    """A name or an address that a person typed, in its one form. Raises `UsageError`."""
    host = text.strip().lower().removesuffix(".")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if is_address(bare):
        address = ipaddress.ip_address(bare)
        if address.is_unspecified or address.is_multicast or "%" in bare:
            raise UsageError(f"{text!r} is no address of one machine", hint="--host takes a name or an address")
        return str(address)
    if not _NAME.fullmatch(bare) or re.fullmatch(r"[\d.]+", bare):
        raise UsageError(f"{text[:60]!r} is no host", hint="--host takes a name or an address, without port and scheme")
    return bare


def url_of(text: str) -> str:
    """Scheme, host and port of what others call us by way of a proxy. Raises `UsageError`."""
    hint = "it looks like https://name.example, without anything behind it"
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
        extra = parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc
    except ValueError as error:
        raise UsageError(f"{text[:60]!r} is no URL", hint=hint) from error
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise UsageError(f"{text[:60]!r} is no URL", hint=hint)
    if extra:
        raise UsageError(f"{text[:60]!r} says more than scheme, host and port", hint=hint)
    host = host_of(host)
    if parts.scheme == "http" and not is_loopback(host):
        raise UsageError(
            f"http://{host} would show links and the screen to everybody on the way, and browsers keep their "
            "cryptography and safe cookies from such pages",
            hint="use https: let the proxy have the certificate",
        )
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{bracketed(host)}" + (f":{port}" if port not in (None, default) else "")


def hosts_of(url: str) -> frozenset[str]:
    """What a request that came by this URL may have as its `Host`."""
    parts = urlsplit(url)
    if parts.port is not None:
        return frozenset({parts.netloc})
    return frozenset({parts.netloc, f"{parts.netloc}:{443 if parts.scheme == 'https' else 80}"})


# ── this machine ───────────────────────────────────────────────────────────────────────────────


def addresses() -> list[str]:
    """Where other machines could reach this one, the likeliest first: no loopback, nothing that needs a scope."""
    import psutil

    up = {name for name, each in psutil.net_if_stats().items() if each.isup}
    found = [
        (name, each.address)
        for name, several in psutil.net_if_addrs().items()
        if name in up
        for each in several
        if each.family in (socket.AF_INET, socket.AF_INET6)
    ]
    return ranked(found, _routed())


def ranked(found: Iterable[tuple[str, str]], routed: Sequence[str] = ()) -> list[str]:
    """Order addresses of interfaces: those from which packets leave for elsewhere, then networks of homes and offices,
    then the rest; IPv4 before IPv6, bridges of virtual machines last."""

    def rank(each: tuple[str, str]) -> tuple[bool, int, bool, bool, str]:
        interface, text = each
        address = ipaddress.ip_address(text)
        far = routed.index(text) if text in routed else len(routed)
        overlay = address.version == 4 and address in _SHARED_SPACE
        return bool(_VIRTUAL.match(interface)), far, address.version == 6, overlay or not address.is_private, text

    usable = [
        each
        for each in found
        if "%" not in each[1]
        and is_address(each[1])
        and not (ipaddress.ip_address(each[1]).is_loopback or ipaddress.ip_address(each[1]).is_link_local)
    ]
    return list(dict.fromkeys(text for _, text in sorted(usable, key=rank)))


def _routed() -> tuple[str, ...]:
    """From where packets for elsewhere leave. Nothing is sent: a datagram socket is only asked for its route."""
    found = []
    for family, elsewhere in ((socket.AF_INET, "198.51.100.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as asking:
                asking.connect((elsewhere, 9))
                found.append(str(asking.getsockname()[0]))
        except OSError:
            continue
    return tuple(found)


def is_ours(address: str) -> bool:
    """Whether one can listen at an address here."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as trying:
            trying.bind((address, 0))
    except OSError:
        return False
    return True


def names() -> list[str]:
    """What this machine is called: its host name, and the full one if the resolver knows one that begins with it."""
    name = socket.gethostname().lower().removesuffix(".")
    known = [name, *(each for each in _full(name) if each.startswith(f"{name}."))]
    return [each for each in dict.fromkeys(known) if _NAME.fullmatch(each) and each != "localhost"]


@cache
def _full(name: str) -> tuple[str, ...]:
    """What the resolver says; asked once."""
    full: list[str] = []
    asking = threading.Thread(target=lambda: full.append(socket.getfqdn(name).lower().removesuffix(".")), daemon=True)
    asking.start()
    asking.join(NAMING)
    return tuple(full)
