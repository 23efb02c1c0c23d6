"""One session inside the hub: its holder's output becomes a screen, its signals become a state.

The hub owns these; nobody else touches them. Everything that a client can see is in `info` (facts) and `screen`
(what is drawn). A session outlives its program: the screen of an ended one stays until it is forgotten.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from agentdeck.hub.link import Exit, HolderLink, OrphanLink
from agentdeck.hub.painter import Painter
from agentdeck.hub.peer import Peer, ScreenView
from agentdeck.hub.records import Record
from agentdeck.hub.replay import Checkpoint, Replay
from agentdeck.hub.tape import Tape
from agentdeck.protocol import messages as m
from agentdeck.providers.base import Provider
from agentdeck.terminal import events as t
from agentdeck.terminal.emulator import Emulator
from agentdeck.terminal.screen import Screen

CHECKPOINT_EVERY: Final = 2.0
"""Seconds between two checkpoints of a busy screen; a crashed hub replays at most this much plus the ring."""

JUDGE_AFTER: Final = 0.25
"""Seconds after output at which the state is looked at again when the program said nothing explicit."""

SEEN_AFTER: Final = 0.02
"""Seconds after a key at which a session that is done is looked at again."""

_DECORATION: Final = re.compile(r"^[^\w\s/~.@]+\s+(?=\S)")
"""The spinner or symbol in front of a CLI's title: it turns many times a second and means nothing in a list."""

INTERRUPTS: Final = frozenset({b"\x1b", b"\x03", b"\x1b[27u", b"\x1b[99;5u"})
"""Esc and Ctrl+C, as legacy and kitty keyboards send them."""

AnyLink = HolderLink | OrphanLink


@dataclass(frozen=True, slots=True)
class Outward:
    """How a session reaches its hub."""

    changed: "Callable[[LiveSession], None]"
    judge: "Callable[[LiveSession], None]"
    ended: "Callable[[LiveSession, Exit], None]"
    push: Callable[[m.AnyReply], None]
    views: Callable[[str], Iterable[tuple[Peer, ScreenView]]]


