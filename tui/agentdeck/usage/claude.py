"""What Claude Code's transcripts say about usage.

One API response is written as one record per content block, each repeating message id, request id and usage; streams
that were cut may repeat it with smaller numbers. So: one response per (message id, request id), the largest sum wins.
A transcript of the main chain also says how full the context is and, in `cost-state` rows, what the CLI itself counted,
which includes calls that write no record (compaction, titles).

Rules and their evidence: Claude Code 2.1.197 and 2.1.329 against a loopback API, and its shipped program.
"""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from agentdeck.usage import claude_rows as rows
from agentdeck.usage.lines import SANE, count, decoded, hits, milliseconds
from agentdeck.usage.models import canonical, has_long_window_mark
from agentdeck.usage.needles import Buffer, finder
from agentdeck.usage.response import Response, made
from agentdeck.usage.tables import number

USAGE: Final = b'"output_tokens":'
COST_STATE: Final = b'"totalCostUSD":'
BOUNDARY: Final = b'"compact_boundary"'

US_FACTOR: Final = 1.1
"""Inference in the US only costs this much more, web searches excepted."""

IMAGE_TOKENS: Final = 2000
"""What Claude Code reckons an image to be, when it estimates what came after the last response."""

SMALL_WINDOW: Final = 200_000
"""Tokens; a longer prompt proves that the window has a million."""

REMEMBERED: Final = 16
"""Responses of a transcript whose later copies we still recognise when it grows."""


class Context(msgspec.Struct):
    """How full the context of the main chain is, as far as this transcript tells."""

    session: str = ""
    model: str = ""
    used: int = 0
    """Prompt tokens of the last response, or what a compaction left."""
    output: int = 0
    later: int = 0
    """An estimate of what was written after that response."""
    long_window: bool = False
    """Something said that the window has a million tokens."""
    outgrown: bool = False
    """A prompt was too long for the small window, perhaps before a compaction."""


class State(msgspec.Struct):
    """What has to be remembered between two looks at a growing transcript."""

    session: str = ""
    project: str = ""
    context: Context | None = None
    visible: float = 0.0
    """USD of the distinct responses of the main chain in this file so far."""
    recent: dict[int, tuple[int, float]] = {}
    """Number of the key → (total tokens, USD) of the last responses of the main chain."""
    own_cost: float | None = None
    """USD by the CLI's own last count."""
    own_visible: float = 0.0
    """`visible` at that count."""
    own_until: int = 0
    """When the response after that count came; 0 when none has."""


