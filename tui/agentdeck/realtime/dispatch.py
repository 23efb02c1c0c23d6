"""Who is told of which event: handlers by kind, behind filters. Pure; both watchers stand on it.

A handler that fails harms nobody else: its failure becomes a `HandlerFailed` report, which goes to `on_error` and,
without one, to the log. A failing `on_error` is logged. KeyboardInterrupt and SystemExit are no failures and pass.
"""

import inspect
import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Lock
from types import TracebackType
from typing import Final

from agentdeck.events import AnyEvent
from agentdeck.live.session import LiveSession
from agentdeck.realtime.filters import Filter

Handler = Callable[..., object]
"""Takes one event; what it returns is nobody's business."""

_log: Final = logging.getLogger("agentdeck.realtime")


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerFailed:
    """A handler, or a filter before it, raised an error at an event."""

    handler: str
    """Its name, with its module."""
    event: AnyEvent
    error: Exception
    traceback: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """One handler for one kind of event, or for any when `kind` is empty."""

    handler: Handler
    kind: str
    filters: tuple[Filter, ...]


class Dispatcher:
    """Handlers are called in the order in which they came. They may come and go from any thread, and from handlers."""

    def __init__(self, on_error: Callable[[HandlerFailed], object] | None = None) -> None:
        self.on_error = on_error
        self.failures = 0
        """Reports so far."""
        self._lock = Lock()
        self._subscriptions: tuple[Subscription, ...] = ()

    def subscribe(self, handler: Handler, kind: str = "", filters: tuple[Filter, ...] = ()) -> None:
        """Raises `TypeError` for a coroutine function: nobody would wait for it."""
        if inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(type(handler).__call__):
            raise TypeError(f"{_name(handler)} is a coroutine function; handlers are plain functions")
        with self._lock:
            self._subscriptions = (*self._subscriptions, Subscription(handler, kind, filters))

    def unsubscribe(self, handler: Handler, kind: str = "") -> bool:
        """Forget a handler wherever it stands, or only for a kind. Return whether it was there."""
        with self._lock:
            left = tuple(s for s in self._subscriptions if s.handler != handler or (kind and s.kind != kind))
            gone = len(left) < len(self._subscriptions)
            self._subscriptions = left
        return gone

    def dispatch(self, event: AnyEvent, session: LiveSession) -> None:
        """Tell everybody who wants `event`; one who left meanwhile is not told."""
        for each in self._subscriptions:
            if each.kind and each.kind != event.kind:
                continue
            with Isolated(partial(self._failed, each.handler, event)):
                if each in self._subscriptions and all(fits(event, session) for fits in each.filters):
                    each.handler(event)

    def _failed(self, handler: Handler, event: AnyEvent, error: Exception) -> None:
        self.failures += 1
        name, text = _name(handler), "".join(traceback.format_exception(error))
        if self.on_error is None:
            _log.error("%s failed at a %s event\n%s", name, event.kind, text)
            return
        with Isolated(lambda error: _log.error("%s, told of a failure, failed itself", self.on_error, exc_info=error)):
            self.on_error(HandlerFailed(handler=name, event=event, error=error, traceback=text))


class Isolated:
    """Hands what is raised inside to `failed` and goes on after it; what is no `Exception` passes."""

    def __init__(self, failed: Callable[[Exception], object]) -> None:
        self._failed = failed

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> bool:
        if not isinstance(error, Exception):
            return False
        self._failed(error)
        return True


def _name(handler: Handler) -> str:
    return f"{getattr(handler, '__module__', '?')}.{getattr(handler, '__qualname__', type(handler).__qualname__)}"
