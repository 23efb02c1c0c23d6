"""Where we listen, and what we are called there: plain HTTP for this machine, TLS for others, and the name of a proxy.

Both doors have one port, so that links stay good when the second is opened. A name that is not on the list of its door
is not served: names are whole, and each door has its own.
"""

import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentdeck.share import certificate, reach

LOCAL: Final = "local"
LAN: Final = "lan"
"""Names of doors. A proxy's is its URL."""

NEAR: Final = ("127.0.0.1", "::1")

EVERYWHERE: Final = "*"
"""All addresses of this machine."""

USER_TIMEOUT: Final = 15_000
"""Milliseconds after which the kernel gives up a connection whose other side takes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the hub wants of us."""

    port: int = 0
    lan: str = ""
    """Where others come in: `EVERYWHERE`, one address, or nowhere."""
    host: str = ""
    """What links for others name; empty: the address that they most likely reach."""
    cert: str = ""
    key: str = ""
    """Empty: a certificate of our own making."""
    url: str = ""
    """What we are called by way of a proxy on this machine."""


@dataclass(frozen=True, slots=True)
class Names:
    """What we are called: index 0 over plain HTTP, 1 over TLS."""

    near: str
    """Scheme, host and port for this machine."""
    lan: str
    """For others; empty: they have no door."""
    url: str
    hosts: tuple[frozenset[str], frozenset[str]]
    """What requests may name as their host."""
    origins: tuple[frozenset[str], frozenset[str]]
    """Of pages of ours."""
    proxied: frozenset[str]
    """Hosts that only a proxy passes on."""


def bind(wish: Wish) -> tuple[list[socket.socket], list[socket.socket]]:
    """Listen on this machine, on both of its addresses where there are two; and for others. Raises `OSError`."""
    everywhere = wish.lan == EVERYWHERE
    plain, port = [], wish.port
    for address in NEAR:
        try:
            plain.append(_listener(address, port, beside=everywhere))
        except OSError:
            if address == NEAR[0]:
                raise
            continue  # there is no IPv6, or somebody else has that port
        port = plain[0].getsockname()[1]
    if not everywhere:
        return plain, [_listener(wish.lan, port)] if wish.lan else []
    sealed = [_listener("0.0.0.0", port, beside=True)]
    if len(plain) == len(NEAR):
        sealed.append(_listener("::", port, beside=True))
    return plain, sealed


def _listener(address: str, port: int, *, beside: bool = False) -> socket.socket:
    """`beside`: others of ours listen at the same port, and the one with the closest address gets the connection."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if beside:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, port))
    except OSError:
        listener.close()
        raise
    listener.listen(1024)
    listener.setblocking(False)
    return listener


# ── names ──────────────────────────────────────────────────────────────────────────────────────


def reachable(wish: Wish) -> list[str]:
    """Every host under which others may find us, the one that links name first."""
    found = [wish.host, *([wish.lan] if wish.lan != EVERYWHERE else reach.addresses()), *reach.names()]
    return list(dict.fromkeys(filter(None, found)))


def lasting(hosts: list[str]) -> list[str]:
    """Of these, what a certificate must name from the start: addresses of IPv6 come and go every day."""
    return [host for number, host in enumerate(hosts) if not number or ":" not in host]


def named(wish: Wish, port: int, others: Iterable[str]) -> Names:
    """Our names, when `others` are the hosts under which other machines find us."""
    near = {f"{reach.bracketed(host)}:{port}" for host in reach.LOOPBACK}
    far = [f"{reach.bracketed(host)}:{port}" for host in others] if wish.lan else []
    proxied = reach.hosts_of(wish.url) if wish.url else frozenset()
    return Names(
        near=f"http://{NEAR[0]}:{port}",
        lan=f"https://{far[0]}" if far else "",
        url=wish.url,
        hosts=(frozenset({*near, *proxied}), frozenset({*near, *far} if far else ())),
        origins=(
            frozenset({*(f"http://{host}" for host in near), *([wish.url] if wish.url else [])}),
            frozenset(f"https://{host}" for host in {*near, *far}) if far else frozenset(),
        ),
        proxied=frozenset(proxied - near),
    )


def is_proxy(names: Names, host: str, origin: str | None) -> bool:
    """Whether a request that came over plain HTTP was meant for the proxy's name."""
    return host in names.proxied or (bool(names.url) and origin == names.url)


# ── TLS ────────────────────────────────────────────────────────────────────────────────────────


def sealed_by(
    context: ssl.SSLContext, wish: Wish, run: Path, hosts: list[str], needed: list[str]
) -> certificate.Certificate:
    """Have `context` show our certificate from now on: one of our making is for `hosts`, and kept for as long as it has
    those that are `needed`. Raises `UsageError` for one that is no good."""
    if wish.cert:
        made = certificate.load(Path(wish.cert), Path(wish.key))
        context.load_cert_chain(wish.cert, wish.key)
        return made
    file = run / certificate.FILE
    made = certificate.own(file, [*hosts, *reach.LOOPBACK], needed)
    context.load_cert_chain(file)
    return made


def tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    return context
