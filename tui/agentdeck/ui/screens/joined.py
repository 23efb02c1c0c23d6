"""A shared session of somebody else: its screen, what its agent does, who is there, the talk and the queue.

The line at the foot has all plain keys; what else there is to press is in `actions.JOINED_ACTIONS`.
Long, because one screen's handlers share one state; its parts are in `widgets.joined_parts` and `joined_places`.
"""

import time
from collections.abc import Iterable, Mapping
from typing import ClassVar, Final, Protocol

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.layout import Layout
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from agentdeck.errors import BadKeyError
from agentdeck.join.line import State
from agentdeck.join.room import Room, remark
from agentdeck.protocol.screen import Frame, Modes
from agentdeck.terminal import keys
from agentdeck.ui.actions import JOINED_ACTIONS
from agentdeck.ui.figures import clean, count
from agentdeck.ui.keymap import read_combo, readable
from agentdeck.ui.layout import Rect
from agentdeck.ui.paint import paint_asked
from agentdeck.ui.screens import joined_words as words
from agentdeck.ui.screens.desk import PlannedLayout
from agentdeck.ui.screens.help import Help
from agentdeck.ui.screens.joined_places import PANELS, is_wide, places, waiting_places
from agentdeck.ui.styles import Look
from agentdeck.ui.theme import Palette
from agentdeck.ui.widgets.chat import Chat, typing_words, word_lines
from agentdeck.ui.widgets.chat_bars import JoinedBar, JoinedGauges
from agentdeck.ui.widgets.feed import EventFeed
from agentdeck.ui.widgets.footer import Footer
from agentdeck.ui.widgets.guest_queue import GuestQueue
from agentdeck.ui.widgets.joined_parts import Latest, Mark, Remote, Waiting
from agentdeck.ui.widgets.lines import Lines, Piece
from agentdeck.ui.widgets.notices import Notices
from agentdeck.ui.widgets.pane import Pane
from agentdeck.ui.widgets.pane_title import PaneTitle
from agentdeck.ui.widgets.people import People

TICK: Final = 1.0
"""Seconds between two drawings while something on the screen counts: a dial to come, somebody who types."""
TYPES_EVERY: Final = 2.0
BACK: Final = ("ctrl+q", "f9")
"""Keys that stay ours while the session has the keyboard."""


class Talks(Protocol):
    """What the screen needs of the line to the session."""

    room: Room
    state: State

    @property
    def unsaid(self) -> int: ...
    def say(self, kind: str, **body: object) -> None: ...
    def dial_now(self) -> None: ...


