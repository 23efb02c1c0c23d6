"""One HTTP server on 127.0.0.1 that plays the model for Claude Code, Codex and Gemini CLI.

It runs in a thread of its own, so that tests and benchmarks stay plain code, and it keeps every request it got. It
never sees a real key and never talks to anybody else.
"""

import asyncio
import json
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType

from aiohttp import web

from tests.fakes import dialects
from tests.fakes.dialects import Json, Request, Sent
from tests.fakes.script import ERRAND_DONE, Rule, Say, Script, Step

LIMIT = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Received:
    path: str
    prompt: str
    turn: int
    errand: bool


class MockApi:
    """Use as a context manager; `url` is where the CLIs are pointed at."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._script = Script(rules)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="mock-api", daemon=True)
        self._listening = threading.Event()
        self.received: list[Received] = []
        self.unknown: list[str] = []
        """Paths that were asked for and that no dialect here knows."""
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def prompts(self) -> list[str]:
        """The person's distinct prompts that reached the model, in order of their first arrival."""
        return list(dict.fromkeys(request.prompt for request in self.received if not request.errand))

    def __enter__(self) -> "MockApi":
        self._thread.start()
        if not self._listening.wait(10):
            raise RuntimeError("the loopback API did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application(client_max_size=LIMIT)
        app.router.add_route("*", "/{tail:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        self._loop.run_until_complete(site.start())
        self.port = int(runner.addresses[0][1])
        self._listening.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        data = await request.read()
        path = request.path
        body: Json = json.loads(data) if data.startswith(b"{") else {}
        if path.endswith("/count_tokens"):
            return web.json_response({"input_tokens": max(1, len(data) // 4)})
        if ":countTokens" in path:
            return web.json_response({"totalTokens": max(1, len(data) // 4)})
        if path.endswith("/v1/messages"):
            if dialects.anthropic_wants_title(body):
                step: Step = (Say(json.dumps({"title": "A mock conversation"})),)
            else:
                step = self._answer(path, dialects.anthropic_latest(body))
            if not body.get("stream"):
                return web.json_response(dialects.anthropic_whole(body, step))
            return await _send(request, dialects.anthropic_stream(body, step))
        if path.endswith("/responses"):
            step = self._answer(path, dialects.responses_latest(body))
            return await _send(request, dialects.responses_stream(body, step))
        if path.endswith("/models"):
            return web.json_response({"data": [], "models": [], "object": "list"})
        if found := re.search(r"/models/([^:/]+):(generate|streamGenerate)Content", path):
            step = self._answer(path, dialects.gemini_latest(body))
            if found[2] == "generate":
                return web.json_response(dialects.gemini_whole(found[1], step))
            return await _send(request, dialects.gemini_stream(found[1], step))
        self.unknown.append(path)
        return web.json_response({"error": {"type": "not_found_error", "message": f"mock: {path}"}}, status=404)

    def _answer(self, path: str, asked: Request) -> Step:
        self.received.append(Received(path, asked.prompt, asked.turn, asked.errand))
        return ERRAND_DONE if asked.errand else self._script.step(asked.prompt, asked.turn)


async def _send(request: web.Request, sent: Sent) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    try:
        await response.prepare(request)
        for wait, data in sent:
            if wait:
                await asyncio.sleep(wait)
            if data:
                await response.write(data)
        await response.write_eof()
    except ConnectionError:
        pass  # the CLI was interrupted, which is what the test is about
    return response
