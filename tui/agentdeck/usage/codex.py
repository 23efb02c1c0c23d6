"""What Codex's rollouts say about usage.

Since 0.154 every response leaves one `token_usage_record`; those are counted by response id and the rest ignored.
Older rollouts only have `token_count` events with a running total: its increases are counted, a repeated total is a
refresh of the screen, and a smaller one starts a new epoch. A forked old rollout repeats its parent's events, perhaps
with new times: as long as its totals are the parent's they are the parent's responses; they keep the parent's keys
and so count once.

Rules and their evidence: Codex 0.169 against a loopback API, its source, and the errors of other counters.
"""

from collections.abc import Callable
from heapq import heapify, heappop, heapreplace
from typing import Final

import msgspec

from agentdeck.usage.lines import Count, count, decoded, milliseconds
from agentdeck.usage.models import canonical
from agentdeck.usage.needles import Buffer, finder
from agentdeck.usage.response import Response, made

COUNT: Final = b'"token_count"'
RECORD: Final = b'"token_usage_record"'
CONTEXT: Final = b'"turn_context"'
META: Final = b'"session_meta"'
TIER: Final = b'"service_tier"'

PAGINATED: Final = "paginated"
"""The way of keeping history since 0.154, in which a fork refers to its parent's rows and copies none."""

RESTAMPED: Final = 5_000
"""Milliseconds after a fork's birth within which copied events may be stamped, when the parent's are unknown."""


class _Tokens(msgspec.Struct, gc=False):
    input_tokens: Count | None = None
    cached_input_tokens: Count | None = None
    cache_write_input_tokens: Count | None = None
    output_tokens: Count | None = None
    reasoning_output_tokens: Count | None = None
    total_tokens: Count | None = None

    def vector(self) -> tuple[int, int, int, int, int]:
        return (
            self.input_tokens or 0,
            self.cached_input_tokens or 0,
            self.cache_write_input_tokens or 0,
            self.output_tokens or 0,
            self.reasoning_output_tokens or 0,
        )


class _Info(msgspec.Struct):
    total_token_usage: _Tokens | None = None
    last_token_usage: _Tokens | None = None
    model_context_window: float | None = None


class Window(msgspec.Struct):
    """A rate limit: how much of it is used, and when it starts anew (unix seconds)."""

    used_percent: float = 0.0
    window_minutes: float | None = None
    resets_at: float | None = None


class Limits(msgspec.Struct):
    primary: Window | None = None
    secondary: Window | None = None


class _Settings(msgspec.Struct):
    service_tier: str | None = None
    model: str | None = None


class _Payload(msgspec.Struct):
    type: str | None = None
    id: str | None = None
    timestamp: str | None = None
    cwd: str | None = None
    forked_from_id: str | None = None
    history_mode: str | None = None
    subagent_history_start_ordinal: float | None = None
    model: str | None = None
    service_tier: str | None = None
    thread_settings: _Settings | None = None
    thread_id: str | None = None
    response_id: str | None = None
    usage: _Tokens | None = None
    info: _Info | None = None
    rate_limits: Limits | None = None


class _Row(msgspec.Struct):
    type: str | None = None
    timestamp: str | None = None
    ordinal: float | None = None
    payload: _Payload | None = None


_decode = msgspec.json.Decoder(_Row)


class State(msgspec.Struct):
    """What has to be remembered between two looks at a growing rollout."""

    thread: str = ""
    project: str = ""
    born: int = 0
    parent: str = ""
    first_own: float = 0.0
    """Rows with a smaller ordinal are the parent's history of a sub-agent."""
    model: str = "unknown"
    tier: str = ""
    has_records: bool = False
    epoch: int = 0
    last: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)
    copying: bool = False
    """Whether the totals so far are the parent's."""
    goes_on: bool = False
    """The totals begin with the parent's, whose events are not repeated; each own response has a record."""
    used: int = 0
    window: int = 0
    limits: Limits | None = None
    limits_at: int = 0


