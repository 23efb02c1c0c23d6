"""What the deck knows, folded from the hub's pushes. Pure: values in, values out; the clock comes in as a number.

A session keeps its number and its place in the list whatever happens to it; the filter hides rows, it does not
renumber them. What waits for the person is a view over the list, oldest wait first.
"""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from agentdeck.protocol import messages as m

HISTORY: Final = 60
"""Samples of CPU use kept per session; one a second, so a minute."""

BUSY: Final = 1.0
"""Percent of a core from which a session counts as using the machine."""

STATE_WORDS: Final = {
    "waiting": "needs_you",
    "needs": "needs_you",
    "needs_you": "needs_you",
    "dead": "exited",
    **{state: state for state in m.STATES},
}
"""What may stand after `s:` in a filter. The beginning of a word is enough."""

QUIET_STATES: Final = frozenset({"idle", "done", "exited", "error", "unknown"})
"""States whose age is no news: nothing has to be redrawn because time passes."""


def _nothing() -> Mapping[str, tuple[float, ...]]:
    return MappingProxyType({})


def _no_usages() -> Mapping[str, m.Usage]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class DeckState:
    sessions: tuple[m.Session, ...] = ()
    """In the hub's order, oldest first."""
    watched: tuple[m.Session, ...] = ()
    """Those that were started elsewhere, under their `provider:id`: to be seen, not to be handled."""
    selected: str = ""
    """A session's id; empty only while there is none."""
    previous: str = ""
    """The one selected before."""
    filter: str = ""
    host: m.HostUsage = field(default_factory=m.HostUsage)
    usages: Mapping[str, m.Usage] = field(default_factory=_no_usages)
    history: Mapping[str, tuple[float, ...]] = field(default_factory=_nothing)
    """CPU percent per session, oldest sample first."""

    @property
    def session(self) -> m.Session | None:
        """The selected one."""
        return self.find(self.selected)

    @property
    def own(self) -> m.Session | None:
        """The selected one, if it is one of ours."""
        session = self.session
        return session if session is not None and is_ours(session) else None

    @property
    def listed(self) -> tuple[m.Session, ...]:
        """All that are in the list, in the order in which people see them and move through them."""
        return (*self.visible, *(session for session in self.watched if matches(session, self.filter)))

    @property
    def visible(self) -> tuple[m.Session, ...]:
        """Those of ours that the filter lets through, by directory."""
        return tuple(deck_order(self.sessions, self.filter))

    @property
    def waiting(self) -> tuple[m.Session, ...]:
        """Those that need the person, the longest wait first."""
        return tuple(sorted((s for s in self.sessions if s.state == "needs_you"), key=lambda s: s.since))

    @property
    def running(self) -> int:
        return sum(is_running(session) for session in self.sessions)

    @property
    def restless(self) -> bool:
        """Whether something on the deck changes just because time passes."""
        return any(session.state not in QUIET_STATES for session in self.sessions)

    @property
    def calm(self) -> bool:
        """Whether nothing that runs here uses the machine."""
        return all(usage.cpu < BUSY for usage in self.usages.values())

    def find(self, session: str) -> m.Session | None:
        return next((s for s in (*self.sessions, *self.watched) if s.id == session), None)

    def number(self, session: str) -> int:
        """The number that people see and press, from 1; 0 when it is not on the deck."""
        return next((n for n, s in enumerate(self.sessions, 1) if s.id == session), 0)


def by_directory(sessions: Iterable[m.Session]) -> dict[str, list[m.Session]]:
    """Directories in the order of their first sessions, each with its sessions."""
    found: dict[str, list[m.Session]] = {}
    for session in sessions:
        found.setdefault(session.cwd.rstrip("/") or "/", []).append(session)
    return found


def deck_order(sessions: Iterable[m.Session], filter: str = "") -> list[m.Session]:
    """Sessions in the order in which people see them: the order that up and down follow."""
    shown = by_directory(session for session in sessions if matches(session, filter))
    return [session for members in shown.values() for session in members]


def is_ours(session: m.Session) -> bool:
    return ":" not in session.id


def is_running(session: m.Session) -> bool:
    return session.ended is None and session.state not in ("exited", "error")


# ── what the hub says ──────────────────────────────────────────────────────────────────────────


