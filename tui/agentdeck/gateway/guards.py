"""What every request passes before anybody looks at it: the right host, a known origin, a bounded body; and the headers
that every answer carries.

Browsers send cookies to our port from any page of this machine, and a rebound name reaches us from anywhere, so hosts
and origins are compared whole and everything unknown is refused. Programs that have no origin need a Bearer.
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import msgspec

from agentdeck.gateway.doors import LAN, LOCAL, Names, is_proxy
from agentdeck.gateway.house import House
from agentdeck.protocol import viewers as v
from agentdeck.share.reach import is_address
from agentdeck.share.refusal import RefusedError

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_LIMIT: Final = v.MESSAGE_LIMIT

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Without an exception: the page puts the styles that xterm.js makes where they need none (page/styles.js)."""

HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"content-security-policy", CSP.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), clipboard-read=()"),
)
DOOR: Final = "agentdeck.door"
"""Of a scope: LOCAL, LAN, or the URL of the proxy."""

_FORWARDED: Final = frozenset({
    b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip", b"via",
})  # fmt: skip
_SOCKET: Final = re.compile(r"/v1/s/[\w-]{1,64}/ws")
_UNSAFE: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def header(scope: Scope, name: bytes) -> str | None:
    """The value of a header; None when it is absent, and a value that nothing equals when it is there twice."""
    found = [value for key, value in scope["headers"] if key.lower() == name]
    if not found:
        return None
    return str(found[0].decode("latin-1")) if len(found) == 1 else "\x00twice"


def bearer(scope: Scope) -> str:
    value = header(scope, b"authorization") or ""
    return value[7:].strip() if value[:7].lower() == "bearer " else ""


def cookie(scope: Scope, name: str) -> str:
    for part in (header(scope, b"cookie") or "").split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return ""


def placed(scope: Scope, names: Names) -> Scope:
    """A request that knows by which door it came; one that a proxy of ours passed on, as it was before the proxy.

    What a proxy says of its client is believed only where one was announced, and only its own, last word: what stands
    before that came from the client.
    """
    if scope["scheme"] in ("https", "wss"):
        return {**scope, DOOR: LAN}
    host, origin = (header(scope, b"host") or "").lower(), header(scope, b"origin")
    passed_on = any(key.lower() in _FORWARDED for key, _ in scope["headers"])
    if passed_on and not names.url:
        raise RefusedError("FORBIDDEN", "a proxy that nobody announced has passed this on: share with --url")
    if not passed_on and not is_proxy(names, host, origin):
        return {**scope, DOOR: LOCAL}
    scheme = "https" if names.url.startswith("https") else "http"
    if scope["type"] == "websocket":
        scheme = scheme.replace("http", "ws")
    return {**scope, DOOR: names.url, "scheme": scheme, "client": (_forwarded_for(scope), 0)}


def _forwarded_for(scope: Scope) -> str:
    """Who came to the proxy; the proxy itself when it does not say."""
    told = b",".join(value for key, value in scope["headers"] if key.lower() == b"x-forwarded-for")
    last = told.decode("latin-1").rpartition(",")[2].strip()
    client = scope.get("client")
    return last if is_address(last) else str(client[0]) if client else "?"


def door(scope: Scope) -> str:
    """By which door a request came."""
    return str(scope.get(DOOR, ""))


def is_here(scope: Scope) -> bool:
    """Whether a request came from this machine and nobody passed it on."""
    return door(scope) == LOCAL


def reached(scope: Scope, names: Names) -> str:
    """Scheme, host and port under which whoever asks has found us."""
    return {LAN: names.lan, names.url or LOCAL: names.url}.get(door(scope)) or names.near


class Guards:
    """`sockets` gets the WebSockets, `app` everything else."""

    def __init__(self, app: App, sockets: App, house: House) -> None:
        self._app = app
        self._sockets = sockets
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._check(scope)
            scope = placed(scope, self._house.names)
        except RefusedError as refused:
            if scope["type"] == "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1008})
            else:
                await answer(send, refused.problem)
            return
        if scope["type"] == "websocket":
            await self._sockets(scope, receive, send)
        else:
            await self._app(scope, _bounded(receive), _dressed(send))

    def _check(self, scope: Scope) -> None:
        names, secure = self._house.names, scope["scheme"] in ("https", "wss")
        if (header(scope, b"host") or "").lower() not in names.hosts[secure]:
            raise RefusedError("FORBIDDEN", "this host is not served")
        origin = header(scope, b"origin")
        if origin is not None and origin not in names.origins[secure]:
            raise RefusedError("FORBIDDEN", "this origin is not served")
        if scope["type"] == "websocket" and _SOCKET.fullmatch(scope["path"]) is None:
            raise RefusedError("NO_SUCH_SHARE")
        changes = scope["type"] == "websocket" or scope["method"] in _UNSAFE
        if changes and origin is None and header(scope, b"cookie") is not None and not bearer(scope):
            raise RefusedError("FORBIDDEN", "a cookie is only good with an origin")
        site = header(scope, b"sec-fetch-site")
        page = scope["type"] == "http" and (scope["path"].startswith("/s/") or scope["path"] == "/join")
        if site not in (None, "same-origin", "none") and not page:
            raise RefusedError("FORBIDDEN", "other sites may not ask")
        if scope["type"] == "http" and changes:
            size = header(scope, b"content-length") or "0"
            if not (size.isascii() and size.isdigit()) or int(size) > BODY_LIMIT:
                raise RefusedError("TOO_LARGE")


def _bounded(receive: Receive) -> Receive:
    taken = 0

    async def bounded() -> Event:
        nonlocal taken
        event = await receive()
        taken += len(event.get("body", b""))
        if taken > BODY_LIMIT:
            raise RefusedError("TOO_LARGE")
        return event

    return bounded


def _dressed(send: Send) -> Send:
    kept = (b"cache-control",)

    async def dressed(event: Event) -> None:
        if event["type"] == "http.response.start":
            headers = [pair for pair in event.get("headers", []) if pair[0].lower() not in dict(HEADERS)]
            if not any(name.lower() in kept for name, _ in headers):
                headers.append((b"cache-control", b"no-store"))
            event["headers"] = [*headers, *HEADERS]
        await send(event)

    return dressed


async def answer(send: Send, problem: v.Problem) -> None:
    """Answer a request with a problem, outside of the application."""
    body = msgspec.json.encode(problem)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *HEADERS,
    ]
    if problem.retry_after is not None:
        headers.append((b"retry-after", str(int(problem.retry_after)).encode()))
    await send({"type": "http.response.start", "status": v.CODE[problem.code].status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
