"""A joined session as it is drawn: the screen, what its agent does, who is there, the talk and the queue.

What it is told to draw is the room and the state of the line; keys and the line are the business of `joined`.
"""

import time
from collections.abc import Mapping
from typing import Final, Protocol

from textual import events
from textual.app import ComposeResult
from textual.geometry import Size
from textual.layout import Layout
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from agentdeck.join.line import State
from agentdeck.join.room import Room
from agentdeck.protocol.screen import Frame
from agentdeck.ui.actions import JOINED_ACTIONS
from agentdeck.ui.figures import clean, count
from agentdeck.ui.keymap import Keymap, readable
from agentdeck.ui.layout import Rect
from agentdeck.ui.paint import paint_asked
from agentdeck.ui.screens import joined_words as words
from agentdeck.ui.screens.desk import PlannedLayout
from agentdeck.ui.screens.joined_places import PANELS, is_wide, places, waiting_places
from agentdeck.ui.styles import Look
from agentdeck.ui.theme import Palette
from agentdeck.ui.widgets.chat import Chat, typing_words, word_lines
from agentdeck.ui.widgets.chat_bars import JoinedBar, JoinedGauges
from agentdeck.ui.widgets.chat_line import ChatLine
from agentdeck.ui.widgets.feed import EventFeed
from agentdeck.ui.widgets.footer import Footer
from agentdeck.ui.widgets.guest_queue import GuestQueue
from agentdeck.ui.widgets.joined_parts import Latest, Mark, Remote, Waiting
from agentdeck.ui.widgets.lines import Lines, Piece
from agentdeck.ui.widgets.notices import Notices
from agentdeck.ui.widgets.pane_title import PaneTitle
from agentdeck.ui.widgets.people import People
from agentdeck.ui.widgets.window import Window

TICK: Final = 1.0
"""Seconds between two drawings while something on the screen counts: a dial to come, somebody who types."""


class Talks(Protocol):
    """What the screen needs of the line to the session."""

    room: Room
    state: State

    @property
    def unsaid(self) -> int: ...
    def say(self, kind: str, **body: object) -> bool: ...
    def dial_now(self) -> None: ...


