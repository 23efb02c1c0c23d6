"""What the deck shows: the widgets, where they are, and what each of them is given.

The board draws the state and nothing else; keys and modes are in `deck.py`, verbs in `deeds.py`. What transcripts tell
is in `panels.py`.
A plan of the layout decides every place in one pass; the programs hear of a new size once, when it has settled.
"""

import time
from collections.abc import Callable
from typing import Final

from textual.app import ComposeResult
from textual.geometry import Size
from textual.layout import Layout
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from agentdeck.config import Config
from agentdeck.protocol import messages as m
from agentdeck.protocol.screen import Frame
from agentdeck.ui import glyphs, state
from agentdeck.ui import layout as places
from agentdeck.ui.bridge import Bridge, Watched
from agentdeck.ui.keymap import Keymap
from agentdeck.ui.layout import Plan, Rect, Wish
from agentdeck.ui.paint import paint_asked
from agentdeck.ui.replica import Replica
from agentdeck.ui.screens.desk import Desk, PlannedLayout
from agentdeck.ui.screens.panels import Panels
from agentdeck.ui.state import DeckState
from agentdeck.ui.styles import Look
from agentdeck.ui.theme import Palette
from agentdeck.ui.told import Told
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
        self.panels = Panels()
        self.footer = Footer()
        self.notices = Notices()
        self.slots: list[tuple[PaneTitle, Pane]] = [(PaneTitle(), Pane())]
        self._planned = PlannedLayout(self.places)

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
            *self.panels.widgets,
            *self.slots[0],
            self.footer,
            self.notices,
        )

    @property
    def shared_words(self) -> tuple[str, str]:
        """What the first row says of sharing, and its ink."""
        return "", ""

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
            *self.panels.places(plan),
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
                self.slots.append((PaneTitle(), Pane()))
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
            return [selected, *(session for session in self.deck.visible if session.id != selected.id)][: max(1, room)]
        return [self.deck.visible[n] for n in places.window(len(listed), listed.index(selected.id), room)]

    @property
    def _selected_slot(self) -> int:
        return next((n for n, session in enumerate(self.shown) if session.id == self.deck.selected), 0)

    @property
    def pane(self) -> Pane:
        """The selected session's."""
        return self.slots[min(self._selected_slot, len(self.slots) - 1)][1]

    def replica(self, session: str) -> Replica:
        if session not in self.replicas:
            self.replicas[session] = Told(session) if ":" in session else Replica(session)
        return self.replicas[session]

    def watch_sessions(self) -> None:
        """Have the frames of what is shown pushed, and tell programs the size that has settled."""
        plan = self._settled
        wanted: dict[str, Watched] = {}
        for n, session in enumerate(self.shown):
            if not state.is_ours(session):
                continue
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
        bars = (self.top, self.strip, self.sidebar, self.gauges, self.resources, *self.panels.widgets, self.footer)
        paint_asked((*bars, *(title for title, _ in self.slots)))

    def _draw_bars(self, now: float, clock: str) -> None:
        deck, plan = self.deck, self._plan
        assert plan is not None
        usage, facts, account = deck.usages.get(deck.selected), self.panels.facts(deck.selected), self.panels.account
        if plan.top is not None:
            self.top.show(deck.sessions, deck.host, clock, account, self.shared_words)
        if plan.strip is not None:
            looked_at = () if deck.session is None or deck.own is not None else (deck.session,)
            self.strip.show((*deck.sessions, *looked_at), deck.selected, clock, account.today, self.shared_words)
        if plan.sidebar is not None:
            self.sidebar.show(
                deck.sessions, deck.selected, deck.usages, now, deck.filter,
                facts=self.panels.told.known, watched=deck.watched, account=account, insight=self.panels.insight,
            )  # fmt: skip
        if plan.gauges is not None:
            self.gauges.show(deck.session, usage, facts)
        if plan.resources is not None:
            names = {session.id: session.name for session in deck.sessions}
            insight = self.panels.insight_of(deck.selected)
            servers = insight.servers if insight is not None else ()
            self.resources.show(deck.session, deck.usages, deck.history, deck.host, names, servers)
        self.panels.draw(plan, deck, account, now)
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
            facts = self.panels.facts(session.id) if session is not None else None
            mode = "typing" if typing or (chosen and several) else "deck"
            insight = self.panels.insight_of(session.id) if session is not None else None
            title.show(session, number, now, mode, facts.model if facts is not None else "", insight)
            replica = self.replica(session.id) if session is not None else None
            if isinstance(replica, Told):
                replica.size(slot.columns, slot.rows)
                if not replica.fresh:
                    self.read_on(replica)
            pane.show(
                replica,
                typing=typing,
                framed=slot.framed,
                chosen=chosen and several,
                notes=self._notes(session),
            )

    def read_on(self, replica: Told) -> None:
        """Ask how a conversation that is shown goes on."""
        raise NotImplementedError

    def _notes(self, session: m.Session | None) -> tuple[str, ...]:
        """What stands at the foot of a pane whose session does not run, or that has none."""
        if session is None:
            new, keys = self.keymap.keys_for("new"), self.keymap.keys_for("help")
            return (f"nothing here yet: {new} starts a session, {keys} shows the keys",)
        if not state.is_ours(session) or (state.is_running(session) and not session.problem):
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
