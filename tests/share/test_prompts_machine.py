"""Guests' prompts and the hub's queue as one machine: whatever happens, in whatever order, nothing is sent twice."""

from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from agentdeck.queue import core
from agentdeck.share.prompts import OWNER, UNSENT, WAITING, WAITING_EACH, InLine, Prompt, Prompts, cleaned
from agentdeck.share.refusal import RefusedError

people = st.sampled_from(["ana", "ben", "mia"])

SESSION = "a"


class QueueMachine(RuleBasedStateMachine):
    """The machine plays the hub: its queue is the real one, and outlives what is known of it here."""

    items = Bundle("items")

    def __init__(self) -> None:
        super().__init__()
        self.prompts = Prompts()
        self.stored: dict[str, bytes] = {}
        self.queue: core.Prompts = ()
        self.over: dict[str, str] = {}
        self.numbers = 0
        self.typed: list[str] = []
        """Refs of what a terminal was given."""
        self.cancelled: set[str] = set()
        self.now = 0.0

    # ── the hub ────────────────────────────────────────────────────────────────────────────────

    def note(self, *operations: core.Operation) -> None:
        over: dict[str, str] = {}
        for operation in operations:
            if isinstance(operation, core.Dropped):
                over |= {each.ref: operation.how for each in self.queue if each.n == operation.n and each.ref}
            self.queue = core.apply(self.queue, operation)
        self.over |= over
        self.hear(over)

    def hear(self, over: dict[str, str]) -> None:
        line = [InLine(n=each.n, id=each.ref, text=each.text, at=each.added, state=each.state) for each in self.queue]
        self.prompts.hear(line, over)
        self.store()

    def settle(self) -> None:
        for prompt in self.prompts.unknown:
            known = prompt.id in self.over or any(each.ref == prompt.id for each in self.queue)
            if not known:
                self.enqueue(prompt.text, prompt.id)
        for number in self.prompts.unwanted:
            self.note(core.Dropped(number, core.CANCELLED))
        self.store()

    def enqueue(self, text: str, ref: str = "") -> None:
        self.numbers += 1
        self.note(
            core.Added(core.Prompt(n=self.numbers, session=SESSION, text=text, added=float(self.numbers), ref=ref))
        )

    def store(self) -> None:
        for name in self.prompts.changed:
            found = self.prompts.get(name)
            if found is None:
                self.stored.pop(name, None)
            else:
                self.stored[name] = msgspec.msgpack.encode(found)
        self.prompts.changed = set()

    # ── people ─────────────────────────────────────────────────────────────────────────────────

    @rule(target=items, by=people, crashes=st.booleans())
    def add(self, by: str, crashes: bool) -> str:
        self.now += 1.0
        name = f"{by}.{self.now:.0f}"
        try:
            self.prompts.check(by)
        except RefusedError:
            waiting = self.prompts.waiting
            assert len(waiting) >= WAITING or sum(p.by == by for p in waiting) >= WAITING_EACH
            return name
        self.prompts.add(Prompt(id=name, by=by, name=by, text="do it", at=self.now))
        self.store()
        if crashes:
            self.restart()
        else:
            self.settle()
        assert name in {each.ref for each in self.queue}, "it is queued, now or by the next hub"
        assert self.prompts.position(name) == sum(each.state == core.WAITING for each in self.queue)
        return name

    @rule()
    def owner_adds(self) -> None:
        self.enqueue("the owner's")

    @rule(item=items, by=people)
    def cancel(self, item: str, by: str) -> None:
        known = self.prompts.get(item)
        try:
            self.prompts.check_cancel(item, by=by)
        except RefusedError:
            assert known is None or known.by != by or known.state not in ("queued", "maybe")
        else:
            assert known is not None
            assert known.by == by
            self.note(core.Dropped(self.prompts.number(item), core.CANCELLED))
            self.cancelled.add(item)

    @rule(place=st.integers(0, 30))
    def owner_cancels(self, place: int) -> None:
        waiting = [each for each in self.queue if each.state == core.WAITING]
        if waiting:
            prompt = waiting[place % len(waiting)]
            self.note(core.Dropped(prompt.n, core.CANCELLED))
            self.cancelled |= {prompt.ref} - {""}
            assert not prompt.ref or self.state(prompt.ref) in ("cancelled", "")

    @rule(item=items, place=st.integers(-1, 30))
    def move(self, item: str, place: int) -> None:
        before = {prompt.id for prompt in self.prompts.waiting}
        if self.prompts.position(item):
            self.note(core.Moved(self.prompts.number(item), place))
        assert {prompt.id for prompt in self.prompts.waiting} == before

    @rule(person=people)
    def kick(self, person: str) -> None:
        self.prompts.removed(person)
        self.settle()
        assert all(prompt.by != person for prompt in self.prompts.waiting)
        assert not any(each.ref.startswith(person) for each in self.queue if each.state == core.WAITING)

    @rule(person=people, back=st.booleans())
    def leave(self, person: str, back: bool) -> None:
        self.prompts.left(person, self.now)
        if back:
            self.prompts.came(person)
        self.now += 700.0
        if self.prompts.expire(self.now):
            self.settle()
        if not back:
            assert not any(each.ref.startswith(person) for each in self.queue if each.state == core.WAITING)

    # ── the agent ──────────────────────────────────────────────────────────────────────────────

    @rule(outcome=st.sampled_from([core.ARRIVED, core.UNSURE, ""]))
    def send_next(self, outcome: str) -> None:
        prompt = core.next_to_send(self.queue, SESSION)
        if prompt is None:
            return
        self.note(core.Sending(prompt.n, self.now))
        self.typed += [prompt.ref] if prompt.ref else []
        if prompt.ref:
            assert self.state(prompt.ref) == "delivering"
        if outcome == core.ARRIVED:
            self.note(core.Dropped(prompt.n))
            assert not prompt.ref or self.state(prompt.ref) == "running"
        elif outcome == core.UNSURE:
            self.note(core.Doubted(prompt.n, "why"))
            assert not prompt.ref or self.state(prompt.ref) == "maybe"

    @rule(arrived=st.booleans())
    def a_doubt_is_settled(self, arrived: bool) -> None:
        for each in self.queue:
            if each.state != core.WAITING:
                self.note(core.Dropped(each.n, core.ARRIVED if arrived else core.CANCELLED))
                return

    @rule(failed=st.booleans())
    def turn_ends(self, failed: bool) -> None:
        self.prompts.ended(failed=failed)
        assert self.prompts.running is None
        self.store()

    @rule()
    def interrupt(self) -> None:
        self.prompts.interrupted()
        assert self.prompts.running is None
        self.store()

    @rule()
    def restart(self) -> None:
        """The hub dies and another reads what was stored here, and its queue."""
        before = {prompt.id: prompt.state for prompt in self.prompts.items if prompt.state not in UNSENT}
        found = [msgspec.msgpack.decode(body, type=Prompt) for body in self.stored.values()]
        self.prompts = Prompts(sorted(found, key=lambda p: p.at))
        self.queue = tuple(
            core.apply((each,), core.Doubted(each.n, "cut off"))[0] if each.state == core.SENDING else each
            for each in self.queue
        )
        self.hear(self.over)
        self.settle()
        assert {name: self.state(name) for name in before} == before, "what has ended, or arrived, stays so"

    def state(self, item: str) -> str:
        prompt = self.prompts.get(item)
        return prompt.state if prompt is not None else ""

    # ── always ─────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def one_is_under_way_and_positions_count_up(self) -> None:
        items = self.prompts.items
        assert sum(prompt.state in ("delivering", "running") for prompt in items) <= 1
        waiting = [prompt.id for prompt in items if prompt.state == "queued"]
        assert [self.prompts.position(item) for item in waiting] == list(range(1, len(waiting) + 1))
        in_queue = [each.ref or f"{OWNER}.{each.n}" for each in self.queue if each.state == core.WAITING]
        assert waiting == in_queue, "one order, of guests and owner, and the one in which they are sent"

    @invariant()
    def nothing_is_sent_twice_nor_after_it_was_cancelled(self) -> None:
        assert len(self.typed) == len(set(self.typed))
        waiting = {prompt.id for prompt in self.prompts.waiting}
        assert not waiting & set(self.typed)
        assert not waiting & self.cancelled
        refs = [each.ref for each in self.queue if each.ref]
        assert len(refs) == len(set(refs))


TestQueueMachine: Any = QueueMachine.TestCase
TestQueueMachine.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)


def test_what_could_steer_a_terminal_is_taken_out_of_a_prompt() -> None:
    assert cleaned("a\x1b[31mb\x07\r\nc\td\x9b\u202e \x03") == "a[31mb\nc\td"