class JoinedView(Screen[None], inherit_bindings=False):
    AUTO_FOCUS = "Input"
    ALLOW_SELECT = False
    DEFAULT_CSS = """
    JoinedView { overflow: hidden; }
    JoinedView Notices { margin: 0 0 2 0; }
    JoinedView Input { background: $background; }
    JoinedView Input:focus { background-tint: $foreground 0%; }
    JoinedView Input .input--placeholder { color: $foreground-muted; }
    """
    now = staticmethod(time.time)

    def __init__(self, keymap: Keymap) -> None:
        super().__init__()
        self.keymap = keymap
        self.line: Talks | None = None
        self.room = Room()
        self.remarks: tuple[str, ...] = ()
        self.panel = PANELS[0]
        self.prompting = False
        """The line holds a prompt for the agent."""
        self.typing = False
        """The session has the keyboard."""
        self.zoom = False
        self.replica = Remote("shared")
        self._ticking: Timer | None = None
        self._said_typing = 0.0
        self._shape: tuple[object, ...] = ()
        self.top = JoinedBar()
        self.title_bar = PaneTitle()
        self.pane = Window()
        self.waiting = Waiting()
        self.chat, self.people, self.queue = Chat(), People(), GuestQueue()
        self.feed = EventFeed()
        self.latest = Latest()
        self.gauges = JoinedGauges()
        self.mark = Mark()
        self.text = ChatLine(self.press)
        self.footer = Footer()
        self.notices = Notices()
        self._planned = PlannedLayout(self._places)

    @property
    def layout(self) -> Layout:
        return self._planned

    @property
    def _drawn(self) -> tuple[Lines, ...]:
        return (
            self.top, self.title_bar, self.chat, self.people, self.queue, self.feed, self.latest, self.gauges,
            self.mark, self.waiting, self.footer,
        )  # fmt: skip

    def compose(self) -> ComposeResult:
        yield from (self.pane, *self._drawn, self.text, self.notices)

    def wear(self, palette: Palette, *, colour: bool) -> None:
        """Draw the session's screen in this palette's colours."""
        self.pane.wear(Look(palette, colour=colour), Look(palette, dimmed=True, colour=colour))

    def press(self, key: str) -> bool:
        """Obey a key of ours, named as Textual names it; whether it was one."""
        raise NotImplementedError

    def end_typing(self) -> None:
        """The line has the keyboard again."""
        self.typing = False
        self.set_focus(self.text)
        self.draw()

    # ── places ─────────────────────────────────────────────────────────────────────────────────

    @property
    def _is_wide(self) -> bool:
        return is_wide(self.size.width, self.size.height)

    def _plan(self, size: Size) -> dict[str, Rect]:
        if not self.room.here:
            return waiting_places(size.width, size.height)
        return places(
            size.width, size.height, self.panel, zoom=self.zoom, prompts=self.queue.wanted,
            people=max(1, len(self.room.presence.participants)), figures=words.has_figures(self.room),
            events=words.has_events(self.room),
        )  # fmt: skip

    def _places(self, size: Size) -> Mapping[Widget, Rect]:
        plan = self._plan(size)
        widgets: dict[str, Widget] = {
            "top": self.top, "title": self.title_bar, "chat": self.chat, "people": self.people, "queue": self.queue,
            "feed": self.feed, "latest": self.latest, "gauges": self.gauges, "mark": self.mark, "line": self.text,
            "footer": self.footer, "pane": self.pane if self.room.here else self.waiting,
        }  # fmt: skip
        return {widgets[name]: rect for name, rect in plan.items() if rect.width and rect.height}

    def on_resize(self, event: events.Resize) -> None:
        self.draw()

    # ── drawing ────────────────────────────────────────────────────────────────────────────────

    def take(self) -> None:
        """The room or the line changed."""
        assert self.line is not None
        self.room = self.line.room
        if self.typing and not self.room.hands:
            self.end_typing()
            self.say("the owner has taken the keyboard back", "warning")
        self.draw()

    def take_frame(self, frame: Frame) -> None:
        self.pane.changed(self.replica.apply(frame))

    def say(self, text: str, level: str = "info") -> None:
        self.notices.show(text, level)

    def answer(self, text: str, level: str = "info") -> None:
        """Say what became of the key just pressed; what waited to be said is not worth the wait."""
        self.notices.show_at_once(text, level)

    def draw(self) -> None:
        """Give every widget its values."""
        if not self.is_mounted or self.line is None or not self.size.width:
            return
        room, now, wide = self.room, self.now(), self._is_wide
        self.queue.show(words.prompts_of(room), paused=room.queue.paused, waits_for=room.queue.waits_for)
        framed = wide and not self.zoom
        self.pane.show(self.replica if room.here else None, typing=self.typing, framed=framed)
        self._draw_bars(room, now)
        self.title_bar.frame(framed)
        self.title_bar.show(words.session_of(room), 0, now, "typing" if self.typing else "deck", room.data.model)
        for panel in (self.chat, self.people, self.queue, self.feed):
            panel.frame(True)
        people = words.people_of(room, now)
        self.people.show(people, room.viewers)
        unsaid = self.line.unsaid
        fact = (f"{count(unsaid, 'message', 'messages')} to go out", "needs-you") if unsaid else ("", "")
        self.chat.show(words.talk_of(room), room.typists(now), fact=fact)
        self.feed.show(room.share, room.session, words.feed_of(room), nothing=words.no_events(room))
        self._draw_latest(room, now)
        self._wait_for(room)
        shape = (
            room.here, len(people), self.queue.wanted, self.zoom, self.panel, self.size, words.has_figures(room),
            words.has_events(room),
        )  # fmt: skip
        if shape != self._shape:
            self._shape = shape
            self.footer.refresh(layout=True)
        self._tick(counts=not self.line.state.up or bool(room.typists(now)))
        paint_asked(self._drawn)

    def _draw_bars(self, room: Room, now: float) -> None:
        waiting = sum(item.state == "queued" for item in room.queue.items)
        queue = "queue paused" if room.queue.paused else f"queue {waiting}" if waiting else ""
        clock = time.strftime("%H:%M", time.localtime(now))
        self.top.show(
            room.session or "joining", room.viewers, room.role, queue, trouble=self._trouble(), clock=clock,
            here=room.here,
        )  # fmt: skip
        health = (room.health.score, room.health.status) if room.health is not None else None
        self.gauges.show(words.facts_of(room), health, now)
        self.mark.show(prompt=self.prompting)
        self.text.placeholder = self._placeholder(room)
        self.footer.show(*self._footer_words())

    def _placeholder(self, room: Room) -> str:
        if self.typing:
            return "your keys go to the session"
        if self.prompting:
            return "a prompt for the agent: it waits until the agent is free"
        return "say something; /help" if room.may("chat") else "you may watch; /help"

    def _footer_words(self) -> tuple[str, list[tuple[str, str]], str]:
        leave = self._key("leave")
        if not self.room.here:
            return "waiting" if self.room.words else "joining", [(leave, "leave")], ""
        note = f"hidden: {self.pane.hidden.words}" if self._shows_hidden and not self.pane.framed else ""
        assert self.line is not None
        if self.typing:
            mode = "typing" if self.line.state.up else "offline"
            return mode, [(readable(self.keymap.way_back[0]), "back to the chat line")], note
        hints = [(self._key(action_id), label) for action_id, label in self._offered() if self._key(action_id)]
        if not self.line.state.up:
            now = "send when it is back" if self.text.value else "try now"
            hints = [(self._key("send"), now), (leave, "leave"), *hints]
            return "offline", hints, note
        return "prompt" if self.prompting else "chat", hints, note

    @property
    def _shows_hidden(self) -> bool:
        """Whether the screen is shown and a part of it is out of view."""
        return "pane" in self._plan(self.size) and bool(self.pane.hidden.words)

    def _offered(self) -> list[tuple[str, str]]:
        """Actions and their labels for the foot, the most needed first; help comes last and stays."""
        needs = {"prompt": "command", "interrupt": "interrupt", "type": "keys"}
        up = self.line is not None and self.line.state.up
        useless = {
            "next_panel": self._is_wide or self.zoom, "pan_right": not self._shows_hidden, "send": not up,
            "leave": not up, "follow": not self.pane.held,
        }  # fmt: skip
        shown = sorted(
            (action for action in JOINED_ACTIONS if action.footer and not useless.get(action.id)),
            key=lambda action: (action.id == "help", action.id != "follow", -action.footer),
        )
        labels = {"prompt": "chat"} if self.prompting else {}
        return [
            (action.id, labels.get(action.id, action.label))
            for action in shown
            if action.id not in needs or self.room.may(needs[action.id])
        ]

    def _key(self, action: str) -> str:
        """The first key of an action, as people read it; empty when it has none."""
        return next((readable(combo) for combo in self.keymap.joined[action]), "")

    def _trouble(self) -> str:
        assert self.line is not None
        state = self.line.state
        if state.up or not self.room.here:
            return ""
        left = state.next_at - time.monotonic()
        dial = f"again in {max(1, round(left))} s" if left > 0.3 else "trying again"
        since = f" since {time.strftime('%H:%M', time.localtime(state.since))}" if state.since else ""
        return f"owner unreachable{since}: {state.why or 'the line broke'}; {dial}"

    def _draw_latest(self, room: Room, now: float) -> None:
        talk = words.talk_of(room)
        text = word_lines(talk[-1], 10_000)[0].pieces if talk else (Piece(" nobody has said anything yet", "muted"),)
        assert self.line is not None
        unsaid = self.line.unsaid
        right = f"{unsaid} to go out" if unsaid else typing_words(room.typists(now))
        self.latest.show(text, right)

    def _wait_for(self, room: Room) -> None:
        assert self.line is not None
        state = self.line.state
        if room.here:
            return
        if room.words:
            told: list[tuple[str, str]] = [
                ("waiting for the owner to let you in", "strong"), ("", ""), (room.words, "needs-you"), ("", ""),
                ("the owner sees the same three words beside your name,", "muted"),
                (f"which is {clean(room.name)}", "muted"),
            ]  # fmt: skip
            if not state.up and state.tries:
                told += [("", ""), (f"{state.why}; trying again", "error")]
        else:
            told = [("coming in" if not state.tries else f"{state.why}; trying again", "muted")]
        self.waiting.show(*told)

    def _tick(self, *, counts: bool) -> None:
        if counts and self._ticking is None:
            self._ticking = self.set_interval(TICK, self.draw)
        elif not counts and self._ticking is not None:
            self._ticking.stop()
            self._ticking = None

    def on_mount(self) -> None:
        self.set_interval(15.0, self.draw)  # the clock and the ages
        self.draw()