class JoinedScreen(Screen[None], inherit_bindings=False):
    AUTO_FOCUS = "Input"
    ALLOW_SELECT = False
    DEFAULT_CSS = """
    JoinedScreen { overflow: hidden; }
    JoinedScreen Notices { margin: 0 0 2 0; }
    JoinedScreen Input { background: $background; }
    JoinedScreen Input:focus { background-tint: $foreground 0%; }
    JoinedScreen Input .input--placeholder { color: $foreground-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, f"do('{action.id}', '{key}')", show=False, priority=True)
        for action in JOINED_ACTIONS
        for key in action.deck
        if action.id != "send"  # the line's own, after the keys that were typed before it
    ]

    now = staticmethod(time.time)

    def __init__(self) -> None:
        super().__init__()
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
        self.pane = Pane()
        self.waiting = Waiting()
        self.chat, self.people, self.queue = Chat(), People(), GuestQueue()
        self.feed = EventFeed()
        self.latest = Latest()
        self.gauges = JoinedGauges()
        self.mark = Mark()
        self.text = Input(compact=True, id="line", select_on_focus=False)
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

    # ── places ─────────────────────────────────────────────────────────────────────────────────

    @property
    def _is_wide(self) -> bool:
        return is_wide(self.size.width, self.size.height)

    def _plan(self, size: Size) -> dict[str, Rect]:
        if not self.room.here:
            return waiting_places(size.width, size.height)
        return places(
            size.width, size.height, self.panel, zoom=self.zoom, prompts=self.queue.wanted,
            people=max(1, len(self.room.presence.participants)),
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
            self._end_typing()
            self.say("the owner has taken the keyboard back", "warning")
        self.draw()

    def take_frame(self, frame: Frame) -> None:
        self.pane.changed(self.replica.apply(frame))

    def say(self, text: str, level: str = "info") -> None:
        self.notices.show(text, level)

    def draw(self) -> None:
        """Give every widget its values."""
        if not self.is_mounted or self.line is None or not self.size.width:
            return
        room, now, wide = self.room, self.now(), self._is_wide
        self.queue.show(words.prompts_of(room), paused=room.queue.paused, waits_for=room.queue.waits_for)
        self._draw_bars(room, now)
        framed = wide and not self.zoom
        self.title_bar.frame(framed)
        self.title_bar.show(words.session_of(room), 0, now, "typing" if self.typing else "deck", room.data.model)
        self.pane.show(self.replica if room.here else None, typing=self.typing, framed=framed)
        for panel in (self.chat, self.people, self.queue, self.feed):
            panel.frame(True)
        people = words.people_of(room, now)
        self.people.show(people, room.viewers)
        unsaid = self.line.unsaid
        fact = (f"{count(unsaid, 'message', 'messages')} to go out", "needs-you") if unsaid else ("", "")
        self.chat.show(words.talk_of(room), room.typists(now), fact=fact)
        self.feed.show(room.share, room.session, words.feed_of(room), nothing="nothing yet")
        self._draw_latest(room, now)
        self._wait_for(room)
        shape = (room.here, len(people), self.queue.wanted, self.zoom, self.panel, self.size)
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
        shown = sorted((action for action in JOINED_ACTIONS if action.footer), key=lambda action: -action.footer)
        if not self.room.here:
            return "waiting" if self.room.words else "joining", [("^Q", "leave")], ""
        if self.typing:
            return "typing", [(readable(read_combo(BACK[0])), "back to the chat line")], ""
        may = {"prompt": "command", "interrupt": "interrupt", "type": "keys"}
        wide = self._is_wide
        hints = [
            (readable(read_combo(action.deck[0])), "chat" if action.id == "prompt" and self.prompting else action.label)
            for action in shown
            if (action.id not in may or self.room.may(may[action.id])) and not (action.id == "next_panel" and wide)
        ]
        help_ = next(n for n, action in enumerate(hints) if action[1] == "help")
        return "prompt" if self.prompting else "chat", [*hints[:help_], *hints[help_ + 1 :], hints[help_]], ""

    def _trouble(self) -> str:
        assert self.line is not None
        state = self.line.state
        if state.up or not self.room.here:
            return ""
        left = state.next_at - time.monotonic()
        dial = f"trying again in {max(1, round(left))} s" if left > 0.3 else "trying again"
        return f"offline: {state.why or 'the line broke'}; {dial}"

    def _draw_latest(self, room: Room, now: float) -> None:
        talk = words.talk_of(room)
        text = word_lines(talk[-1], 10_000)[0].pieces if talk else (Piece(" nobody has said anything yet", "muted"),)
        self.latest.show(text, typing_words(room.typists(now)))

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

    # ── keys ───────────────────────────────────────────────────────────────────────────────────

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action != "do":
            return True
        return self.is_current and (not self.typing or parameters[1] in BACK)

    async def action_do(self, action: str, key: str) -> None:
        if action == "leave" and key == "ctrl+c" and self.text.value:
            self.text.value = ""
            return
        getattr(self, f"_{action}")()

    def on_key(self, event: events.Key) -> None:
        """A key for the session, while it has the keyboard."""
        if not self.typing or self.line is None:
            return
        event.stop()
        event.prevent_default()
        try:
            data = keys.encode(event.key, Modes()).decode("utf-8", "replace")
        except BadKeyError:
            data = event.character or ""
        if event.character and event.is_printable:
            data = event.character
        if data:
            self.line.say("keys", data=data)

    def on_paste(self, event: events.Paste) -> None:
        if self.typing and self.line is not None:
            event.stop()
            for start in range(0, min(len(event.text), 4096), 200):
                self.line.say("keys", data=event.text[start : start + 200])

    def _next_panel(self) -> None:
        if not self._is_wide:
            self.panel = PANELS[(PANELS.index(self.panel) + 1) % len(PANELS)]
            self.draw()

    def _scroll(self, by: int) -> None:
        plan = self._plan(self.size)
        if "chat" in plan:
            self.chat.scroll(by * max(1, plan["chat"].height - 3))
        elif "feed" in plan:
            self.feed.page(by)

    def _scroll_up(self) -> None:
        self._scroll(-1)

    def _scroll_down(self) -> None:
        self._scroll(1)

    def _zoom(self) -> None:
        self.zoom = not self.zoom
        self.panel = PANELS[0]
        self.draw()

    def _prompt(self) -> None:
        if not self.prompting and not self.room.may("command"):
            self.say(f"{self.room.role}s may not send prompts; the owner can change that", "warning")
            return
        self.prompting = not self.prompting
        self.draw()

    def _type(self) -> None:
        if not self.room.may("keys"):
            self.say("the owner has not given you the keyboard", "warning")
            return
        self.typing = True
        self.set_focus(None)
        self.draw()

    def _end_typing(self) -> None:
        self.typing = False
        self.set_focus(self.text)
        self.draw()

    def _leave(self) -> None:
        if self.typing:
            self._end_typing()
        else:
            self.app.exit()

    def _interrupt(self) -> None:
        if not self.room.may("interrupt"):
            self.say(f"{self.room.role}s may not interrupt", "warning")
        elif self.line is not None:
            self.line.say("interrupt")

    def _help(self) -> None:
        pressed = [(" ".join(readable(read_combo(key)) for key in a.deck), a.title) for a in JOINED_ACTIONS]
        self.app.push_screen(Help([("Keys", pressed), ("Words of the line", list(words.COMMANDS.items()))]))

    # ── the line ───────────────────────────────────────────────────────────────────────────────

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        now = time.monotonic()
        talks = bool(event.value) and not event.value.startswith("/")
        if self.line is not None and talks and now - self._said_typing >= TYPES_EVERY:
            self._said_typing = now
            self.line.say("typing", on=True)

    @on(Input.Submitted)
    def _send(self) -> None:
        value, self.text.value = self.text.value, ""
        self._said_typing = 0.0
        if value.strip() and self.line is not None:
            self._obey(self.line, words.read(value, prompt=self.prompting))

    def _obey(self, line: Talks, order: words.Order) -> None:
        needs = {"chat": "chat", "prompt": "command", "interrupt": "interrupt", "resume": "resume", "cancel": "cancel"}
        kind = needs.get(order.verb)
        if kind is not None and not self.room.may(kind):
            self.say(f"{self.room.role}s may not do that; the owner can change it", "warning")
            return
        match order.verb:
            case "chat" | "prompt":
                if order.rest:
                    line.say("chat" if order.verb == "chat" else "command", text=order.rest)
                    self.prompting = False
            case "interrupt" | "resume":
                line.say(order.verb)
            case "cancel":
                self._cancel(line, order.rest)
            case "name":
                line.say("name", name=order.rest[:60])
            case "leave":
                self._leave()
            case "help":
                self._help()
            case "who":
                self._tell(words.who_lines(self.room, self.now()))
            case "status":
                self._tell(words.status_lines(self.room, self.now()))
            case "queue":
                waits = [f"{item.position or '-'} {item.name}: {item.text}" for item in self.room.queue.items]
                self._tell(waits or ["no prompts"])
            case _:
                self.say(f"there is no word /{order.rest}; /help lists them", "warning")
        self.draw()

    def _cancel(self, line: Talks, place: str) -> None:
        wanted = next((item for item in self.room.queue.items if str(item.position) == place and item.position), None)
        if wanted is None:
            self.say("say which: /cancel 1", "warning")
        else:
            line.say("cancel", item=wanted.id)

    def _tell(self, told: Iterable[str]) -> None:
        """Answer in the chat, where only this side sees it."""
        assert self.line is not None
        for text in told:
            self.line.room = remark(self.line.room, text, self.now())
        self.room = self.line.room
        if not self._is_wide:
            self.panel = "chat"
