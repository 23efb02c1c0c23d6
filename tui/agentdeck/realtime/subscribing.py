"""The words in which people ask for events: `on`, `on_any`, `off`, `pipe`. They only write into a dispatcher."""

from collections.abc import Callable
from typing import Literal, Protocol, TypeVar, overload

from agentdeck import events as e
from agentdeck.realtime.dispatch import Dispatcher
from agentdeck.realtime.filters import Filter, known_kind

E = TypeVar("E", bound=e.Event)
Returned = TypeVar("Returned")
H = TypeVar("H", bound=Callable[..., object])


class Decorator(Protocol[E]):
    """Takes a handler of one kind of event, and gives it back."""

    def __call__(self, handler: Callable[[E], Returned], /) -> Callable[[E], Returned]: ...


class Subscribing:
    """Something that handlers can be given to."""

    def __init__(self, dispatcher: Dispatcher, filters: tuple[Filter, ...] = ()) -> None:
        self._dispatcher = dispatcher
        self._filters = filters

    # One overload per kind, so that a handler's argument can be checked. A kind that is only known at run time goes
    # through `pipe(filters.kind(name)).on_any`.
    @overload
    def on(self, kind: Literal["session_start"]) -> Decorator[e.SessionStarted]: ...
    @overload
    def on(self, kind: Literal["message"]) -> Decorator[e.MessageAdded]: ...
    @overload
    def on(self, kind: Literal["tool_use"]) -> Decorator[e.ToolUsed]: ...
    @overload
    def on(self, kind: Literal["tool_result"]) -> Decorator[e.ToolReturned]: ...
    @overload
    def on(self, kind: Literal["agent_spawn"]) -> Decorator[e.AgentSpawned]: ...
    @overload
    def on(self, kind: Literal["compaction"]) -> Decorator[e.Compacted]: ...
    @overload
    def on(self, kind: Literal["error"]) -> Decorator[e.ErrorRaised]: ...
    @overload
    def on(self, kind: Literal["turn_end"]) -> Decorator[e.TurnEnded]: ...
    @overload
    def on(self, kind: Literal["title"]) -> Decorator[e.TitleChanged]: ...
    @overload
    def on(self, kind: Literal["unknown"]) -> Decorator[e.UnknownRecord]: ...
    @overload
    def on(self, kind: Literal["session_idle"]) -> Decorator[e.SessionIdled]: ...
    @overload
    def on(self, kind: Literal["session_resume"]) -> Decorator[e.SessionResumed]: ...
    @overload
    def on(self, kind: Literal["session_end"]) -> Decorator[e.SessionEnded]: ...
    @overload
    def on(self, kind: Literal["context_growth"]) -> Decorator[e.ContextGrew]: ...
    @overload
    def on(self, kind: Literal["summarization"]) -> Decorator[e.Summarized]: ...
    def on(self, kind: str) -> Callable[[H], H]:
        """Decorate a function that is to be called with every event of a kind.

        The function stays as it is, so it can be decorated several times, tested alone, and given to `off`.
        Raises `UsageError` for a kind that does not exist, `TypeError` for a coroutine function.
        """
        name = known_kind(kind)

        def subscribe(handler: H) -> H:
            self._dispatcher.subscribe(handler, name, self._filters)
            return handler

        return subscribe

    def on_any(self, handler: H) -> H:
        """Call `handler` with every event, of whatever kind. Works as a decorator, too."""
        self._dispatcher.subscribe(handler, "", self._filters)
        return handler

    def off(self, handler: Callable[..., object], kind: str = "") -> bool:
        """Call `handler` no more: of no kind, behind no filters; or no more for one kind.

        Return whether it was known. It may be called by the handler itself.
        """
        return self._dispatcher.unsubscribe(handler, known_kind(kind) if kind else "")

    def pipe(self, *filters: Filter) -> "Pipe":
        """Return a way to subscribe to those events only that pass all of `filters`, on top of those passed here."""
        return Pipe(self._dispatcher, (*self._filters, *filters))


class Pipe(Subscribing):
    """Events behind filters. It can be kept, branched by further pipes, and shared by handlers."""
