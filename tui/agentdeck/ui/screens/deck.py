"""The deck: the two modes, what each key does in them, and what the hub's news mean for the person.

In TYPING the selected program gets every byte that is no chord of ours; in DECK single keys are actions. All actions
are methods named after their row in the action table.
"""

import inspect
import time
from collections.abc import Awaitable
from typing import Final

from textual import events
from textual.timer import Timer

from agentdeck.errors import BadKeyError
from agentdeck.protocol import approvals as a
from agentdeck.protocol import attention as w
from agentdeck.protocol import facts as f
from agentdeck.protocol import insight as i
from agentdeck.protocol import messages as m
from agentdeck.protocol import outside as o
from agentdeck.protocol import queue as q
from agentdeck.protocol import search as se
from agentdeck.protocol import share as sh
from agentdeck.protocol.screen import Modes
from agentdeck.ui import state
from agentdeck.ui.actions import ACTIONS
from agentdeck.ui.keymap import read_combo
from agentdeck.ui.screens.approving import Approving
from agentdeck.ui.screens.board import CALM
from agentdeck.ui.screens.concluding import Concluding
from agentdeck.ui.screens.confirm import Confirm
from agentdeck.ui.screens.help import Help
from agentdeck.ui.screens.palette import Palette
from agentdeck.ui.screens.searching import Searching
from agentdeck.ui.screens.share_deeds import Sharing
from agentdeck.ui.widgets.pane import Pane
from agentdeck.ui.widgets.sidebar import Sidebar
from agentdeck.ui.widgets.strip import SessionStrip

OWN: Final = frozenset(action.id for action in ACTIONS if action.own)

BELL_EVERY: Final = 1.0
"""Seconds between two rings of the terminal's own bell."""


