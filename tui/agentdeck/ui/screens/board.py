"""What the deck shows: the widgets, where they are, and what each of them is given.

The board draws the state and nothing else; keys and modes are in `deck.py`, verbs in `deeds.py`.
A plan of the layout decides every place in one pass; the programs hear of a new size once, when it has settled.
"""

import time
from collections.abc import Callable
from typing import Final, Protocol

from textual.app import ComposeResult
from textual.geometry import Offset, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from agentdeck.config import Config
from agentdeck.protocol import messages as m
from agentdeck.protocol.screen import Cursor, Frame, Modes
from agentdeck.ui import glyphs, state
from agentdeck.ui import layout as places
from agentdeck.ui.bridge import Bridge, Watched
from agentdeck.ui.keymap import Keymap
from agentdeck.ui.layout import Plan, Rect, Wish
from agentdeck.ui.paint import paint_asked
from agentdeck.ui.replica import Replica
from agentdeck.ui.state import DeckState
from agentdeck.ui.styles import Look
from agentdeck.ui.theme import Palette
from agentdeck.ui.widgets.footer import Footer
from agentdeck.ui.widgets.gauge_row import GaugeRow
from agentdeck.ui.widgets.notices import Notices
from agentdeck.ui.widgets.pane import Pane
from agentdeck.ui.widgets.pane_title import PaneTitle
from agentdeck.ui.widgets.resources import ResourcePanel
from agentdeck.ui.widgets.sidebar import Sidebar
from agentdeck.ui.widgets.strip import SessionStrip
from agentdeck.ui.widgets.topbar import TopBar
from agentdeck.ui.wording import condition

SETTLE: Final = 0.08
"""Seconds that a layout must stay as it is before programs are resized: they redraw everything when they are."""
DRAW_EVERY: Final = 0.1
"""Seconds between two drawings of the bars while news pours in."""
CALM: Final = 10.0
"""Seconds between two drawings while nothing happens but the machine's own figures going up and down."""
CATCH_UP: Final = 0.02
"""Seconds between two looks whether a slow terminal has taken everything."""
AGE_EVERY: Final = 5.0
"""Seconds between two drawings of the ages of what works or waits; without any, nothing ticks but the clock."""


class Desk(Protocol):
    """What the deck needs of the application and its terminal."""

    def place_cursor(self, cursor: "tuple[Offset, Cursor] | None") -> None: ...
    def take_keys(self, modes: Modes | None) -> None:
        """Hand keys over raw, in the modes of the program that gets them; None: decoded, for the deck."""

    @property
    def backlog(self) -> int:
        """Bytes that the terminal has not taken yet."""

    def name_terminal(self, title: str) -> None: ...
    def copy_to_clipboard(self, text: str) -> None: ...
    def ring(self) -> None: ...
    def leave(self, then: str = "") -> None:
        """End the deck; `then` is what to do after it (`demo`)."""


class SlotTitle(PaneTitle):
    """A pane's title that can change between a rule and the top edge of a frame."""

    def frame(self, on: bool) -> None:
        self._corners = on


class PlannedLayout(Layout):
    """Puts the board's widgets where its plan says."""

    name = "planned"

    def __init__(self, board: "Board") -> None:
        self._board = board

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        found = self._board.places(size)
        return [
            WidgetPlacement(
                Region(rect.x, rect.y, rect.width, rect.height), Offset(), child.styles.margin, child, 0, False, False
            )
            for child in children
            if (rect := found.get(child)) is not None
        ]


