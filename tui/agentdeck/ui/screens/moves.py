"""Moving about the deck: which session is selected, how the screen is divided, what the filter lets through.

None of it changes a session; the hub only hears which screens are in view.
"""

from dataclasses import replace
from typing import Final

from textual import events

from agentdeck.protocol import messages as m
from agentdeck.ui import layout, state
from agentdeck.ui.screens.deeds import Deeds

PAGE_OVERLAP: Final = 2
"""Lines that stay in view when scrolling by a page."""
SIDEBAR_STEP: Final = 2


def edited(text: str, event: events.Key) -> str | None:
    """A text that is typed in the footer after a key; None for a key that does nothing to it."""
    if event.key in ("backspace", "ctrl+h"):
        return text[:-1]
    if event.key == "ctrl+u":
        return ""
    return text + event.character if event.character and event.is_printable else None


class Moves(Deeds):
    filtering = False
    """Keys go into the filter."""
    came_from = ""
    """Where the person was before going round those that wait."""
    went_to = ""
    """Where the last step of that round led."""

    # ── moving ─────────────────────────────────────────────────────────────────────────────────

    def choose(self, session: str) -> None:
        self.select(state.select(self.deck, session))

    def select(self, after: state.DeckState) -> None:
        before, self.deck = self.deck.selected, after
        if after.selected == before:
            return
        session = after.session
        if self.typing:
            self.bridge.post(m.Focus(session=before, on=False))
            if session is not None and state.is_running(session):
                self.bridge.post(m.Focus(session=after.selected, on=True))
            else:
                self.typing = False
        self.draw()
        self.watch_sessions()
        self.hand_over_keys()
        self.look()

    def action_down(self) -> None:
        self.select(state.step(self.deck, 1))

    def action_up(self) -> None:
        self.select(state.step(self.deck, -1))

    def action_first(self) -> None:
        self.select(state.step(self.deck, -len(self.deck.sessions)))

    def action_last(self) -> None:
        self.select(state.step(self.deck, len(self.deck.sessions)))

    def action_next_session(self) -> None:
        self.select(state.step(self.deck, 1, wrap=True))

    def action_previous_session(self) -> None:
        self.select(state.step(self.deck, -1, wrap=True))

    def action_next_waiting(self) -> None:
        self._go_round(1)

    def action_previous_waiting(self) -> None:
        self._go_round(-1)

    def _go_round(self, by: int) -> None:
        after = state.next_waiting(self.deck, by)
        if after is self.deck:
            if not self._go_back():
                self.say("nothing needs you")
            return
        if not self.came_from or self.deck.selected != self.went_to:  # a round begins where the person went by herself
            self.came_from = self.deck.selected
        self.went_to = after.selected
        self.select(after)

    def _go_back(self) -> bool:
        """When nobody waits any more: to where the round began, if the person is still where it ended."""
        before, self.came_from = self.came_from, ""
        if not before or self.deck.selected != self.went_to or self.deck.find(before) is None:
            return False
        self.choose(before)
        return True

    def action_scroll_up(self) -> None:
        self.pane.scroll_lines(-max(1, self.pane.rows_shown - PAGE_OVERLAP))
        self.desk.place_cursor(self.pane.cursor())

    def action_scroll_down(self) -> None:
        self.pane.scroll_lines(max(1, self.pane.rows_shown - PAGE_OVERLAP))
        self.desk.place_cursor(self.pane.cursor())

    def action_copy(self) -> None:
        text = self.pane.selected_text() or self.pane.shown_text()
        if text:
            self.copied(text)

    def copied(self, text: str) -> None:
        self.desk.copy_to_clipboard(text)
        lines = text.count("\n") + 1
        self.say(f"copied {lines} lines" if lines > 1 else "copied")

    # ── the view ───────────────────────────────────────────────────────────────────────────────

    def _wish(self, **changes: object) -> None:
        self.wish = replace(self.wish, **changes)  # type: ignore[arg-type]
        self.lay_out()
        self.watch_sessions()

    def action_zoom(self) -> None:
        self._wish(zoom=not self.wish.zoom)

    def action_sidebar(self) -> None:
        self._wish(sidebar=not self.wish.sidebar)

    def action_resources(self) -> None:
        self._wish(resources=not self.shows_resources)

    def action_layout(self) -> None:
        names = layout.LAYOUTS
        chosen = names[(names.index(self.wish.layout) + 1) % len(names)]
        self._wish(layout=chosen, zoom=False)
        self.say(f"layout: {chosen}")

    def action_wider(self) -> None:
        self._wish(sidebar_width=min(layout.SIDEBAR[-1], self.wish.sidebar_width + SIDEBAR_STEP))

    def action_narrower(self) -> None:
        self._wish(sidebar_width=max(layout.SIDEBAR[0], self.wish.sidebar_width - SIDEBAR_STEP))

    # ── the filter ─────────────────────────────────────────────────────────────────────────────

    def action_filter(self) -> None:
        self.filtering = True
        self.draw()

    def filter_key(self, event: events.Key) -> None:
        match event.key:
            case "escape":
                self.filtering = False
                self.set_filter("")
            case "enter":
                self.end_filter()
                self.draw()
            case "up":
                self.action_up()
            case "down":
                self.action_down()
            case _ if (text := edited(self.deck.filter, event)) is not None:
                self.set_filter(text)
            case _:
                self.footer.flash()

    def end_filter(self) -> None:
        self.filtering = False

    def set_filter(self, text: str) -> None:
        self.select(state.narrow(self.deck, text))
        self.resize_layout()
        self.draw()

    def resize_layout(self) -> None:
        count = max(1, len(self.deck.visible)) if self.deck.listed else 0
        if count != self.wish.sessions:
            self.wish = replace(self.wish, sessions=count)
            self.lay_out()

    # ── what the moves need of the deck ────────────────────────────────────────────────────────

    def hand_over_keys(self) -> None:
        """Make the terminal deliver keys as the mode wants them."""
        raise NotImplementedError

    def look(self) -> None:
        """Tell the hub that the person sees the selected session."""
        raise NotImplementedError
