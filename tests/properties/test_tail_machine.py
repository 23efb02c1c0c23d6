"""Whatever is done to a transcript, in any order: no line is given twice, none is missed, none is made up."""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agentdeck.transcripts.tail import Position, Tail

records = st.integers(0, 400).map(lambda size: b"x" * size)
budgets = st.sampled_from([1, 7, 64, 1000, 1 << 20])


class TailMachine(RuleBasedStateMachine):
    """The model is the content of the file; each generation of content is read as if it were a file of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "t.jsonl"
        self.content = b""
        self.exists = True
        self.count = 0
        self.given: list[tuple[int, bytes]] = []
        """Since the file was last begun."""
        self.position: Position | None = None
        self.clock = 10**18

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @initialize()
    def begin(self) -> None:
        self.write(b"")
        self.tail = Tail(os.fspath(self.path))

    def write(self, content: bytes, *, fresh: bool = False) -> None:
        """In place, or as another file under the same name."""
        if fresh:
            other = self.folder / "other"
            other.write_bytes(content)
            other.rename(self.path)
        else:
            with open(self.path, "r+b" if self.path.exists() else "wb") as file:
                file.truncate(0)
                file.write(content)
        self.content, self.exists = content, True
        self.tick()

    def tick(self) -> None:
        """File systems tell times apart only after some milliseconds; nobody wants to wait for that."""
        self.clock += 10**7
        os.utime(self.path, ns=(self.clock, self.clock))

    def record(self, body: bytes) -> bytes:
        self.count += 1
        return b"%d:%b\n" % (self.count, body)

    # ── what a CLI, an editor or a person may do ───────────────────────────────────────────────

    @precondition(lambda self: self.exists)
    @rule(body=records, cut=st.floats(0, 1))
    def append_split_anywhere(self, body: bytes, cut: float) -> None:
        line = self.record(body)
        middle = int(len(line) * cut)
        self.append(line[:middle])
        self.look_once()
        self.append(line[middle:])

    @precondition(lambda self: self.exists)
    @rule(body=records, part=st.integers(1, 50))
    def append_part(self, body: bytes, part: int) -> None:
        self.append(self.record(body)[:part].rstrip(b"\n"))

    def append(self, data: bytes) -> None:
        with open(self.path, "ab") as file:
            file.write(data)
        self.content += data
        self.tick()

    @rule(body=records, fresh=st.booleans())
    def rewrite_with_the_same_beginning(self, body: bytes, fresh: bool) -> None:
        self.write(self.content[: self.content.rfind(b"\n") + 1] + self.record(body), fresh=fresh)

    @rule(bodies=st.lists(records, max_size=4), fresh=st.booleans())
    def rewrite_with_other_content(self, bodies: list[bytes], fresh: bool) -> None:
        self.write(b"".join(map(self.record, bodies)), fresh=fresh)

    @precondition(lambda self: self.exists)
    @rule(share=st.floats(0, 1))
    def truncate(self, share: float) -> None:
        self.write(self.content[: int(len(self.content) * share)])

    @precondition(lambda self: self.exists)
    @rule()
    def delete(self) -> None:
        self.path.unlink()
        self.exists = False

    @precondition(lambda self: not self.exists)
    @rule(bodies=st.lists(records, max_size=3), kept=st.booleans())
    def make_again(self, bodies: list[bytes], kept: bool) -> None:
        self.write((self.content if kept else b"") + b"".join(map(self.record, bodies)))

    # ── and what we do ─────────────────────────────────────────────────────────────────────────

    @rule(budget=budgets)
    def look_once(self, budget: int = 1 << 20) -> None:
        look = self.tail.look(budget)
        if look.reset:
            self.given = []
        self.given += look.lines

    @rule()
    def restart_from_the_saved_position(self) -> None:
        self.tail = Tail(os.fspath(self.path), self.tail.position)

    @invariant()
    def everything_that_is_there_was_given_once(self) -> None:
        if not self.exists or not hasattr(self, "tail"):
            return
        for _ in range(10_000):
            look = self.tail.look(1 << 20)
            if look.reset:
                self.given = []
            self.given += look.lines
            if not look.more:
                break
        wanted: list[tuple[int, bytes]] = []
        offset = 0
        for line in self.content.split(b"\n")[:-1]:
            wanted.append((offset, line))
            offset += len(line) + 1
        assert self.given == wanted
        assert self.tail.position.offset == offset


TailMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestTail = TailMachine.TestCase
