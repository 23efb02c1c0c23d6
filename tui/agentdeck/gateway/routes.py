"""The HTTP side: joining, reading and saying, in the words of the one schema, with an OpenAPI document of it.

Bodies are checked by msgspec against `protocol.viewers`, the types that sockets speak; FastAPI routes and documents.
"""

import functools
import gzip
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar, cast

import msgspec
from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from agentdeck.gateway import guards
from agentdeck.gateway.events import stream
from agentdeck.gateway.house import House
from agentdeck.gateway.openapi import answers, body_of, document
from agentdeck.gateway.shared import SharedSession
from agentdeck.gateway.socket import COOKIE, want
from agentdeck.protocol import gateway as g
from agentdeck.protocol import viewers as v
from agentdeck.share import tokens
from agentdeck.share.refusal import RefusedError

PAGE: Final = Path(__file__).with_name("page")

AGENT_KINDS: Final = ("feed", "status")
"""What the agent did, in the log."""

PEOPLE_KINDS: Final = tuple(sorted(v.DURABLE - {*AGENT_KINDS}))
"""What people said and did, in the log."""

_TYPES: Final = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2",
    ".json": "application/json", ".txt": "text/plain; charset=utf-8", ".map": "application/json",
}  # fmt: skip

T = TypeVar("T")

Since = Annotated[int, Query(ge=0, le=2**53)]
Before = Annotated[int, Query(ge=0, le=2**53)]
Limit = Annotated[int, Query(ge=1, le=500)]


class JsonResponse(Response):
    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return content if isinstance(content, bytes) else msgspec.json.encode(content)


