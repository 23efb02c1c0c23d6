"""A shared session of somebody else: what its keys do, and what its line says.

The line at the foot has all plain keys; what else there is to press is in `actions.JOINED_ACTIONS`, and its handlers
are here.
"""

import time
from collections.abc import Iterable
from typing import Final

from textual import events, on
from textual.widgets import Input

from agentdeck.errors import BadKeyError
from agentdeck.join.room import remark
from agentdeck.protocol import viewers as v
from agentdeck.protocol.screen import Modes
from agentdeck.terminal import keys
from agentdeck.ui.figures import count
from agentdeck.ui.screens import joined_words as words
from agentdeck.ui.screens.help import Help
from agentdeck.ui.screens.joined_places import PANELS
from agentdeck.ui.screens.joined_view import JoinedView, Talks
from agentdeck.ui.widgets.pane import Pane

TYPES_EVERY: Final = 2.0
STEP: Final = 8
"""Columns for one key; of rows it is half of that."""
NOTHING: Final = {"interrupt": "nothing was interrupted", "resume": "the queue stays", "name": "your name stays"}
"""Kind of message → what is left of it when it was not sent."""
ASKED: Final = frozenset(kind.name for kind in v.KINDS if kind.client is not None)
PASTED: Final = 4096
"""Characters that a paste into the session may have: its keys are told in small pieces."""
PIECE: Final = 200


