"""When the frames of one session's screen go out: at once after a pause, then at each view's pace.

A frame is never taken inside an open synchronized update (mode 2026) unless it stays open for `SYNC_LIMIT`; a program
that died inside one must not freeze its pane.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from agentdeck.hub.peer import Peer, ScreenView
from agentdeck.protocol import messages as m
from agentdeck.terminal.screen import Screen

SYNC_LIMIT: Final = 0.15
"""Seconds; the same order as the time-outs of common terminals."""


class Painter:
    def __init__(self, screen: Screen, views: Callable[[], Iterable[tuple[Peer, ScreenView]]]) -> None:
        self._screen = screen
        self._views = views
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._sync_since: float | None = None

    def touch(self) -> None:
        """The screen may have changed: send what is due now, and schedule the rest."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._screen.emulator.synchronizing:
            if self._sync_since is None:
                self._sync_since = now
            self._schedule(self._sync_since + SYNC_LIMIT)
            return
        self._sync_since = None
        due = min((view.sent_at + view.interval for peer, view in self._views() if peer.writable), default=None)
        if due is not None:
            self._schedule(max(due, now))

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def paint(self) -> None:
        """Send every view that is due what it lacks."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        screen = self._screen
        screen.refresh()
        later: float | None = None
        for peer, view in self._views():
            if view.since == screen.seq or not peer.writable:
                continue
            due = view.sent_at + view.interval
            if due > now + 0.001:
                later = due if later is None else min(later, due)
                continue
            peer.send(m.Screen(frame=screen.frame(view.since)))
            view.since, view.sent_at = screen.seq, now
        if later is not None:
            self._schedule(later)

    def _schedule(self, due: float) -> None:
        if self._timer is not None:
            if self._due <= due:
                return
            self._timer.cancel()
        self._due = due
        self._timer = asyncio.get_running_loop().call_at(due, self._fire)

    def _fire(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        if self._screen.emulator.synchronizing and (
            self._sync_since is None or now < self._sync_since + SYNC_LIMIT - 0.001
        ):
            self.touch()
            return
        self._sync_since = None
        self.paint()