def fold(state: DeckState, push: m.AnyReply) -> DeckState:
    """Return the state after `push`; the same object when the push changes nothing that is kept here."""
    match push:
        case m.Sessions():
            return _keep_selection(replace(state, sessions=push.sessions), state)
        case m.Changed():
            return _changed(state, push.session)
        case m.Gone():
            left = tuple(session for session in state.sessions if session.id != push.session)
            return _keep_selection(replace(state, sessions=left), state)
        case m.Resources():
            return replace(state, host=push.host, usages=push.sessions, history=_remember(state.history, push.sessions))
        case _:
            return state


def _changed(state: DeckState, changed: m.Session) -> DeckState:
    known = state.find(changed.id)
    if known == changed:
        return state
    if known is None:
        return _keep_selection(replace(state, sessions=(*state.sessions, changed)), state)
    return replace(state, sessions=tuple(changed if s.id == changed.id else s for s in state.sessions))


def _keep_selection(state: DeckState, before: DeckState) -> DeckState:
    """Select the neighbour of a selected session that has gone."""
    if state.find(state.selected) is not None:
        return state
    if not state.sessions:
        return replace(state, selected=state.watched[0].id if state.watched else "")
    place = max(0, before.number(before.selected) - 1)
    return replace(state, selected=state.sessions[min(place, len(state.sessions) - 1)].id)


def watch(state: DeckState, watched: tuple[m.Session, ...]) -> DeckState:
    """Take in what runs elsewhere; the same object when it is as before."""
    return state if watched == state.watched else _keep_selection(replace(state, watched=watched), state)


def _remember(
    history: Mapping[str, tuple[float, ...]], usages: Mapping[str, m.Usage]
) -> Mapping[str, tuple[float, ...]]:
    return {session: (*history.get(session, ()), usage.cpu)[-HISTORY:] for session, usage in usages.items()}


# ── what the person does ───────────────────────────────────────────────────────────────────────


def select(state: DeckState, session: str) -> DeckState:
    if session == state.selected or state.find(session) is None:
        return state
    return replace(state, selected=session, previous=state.selected)


def step(state: DeckState, by: int, *, wrap: bool = False) -> DeckState:
    """Move the selection through the list."""
    shown = [session.id for session in state.listed]
    if not shown:
        return state
    if state.selected not in shown:
        return select(state, shown[0] if by > 0 else shown[-1])
    place = shown.index(state.selected) + by
    place = place % len(shown) if wrap else max(0, min(place, len(shown) - 1))
    return select(state, shown[place])


def jump(state: DeckState, number: int) -> DeckState:
    """Select by the number that people see; a number that nobody has changes nothing."""
    return select(state, state.sessions[number - 1].id) if 1 <= number <= len(state.sessions) else state


def next_waiting(state: DeckState, by: int = 1) -> DeckState:
    """Select the next session that needs the person, oldest wait first, round and round."""
    ids = [session.id for session in state.waiting]
    if not ids:
        return state
    if state.selected in ids:
        return select(state, ids[(ids.index(state.selected) + by) % len(ids)])
    return select(state, ids[0] if by > 0 else ids[-1])


def narrow(state: DeckState, text: str) -> DeckState:
    """Set the filter; the selection moves to the first visible session when it would be hidden."""
    state = replace(state, filter=text)
    shown = state.listed
    if shown and all(session.id != state.selected for session in shown):
        return select(state, shown[0].id)
    return state


def matches(session: m.Session, text: str) -> bool:
    """Whether every word of the filter fits: `s:STATE`, `p:PROVIDER`, anything else within the names."""
    haystack = " ".join((session.name, session.provider, session.cwd, session.title)).casefold()
    try:
        words = shlex.split(text)
    except ValueError:  # an open quote, while it is being typed
        words = text.split()
    return all(_word_fits(session, word.casefold(), haystack) for word in words)


def _word_fits(session: m.Session, word: str, haystack: str) -> bool:
    if word.startswith("s:"):
        wanted = word[2:]
        return any(state == session.state for name, state in STATE_WORDS.items() if name.startswith(wanted))
    if word.startswith("p:"):
        return session.provider.casefold().startswith(word[2:])
    return word in haystack