class LiveSession:
    def __init__(self, record: Record, provider: Provider, outward: Outward, *, scrollback: int) -> None:
        self.info = record.session
        self.provider = provider
        self.args = record.args
        self.argv = record.argv
        self.clipboard = record.clipboard
        self.env: dict[str, str] = {}
        """The environment of the last start; unknown after the hub restarted."""
        self.link: AnyLink | None = None
        self.offset = 0
        """Bytes of the PTY that the screen has taken in."""
        self.stopping = False
        """Somebody asked for its end."""
        self.over = asyncio.Event()
        """Set when the program has ended and everything it said is on the screen."""
        self.raw_title = ""
        self.title_at = 0.0
        self.last_output = 0.0
        self.last_output_at = 0.0
        """The same on the loop's monotonic clock."""
        self.last_input = 0.0
        self.interrupted_at = 0.0
        """When a key that interrupts was last sent."""
        self.seen = record.session.state != "done"
        self._outward = outward
        self._replay: Replay | None = None
        self._judge_timer: asyncio.TimerHandle | None = None
        self._checkpoint_timer: asyncio.TimerHandle | None = None
        self._held_copy = ""
        self.emulator = Emulator(self.info.cols, self.info.rows, reply=self._reply, scrollback=scrollback)
        self.tape = Tape(self.emulator.snapshot)
        self.screen = Screen(self.info.id, self.emulator)
        self.painter = Painter(self.screen, lambda: outward.views(self.info.id))

    @property
    def record(self) -> Record:
        return Record(session=self.info, clipboard=self.clipboard, args=self.args, argv=self.argv)

    @property
    def running(self) -> bool:
        return self.link is not None

    def update(self, **changes: object) -> None:
        """Change facts that clients see, and tell them if anything really changed."""
        before = self.info
        self.info = msgspec.structs.replace(before, **changes)
        if self.info != before:
            self._outward.changed(self)

    # ── output ─────────────────────────────────────────────────────────────────────────────────

    async def follow(self, link: HolderLink) -> None:
        """Take over a holder: rebuild the screen from its checkpoint and ring, then follow it.

        After a mere loss of connection the screen is still right and output goes on where it stopped.
        """
        hello = link.hello
        await link.master()  # should the holder be killed, this duplicate keeps the program's terminal open
        stored = await link.checkpoint()
        link.on_refused = self._say
        self.link = link
        if self.offset >= max(1, hello.base):
            link.replay(self.offset)
            link.resize(self.info.cols, self.info.rows)
            return
        taken_at, blob = stored if stored else (0, b"")
        checkpoint = Checkpoint.decode(blob) if blob else None
        self.emulator.resize(hello.cols, hello.rows)
        self.update(pid=hello.pid, holder_pid=hello.holder_pid, cols=hello.cols, rows=hello.rows)
        if checkpoint is not None:
            self._hear_title(checkpoint.title)
            self.update(status=checkpoint.status, progress=checkpoint.progress)
        if hello.total > hello.base or checkpoint is not None:
            self._replay = Replay(self.emulator, end=hello.total, checkpoint=checkpoint, taken_at=taken_at)
            self._replay.begin(hello.base)
        self.offset = hello.base
        if hello.total == hello.base:
            self._end_replay()
        link.replay(hello.base)

    def _say(self, sentence: str) -> None:
        self._outward.push(m.Notice(text=sentence, level="warning", session=self.info.id))

    def on_output(self, offset: int, data: bytes) -> None:
        if offset < self.offset:
            data = data[self.offset - offset :]
            offset = self.offset
        self.offset = offset + len(data)
        if self._replay is not None:
            present = self._replay.feed(offset, data)
            if present is not None:
                self._end_replay()
                self.emulator.feed(present)
        else:
            self.tape.add(time.time(), data)
            self.emulator.feed(data)
        if self.link is not None:
            self.link.ack(self.offset)
        if self._replay is None:
            self._hear()
            self.painter.touch()

    def _end_replay(self) -> None:
        if self._replay is None:
            return
        for event in self.emulator.take_events():  # only what describes the present; bells and copies are past
            if isinstance(event, t.TitleChanged | t.Progressed | t.StatusReported):
                self._handle(event)
        self._replay = None
        self.emulator.resize(self.info.cols, self.info.rows)
        self._outward.judge(self)

    def _hear(self) -> None:
        """Take in what the program said beside its text, and plan what follows from output."""
        loop = asyncio.get_running_loop()
        self.last_output, self.last_output_at = time.time(), loop.time()
        spoke = False
        for event in self.emulator.take_events():
            self._handle(event)
            spoke = True
        if spoke:
            self._outward.judge(self)
        else:
            self.judge_later(JUDGE_AFTER)
        if self._checkpoint_timer is None:
            self._checkpoint_timer = loop.call_later(CHECKPOINT_EVERY, self._checkpoint_now)

    def _judge_now(self) -> None:
        self._judge_timer = None
        self._outward.judge(self)

    def judge_later(self, seconds: float) -> None:
        """Look at the state again after `seconds`, when the verdict said that time alone may change it."""
        loop = asyncio.get_running_loop()
        if self._judge_timer is not None:
            if self._judge_timer.when() <= loop.time() + seconds:
                return
            self._judge_timer.cancel()
        self._judge_timer = loop.call_later(seconds, self._judge_now)

    def _handle(self, event: t.TerminalEvent) -> None:
        match event:
            case t.TitleChanged():
                self._hear_title(event.title)
            case t.Progressed():
                self.update(progress=event.progress)
            case t.StatusReported():
                self.update(status=msgspec.structs.replace(event.status, at=time.time()))
            case t.Bell():
                if not self.watched:
                    self.update(bells=self.info.bells + 1)
                self._outward.push(m.Bell(session=self.info.id))
            case t.Notified():
                text = f"{event.title}: {event.body}" if event.title else event.body
                self._outward.push(m.Notice(text=text, session=self.info.id))
            case t.ClipboardSet():
                self._copy(event.text)
            case _:
                pass

    def _hear_title(self, title: str) -> None:
        self.raw_title, self.title_at = title, time.time()
        self.update(title=_DECORATION.sub("", title))

    @property
    def watched(self) -> bool:
        """Whether somebody has this session in the focus, and looks at it."""
        return any(view.interval <= 1 / 60 and not peer.away for peer, view in self._outward.views(self.info.id))

    # ── clipboard ──────────────────────────────────────────────────────────────────────────────

    def _copy(self, text: str) -> None:
        if self.clipboard:
            self._outward.push(m.Copied(session=self.info.id, text=text))
        elif self.clipboard is None:
            asked = bool(self._held_copy)
            self._held_copy = text
            if not asked:
                self._outward.push(m.ClipboardAsked(session=self.info.id, size=len(text)))

    def allow_clipboard(self, on: bool) -> None:
        self.clipboard = on
        held, self._held_copy = self._held_copy, ""
        if on and held:
            self._outward.push(m.Copied(session=self.info.id, text=held))
        self._outward.changed(self)

    # ── input ──────────────────────────────────────────────────────────────────────────────────

    def write(self, data: bytes) -> None:
        if self.link is not None and data:
            self.last_input = time.time()
            if data in INTERRUPTS:
                self.interrupted_at = self.last_input
            if self.info.state == "done":  # who types has seen it
                self.judge_later(SEEN_AFTER)
            self.link.write(data)

    def resize(self, cols: int, rows: int) -> None:
        cols, rows = max(2, cols), max(2, rows)
        if (cols, rows) == (self.info.cols, self.info.rows):
            return
        self.emulator.resize(cols, rows)
        if self.link is not None:
            self.link.resize(cols, rows)
        self.update(cols=cols, rows=rows)
        self.painter.touch()

    def _reply(self, data: bytes) -> None:
        """The terminal's answer to a query of the program."""
        if self._replay is None and self.link is not None:
            self.link.write(data)

    # ── the end ────────────────────────────────────────────────────────────────────────────────

    def on_exit(self, ended: Exit) -> None:
        if isinstance(self.link, HolderLink):
            self.link.acknowledge_exit()
        self._detach()
        self._outward.ended(self, ended)

    def show_tail(self, tail: bytes) -> None:
        """Fill the screen of a session that ended while no hub ran with the last output that its holder kept."""
        self.emulator.feed(tail)
        self.emulator.take_events()

    def close(self) -> None:
        """Let go of the holder, which goes on, and free the screen."""
        self._checkpoint_now()
        self._detach()
        self.painter.stop()
        self.emulator.close()

    def _detach(self) -> None:
        self._end_replay()
        for timer in (self._judge_timer, self._checkpoint_timer):
            if timer is not None:
                timer.cancel()
        self._judge_timer = self._checkpoint_timer = None
        if self.link is not None:
            link, self.link = self.link, None
            link.close()

    def _checkpoint_now(self) -> None:
        self._checkpoint_timer = None
        if isinstance(self.link, HolderLink) and self._replay is None:
            checkpoint = Checkpoint(
                cols=self.info.cols,
                rows=self.info.rows,
                screen=self.emulator.snapshot(),
                title=self.raw_title,
                progress=self.info.progress,
                status=self.info.status,
            )
            self.link.store_checkpoint(self.offset, checkpoint.encode())
