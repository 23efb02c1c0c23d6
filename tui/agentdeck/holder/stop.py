"""Ending a whole process tree: ask, wait, insist. A state machine without a clock of its own.

TERM (and CONT, for a stopped one hears nothing) to everybody, then up to `grace` seconds, then KILL for as long as
something is left, at most a second. Whoever turns up meanwhile is asked too. If the session's own program has not heard
TERM for a second it gets HUP, as from a terminal that is closed: an interactive shell ignores TERM.
"""

import signal
from collections.abc import Callable, Sequence
from typing import Final

from agentdeck.holder.tree import Member, divide

INSIST: Final = 1.0
"""Seconds of KILL; what survives it hangs in the kernel or belongs to another user."""

HANG_UP: Final = 1.0
"""Seconds after which the program is told in another way, half the grace if that is shorter."""

_STEPS: Final = (0.02, 0.05, 0.1)


class Stop:
    def __init__(
        self,
        own: int,
        spare: Sequence[str],
        *,
        look: Callable[[], list[Member]],
        send: Callable[[Member, int], None],
    ) -> None:
        self.left: tuple[str, ...] = ()
        """Once it is over: what still runs, spared or beyond our reach."""
        self.next_at = 0.0
        self._own = own
        self._spare = tuple(spare)
        self._look = look
        self._send = send
        self._asked: set[tuple[int, str]] = set()
        self._kill_at = float("inf")
        self._hang_up_at = float("inf")
        self._hung_up = False
        self._steps = 0

    def begin(self, now: float, grace: float) -> None:
        """Begin, or be less patient than before."""
        self._kill_at = min(self._kill_at, now + grace)
        self._hang_up_at = min(self._hang_up_at, now + min(HANG_UP, grace / 2))
        self.next_at = now

    def step(self, now: float) -> bool:
        """Go on if it is time to. Returns whether it is over."""
        if now < self.next_at:
            return False
        condemned, spared = divide(self._look(), self._spare, self._own)
        if not condemned or now >= self._kill_at + INSIST:
            self.left = tuple(member.label for member in (*spared, *condemned))
            return True
        for member in condemned:
            if now >= self._kill_at:
                self._send(member, signal.SIGKILL)
            elif member[:2] not in self._asked:
                self._asked.add((member.pid, member.start))
                self._send(member, signal.SIGTERM)
                self._send(member, signal.SIGCONT)
            elif member.pid == self._own and now >= self._hang_up_at and not self._hung_up:
                self._hung_up = True
                self._send(member, signal.SIGHUP)
        pause = _STEPS[min(self._steps, len(_STEPS) - 1)]
        self._steps += 1
        self.next_at = now + pause
        for moment in (self._kill_at, self._hang_up_at):
            if now < moment < self.next_at:
                self.next_at = moment
        return False