async def read_body(request: Request, kind: type[T]) -> T:
    """Raises `RefusedError` for what is not this kind as JSON."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedError("BAD_MESSAGE", "the body must be application/json")
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise RefusedError("BAD_MESSAGE", str(error)) from error


class Routes:
    def __init__(self, house: House) -> None:
        self._house = house

    # ── joining ────────────────────────────────────────────────────────────────────────────────

    async def join(self, share: str, request: Request) -> Response:
        """Exchange the secret of a link for a session: a cookie for browsers, a token for programs."""
        wish = await read_body(request, v.Join)
        address, secret = _address(request), tokens.hashed(wish.secret)
        self._house.budget.spend("join", address)
        self._house.budget.check("join_failed", address)
        door = guards.door(request.scope)
        ask = partial(g.AskJoin, share=share, secret=secret, name=wish.name, address=address, door=door)
        try:
            return await self._let_in(request, ask, program=wish.bearer)  # the hub is asked, whether we know it or not
        except RefusedError as refused:
            if refused.problem.code == "NO_SUCH_SHARE":
                self._house.budget.note("join_failed", address)
            raise

    async def join_by_code(self, request: Request) -> Response:
        """Ask to be let in with a typed code. The owner sees the same three words as you and decides."""
        wish = await read_body(request, v.JoinCode)
        address = _address(request)
        self._house.budget.spend("join", address)
        self._house.budget.check("code_failed", address)
        self._house.budget.check("code_failed_by_all", "all")
        code = tokens.hashed(tokens.normalised(wish.code))
        try:
            door = guards.door(request.scope)
            ask = partial(g.AskCode, code=code, name=wish.name, address=address, door=door)
            return await self._let_in(request, ask, program=wish.bearer)
        except RefusedError as refused:
            if refused.problem.code == "NO_SUCH_SHARE":
                self._house.budget.note("code_failed", address)
                self._house.budget.note("code_failed_by_all", "all")
            raise

    async def _let_in(self, request: Request, ask: Callable[..., g.AskJoin | g.AskCode], *, program: bool) -> Response:
        has_origin = request.headers.get("origin") is not None
        if program == has_origin:
            raise RefusedError(
                "FORBIDDEN", "programs join with bearer and without an origin, pages the other way round"
            )
        token = tokens.new_secret()
        csrf = tokens.csrf(token)
        joined = await self._house.hub.ask(
            lambda number: ask(id=number, token=tokens.hashed(token), csrf=tokens.hashed(csrf)), v.Joined
        )
        joined = msgspec.structs.replace(joined, csrf=csrf, token=token if program else "")
        response = JsonResponse(joined, status_code=202 if joined.pending else 200)
        if not program:
            response.set_cookie(
                COOKIE, token, path=f"/v1/s/{joined.share}", httponly=True, samesite="strict",
                secure=request.url.scheme == "https",
                max_age=max(1, int(joined.expires_at - time.time())),
            )  # fmt: skip
        return response

    # ── reading ────────────────────────────────────────────────────────────────────────────────

    async def me(self, share: str, request: Request) -> Response:
        """Who you are, and what this share is."""
        shared, grant = self._who(share, request, pending=True)
        facts = shared.facts
        return JsonResponse(
            v.Me(
                share=facts.share, participant=grant.participant, name=grant.name, role=grant.role,
                pending=grant.pending, hands=grant.hands, session=facts.session, provider=facts.provider,
                expires_at=facts.expires_at, last_seq=shared.last_seq,
                csrf="" if guards.bearer(request.scope) else tokens.csrf(guards.cookie(request.scope, COOKIE)),
            )
        )  # fmt: skip

    async def snapshot(self, share: str, request: Request) -> Response:
        """Everything that is not in the log, as it is now."""
        shared, _ = self._who(share, request)
        return JsonResponse(bytes(msgspec.json.decode(shared.snapshot().text, type=v.Envelope).d))

    async def screen(self, share: str, request: Request) -> Response:
        """The terminal: rows with their styles, or plain text when that is what you accept."""
        shared, _ = self._who(share, request)
        if "text/plain" in request.headers.get("accept", ""):
            return Response(shared.canvas.text() + "\n", media_type="text/plain; charset=utf-8")
        screen = shared.canvas.body(0)
        if screen is None:
            raise RefusedError("UNAVAILABLE", "there is no screen", retry_after=1.0)
        return JsonResponse(screen)

    async def participants(self, share: str, request: Request) -> Response:
        """Who is here."""
        return JsonResponse(self._who(share, request)[0].part("presence"))

    async def queue(self, share: str, request: Request) -> Response:
        """The prompts that wait, and what became of the last ones."""
        return JsonResponse(self._who(share, request)[0].part("queue"))

    async def messages(
        self, share: str, request: Request, since: Since = 0, before: Before = 0, limit: Limit = 100
    ) -> Response:  # fmt: skip
        """The log: what people and the agent did, oldest first, after event `since`, or the last before `before`."""
        return await self._log(share, request, since, before, limit, ())

    async def history(
        self, share: str, request: Request, since: Since = 0, before: Before = 0, limit: Limit = 100
    ) -> Response:  # fmt: skip
        """What the agent did, oldest first, after event `since`, or the last before `before`."""
        return await self._log(share, request, since, before, limit, AGENT_KINDS)

    async def talk(
        self, share: str, request: Request, since: Since = 0, before: Before = 0, limit: Limit = 100
    ) -> Response:  # fmt: skip
        """What people said and did, oldest first, after event `since`, or the last before `before`."""
        return await self._log(share, request, since, before, limit, PEOPLE_KINDS)

    async def _log(
        self, share: str, request: Request, since: int, before: int, limit: int, kinds: tuple[str, ...]
    ) -> Response:
        shared, _ = self._who(share, request)
        page = await self._house.log(shared.facts.share, since, limit, kinds, before=before)
        more = len(page.messages) == limit
        return JsonResponse(
            v.Messages(messages=page.messages, next=page.messages[0 if before else -1].seq if more else 0)
        )

    async def events(
        self, share: str, request: Request, since: int | None = Query(None, ge=0, le=2**53)
    ) -> Response:  # fmt: skip
        """Server-sent events: the same messages as on the socket. `Last-Event-ID` resumes."""
        shared, grant = self._who(share, request)
        self._house.budget.spend("connect", grant.participant)
        if self._house.hub.line is None:
            raise RefusedError("UNAVAILABLE", "the owner is offline", retry_after=5.0)
        last = request.headers.get("last-event-id", "")
        wanted = int(last) if last.isascii() and last.isdigit() and len(last) < 16 else since
        return StreamingResponse(
            stream(self._house, shared, grant, wanted),
            media_type="text/event-stream",
            headers={"x-accel-buffering": "no", "cache-control": "no-store"},
        )

    # ── saying ─────────────────────────────────────────────────────────────────────────────────

    async def send(self, share: str, request: Request) -> Response:
        """Say something: `chat`, `command`, `interrupt`, … A second send with the same `id` changes nothing."""
        shared, grant = self._who(share, request, change=True)
        echo = await want(self._house, shared, grant, await read_body(request, v.Sent))
        return JsonResponse(echo, status_code=200 if echo.duplicate else 201)

    async def cancel(self, share: str, item: str, request: Request) -> Response:
        """Take a prompt of yours back."""
        shared, grant = self._who(share, request, change=True)
        body = msgspec.Raw(msgspec.json.encode({"item": item[:64]}))
        return JsonResponse(await want(self._house, shared, grant, v.Sent(t="cancel", d=body)))

    # ── the owner's scripts ────────────────────────────────────────────────────────────────────

    async def sessions(self, request: Request, claude_session_id: str = Query("", max_length=100)) -> Response:
        """What is shared: for the owner's token everything, for anybody else what they are part of."""
        token = guards.bearer(request.scope)
        self._house.budget.spend("ask", _address(request))
        owner = guards.is_here(request.scope) and self._house.is_owner(token)
        hashed = tokens.hashed(token) if token else ""
        found = [
            _described(shared, guards.reached(request.scope, self._house.names))
            for shared in self._house.shares.values()
            if (owner or ((grant := shared.grants.get(hashed)) is not None and not grant.pending))
            and claude_session_id in ("", shared.facts.provider_session)
        ]
        if not found and not owner:
            raise RefusedError("UNAUTHENTICATED")
        return JsonResponse(v.SharedSessions(sessions=tuple(found)))

    # ── the page ───────────────────────────────────────────────────────────────────────────────

    async def page(self, request: Request) -> Response:
        """The same for a link and for a typed code: it tells nothing about what is shared."""
        return self._file("index.html", request, immutable=False)

    async def asset(self, path: str, request: Request) -> Response:
        return self._file(path, request, immutable=True)

    def _file(self, path: str, request: Request, *, immutable: bool) -> Response:
        """One of the files that we ship: found by its exact name in a list, so no path leads out of it."""
        file = _files().get(path)
        if file is None:
            raise RefusedError("NO_SUCH_SHARE")
        headers = {"cache-control": "public, max-age=300" if immutable else "no-store", "vary": "accept-encoding"}
        packed = "gzip" in request.headers.get("accept-encoding", "")
        if packed:
            headers["content-encoding"] = "gzip"
        return Response(_content(file, packed=packed), media_type=_TYPES[file.suffix], headers=headers)

    def _who(
        self, share: str, request: Request, *, change: bool = False, pending: bool = False
    ) -> tuple[SharedSession, g.Grant]:
        token = guards.bearer(request.scope)
        shared, grant = self._house.known(
            share, token or guards.cookie(request.scope, COOKIE), _address(request), guards.door(request.scope),
            connects=False,
        )  # fmt: skip
        self._house.budget.spend("ask", grant.participant)
        if change and not token:
            csrf = request.headers.get("x-agentdeck-csrf", "")
            if not tokens.same(tokens.hashed(csrf), grant.csrf):
                raise RefusedError("UNAUTHENTICATED")
        if grant.pending and not pending:
            raise RefusedError("NOT_APPROVED")
        return shared, grant