class JoinedScreen(JoinedView):
    # ── keys ───────────────────────────────────────────────────────────────────────────────────

    def press(self, key: str) -> bool:
        action = self.keymap.joined_action(key)
        if action is None or not self.is_current:
            return False
        if action == "leave" and key == "ctrl+c" and self.text.value:
            self.text.value = ""
            return True
        getattr(self, f"_{action}")()
        return True

    def on_key(self, event: events.Key) -> None:
        """A key when nobody writes in the line: it is for the session, or nobody has let us in yet."""
        if self.line is None:
            return
        if not self.typing:
            self.press(event.key)
        elif self.keymap.ends_typing(event.key):
            self.end_typing()
        else:
            self._pass_on(event)
        event.stop()
        event.prevent_default()

    def _pass_on(self, event: events.Key) -> None:
        try:
            data = keys.encode(event.key, Modes()).decode("utf-8", "replace")
        except BadKeyError:
            data = event.character or ""
        if event.character and event.is_printable:
            data = event.character
        if data and self.line is not None and not self.line.say("keys", data=data):
            self._say_lost("a key")

    def on_paste(self, event: events.Paste) -> None:
        if not self.typing or self.line is None:
            return
        event.stop()
        data = keys.paste(event.text, Modes()).decode("utf-8", "replace")
        if len(data) > PASTED:
            self.answer(f"{count(len(data), 'character', 'characters')} are too many for the keyboard", "warning")
            return
        arrived = [self.line.say("keys", data=data[at : at + PIECE]) for at in range(0, len(data), PIECE)]
        if not all(arrived):
            self._say_lost("what you pasted")

    def _say_lost(self, what: str) -> None:
        self.footer.flash()
        self.answer(f"the owner is unreachable: {what} went nowhere", "warning")

    def on_pane_selected(self, message: Pane.Selected) -> None:
        self._copied(message.text)

    def on_pane_scrolled(self) -> None:
        self.draw()

    def _copy(self) -> None:
        if text := self.pane.selected_text() or self.pane.shown_text():
            self._copied(text)

    def _copied(self, text: str) -> None:
        self.app.copy_to_clipboard(text)
        lines = text.count("\n") + 1
        self.answer(f"copied {lines} lines" if lines > 1 else "copied")

    def _pan_left(self) -> None:
        self.pane.move(-STEP, 0)

    def _pan_right(self) -> None:
        self.pane.move(STEP, 0)

    def _pan_up(self) -> None:
        self.pane.move(0, -STEP // 2)

    def _pan_down(self) -> None:
        self.pane.move(0, STEP // 2)

    def _follow(self) -> None:
        if self.pane.held or self.pane.selection is not None:
            self.pane.follow()
        elif self.prompting:
            self._prompt()

    def _next_panel(self) -> None:
        if not self._is_wide:
            self.panel = PANELS[(PANELS.index(self.panel) + 1) % len(PANELS)]
            self.draw()

    def _scroll(self, by: int) -> None:
        plan = self._plan(self.size)
        if "chat" in plan:
            self.chat.scroll(by * max(1, plan["chat"].height - 3))
        elif "feed" in plan and "pane" not in plan:
            self.feed.page(by)
        elif "pane" in plan:
            self.pane.move(0, by * max(1, self.pane.rows_shown - 2))

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
            self.answer(f"{self.room.role}s may not send prompts; the owner can change that", "warning")
            return
        self.prompting = not self.prompting
        self.draw()

    def _type(self) -> None:
        if not self.room.may("keys"):
            self.answer("the owner has not given you the keyboard", "warning")
            return
        self.typing = True
        self.set_focus(None)
        self.draw()

    def _leave(self) -> None:
        self.app.exit()

    def _interrupt(self) -> None:
        if not self.room.may("interrupt"):
            self.answer(f"{self.room.role}s may not interrupt", "warning")
        elif self.line is not None:
            self._say_now(self.line, "interrupt")

    def _say_now(self, line: Talks, kind: str, **body: object) -> None:
        """Send what makes sense now only."""
        if not line.say(kind, **body):
            self.answer(f"the owner is unreachable: {NOTHING[kind]}", "warning")

    def _help(self) -> None:
        self.app.push_screen(Help([self.keymap.joined_section(), ("Words of the line", list(words.COMMANDS.items()))]))

    # ── the line ───────────────────────────────────────────────────────────────────────────────

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        now = time.monotonic()
        talks = bool(event.value) and not event.value.startswith("/")
        if self.line is not None and talks and now - self._said_typing >= TYPES_EVERY:
            self._said_typing = now
            self.line.say("typing", on=True)
        self.footer.show(*self._footer_words())

    def _send(self) -> None:
        text, self._said_typing = self.text.text, 0.0
        if self.line is None:
            return
        if not text.strip():
            self.line.dial_now()
        elif self._obey(self.line, words.read(text, prompt=self.prompting)):
            self.text.value = ""

    def _obey(self, line: Talks, order: words.Order) -> bool:
        """Do what the line says; whether it need not be there any more."""
        kind = {"prompt": "command"}.get(order.verb, order.verb)
        if kind in ASKED and not self.room.may(kind):
            self.answer(f"{self.room.role}s may not do that; the owner can change it", "warning")
            return False
        match order.verb:
            case "chat" | "prompt":
                if order.rest and not line.say(kind, text=order.rest):
                    return False
                self.prompting = self.prompting and not order.rest
            case "interrupt" | "resume":
                self._say_now(line, kind)
            case "cancel":
                self._cancel(line, order.rest)
            case "name":
                self._say_now(line, "name", name=order.rest[:60])
            case "leave":
                self._leave()
            case "help":
                self._help()
            case "?":
                self.answer(f"there is no word /{order.rest}; /help lists them", "warning")
                return False
            case _:
                self._tell(self._answers(order.verb))
        self.draw()
        return True

    def _answers(self, verb: str) -> Iterable[str]:
        match verb:
            case "who":
                return words.who_lines(self.room, self.now())
            case "status":
                return words.status_lines(self.room, self.now())
            case "invite":
                return words.invite_lines(self.room, self.now())
            case _:
                return words.queue_lines(self.room)

    def _cancel(self, line: Talks, place: str) -> None:
        wanted = next((item for item in self.room.queue.items if str(item.position) == place and item.position), None)
        if wanted is None:
            self.answer("say which: /cancel 1", "warning")
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
