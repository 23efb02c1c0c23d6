"""The deck's hold on the host terminal: Textual's Linux driver, with keys that can pass by Textual untouched.

Differences from its parent, each with a reason:
- Input is read in the event loop, so a key needs no thread, no queue and no 0.1 s poll to reach its session.
- While TYPING, input goes to `raw`, `chord` and `paste` instead of becoming key events, which lose information.
- Output is written at once without blocking (`outlet`) instead of by way of a thread.
- Motion without a button is not reported, unless a program asks for it.
- The terminal comes back whole: on exit, on an exception, on SIGTERM, SIGINT and SIGHUP, and at the very end of Python.
"""

import asyncio
import atexit
import codecs
import os
import re
import signal
import termios
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from textual import constants, events
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from agentdeck.protocol.screen import Modes
from agentdeck.terminal.keys import encode_key
from agentdeck.ui import host_modes, host_replies
from agentdeck.ui.host_input import HostInput, Kind, Unit
from agentdeck.ui.host_modes import HostModes
from agentdeck.ui.host_replies import Scheme
from agentdeck.ui.key_codes import RELEASE, read_key
from agentdeck.ui.outlet import Outlet
from agentdeck.ui.typing_stream import Chord, Chords, ForTextual, Paste, Raw, Token, TypingStream, Unbound, merged

READ: Final = 65536
FINISH: Final = 1.0
"""Seconds that a slow terminal gets to take the last bytes."""
SWITCH: Final = 1.0
"""Seconds after which a terminal that was told other kitty flags is taken to have obeyed, though it said nothing."""

_ENDING: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_KEY_DETAIL: Final = re.compile(rb"(\x1b\[\d*)(?::[\d:]*)?(;\d*)?(?::\d+)?")
"""The alternate keys and the event type of a kitty key, which Textual cannot read."""


def _ignore(*_: object) -> None:
    pass