class Board(Screen[None], inherit_bindings=False):
    AUTO_FOCUS = None
    ALLOW_SELECT = False
    DEFAULT_CSS = "Board { overflow: hidden; }"

    now: Callable[[], float] = staticmethod(time.time)
    look_bright: Look
    look_dim: Look

    def __init__(self, desk: Desk, bridge: Bridge, config: Config, keymap: Keymap) -> None:
        super().__init__()
        self.desk = desk
        self.bridge = bridge
        self.config = config
        self.keymap = keymap
        self.deck = DeckState()
        self.wish = Wish(sidebar_width=config.sidebar_width)
        self.typing = False
        self.note = ""
        """Shown beside the mode chip: the filter while it is typed, the one that is on."""
        self.replicas: dict[str, Replica] = {}
        self._plan: Plan | None = None
        self._settled: Plan | None = None
        self._settling: Timer | None = None
        self._drawing: Timer | None = None
        self._draw_due = 0.0
        self._ages: Timer | None = None
        self._catching_up: Timer | None = None
        self.top = TopBar()
        self.strip = SessionStrip()
        self.sidebar = Sidebar()
        self.gauges = GaugeRow()
        self.resources = ResourcePanel()
        self.footer = Footer()
        self.notices = Notices()
        self.slots: list[tuple[SlotTitle, Pane]] = [(SlotTitle(), Pane())]
        self._planned = PlannedLayout(self)

    @property
    def layout(self) -> Layout:
        return self._planned

    def say(self, text: str, level: str = "info") -> None:
        """Show a sentence to the person. `level`: info, warning or error."""
        self.notices.show(text, level)

    def compose(self) -> ComposeResult:
        yield from (
            self.top,
            self.strip,
            self.sidebar,
            self.gauges,
            self.resources,
            *self.slots[0],
            self.footer,
            self.notices,
        )

    # ── places ─────────────────────────────────────────────────────────────────────────────────

    def places(self, size: Size) -> dict[Widget, Rect]:
        """Return where each widget that is shown is, for a terminal of this size."""
        plan = self.plan(size)
        bars: list[tuple[Widget, Rect | None]] = [
            (self.top, plan.top),
            (self.strip, plan.strip),
            (self.sidebar, plan.sidebar),
            (self.gauges, plan.gauges),
            (self.resources, plan.resources),
            (self.footer, plan.footer),
        ]
        found = {widget: rect for widget, rect in bars if rect is not None and rect.width and rect.height}
        for (title, pane), slot in zip(self.slots, plan.slots, strict=False):
            found[title] = slot.title
            if slot.pane.height:
                found[pane] = slot.pane
        return found

    def plan(self, size: Size) -> Plan:
        known = self._plan
        if known is None or (known.columns, known.rows) != (size.width, size.height):
            known = self._plan = places.plan(size.width, size.height, self.wish, known.band if known else "")
        return known

    def lay_out(self) -> None:
        """Plan anew, after the person's wish, the number of sessions or the terminal changed."""
        size = self.size
        if not size.width:
            return
        wanted = places.plan(size.width, size.height, self.wish, self._plan.band if self._plan else "")
        if wanted != self._plan or wanted != self._settled:
            self._plan = wanted
            while len(self.slots) < len(wanted.slots):
                self.slots.append((SlotTitle(), Pane()))
                title, pane = self.slots[-1]
                pane.wear(self.look_bright, self.look_dim)
                self.mount(title, pane, before=self.footer)
            self.footer.refresh(layout=True)  # a child's, because that is what drops the arrangement kept for this size
            self._settle()
            self.call_after_refresh(self._follow_cursor)
        self.draw()

    def _settle(self) -> None:
        if self._settling is not None:
            self._settling.stop()
        if self._settled is None:
            self._settle_now()
        else:
            self._settling = self.set_timer(SETTLE, self._settle_now)

    def _settle_now(self) -> None:
        self._settling = None
        self._settled = self._plan
        self.watch_sessions()

    @property
    def pane_size(self) -> tuple[int, int]:
        """Columns and rows that a session in the selected slot has."""
        plan = self._plan
        if plan is None or not plan.slots:
            return 80, 24
        slot = plan.slots[min(self._selected_slot, len(plan.slots) - 1)]
        return slot.columns, slot.rows

    @property
    def shows_resources(self) -> bool:
        return self._plan is not None and self._plan.resources is not None

    # ── who is where ───────────────────────────────────────────────────────────────────────────

    @property
    def shown(self) -> list[m.Session]:
        """The sessions in the slots, in their order."""
        room = len(self._plan.slots) if self._plan else 1
        listed = [session.id for session in self.deck.visible]
        selected = self.deck.session
        if selected is None:
            return []
        if room <= 1 or selected.id not in listed:
            return [selected]
        return [self.deck.visible[n] for n in places.window(len(listed), listed.index(selected.id), room)]

    @property
    def _selected_slot(self) -> int:
        return next((n for n, session in enumerate(self.shown) if session.id == self.deck.selected), 0)

    @property
    def pane(self) -> Pane:
        """The selected session's."""
        return self.slots[min(self._selected_slot, len(self.slots) - 1)][1]

    def replica(self, session: str) -> Replica:
        return self.replicas.setdefault(session, Replica(session))

    def watch_sessions(self) -> None:
        """Have the frames of what is shown pushed, and tell programs the size that has settled."""
        plan = self._settled
        wanted: dict[str, Watched] = {}
        for n, session in enumerate(self.shown):
            priority = "focus" if session.id == self.deck.selected else "visible"
            if plan is not None and n < len(plan.slots) and self._settling is None:
                slot = plan.slots[n]
                wanted[session.id] = Watched(priority, slot.columns, slot.rows)
            else:
                now = self.bridge.shown(session.id) or Watched(priority)
                wanted[session.id] = Watched(priority, now.columns, now.rows)
        self.bridge.show(wanted)

    # ── what is drawn ──────────────────────────────────────────────────────────────────────────

    def wear(self, palette: Palette, *, colour: bool) -> None:
        """Draw the panes in this palette's colours."""
        self.look_bright = Look(palette, colour=colour)
        self.look_dim = Look(palette, dimmed=True, colour=colour)
        for _, pane in self.slots:
            pane.wear(self.look_bright, self.look_dim)

    def draw_soon(self, within: float = DRAW_EVERY) -> None:
        """Draw the bars, together with whatever else comes within so many seconds."""
        due = time.monotonic() + within
        if self._drawing is not None:
            if self._draw_due <= due:
                return
            self._drawing.stop()
        self._drawing, self._draw_due = self.set_timer(within, self.draw), due

    def draw(self) -> None:
        """Give every widget its values; those that look the same stay untouched."""
        if self._drawing is not None:
            self._drawing.stop()
            self._drawing = None
        if self._plan is None or not self.is_mounted:
            return
        now = self.now()
        self._draw_bars(now, time.strftime("%H:%M", time.localtime(now)))
        self._draw_slots(now)
        self._tick_ages()
        bars = (self.top, self.strip, self.sidebar, self.gauges, self.resources, self.footer)
        paint_asked((*bars, *(title for title, _ in self.slots)))

    def _draw_bars(self, now: float, clock: str) -> None:
        deck, plan = self.deck, self._plan
        assert plan is not None
        usage = deck.usages.get(deck.selected)
        if plan.top is not None:
            self.top.show(deck.sessions, deck.host, clock)
        if plan.strip is not None:
            self.strip.show(deck.sessions, deck.selected, clock)
        if plan.sidebar is not None:
            self.sidebar.show(deck.sessions, deck.selected, deck.usages, now, deck.filter)
        if plan.gauges is not None:
            self.gauges.show(deck.session, usage)
        if plan.resources is not None:
            names = {session.id: session.name for session in deck.sessions}
            self.resources.show(deck.session, deck.usages, deck.history, deck.host, names)
        self.footer.show(*self.footer_words)

    @property
    def footer_words(self) -> tuple[str, list[tuple[str, str]], str]:
        """The mode, the keys that matter in it, and a note."""
        raise NotImplementedError

    def _draw_slots(self, now: float) -> None:
        assert self._plan is not None
        shown = self.shown
        several = len(shown) > 1
        for n, (title, pane) in enumerate(self.slots):
            session = shown[n] if n < len(shown) else None
            slot = self._plan.slots[n] if n < len(self._plan.slots) else None
            if slot is None:
                pane.show(None, typing=False, framed=False)
                continue
            chosen = session is not None and session.id == self.deck.selected
            typing = chosen and self.typing
            title.frame(slot.framed)
            number = self.deck.number(session.id) if session is not None else 0
            title.show(session, number, now, "typing" if typing or (chosen and several) else "deck")
            replica = self.replica(session.id) if session is not None else None
            pane.show(
                replica,
                typing=typing,
                framed=slot.framed,
                chosen=chosen and several,
                notes=self._notes(session),
            )

    def _notes(self, session: m.Session | None) -> tuple[str, ...]:
        """What stands at the foot of a pane whose session does not run, or that has none."""
        if session is None:
            new, keys = self.keymap.keys_for("new"), self.keymap.keys_for("help")
            return (f"nothing here yet: {new} starts a session, {keys} shows the keys",)
        if state.is_running(session) and not session.problem:
            return ()
        if state.is_running(session):
            return (session.problem,)
        restart, forget = self.keymap.keys_for("restart"), self.keymap.keys_for("forget")
        dot = glyphs.active().dot
        ways = f"{restart} starts it again {dot} {forget} takes it off the deck"
        if session.problem:
            return (session.problem, ways)
        return (f"{condition(session)} {dot} {ways}",)

    def _tick_ages(self) -> None:
        if self.deck.restless and self._ages is None:
            self._ages = self.set_interval(AGE_EVERY, self.draw)
        elif not self.deck.restless and self._ages is not None:
            self._ages.stop()
            self._ages = None

    # ── frames ─────────────────────────────────────────────────────────────────────────────────

    def take_frame(self, frame: Frame) -> None:
        """The shortest way from a frame to the terminal."""
        replica = self.replica(frame.session)
        changed = replica.apply(frame)
        for _, pane in self.slots:
            if pane.replica is not replica:
                continue
            if self.desk.backlog:
                self._catch_up_soon()
                continue
            if pane.typing:
                self.place_cursor(pane)
            pane.changed(changed)

    def _catch_up_soon(self) -> None:
        """The terminal reads slowly: what would be painted now is old when it is seen. Paint when it has caught up."""
        if self._catching_up is None:
            self._catching_up = self.set_timer(CATCH_UP, self._catch_up)

    def _catch_up(self) -> None:
        self._catching_up = None
        if self.desk.backlog:
            self._catch_up_soon()
            return
        for _, pane in self.slots:
            if pane.typing:
                self.place_cursor(pane)
            pane.changed(None)

    def _follow_cursor(self) -> None:
        """The pane may have moved under the terminal's cursor."""
        if self.typing and self.is_current:
            self.place_cursor(self.pane)

    def place_cursor(self, pane: Pane) -> None:
        """Keep the terminal's cursor where the program has its own."""
        self.desk.place_cursor(pane.cursor())