class CodexReader:
    """Feed it the rollout's complete lines in order; take the responses.

    `ancestors` gives the threads that a thread was forked from, nearest first; `is_known` tells whether a response is
    in the ledger. A fork must be read after its parent.
    """

    agent = "codex"
    latest_wins = False

    def __init__(
        self,
        path: str,
        state: bytes,
        *,
        ancestors: Callable[[str], list[str]] = lambda thread: [],
        is_known: Callable[[str], bool] = lambda key: False,
    ) -> None:
        self._fallback_thread = path.rpartition("/")[2].split(".")[0][-36:]
        self.state = msgspec.json.decode(state, type=State) if state else State()
        self.bad_lines = 0
        self._ancestors = ancestors
        self._is_known = is_known
        self._found: dict[str, Response] = {}

    def feed(self, buffer: Buffer, start: int, end: int) -> None:
        find, newline, state = finder(buffer), buffer.find, self.state
        position, left = start, -1
        needles = [RECORD, CONTEXT, TIER, COUNT] if state.thread else [META, RECORD, CONTEXT, TIER, COUNT]
        ahead = [(found, needle) for needle in needles if (found := find(needle, start, end)) >= 0]
        heapify(ahead)
        with memoryview(buffer) as view:
            while ahead:
                found, needle = ahead[0]
                if needle is COUNT and state.has_records:
                    left = max(found, position)  # only the last of them still says something
                    heappop(ahead)
                    continue
                if found >= position:  # else its line has been taken for another word
                    begin = buffer.rfind(b"\n", position, found) + 1 or position
                    stop = newline(b"\n", found, end)
                    if stop < 0:
                        stop = end
                    self._take_line(view[begin:stop])
                    position = min(stop + 1, end)
                if (needle is META and state.thread) or (found := find(needle, position, end)) < 0:
                    heappop(ahead)
                else:
                    heapreplace(ahead, (found, needle))
            if left >= 0 and (found := buffer.rfind(COUNT, left, end)) >= 0:
                stop = newline(b"\n", found, end)
                self._take_line(view[buffer.rfind(b"\n", start, found) + 1 or start : end if stop < 0 else stop])

    def take(self) -> list[Response]:
        found, self._found = list(self._found.values()), {}
        return found

    def saved(self) -> bytes:
        return msgspec.json.encode(self.state)

    @property
    def session(self) -> str:
        return self.state.thread or self._fallback_thread

    @property
    def parent(self) -> str:
        return self.state.parent

    def _take_line(self, line: memoryview) -> None:
        try:
            row = _decode.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            try:
                row = decoded(line, _decode)
            except (msgspec.DecodeError, RecursionError):
                self.bad_lines += 1
                return
        payload = row.payload
        if payload is None:
            return
        if row.type == "session_meta":
            self._take_meta(payload)
        elif row.type == "turn_context":
            self.state.model = canonical(payload.model) if payload.model else self.state.model
            if payload.service_tier is not None:
                self.state.tier = payload.service_tier
        elif row.type == "token_usage_record":
            self._take_record(row, payload)
        elif row.type == "event_msg" and payload.type == "token_count":
            self._take_count(row, payload)
        elif row.type == "event_msg" and payload.thread_settings is not None:
            self.state.tier = payload.thread_settings.service_tier or ""

    def _take_meta(self, payload: _Payload) -> None:
        state = self.state
        if state.thread or not payload.id:
            return  # a copied parent's
        state.thread, state.project = payload.id, payload.cwd or ""
        state.born = milliseconds(payload.timestamp)
        state.parent = payload.forked_from_id or ""
        state.first_own = payload.subagent_history_start_ordinal or 0.0
        state.goes_on = bool(state.parent) and payload.history_mode == PAGINATED
        state.copying = bool(state.parent)

    def _take_record(self, row: _Row, payload: _Payload) -> None:
        if payload.usage is None:
            return
        state = self.state
        state.has_records = True
        inherited = row.ordinal is not None and row.ordinal < state.first_own
        session = self.session
        if inherited:
            session = state.parent or payload.thread_id or session
        tier = payload.service_tier or state.tier
        key = payload.response_id or f"{self.session}:{row.ordinal}:{row.timestamp}"
        self._keep(key, session, milliseconds(row.timestamp), payload.usage.vector(), tier, inherited)

    def _take_count(self, row: _Row, payload: _Payload) -> None:
        state, at = self.state, milliseconds(row.timestamp)
        if payload.rate_limits is not None and at >= state.limits_at:
            state.limits, state.limits_at = payload.rate_limits, at
        info = payload.info
        if info is None:
            return
        if info.last_token_usage is not None:
            last = info.last_token_usage
            state.used = last.total_tokens or (last.input_tokens or 0) + (last.output_tokens or 0)
            state.window = count(info.model_context_window) or state.window
        if state.has_records or state.goes_on or info.total_token_usage is None:
            return
        if row.ordinal is not None and row.ordinal < state.first_own:
            return
        self._take_total(at, info.total_token_usage.vector())

    def _take_total(self, at: int, total: tuple[int, int, int, int, int]) -> None:
        state = self.state
        before = state.last
        if total == before:
            return
        if total[0] + total[3] < before[0] + before[3]:
            state.epoch += 1
            before = (0, 0, 0, 0, 0)
        state.last = total
        step = (
            max(0, total[0] - before[0]),
            max(0, total[1] - before[1]),
            max(0, total[2] - before[2]),
            max(0, total[3] - before[3]),
            max(0, total[4] - before[4]),
        )
        if not any(step):
            return
        suffix = f"{state.epoch}:{total[0]}:{total[1]}:{total[2]}:{total[3]}:{total[4]}"
        session = self.session
        if state.copying:
            ancestors = [state.parent, *self._ancestors(state.parent)]
            owner = next((name for name in ancestors if self._is_known(f"{name}:{suffix}")), "")
            if owner:
                return
            unknown_parent = not any(self._is_known(name) for name in ancestors)
            if unknown_parent and at <= state.born + RESTAMPED:
                session = state.parent
            else:
                state.copying = False
        self._keep(f"{session}:{suffix}", session, at, step, state.tier, session != self.session)

    def _keep(
        self, key: str, session: str, at: int, tokens: tuple[int, int, int, int, int], tier: str, copied: bool
    ) -> None:
        prompt, cached, written, output, reasoning = tokens
        cached = min(cached, prompt)
        written = min(written, prompt - cached)
        response = made((
            "codex",
            key,
            session,
            self.state.model,
            at,
            prompt - cached - written,
            written,
            0,
            cached,
            output,
            min(reasoning, output),
            0,
            "priority" if tier in ("priority", "fast") else "",
            1.0,
            "",
            False,
            copied,
            True,
        ))  # fmt: skip
        earlier = self._found.get(key)
        if earlier is None or response.total > earlier.total:
            self._found[key] = response
