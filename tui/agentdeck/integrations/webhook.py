"""Send events to a URL, from a thread of their own, so that a slow or dead receiver holds up nobody.

At most `queue` events wait; then the oldest go and are counted in `dropped`. An event is tried again after errors that
may pass (no connection, timeouts, 408, 425, 429, 5xx) with a delay that doubles and is drawn at random, or as long as
the receiver asks for. Events are sent one after the other in their order. Redirects are not followed: the address that
was given is the only one that is sent to, through the proxy of the environment if there is one. Of an answer only the
status and Retry-After matter.
"""

import logging
import random
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from agentdeck.errors import UsageError
from agentdeck.events import AnyEvent
from agentdeck.integrations import signing
from agentdeck.integrations.payloads import Template, facts
from agentdeck.realtime.filters import known_kind

if TYPE_CHECKING:
    import httpx

QUEUE: Final = 1000
"""Events that may wait."""

TRIES: Final = 6

FIRST_DELAY: Final = 0.5
LONGEST_DELAY: Final = 60.0
"""Seconds."""

TIMEOUT: Final = 10.0
"""Seconds for connecting, and for the receiver to take or say anything."""

GOING_SECONDS: Final = 5.0
"""For which `close` goes on sending what waits."""

GRACE: Final = 1.0
"""Seconds beyond that for the last attempt to notice."""

SHORT: Final = 4096
"""Bytes of an answer that are read, though nobody looks at them."""

MAY_PASS: Final = frozenset((408, 425, 429))
"""Answers other than 5xx after which it is worth another try."""

_log: Final = logging.getLogger("agentdeck.webhook")


class Counts(NamedTuple):
    sent: int
    failed: int
    """Given up: refused, or tried often enough."""
    dropped: int
    """Never tried, because too many waited."""
    waiting: int


class _Delivery(NamedTuple):
    kind: str
    body: bytes


