"""The ledger against a model, whatever happens to the transcripts and to whoever reads them.

The model remembers the largest sum of every answer that was on disk at a scan. The ledger must say just that: nothing
twice, however often it stands somewhere, and nothing forgotten that was billed.
"""

import contextlib
import shutil
import tempfile
from pathlib import Path
from unittest import mock

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agentdeck.transcripts.roots import roots
from agentdeck.usage import scan as scanning
from agentdeck.usage.ledger import FileMark, Ledger
from agentdeck.usage.report import usage
from agentdeck.usage.scan import scan
from tests.usage.history import PRICES, History, said, transcript

SESSIONS = [f"{digit * 8}-0000-4000-8000-000000000000" for digit in "abc"]

sessions = st.sampled_from(SESSIONS)
messages = st.integers(0, 9)
outputs = st.integers(1, 1000)


class Killed(BaseException):
    """The process that scanned is no more."""


class LedgerMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="ad-ledger-"))
        self.history = History(self.root)
        self.disk: dict[str, list[tuple[int, int]]] = {}
        """By session: the answers in its transcript, each with its output."""
        self.billed: dict[int, int] = {}
        self.ledger = Ledger(self.history.ledger_path)
        self.is_scanned = False

    def teardown(self) -> None:
        if hasattr(self, "root"):
            self.ledger.close()
            shutil.rmtree(self.root)

    # ── what the CLIs do ───────────────────────────────────────────────────────────────────────

    @rule(session=sessions, message=messages, output=outputs, times=st.integers(1, 3))
    def append(self, session: str, message: int, output: int, times: int) -> None:
        self.disk.setdefault(session, []).extend([(message, output)] * times)
        self.history.append(transcript(session), *[self._record(session, message, output)] * times)
        self.is_scanned = False

    @precondition(lambda self: self.disk)
    @rule(data=st.data(), in_place=st.booleans())
    def rewrite(self, data: st.DataObject, in_place: bool) -> None:
        """As a compaction does: only some of the records are left, perhaps none of those before."""
        session = data.draw(st.sampled_from(sorted(self.disk)))
        before = self.disk[session]
        kept = data.draw(st.lists(st.sampled_from(before), unique=True)) if before else []
        self.disk[session] = kept
        records = [self._record(session, message, output) for message, output in kept]
        if in_place:
            self.history.write(transcript(session), *records, end=b"\n" if records else b"")
        else:
            self.history.replace(transcript(session), *records)
        self.is_scanned = False

    @precondition(lambda self: self.disk)
    @rule(data=st.data(), to=sessions)
    def fork(self, data: st.DataObject, to: str) -> None:
        session = data.draw(st.sampled_from(sorted(self.disk)))
        if to == session:
            return
        self.disk[to] = [*self.disk.get(to, []), *self.disk[session]]
        copies = [self._record(to, message, output) for message, output in self.disk[session]]
        if copies:
            self.history.append(transcript(to), *copies)
        self.is_scanned = False

    @precondition(lambda self: self.disk)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(sorted(self.disk)))
        path = self.history.home / transcript(session)
        if path.exists():
            path.unlink()
        del self.disk[session]
        self.is_scanned = False

    @rule(session=sessions, cut=st.integers(1, 60))
    def write_rubbish(self, session: str, cut: int) -> None:
        """The beginning of a record never counts, and does not hide the next one."""
        self.history.append(transcript(session), b'{"type":"assistant","message":{"usage":{"output_tokens":'[:cut])
        self.disk.setdefault(session, [])
        self.is_scanned = False

    # ── what we do ─────────────────────────────────────────────────────────────────────────────

    @rule()
    def take_in(self) -> None:
        scan(self.ledger, PRICES, roots(self.history.env))
        self._bill()

    @rule()
    def reopen(self) -> None:
        self.ledger.close()
        self.ledger = Ledger(self.history.ledger_path)

    @rule(after=st.integers(0, 2), in_steps=st.booleans())
    def be_killed_and_begin_again(self, after: int, in_steps: bool) -> None:
        saved = 0
        save = Ledger.save_file

        def killed(ledger: Ledger, mark: FileMark) -> None:
            nonlocal saved
            if saved == after:
                raise Killed
            saved += 1
            save(ledger, mark)

        with (
            mock.patch.object(Ledger, "save_file", killed),
            mock.patch.object(scanning, "COMMIT_EVERY", 0.0 if in_steps else 10.0),
            contextlib.suppress(Killed),
        ):
            scan(self.ledger, PRICES, roots(self.history.env))
        self.reopen()
        self.take_in()

    @invariant()
    def the_ledger_says_what_was_billed(self) -> None:
        if not getattr(self, "is_scanned", False):
            return
        found = usage(self.ledger, PRICES, self.history.env)
        assert sum(session.tokens for session in found.sessions.values()) == sum(self.billed.values())
        assert found.messages.get("claude", 0) == len(self.billed)

    # ── helpers of the model ───────────────────────────────────────────────────────────────────

    def _bill(self) -> None:
        for answers in self.disk.values():
            for message, output in answers:
                self.billed[message] = max(self.billed.get(message, 0), output)
        self.is_scanned = True

    @staticmethod
    def _record(session: str, message: int, output: int) -> dict[str, object]:
        return said(f"m{message}", session=session, output=output, clock=f"10:00:{message:02}")


LedgerMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
test_the_ledger_never_counts_twice_and_never_forgets = LedgerMachine.TestCase