class DeckDriver(LinuxDriver):
    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.raw: Callable[[bytes], None] = _ignore
        """Called in the event loop, as all of these, with bytes for the program."""
        self.chord: Callable[[str], None] = _ignore
        """An action id, from TYPING mode; and `type`, when leaving is taken back by the second press."""
        self.unbound: Callable[[], None] = _ignore
        """The prefix key was followed by a key that means nothing there."""
        self.paste: Callable[[bytes], None] = _ignore
        self.colour_scheme: Callable[[Scheme], None] = _ignore
        self.scheme: Scheme | None = None
        """What the terminal said last, for whoever sets `colour_scheme` after it did."""
        self._thread = threading.get_ident()
        self._input = HostInput()
        self._stream = TypingStream({})
        self._typing = False
        self._wanted = HostModes()
        self._modes = HostModes()
        self._kitty: bool = False
        self._scheme_reported = False
        self._switches = 0
        self._switched_at = 0.0
        self._patience: asyncio.TimerHandle | None = None
        self._reading = False
        self._outlet: Outlet | None = None
        self._in_application_mode = False
        self._ending = False
        """The bytes that restore the terminal must not be dropped, however far behind it is."""
        self._signalled = False
        self._was_stopped = False
        self._handlers: dict[signal.Signals, Any] = {}
        self._parser = XTermParser(debug)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    @property
    def backlog(self) -> int:
        """Bytes that the terminal has not taken yet; painting more now only makes it later."""
        return self._outlet.backlog if self._outlet else 0

    def bind(self, chords: Chords) -> None:
        """Take these chords, and no others, from the programs."""
        self._stream = TypingStream(chords)

    def typing(
        self, on: bool, kitty_flags: int = 0, *, application_cursor: bool = False, any_motion: bool = False
    ) -> None:
        """Enter or leave TYPING; or say that the program under the cursor is another, or wants other modes."""
        if on and not self._typing:
            self._stream.begin()
        self._typing = on
        self._wanted = HostModes(kitty_flags, application_cursor, any_motion) if on else HostModes()
        self._apply_modes()

    # -- output

    def write(self, data: str) -> None:
        if self._outlet is None:
            super().write(data)
        elif threading.get_ident() == self._thread:
            self._outlet.write(data, keep=self._ending)
        else:
            self._loop.call_soon_threadsafe(self._outlet.write, data)

    def flush(self) -> None:
        if self._outlet is not None and threading.get_ident() == self._thread:
            self._outlet.flush()

    def _repaint(self) -> None:
        self._app.refresh()

    # -- input

    def _run_input_thread(self) -> None:
        """The parent reads in a thread; this one ends at once, and `_readable` reads in the loop."""

    def _readable(self) -> None:
        try:
            data = os.read(self.fileno, READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""  # EIO: the terminal was closed
        if not data:
            self._stop_reading()
            self._app.exit()
            return
        self._guarded(lambda: self._take(self._input.feed(data)))

    def _give_up_waiting(self) -> None:
        self._guarded(lambda: self._take(self._input.flush()))

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            # The loop would log it where nobody looks. As with a widget's own handlers: a bug ends the app, visibly.
            self._app._handle_exception(error)

    def _take(self, units: list[Unit]) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        now = self._loop.time()
        tokens: list[Token] = []
        for unit in units:
            if self._typing:
                tokens.extend(self._stream.sort(self._as_program_expects(unit, now), now))
                if not tokens or isinstance(tokens[-1], Raw):
                    continue
                self._hand_out(tokens)  # a chord may change the mode that the next unit is read in
                tokens = []
            elif (again := self._stream.literal(unit, now)) is not None:
                self.chord("type")
                self.raw(encode_key(again.key, self._program_modes()))
            else:
                self._to_textual(unit)
        self._hand_out(tokens)
        if (patience := self._input.patience) is not None:
            self._patience = self._loop.call_later(patience, self._give_up_waiting)

    def _hand_out(self, tokens: list[Token]) -> None:
        for token in merged(iter(tokens)):
            match token:
                case Raw(data):
                    self.raw(data)
                case Chord(action):
                    self.chord(action)
                case Paste(data):
                    self.paste(data)
                case Unbound():
                    self.unbound()
                case ForTextual(data):
                    self._report(data)

    def _as_program_expects(self, unit: Unit, now: float) -> Unit:
        """Say a key again in the program's dialect if the terminal may have sent it before it knew the new modes."""
        if self._switches and now - self._switched_at > SWITCH:
            self._switches = 0
        if not self._switches or unit.kind is not Kind.KEY or not unit.data.endswith(b"u"):
            return unit
        press = read_key(unit.data)
        if press is None or not press.key.base or press.event == RELEASE:
            return Unit(Kind.TEXT, b"")
        return Unit(Kind.KEY, encode_key(press.key, self._program_modes()))

    def _program_modes(self) -> Modes:
        return Modes(kitty_flags=self._wanted.kitty_flags, application_cursor=self._wanted.application_cursor)

    def _to_textual(self, unit: Unit) -> None:
        if unit.kind is Kind.PASTE:
            self.process_message(events.Paste(unit.data.decode("utf-8", "replace").replace("\x00", "")))
        elif unit.kind in (Kind.MOUSE, Kind.FOCUS, Kind.REPLY):
            self._report(unit.data)
        elif unit.data == b"\x1b":
            self.process_message(events.Key("escape", "\x1b"))
        elif unit.kind is Kind.KEY and unit.data.startswith(b"\x1b["):
            press = read_key(unit.data)
            if press is None or press.event != RELEASE:
                self._parse(_KEY_DETAIL.sub(rb"\1\2", unit.data, count=1))
        else:
            self._parse(unit.data)

    def _report(self, data: bytes) -> None:
        """Mouse and focus are Textual's business; of the terminal's answers it would take most for keys."""
        if data.startswith((b"\x1b[<", b"\x1b[I", b"\x1b[O")) or host_replies.is_for_textual(data):
            self._parse(data)
        elif host_replies.kitty_flags(data) is not None:
            self._switches = max(0, self._switches - 1)
            if not self._kitty and not constants.DISABLE_KITTY_KEY:
                self._kitty = True
                self._modes = HostModes(
                    host_modes.DECK_KITTY_FLAGS, self._modes.application_cursor, self._modes.any_motion
                )
                self._apply_modes()
        elif scheme := host_replies.reported_scheme(data):
            self._scheme_reported = True
            self._note_scheme(scheme)
        elif not self._scheme_reported and (scheme := host_replies.background_scheme(data)):
            self._note_scheme(scheme)

    def _note_scheme(self, scheme: Scheme) -> None:
        if scheme != self.scheme:
            self.scheme = scheme
            self.colour_scheme(scheme)

    def _parse(self, data: bytes) -> None:
        """Give Textual's parser one whole unit, and do not let it wait for more of it."""
        for message in self._parser.feed(self._decode(data)):
            self.process_message(message)
        if self._parser._timeout_time is not None:
            self._parser._timeout_time = 0.0
            for message in self._parser.tick():
                self.process_message(message)

    def send_message(self, message: Message) -> None:
        if threading.get_ident() == self._thread:
            self._app.post_message(message)
        else:
            super().send_message(message)

    # -- modes

    def _apply_modes(self) -> None:
        if not self._in_application_mode:
            return
        sequence = host_modes.switch(self._modes, self._wanted, kitty=self._kitty)
        if self._kitty and self._modes.kitty_flags != self._wanted.kitty_flags:
            self._switches += 1
            self._switched_at = self._loop.time()
        self._modes = self._wanted
        if sequence and self._outlet is not None:
            self._outlet.write(sequence, keep=True)
            self._outlet.flush()
        elif sequence:
            self.write(sequence)

    def _enable_mouse_support(self) -> None:
        if self._mouse:
            self.write(host_modes.MOUSE_ON)

    def _disable_mouse_support(self) -> None:
        if self._mouse:
            self.write(host_modes.MOUSE_OFF)

    def _query_in_band_window_resize(self) -> None:
        """Not asked for: in the parent it brings mouse reports in pixels, and programs want cells."""

    # -- beginning and end

    def start_application_mode(self) -> None:
        self._outlet = Outlet.of_terminal(self._file.fileno(), self._loop, self._repaint) if self._file else None
        self._modes = HostModes()
        self._kitty = False
        self._scheme_reported = False
        self._switches = 0
        self._ending = self._signalled = False
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._in_application_mode = True
        atexit.register(self._reset)
        for number in _ENDING:
            self._handlers[number] = signal.signal(number, self._on_ending)
        if self.input_tty and os.environ.get("TERM") != "linux":  # the console would print them
            self.write(host_modes.ENTER)
        self._apply_modes()
        self.flush()
        self._start_reading()
        if self._was_stopped:  # the alternate screen is empty, and the parent repaints only when the size has changed
            self._loop.call_soon_threadsafe(self._repaint)

    def disable_input(self) -> None:
        self._stop_reading()
        super().disable_input()

    def stop_application_mode(self) -> None:
        if not self._in_application_mode:
            return
        self._stop_reading()
        self._ending = True
        self.write(host_modes.LEAVE + host_modes.switch(self._modes, HostModes(), kitty=self._kitty))
        super().stop_application_mode()
        self.write("\x1b[0 q")
        if self._outlet is not None:
            self._outlet.finish(FINISH)
        self._in_application_mode = False
        self._was_stopped = True
        atexit.unregister(self._reset)
        for number, handler in self._handlers.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        self._handlers.clear()

    def close(self) -> None:
        if self._outlet is not None:
            self._outlet.finish(FINISH)
            self._outlet.close()
            self._outlet = None
        super().close()

    def _start_reading(self) -> None:
        try:
            self._loop.add_reader(self.fileno, self._readable)
        except OSError:
            return  # a file or /dev/null: there is nobody to wait for
        self._reading = True

    def _stop_reading(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self.fileno)

    def _on_ending(self, number: int, frame: FrameType | None) -> None:
        """End in good order at the first signal, and at any cost at the second. (A closed terminal hangs up twice.)"""
        if self._signalled and number != signal.SIGHUP:
            self._reset()
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self._signalled = True
        self._loop.call_soon_threadsafe(self._app.exit, None, 128 + number)

    def _reset(self) -> None:
        """Put the terminal back without the loop, the outlet or anything else that may be what broke."""
        if not self._in_application_mode or self._file is None:
            return
        self._in_application_mode = False
        try:
            if self.attrs_before is not None:
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            os.write(self._file.fileno(), host_modes.RESET.encode())
        except (OSError, termios.error):
            return  # the terminal has gone