class ClaudeReader:
    """Feed it the transcript's complete lines in order; take the responses."""

    agent = "claude"
    latest_wins = False

    def __init__(self, path: str, state: bytes, cost: Callable[[Response], float | None]) -> None:
        self._subagent = "/subagents/" in path
        self._fallback_session = path.rpartition("/")[2].partition(".")[0]
        self.state = msgspec.json.decode(state, type=State) if state else State()
        self.bad_lines = 0
        self._cost = cost
        self._costs: dict[str, tuple[int, float | None]] = {}
        """Key → (total tokens, USD) of what was found since we began."""
        self._last: rows.Row | None = None
        """The record of the response that came last."""
        self._last_id: str | None = None
        self._moved = False
        """Whether it moved the context."""
        self._found: dict[str, Response] = {}

    def feed(self, buffer: Buffer, start: int, end: int) -> None:
        tail = position = start
        find, before, newline, decode, take = finder(buffer), buffer.rfind, buffer.find, rows.row.decode, self._take_row
        spent = find(COST_STATE, start, end)
        with memoryview(buffer) as view:
            while (found := find(USAGE, position, end)) >= 0:
                begin = before(b"\n", position, found) + 1 or position
                stop = newline(b"\n", found, end)
                if stop < 0:
                    stop = end
                position = stop + 1 if stop < end else end
                while 0 <= spent < begin:
                    spent = find(COST_STATE, self._take_cost_state(buffer, start, spent, end), end)
                line = view[begin:stop]
                try:
                    row = decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    try:
                        row = decoded(line, rows.row)
                    except (msgspec.DecodeError, RecursionError):
                        self.bad_lines += 1
                        continue
                if take(row, line):
                    tail = stop
        while spent >= 0:
            spent = find(COST_STATE, self._take_cost_state(buffer, start, spent, end), end)
        if not self._subagent:
            self._look_after(buffer, tail, end)

    @property
    def session(self) -> str:
        return self.state.session

    @property
    def parent(self) -> str:
        return ""

    def take(self) -> list[Response]:
        """Return what was found since the last call."""
        found, self._found = list(self._found.values()), {}
        return found

    def saved(self) -> bytes:
        if not self._subagent:
            for key in list(self._costs)[-REMEMBERED:]:
                total, cost = self._costs[key]
                self.state.recent[number(key)] = (total, cost or 0.0)
            self.state.recent = dict(list(self.state.recent.items())[-REMEMBERED:])
        return msgspec.json.encode(self.state)

    # ── records ────────────────────────────────────────────────────────────────────────────────

    def _take_row(self, row: rows.Row, line: memoryview) -> bool:
        """Take in a record; True if it moved the context of the main chain."""
        message = row.message
        if row.type != "assistant" or message is None or row.is_api_error_message:
            return False
        usage, last, id = message.usage, self._last, message.id
        if usage is None or message.model == "<synthetic>":
            return False
        if id == self._last_id and id and last is not None and _is_repeated(row, usage, last):
            return self._moved  # the same response again, with another block of its content
        self._last, self._last_id, self._moved = row, id, False
        session = row.session_id or self._fallback_session
        raw = message.model or "unknown"
        input, read = usage.input_tokens or 0, usage.cache_read_input_tokens or 0
        output, written = usage.output_tokens or 0, usage.cache_creation_input_tokens or 0
        hour = _hour(usage, written)
        key = f"{id}:{row.request_id}" if id and row.request_id else rows.key(row, message, line)
        is_aside = row.is_sidechain or self._subagent
        server, at, model = usage.server_tool_use, milliseconds(row.timestamp), canonical(raw)
        response = made((
            "claude",
            key,
            session,
            model,
            at,
            input,
            written - hour,
            hour,
            read,
            output,
            0,
            server.web_search_requests or 0 if server is not None else 0,
            "fast" if usage.speed == "fast" else "",
            US_FACTOR if usage.inference_geo == "us" else 1.0,
            id or "",
            is_aside,
            row.forked_from is not None,
            True,
        ))  # fmt: skip
        prompt = input + written + read
        self._keep(response, key, prompt + output)
        state, parts = self.state, usage.iterations or ()
        if parts:
            for number, advice in enumerate(parts):
                if advice.type == "advisor_message":
                    advised = _advice(response, advice, number)
                    self._keep(advised, advised.key, advised.total)
        if not state.session:
            state.session = session
        if not state.project:
            state.project = row.cwd or ""
        if state.own_cost is not None and not state.own_until:
            state.own_until = at
        if is_aside:
            return False
        self._set_context(response, raw, prompt, parts)
        self._moved = True
        return True

    def _keep(self, response: Response, key: str, total: int) -> None:
        known, state = self._costs.get(key), self.state
        if known is None and state.recent:
            known = state.recent.get(number(key))
        if known is None:
            cost = self._cost(response)
            self._costs[key] = total, cost
            if cost and not response.sidechain:
                state.visible += cost
            self._found[key] = response
            return
        earlier = self._found.get(key)
        if known[0] >= total:  # the same answer again: only its time and place may be better
            if earlier is None:
                self._found[key] = response
            elif 0 < response.at < earlier.at:
                self._found[key] = earlier._replace(at=response.at)
            return
        cost = self._cost(response)
        self._costs[key] = total, cost
        if not response.sidechain:
            state.visible += (cost or 0.0) - (known[1] or 0.0)
        if earlier is not None and 0 < earlier.at < response.at:
            response = response._replace(at=earlier.at)
        self._found[key] = response

    def costs(self, responses: Iterable[Response]) -> list[float | None]:
        """What the responses cost that were taken from here."""
        known = self._costs
        return [known[r.key][1] if r.key in known else self._cost(r) for r in responses]

    def _set_context(
        self, response: Response, model: str, used: int, iterations: "list[rows.Iteration] | tuple[()]"
    ) -> None:
        output = response.output
        for part in reversed(iterations):
            if part.type not in ("advisor_message", "compaction"):
                used = part.input_tokens or 0
                used += (part.cache_creation_input_tokens or 0) + (part.cache_read_input_tokens or 0)
                output = part.output_tokens or 0
                break
        if not used:
            return  # a fork's copy from before a compaction has its usage zeroed
        context = self.state.context
        if context is None or context.model != response.model:
            context = self.state.context = Context(model=response.model)
        context.session, context.used, context.output, context.later = response.session, used, output, 0
        if used > SMALL_WINDOW:
            context.outgrown = True
        if model != response.model and has_long_window_mark(model):
            context.long_window = True

    def _take_cost_state(self, buffer: Buffer, start: int, found: int, end: int) -> int:
        """Take in the CLI's own count in the line around `found`; return where that line ends."""
        begin, stop = buffer.rfind(b"\n", start, found) + 1 or start, buffer.find(b"\n", found, end)
        stop = end if stop < 0 else stop
        try:
            row = decoded(buffer[begin:stop], rows.cost_state)
        except (msgspec.DecodeError, RecursionError):
            return stop
        if row.type == "cost-state" and 0 <= row.total < SANE:
            state = self.state
            state.session = state.session or row.session or self._fallback_session
            state.own_cost, state.own_visible, state.own_until = row.total, state.visible, 0
            self._last = None
        return stop

    # ── after the last response ────────────────────────────────────────────────────────────────

    def _look_after(self, buffer: Buffer, start: int, end: int) -> None:
        """Take in a compaction, and estimate what was written, after the last response of the main chain."""
        context = self.state.context
        if buffer.find(BOUNDARY, start, end) >= 0:
            found = buffer.rfind(BOUNDARY, start, end)  # much slower than to find that there is none
            begin = buffer.rfind(b"\n", start, found) + 1 or start
            stop = buffer.find(b"\n", found, end)
            stop = end if stop < 0 else stop
            try:
                row = decoded(buffer[begin:stop], rows.boundary)
            except (msgspec.DecodeError, RecursionError):
                row = rows.Boundary()
            if row.subtype == "compact_boundary" and row.metadata is not None and row.metadata.post_tokens is not None:
                context = context or Context(session=self._fallback_session)
                context.used, context.output, context.later = count(row.metadata.post_tokens), 0, 0
                self.state.context = context
                start = stop
        if context is None:
            return
        for begin, stop in hits(buffer, (b'"type":"user"', b'"type":"assistant"'), start, end):
            try:
                later = decoded(buffer[begin:stop], rows.later)
            except (msgspec.DecodeError, RecursionError):
                continue
            if later.message is not None and not later.is_sidechain:
                context.later += _estimate(later.message.content)


