"""Whatever people do and whenever it crashes: no prompt goes out twice, into a busy session, or gets lost.

The machine plays the hub around the pure core and the real journal, and a terminal that remembers every prompt that it
was given. A crash takes what is in memory and, at worst, cuts the line that was being written.
"""

import contextlib
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agentdeck.queue import core
from agentdeck.queue.core import (
    SENDING,
    UNSURE,
    WAITING,
    Added,
    Doubted,
    Dropped,
    Edited,
    Moved,
    Prompt,
    Released,
    Sending,
)
from agentdeck.queue.journal import Journal

SESSIONS = ("a", "b")


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.path = Path(self._folder.name) / "queue.journal"
        self.journal = Journal(self.path)
        self.idle = dict.fromkeys(SESSIONS, True)
        self.terminal: list[int] = []
        """Numbers of the prompts that a terminal was given, in order."""
        self.transcript: set[int] = set()
        self.accepted: set[int] = set()
        self.ended: set[int] = set()
        """Those that a person dropped or the transcript confirmed."""
        self.allowed: dict[int, int] = {}
        """How often a person let each of them go out."""
        self.clock = 0.0

    @initialize()
    def begin(self) -> None:
        self.journal.open()
        for session in SESSIONS * 2:
            self.add(session, first=False)

    def teardown(self) -> None:
        self.journal.close()
        self._folder.cleanup()

    def pick(self, place: int, *states: str) -> Prompt | None:
        fitting = [each for each in self.journal.prompts if each.state in states]
        return fitting[place % len(fitting)] if fitting else None

    # ── people ─────────────────────────────────────────────────────────────────────────────────

    @rule(session=st.sampled_from(SESSIONS), first=st.booleans())
    def add(self, session: str, first: bool) -> None:
        n = self.journal.last + 1
        self.journal.note(Added(Prompt(n=n, session=session, text=f"prompt {n}", added=0.0), first))
        assert n not in self.accepted, "a number was given twice"
        self.accepted.add(n)
        self.allowed[n] = 1

    @rule(place=st.integers(0, 9), to=st.integers(-1, 9))
    def move(self, place: int, to: int) -> None:
        if (prompt := self.pick(place, WAITING)) is not None:
            self.journal.note(Moved(prompt.n, to))

    @rule(place=st.integers(0, 9))
    def edit(self, place: int) -> None:
        if (prompt := self.pick(place, WAITING)) is not None:
            self.journal.note(Edited(prompt.n, f"{prompt.text}!"))

    @rule(place=st.integers(0, 9))
    def cancel(self, place: int) -> None:
        if (prompt := self.pick(place, WAITING, UNSURE)) is not None:
            self.journal.note(Dropped(prompt.n))
            self.ended.add(prompt.n)

    @rule(place=st.integers(0, 9))
    def send_again(self, place: int) -> None:
        if (prompt := self.pick(place, UNSURE)) is not None:
            self.journal.note(Released(prompt.n))
            self.allowed[prompt.n] += 1

    @rule(session=st.sampled_from(SESSIONS), idle=st.booleans())
    def work(self, session: str, idle: bool) -> None:
        self.idle[session] = idle

    # ── the hub ────────────────────────────────────────────────────────────────────────────────

    @rule(session=st.sampled_from(SESSIONS), gets=st.sampled_from(["all", "crash after", "crash before", "nothing"]))
    def deliver(self, session: str, gets: str) -> None:
        prompt = core.next_to_send(self.journal.prompts, session)
        if prompt is None or not self.idle[session]:
            return
        self.clock += 10
        self.journal.note(Sending(prompt.n, self.clock))
        if gets == "crash before":
            self.crash(0)
            return
        if gets != "nothing":
            self.terminal.append(prompt.n)
            self.idle[session] = False
            self.transcript.add(prompt.n)
        if gets == "crash after":
            self.crash(0)

    @rule(place=st.integers(0, 9))
    def look_into_the_transcript(self, place: int) -> None:
        prompt = self.pick(place, SENDING, UNSURE)
        if prompt is None:
            return
        if prompt.n in self.transcript:
            found = core.arrived(self.journal.prompts, prompt.session, prompt.text, self.clock + 1, 2.0)
            assert found is not None
            assert found.n in self.transcript, "another prompt's message was taken for this one's"
            self.journal.note(Dropped(found.n))
            self.ended.add(found.n)
        elif prompt.state == SENDING:
            self.journal.note(Doubted(prompt.n, "the transcript does not show it"))

    @rule(cut=st.integers(0, 200))
    @precondition(lambda self: self.path.exists())
    def crash(self, cut: int) -> None:
        """End without a word; a line that was being written is cut, but none that had been noted."""
        self.journal.close()
        with contextlib.suppress(OSError), self.path.open("ab") as file:
            file.write(b'{"type":"drop","n":1}'[: min(cut, 20)])
        self.journal = Journal(self.path)
        self.journal.open()
        self.journal.note(*core.recovered(self.journal.prompts))
        self.idle = dict.fromkeys(SESSIONS, True)  # it takes a while to start again: turns are over by then

    # ── what must hold ─────────────────────────────────────────────────────────────────────────

    @invariant()
    def none_goes_out_more_often_than_a_person_allowed(self) -> None:
        assert all(self.terminal.count(n) <= self.allowed[n] for n in set(self.terminal))

    @invariant()
    def none_is_lost(self) -> None:
        assert self.accepted == {each.n for each in self.journal.prompts} | self.ended

    @invariant()
    def one_at_a_time(self) -> None:
        for session in SESSIONS:
            assert sum(each.state != WAITING for each in core.of(self.journal.prompts, session)) <= 1


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
