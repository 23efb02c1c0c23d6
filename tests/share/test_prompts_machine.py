"""The queue of guests' prompts as a machine: whatever happens, in whatever order, nothing is sent twice."""

from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from agentdeck.share.prompts import WAITING, WAITING_EACH, Prompt, Prompts, cleaned
from agentdeck.share.refusal import RefusedError

people = st.sampled_from(["ana", "ben", "cem"])


class QueueMachine(RuleBasedStateMachine):
    items = Bundle("items")

    def __init__(self) -> None:
        super().__init__()
        self.prompts = Prompts()
        self.stored: dict[str, bytes] = {}
        self.sent: list[str] = []
        self.cancelled: set[str] = set()
        self.now = 0.0
        self.count = 0

    def store(self) -> None:
        for name in self.prompts.changed:
            found = self.prompts.get(name)
            if found is None:
                self.stored.pop(name, None)
            else:
                self.stored[name] = msgspec.msgpack.encode(found)
        self.prompts.changed = set()

    @rule(target=items, by=people)
    def add(self, by: str) -> str:
        self.count += 1
        self.now += 1.0
        name = f"{by}.{self.count}"
        try:
            self.prompts.check(by)
        except RefusedError:
            waiting = self.prompts.waiting
            assert len(waiting) >= WAITING or sum(p.by == by for p in waiting) >= WAITING_EACH
            return name
        position = self.prompts.add(Prompt(id=name, by=by, name=by, text="do it", at=self.now))
        assert position == len(self.prompts.waiting)
        self.store()
        return name

    @rule(item=items, by=people)
    def cancel(self, item: str, by: str) -> None:
        known = self.prompts.get(item)
        try:
            self.prompts.cancel(item, by=by)
        except RefusedError:
            assert known is None or known.by != by or known.state not in ("queued", "maybe")
        else:
            assert known is not None
            assert known.by == by
            self.cancelled.add(item)
        self.store()

    @rule(item=items, position=st.integers(-1, 30))
    def move(self, item: str, position: int) -> None:
        before = {prompt.id for prompt in self.prompts.waiting}
        try:
            self.prompts.move(item, position)
        except RefusedError:
            assert item not in before
        assert {prompt.id for prompt in self.prompts.waiting} == before

    @rule()
    def send_next(self) -> None:
        prompt = self.prompts.next()
        self.store()
        if prompt is not None:
            assert not self.prompts.paused
            self.sent.append(prompt.id)
            self.prompts.sent(prompt.id)
            self.store()

    @rule(failed=st.booleans())
    def turn_ends(self, failed: bool) -> None:
        self.prompts.ended(failed=failed)
        self.store()

    @rule()
    def interrupt(self) -> None:
        self.prompts.interrupted()
        assert self.prompts.running is None
        assert self.prompts.next() is None
        self.store()

    @rule()
    def resume(self) -> None:
        self.prompts.pause(False)

    @rule(person=people)
    def kick(self, person: str) -> None:
        self.prompts.removed(person)
        assert all(prompt.by != person for prompt in self.prompts.waiting)
        self.store()

    @rule(person=people, back=st.booleans())
    def leave(self, person: str, back: bool) -> None:
        self.prompts.left(person, self.now)
        if back:
            self.prompts.came(person)
        self.now += 700.0
        self.prompts.expire(self.now)
        if not back:
            assert all(prompt.by != person for prompt in self.prompts.waiting)
        self.store()

    @rule(during=st.booleans())
    def crash(self, during: bool) -> None:
        """The hub dies, perhaps between taking a prompt and sending it, and another reads what was stored."""
        if during and (prompt := self.prompts.next()) is not None:
            self.store()
            self.sent.append(prompt.id)  # nobody knows: it may have been typed
        found = [msgspec.msgpack.decode(body, type=Prompt) for body in self.stored.values()]
        self.prompts = Prompts(sorted(found, key=lambda p: p.at), paused=self.prompts.paused)
        assert self.prompts.running is None
        self.store()

    @invariant()
    def one_runs_and_positions_count_up(self) -> None:
        states = [prompt.state for prompt in self.prompts.items]
        assert sum(state in ("delivering", "running") for state in states) <= 1
        assert [self.prompts.position(p.id) for p in self.prompts.waiting] == list(
            range(1, len(self.prompts.waiting) + 1)
        )

    @invariant()
    def nothing_is_sent_twice_nor_after_it_was_cancelled(self) -> None:
        assert len(self.sent) == len(set(self.sent))
        waiting = {prompt.id for prompt in self.prompts.waiting}
        assert not waiting & set(self.sent)
        assert not waiting & self.cancelled


TestQueueMachine: Any = QueueMachine.TestCase
TestQueueMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_what_could_steer_a_terminal_is_taken_out_of_a_prompt() -> None:
    assert cleaned("a\x1b[31mb\x07\r\nc\td\x9b\u202e \x03") == "a[31mb\nc\td"