def _is_repeated(row: rows.Row, usage: rows.Usage, last: rows.Row) -> bool:
    """Whether a record of the last message says of it what is known already, at no earlier time."""
    return (
        row.request_id == last.request_id
        and last.message is not None
        and usage == last.message.usage
        and row.is_sidechain == last.is_sidechain
        and (row.timestamp or "") >= (last.timestamp or "")
    )


def _hour(usage: rows.Usage | rows.Iteration, written: int) -> int:
    """How many of the tokens written into the cache stay there for an hour."""
    creation = usage.cache_creation
    return min(written, creation.ephemeral_1h_input_tokens or 0) if creation is not None else 0


def _advice(response: Response, part: rows.Iteration, number: int) -> Response:
    written = part.cache_creation_input_tokens or 0
    hour = _hour(part, written)
    return response._replace(
        key=f"{response.key}#{number}",
        model=canonical(part.model or "unknown"),
        input=part.input_tokens or 0,
        cache_write_5m=written - hour,
        cache_write_1h=hour,
        cache_read=part.cache_read_input_tokens or 0,
        output=part.output_tokens or 0,
        web_search=0,
        tier="",
        counted=False,
    )


def _estimate(content: str | list[rows.Block] | None) -> int:
    """Tokens of a message's content by Claude Code's own rule of thumb: four characters each."""
    if content is None or isinstance(content, str):
        return len(content or "") // 4
    tokens = 0
    for block in content:
        if block.type == "image":
            tokens += IMAGE_TOKENS
        elif block.type == "tool_result":
            tokens += _estimate(block.content)
        elif block.text is not None:
            tokens += len(block.text) // 4
    return tokens