class DeckScreen(Searching, Sharing, Concluding, Approving):
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._questions: list[m.ClipboardAsked] = []
        self._asking = False
        self._seen: tuple[str, float, int] = ("", 0.0, 0)
        self._rang = -BELL_EVERY
        self._in_focus = True
        """Whether somebody looks at the terminal, as far as it tells."""
        self._clock: Timer | None = None
        self._modes: Modes | None = None
        """Of the program that gets the keys; None while the deck has them."""

    # ── modes ──────────────────────────────────────────────────────────────────────────────────

    def type_into(self) -> None:
        session = self.deck.session
        if session is not None and not state.is_ours(session):
            self.say(f"{session.name} was started elsewhere: it can only be watched")
            return
        if session is None or not state.is_running(session):
            self.footer.flash()
            return
        self.panels.current = False
        if not self.typing:
            self.typing = True
            self.bridge.post(m.Focus(session=session.id, on=True))
        self.end_filter()
        self.pane.follow()
        self.hand_over_keys()
        self.draw()

    def action_type(self) -> None:
        if self.panels.current:
            self.panels.feed.open()
        else:
            self.type_into()

    def action_leave(self) -> None:
        """TYPING → DECK, and back to where a round of those that wait began."""
        before, self.came_from = self.came_from, ""
        self._end_typing()
        if before and self.deck.selected == self.went_to:
            self.choose(before)

    def _end_typing(self) -> None:
        if self.typing:
            self.typing = False
            self.bridge.post(m.Focus(session=self.deck.selected, on=False))
        self.hand_over_keys()
        self.draw()
        self._ask_next()

    def hand_over_keys(self) -> None:
        """Make the terminal deliver keys as the mode wants them. A dialog always gets decoded ones."""
        typing = self.typing and self.is_current
        self._modes = self.replica(self.deck.selected).modes if typing else None
        self.desk.take_keys(self._modes)
        self.desk.place_cursor(self.pane.cursor() if typing else None)

    def on_screen_suspend(self) -> None:
        self._modes = None
        self.desk.take_keys(None)
        self.desk.place_cursor(None)

    def on_screen_resume(self) -> None:
        if self.deck.sessions:
            self.hand_over_keys()

    # ── keys ───────────────────────────────────────────────────────────────────────────────────

    def on_key(self, event: events.Key) -> None:
        """A decoded key: any in DECK mode, and in TYPING on a terminal that cannot hand over raw bytes."""
        event.stop()
        event.prevent_default()
        if self.searching is not None:
            self.searching.post_message(events.Key(event.key, event.character))
        elif self.filtering:
            self.filter_key(event)
        elif self.seeking is not None:
            self.find_key(event)
        elif self.typing:
            self._typed_key(event)
        elif event.key == "escape" and self.panels.current:
            self._enter_feed(False)
        elif (action := self.keymap.deck_action(event.key, reading=self.reading)) is not None:
            self.run_deed(action)
        elif event.key == "escape" and self.leave_found():
            pass
        elif event.key == "escape" and self.deck.filter:
            self.set_filter("")
        else:
            self.footer.flash()

    def _typed_key(self, event: events.Key) -> None:
        if (action := self._chord(event.key)) is not None:
            self.run_deed(action)
        elif event.character and event.is_printable:
            self.raw(event.character.encode())
        else:
            self.pane.follow()
            self.bridge.post(m.SendKeys(session=self.deck.selected, keys=(event.key,)))

    def _chord(self, key: str) -> str | None:
        try:
            return self.keymap.chords.get(read_combo(key))
        except BadKeyError:
            return None

    def raw(self, data: bytes) -> None:
        """Bytes that the person typed, for the program. Nothing may stand between a key and its PTY."""
        self.bridge.post(m.Input(session=self.deck.selected, data=data))
        if self.pane.lines_up or self.pane.selection is not None:
            self.pane.follow()

    def paste(self, text: str) -> None:
        self.pane.follow()
        self.bridge.post(m.SendText(session=self.deck.selected, text=text, enter=False))

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        if self.typing:
            self.paste(event.text)
        elif self.filtering:
            self.set_filter(self.deck.filter + " ".join(event.text.split()))

    def run_deed(self, action: str) -> None:
        """Do what the action table calls `action`."""
        if action.startswith("jump_"):
            self.select(state.jump(self.deck, int(action[5:])))
            return
        if action in OWN and (session := self.deck.session) is not None and not state.is_ours(session):
            self.say(f"{session.name} was started elsewhere: it can only be watched")
            return
        result: Awaitable[None] | None = getattr(self, f"action_{action}")()
        if inspect.isawaitable(result):
            self.run_worker(self._see_through(result), group="deeds", exit_on_error=True)

    @property
    def footer_words(self) -> tuple[str, list[tuple[str, str]], str]:
        if self.seeking is not None:
            return "find", [("enter", "find"), ("esc", "cancel")], f"/{self.seeking}_"
        mode = "filter" if self.filtering else "typing" if self.typing else "deck"
        note = f"/{self.deck.filter}" if self.filtering or self.deck.filter else ""
        if self.filtering:
            return mode, [("enter", "keep"), ("esc", "clear")], f"{note}_"
        if self.reading and not self.typing:
            return mode, [*self.reading_hints, (self.keymap.keys_for("help").split()[0], "keys")], note
        return mode, self.keymap.hints("typing" if self.typing else "deck"), note

    # ── dialogs that change nothing ────────────────────────────────────────────────────────────

    async def action_help(self) -> None:
        await self.app.push_screen_wait(Help(self.keymap.sections()))

    async def action_palette(self) -> None:
        entries = [entry for entry in self.keymap.entries() if entry[0] != "palette"]
        chosen = await self.app.push_screen_wait(Palette(entries))
        if chosen is not None:
            self.run_deed(chosen)

    # ── the mouse ──────────────────────────────────────────────────────────────────────────────

    def on_sidebar_picked(self, message: Sidebar.Picked) -> None:
        self._picked(message.session)

    def on_session_strip_picked(self, message: SessionStrip.Picked) -> None:
        self._picked(message.session)

    def _picked(self, session: str) -> None:
        if session == self.deck.selected:
            self.type_into()
        else:
            self.choose(session)

    def on_pane_pressed(self, message: Pane.Pressed) -> None:
        replica = message.pane.replica
        if replica is not None:
            self.choose(replica.session)
            self.type_into()

    def on_pane_selected(self, message: Pane.Selected) -> None:
        self.copied(message.text)

    def on_pane_mouse_reported(self, message: Pane.MouseReported) -> None:
        self.bridge.post(
            m.Mouse(session=message.session, button=message.button, x=message.x, y=message.y, press=message.press)
        )

    def on_pane_keys_wanted(self, message: Pane.KeysWanted) -> None:
        self.bridge.post(m.SendKeys(session=message.session, keys=message.keys))

    def on_pane_scrolled(self, message: Pane.Scrolled) -> None:
        if message.pane is self.pane:
            self.desk.place_cursor(message.pane.cursor())
            self.call_later(self.draw)

    # ── the hub's news ─────────────────────────────────────────────────────────────────────────

    def take(self, push: m.AnyReply) -> None:
        """Take in what the hub pushes. Frames come first: they are what the person waits for."""
        match push:
            case m.Screen():
                self.take_frame(push.frame)
                if self._modes is not None and push.frame.session == self.deck.selected:
                    self._follow_modes(push.frame.modes)
                return
            case m.Notice():
                self._notice(push)
            case m.Bell():
                self._bell(push.session)
            case m.Copied():
                self.desk.copy_to_clipboard(push.text)
            case m.ClipboardAsked():
                self._questions.append(push)
                self._ask_next()
            case a.Approvals() | a.ApprovalAsked() | a.ApprovalGone():
                self.take_approvals(push)
            case f.FactsChanged() | f.FactsGone() | f.FeedLines() | f.Spent():
                self.take_facts(push)
            case i.InsightChanged():
                self.take_insight(push)
            case o.Attached():
                self.take_attached(push)
            case q.Queues():
                self.take_queues(push)
            case se.Indexing():
                self.take_indexing(push)
            case sh.ShareTold() | sh.ShareEvents() | sh.ShareGone():
                self.take_shares(push)
            case w.Alert():
                self.take_alert(push)
            case _:
                self._fold(push)

    def _fold(self, push: m.AnyReply) -> None:
        before = self.deck
        self.deck = state.fold(before, push)
        if isinstance(push, m.Gone):
            self.replicas.pop(push.session, None)
            self.bridge.forget(push.session)
            self.take_facts(push)
        if isinstance(push, m.Sessions):
            self.subscribe()
        if self.deck is before:
            return
        if len(self.deck.sessions) != len(before.sessions) or self.deck.selected != before.selected:
            self.resize_layout()
            self.draw()
            self.watch_sessions()
            self.hand_over_keys()
        elif isinstance(push, m.Resources) and self.deck.calm and before.calm:
            self.draw_soon(CALM)
        else:
            self.draw_soon()
        if self.typing and (session := self.deck.session) is not None and not state.is_running(session):
            self._end_typing()
        self.name_terminal()
        self.look()

    def _follow_modes(self, modes: Modes) -> None:
        """The terminal's keyboard speaks as the program under the cursor expects."""
        if modes != self._modes:
            self._modes = modes
            self.desk.take_keys(modes)

    def _notice(self, notice: m.Notice) -> None:
        session = self.deck.find(notice.session)
        self.say(f"{session.name}: {notice.text}" if session is not None else notice.text, notice.level)

    def _bell(self, session: str) -> None:
        """Ring the real bell for what the person is not looking at."""
        now = time.monotonic()
        if (session != self.deck.selected or not self._in_focus) and now - self._rang >= BELL_EVERY:
            self._rang = now
            self.desk.ring()

    def _ask_next(self) -> None:
        """Ask whether a program may set the clipboard, but never under the fingers of somebody who types."""
        if self._asking or not self._questions:
            return
        question = self._questions[0]
        session = self.deck.find(question.session)
        if session is None:
            self._questions.pop(0)
            self._ask_next()
        elif self.typing:
            keys = self.keymap.keys_for("leave", "typing").split()[0]
            self.say(f"{session.name} wants to set the clipboard; {keys} shows the question", "warning")
        elif self.is_current:
            self._asking = True
            self.run_worker(self._see_through(self._ask_clipboard(session, question.size)), group="deeds")

    async def _ask_clipboard(self, session: m.Session, size: int) -> None:
        body = f"It wants to put {size} characters there. Your answer holds for this session."
        try:
            allowed = await self.app.push_screen_wait(Confirm(f"may {session.name} set the clipboard?", body, "Allow"))
            self._questions.pop(0)
            await self.bridge.call(m.AllowClipboard(session=session.id, on=bool(allowed)))
        finally:
            self._asking = False
        self._ask_next()

    def look(self) -> None:
        """Tell the hub that the person sees the selected session, where that changes something."""
        session = self.deck.session
        if session is None or not self._in_focus or not (session.state == "done" or session.bells):
            return
        news = (session.id, session.since, session.bells)
        if news != self._seen:
            self._seen = news
            self.bridge.post(m.Seen(session=session.id))

    # ── the terminal ───────────────────────────────────────────────────────────────────────────

    def on_mount(self) -> None:
        self._tick_clock()
        self.lay_out()

    def on_resize(self, event: events.Resize) -> None:
        self.lay_out()

    def _tick_clock(self) -> None:
        self._clock = self.set_timer(60 - time.time() % 60 + 0.05, self._tick_clock)
        self.draw()

    def terminal_focused(self, on: bool) -> None:
        """The terminal got or lost the focus of the desktop."""
        self._in_focus = on
        self.hear_focus(on)
        if self.typing:
            self.bridge.post(m.Focus(session=self.deck.selected, on=on))
        if on:
            self.look()