@functools.cache
def _content(file: Path, *, packed: bool) -> bytes:
    """Of a file that we ship, which does not change while we run."""
    data = file.read_bytes()
    return gzip.compress(data, mtime=0) if packed else data


@functools.cache
def _files() -> dict[str, Path]:
    return {
        str(path.relative_to(PAGE)): path for path in PAGE.rglob("*") if path.is_file() and path.suffix in _TYPES
    }  # fmt: skip


def _described(shared: SharedSession, url: str) -> v.SharedSession:
    facts = shared.facts
    return v.SharedSession(
        share=facts.share, session=facts.session, claude_session_id=facts.provider_session, provider=facts.provider,
        url=f"{url}/s/{facts.share}", role=facts.role, expires_at=facts.expires_at, viewers=len(shared.viewers),
    )  # fmt: skip


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else "?"


def build(house: House) -> FastAPI:
    app = FastAPI(
        title="agentdeck-share", version=str(v.VERSION), docs_url=None, redoc_url=None, openapi_url=None,
        redirect_slashes=False,
        description="A shared session: join, read, say. The messages themselves are described in docs/protocol.md.",
    )  # fmt: skip
    routes = Routes(house)

    def add(
        method: str, path: str, endpoint: Callable[..., Awaitable[Response]], model: type[msgspec.Struct],
        *codes: int, body: type[msgspec.Struct] | None = None, ok: int = 200,
    ) -> None:  # fmt: skip
        app.add_api_route(
            path, endpoint, methods=[method], response_class=JsonResponse, status_code=ok,
            responses=answers(model, *codes, ok=ok), openapi_extra=body_of(body) if body else None,
        )  # fmt: skip

    add("POST", "/v1/join", routes.join_by_code, v.Joined, 202, 410, body=v.JoinCode)
    add("POST", "/v1/s/{share}/join", routes.join, v.Joined, 202, 410, body=v.Join)
    add("GET", "/v1/s/{share}", routes.me, v.Me, 401)
    add("GET", "/v1/s/{share}/snapshot", routes.snapshot, v.Snapshot, 401)
    add("GET", "/v1/s/{share}/screen", routes.screen, v.Screen, 401)
    add("GET", "/v1/s/{share}/participants", routes.participants, v.Presence, 401)
    add("GET", "/v1/s/{share}/queue", routes.queue, v.Queue, 401)
    add("GET", "/v1/s/{share}/messages", routes.messages, v.Messages, 401)
    add("GET", "/v1/s/{share}/history", routes.history, v.Messages, 401)
    add("GET", "/v1/s/{share}/talk", routes.talk, v.Messages, 401)
    add("GET", "/v1/s/{share}/events", routes.events, v.Messages, 401)
    add("POST", "/v1/s/{share}/messages", routes.send, v.Echo, 200, 401, 409, 410, body=v.Sent, ok=201)
    add("DELETE", "/v1/s/{share}/queue/{item}", routes.cancel, v.Echo, 401, 409, 410)
    add("GET", "/api/sessions", routes.sessions, v.SharedSessions, 401)
    app.add_api_route("/s/{share}", routes.page, methods=["GET"], include_in_schema=False)
    app.add_api_route("/join", routes.page, methods=["GET"], include_in_schema=False)
    app.add_api_route("/assets/{path:path}", routes.asset, methods=["GET"], include_in_schema=False)
    described: list[bytes] = []

    async def openapi() -> Response:
        if not described:
            described.append(msgspec.json.encode(document(app)))
        return JsonResponse(described[0])

    app.add_api_route("/v1/openapi.json", openapi, methods=["GET"], include_in_schema=False)

    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _missing)
    return app


def documented() -> dict[str, Any]:
    """The OpenAPI document on its own, without anything that is shared."""
    return document(build(cast("House", None)))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    problem = error.problem
    headers = {"retry-after": str(int(problem.retry_after))} if problem.retry_after is not None else None
    return JsonResponse(problem, status_code=v.CODE[problem.code].status, headers=headers)


async def _invalid(request: Request, error: Exception) -> Response:
    return await _refused(request, RefusedError("BAD_MESSAGE", "a parameter is not what it should be"))


async def _missing(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        problem = RefusedError("BAD_MESSAGE", "not with this method").problem
        return JsonResponse(problem, status_code=405, headers={"allow": ", ".join(sorted(_methods(request)))})
    return await _refused(request, RefusedError("NO_SUCH_SHARE"))


def _methods(request: Request) -> set[str]:
    """Everything that can be done at this path."""
    return {
        method
        for route in request.app.routes
        if isinstance(route, APIRoute) and route.path_regex.match(request.url.path)
        for method in route.methods or ()
    }