class Webhook:
    """Use as a context manager and give it to a watcher: `watcher.pipe(...).on_any(hook.send)`.

    - `secret`: signs every request (see `signing`); without it nothing is signed.
    - `kinds`: sends only these kinds of events, and `where` only those of which it says yes.
    - `template`: makes the JSON that is sent, from `payloads`: `facts` (the default, no contents), `everything`,
      `slack`, or a function of your own.

    Raises `UsageError` when the URL is none.
    """

    def __init__(
        self,
        url: str,
        *,
        secret: str = "",
        kinds: Collection[str] = (),
        where: Callable[[AnyEvent], bool] | None = None,
        template: Template = facts,
        queue: int = QUEUE,
        tries: int = TRIES,
        timeout: float = TIMEOUT,
        first_delay: float = FIRST_DELAY,
        transport: "httpx.BaseTransport | None" = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        import httpx  # here and below, because it takes its time, and who sends nothing should not wait for it

        self._host = _host(url)
        self._client = httpx.Client(follow_redirects=False, transport=transport)
        self._url = url
        self._secret = secret
        self._timeout = timeout
        self._kinds = frozenset(map(known_kind, kinds))
        self._where = where
        self._template = template
        self._most, self._tries, self._first_delay, self._now = queue, tries, first_delay, now
        self._waiting: deque[_Delivery] = deque()
        self._changed = threading.Condition()
        self._sent = self._failed = self._dropped = 0
        self._busy = False
        self._close_at: float | None = None
        """When, by the monotonic clock, nothing is sent any more."""
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="agentdeck-webhook", daemon=True)

    def __enter__(self) -> "Webhook":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def counts(self) -> Counts:
        with self._changed:
            return Counts(self._sent, self._failed, self._dropped, len(self._waiting) + self._busy)

    def send(self, event: AnyEvent) -> None:
        """Queue an event that fits, and return at once. What `where` or the template raises is raised here."""
        if (self._kinds and event.kind not in self._kinds) or (self._where is not None and not self._where(event)):
            return
        delivery = _Delivery(event.kind, msgspec.json.encode(self._template(event)))
        with self._changed:
            if self._is_closed:
                self._dropped += 1
                return
            if len(self._waiting) >= self._most:
                self._waiting.popleft()
                self._dropped += 1
            self._waiting.append(delivery)
            self._changed.notify_all()

    def flush(self, seconds: float) -> bool:
        """Wait until nothing waits any more; return whether that came about in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._busy, seconds)

    def close(self, seconds: float = GOING_SECONDS) -> None:
        """Go on sending for so long at most, count the rest as dropped, and end. Nothing that comes later is sent.

        A receiver that is still silent then is not waited for; what it was being sent counts as failed when it ends.
        """
        with self._changed:
            until = time.monotonic() + seconds
            self._close_at = until if self._close_at is None else min(self._close_at, until)
            self._is_closed = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(max(0.0, self._close_at - time.monotonic()) + GRACE)
        else:
            self._client.close()
        with self._changed:
            self._dropped += len(self._waiting)
            self._waiting.clear()

    # ── the thread ─────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        with self._client:
            while (delivery := self._next()) is not None:
                delivered = self._deliver(delivery)
                with self._changed:
                    self._busy = False
                    self._sent += delivered
                    self._failed += not delivered
                    self._changed.notify_all()

    def _next(self) -> _Delivery | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._close_at is not None)
            if not self._waiting or self._is_over():
                return None
            self._busy = True
            return self._waiting.popleft()

    def _deliver(self, delivery: _Delivery) -> bool:
        import httpx

        body = delivery.body
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "agentdeck",
            "X-Agentdeck-Event": delivery.kind,
            "X-Agentdeck-Delivery": str(uuid.uuid4()),
        }
        for attempt in range(self._tries):
            if self._secret:
                headers[signing.HEADER] = signing.sign(self._secret, body, int(self._now()))
            asked, problem = None, ""
            try:
                with self._client.stream(
                    "POST", self._url, content=body, headers=headers, timeout=self._time_left()
                ) as answer:
                    if answer.is_success:
                        _drain(answer)
                        return True
                    problem = f"the answer was {answer.status_code}"
                    if answer.status_code < 500 and answer.status_code not in MAY_PASS:
                        break
                    asked = answer.headers.get("Retry-After")
            except httpx.HTTPError as error:
                problem = str(error) or type(error).__name__
            if attempt + 1 == self._tries or not self._pause(delay(attempt, asked, first=self._first_delay)):
                break
        _log.warning("a %s event was not delivered to %s: %s", delivery.kind, self._host, problem)
        return False

    def _pause(self, seconds: float) -> bool:
        """Wait before another try; return whether there is time for one."""
        until = time.monotonic() + seconds
        with self._changed:
            while (rest := until - time.monotonic()) > 0 and not self._is_over():
                if self._close_at is not None:
                    rest = min(rest, max(0.0, self._close_at - time.monotonic()))
                self._changed.wait(rest)
            return not self._is_over()

    def _time_left(self) -> float:
        """Seconds for the next attempt."""
        close_at = self._close_at
        return self._timeout if close_at is None else max(0.01, min(self._timeout, close_at - time.monotonic()))

    def _is_over(self) -> bool:
        return self._close_at is not None and time.monotonic() >= self._close_at


def _drain(answer: "httpx.Response") -> None:
    """Read a short answer to its end, so that its connection can be used again."""
    import httpx

    length = answer.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and int(length[:9]) <= SHORT:
        with suppress(httpx.HTTPError):
            answer.read()


def delay(
    attempt: int, asked: str | None, *, first: float = FIRST_DELAY, rand: Callable[[], float] = random.random
) -> float:
    """Return the seconds to wait after a failed attempt, counted from 0.

    What the receiver asks for in seconds (Retry-After) holds, up to a minute. Else it is drawn between half of and all
    of a time that doubles from `first`, so that many senders do not come back at once.
    """
    if asked is not None and asked.isascii() and asked.isdigit():
        return min(LONGEST_DELAY, float(asked[:9]))
    most = min(LONGEST_DELAY, first * 2.0 ** min(attempt, 16))
    return most / 2 + rand() * most / 2


def _host(url: str) -> str:
    import httpx

    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.scheme in ("http", "https") and parts.port != 0 else ""
        httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        host = ""
    if not host:
        raise UsageError(f"{url!r} is no address to send to", hint="webhooks look like https://example.org/hook")
    return host
