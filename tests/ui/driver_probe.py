"""A small Textual app on the deck's driver, run in a PTY by `driver_host`: it says what reached it, and obeys orders.

Arguments: a descriptor to say things on (a JSON list per line), and one to read orders from (a JSON list per line).
"""

import json
import os
import sys
import threading
import time

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Static

from agentdeck.config import Keys
from agentdeck.ui.driver import DeckDriver
from agentdeck.ui.keymap import Keymap

SAY, ORDERS = int(sys.argv[1]), int(sys.argv[2])


def say(*words: object) -> None:
    os.write(SAY, json.dumps(words).encode() + b"\n")


class Probe(App[None]):
    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        yield Static("the probe is on the screen")

    @property
    def host(self) -> DeckDriver:
        assert isinstance(self._driver, DeckDriver)
        return self._driver

    def on_mount(self) -> None:
        self._rest = b""
        self._flags = 0
        self.host.bind(Keymap.from_config(Keys()).chords)
        self.host.raw = lambda data: say("raw", data.hex(), threading.get_ident() == self._thread_id)
        self.host.paste = lambda data: say("paste", len(data), data[:20].hex(), data[-20:].hex())
        self.host.chord = self.chord
        self.host.colour_scheme = lambda scheme: say("scheme", scheme)
        assert self._loop is not None
        self._loop.add_reader(ORDERS, self.obey)
        self.call_after_refresh(say, "ready")

    def chord(self, action: str) -> None:
        say("chord", action)
        if action in ("leave", "type"):
            self.host.typing(action == "type", self._flags if action == "type" else 0)

    def obey(self) -> None:
        *lines, self._rest = (self._rest + os.read(ORDERS, 65536)).split(b"\n")
        for line in lines:
            match json.loads(line):
                case ["typing", bool(on), int(flags), bool(cursor)]:
                    self._flags = flags
                    self.host.typing(on, flags, application_cursor=cursor)
                case ["exit"]:
                    self.exit()
                case ["crash"]:
                    self.call_later(self.crash)
                case ["hang"]:
                    say("hanging")
                    time.sleep(60)
                case ["paint", str(text)]:
                    self.query_one(Static).update(text)
                case ["flood", int(size)]:
                    self.host.write("x" * size)
                    self.host.flush()
            say("obeyed", self.host.backlog)

    def crash(self) -> None:
        raise ZeroDivisionError("a bug in a handler")

    def on_key(self, event: events.Key) -> None:
        say("key", event.key)

    def on_paste(self, event: events.Paste) -> None:
        say("pasted", len(event.text))

    def on_click(self, event: events.Click) -> None:
        say("click", event.screen_x, event.screen_y)

    def on_app_focus(self) -> None:
        say("focus")


if __name__ == "__main__":
    app = Probe(driver_class=DeckDriver)
    app.run()
    say("ended", app.return_code)
