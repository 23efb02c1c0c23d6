"""A joined session as it is drawn, and what its line and keys do, over a line that is not there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from rich.cells import cell_len
from textual import events
from textual.pilot import Pilot
from textual.strip import Strip

from agentdeck.config import Config, Keys
from agentdeck.join.cells import SharedScreen
from agentdeck.join.door import Pass
from agentdeck.join.line import LASTING, State
from agentdeck.join.room import Room, Said
from agentdeck.protocol import viewers as v
from agentdeck.protocol.screen import Frame
from agentdeck.ui.screens import joined_words as words
from agentdeck.ui.screens.joined_app import JoinApp
from agentdeck.ui.screens.joined_places import PANELS, places
from agentdeck.ui.theme import load_palettes
from tests.fakes.fake_hub import NOW
from tests.hub.conftest import until
from tests.ui.deck_page import check_golden

pytestmark = pytest.mark.usefixtures("utc")

SIZES = [(80, 24), (120, 40), (200, 60)]
JOINED = v.Joined(share="5b1c", participant="p1", role="driver", name="ana", csrf="", expires_at=NOW + 3600)


@dataclass
class FakeLine:
    room: Room
    state: State = field(default_factory=lambda: State(up=True))
    unsaid: int = 0
    said: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    dialled: int = 0

    def say(self, kind: str, **body: object) -> bool:
        if not self.state.up and kind not in LASTING:
            return False
        self.said.append((kind, body))
        return True

    def dial_now(self) -> None:
        self.dialled += 1


def room(role: str = "driver", *, hands: bool = False) -> Room:
    people = (
        v.Participant(id="p1", name="ana", role=role, online=True, hands=hands),
        v.Participant(id="p2", name="ben", role="commenter", online=True),
        v.Participant(id="p3", name="carla", role="observer"),
    )
    items = (
        v.QueueItem(id="q1", by="p2", name="ben", text="also bump the ttl", state="queued", position=1, at=NOW),
        v.QueueItem(id="q2", by="p1", name="ana", text="and run the tests", state="queued", position=2, at=NOW),
    )
    feed = (
        v.Feed(n=1, at=NOW, kind="message", title="user", text="fix the flaky refresh test"),
        v.Feed(n=2, at=NOW + 4, kind="tool_use", title="Bash", text="pytest -q", status="error", seconds=6.2),
    )
    talk = (
        Said(1, NOW, "system", "session", "session", "ana joined as driver"),
        Said(2, NOW + 60, "chat", "p2", "ben", "looks like clock skew to me, the token was issued a second ahead"),
        Said(3, NOW + 90, "chat", "owner", "owner", "yes, fixing"),
        Said(4, NOW + 95, "command", "p1", "ana", "and run the tests"),
    )
    return Room(
        share="5b1c", epoch="e", me="p1", name="ana", role=role, hands=hands, session="shop", provider="claude",
        expires_at=NOW + 3600, here=True, last_seq=4, status=v.Status(state="working", since=NOW - 42),
        data=v.DataUpdate(
            model="claude-opus-4-1", tokens=182_000, cost_usd=4.12, burn_usd_hour=1.31, context_used=142_000,
            context_window=200_000, context_pct=71, files=2, added=18, removed=6,
        ),
        health=v.HealthUpdate(score=92, status="good", factors={"errors": 0.9}),
        presence=v.Presence(participants=people, viewers=2),
        queue=v.Queue(items=items, waits_for="waits for the end of the turn"), feed=feed, talk=talk,
        names={"p2": "ben", "p3": "carla", "owner": "owner"},
    )  # fmt: skip


@dataclass
class Seat:
    app: JoinApp
    pilot: Pilot[None]
    line: FakeLine

    @property
    def text(self) -> str:
        strips: list[Strip] = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    async def take(self, room: Room | None = None, state: State | None = None) -> None:
        self.line.room = room or self.line.room
        self.line.state = state or self.line.state
        self.app.joined.take()
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def write(self, text: str) -> None:
        self.app.joined.text.value = ""
        await self.press(*("space" if c == " " else "slash" if c == "/" else c for c in text), "enter")


class StillApp(JoinApp):
    async def _be_there(self) -> None:
        pass


@asynccontextmanager
async def sit(room: Room, size: tuple[int, int] = (120, 40), keys: Keys | None = None) -> AsyncIterator[Seat]:
    config = Config(theme="night", keys=keys or Keys())
    app = StillApp(Pass("http://127.0.0.1:1", JOINED), config, palettes=load_palettes())
    line = FakeLine(room)
    app.joined.line, app.joined.room, app.joined.now = line, room, lambda: NOW
    async with app.run_test(size=size) as pilot:
        rows = tuple((y, ((f"row {y}", "1"), (" of the shared screen", ""))) for y in range(0, 20, 2))
        body = v.Screen(from_=0, tseq=1, full=True, cols=80, rows=20, lines=rows, cursor=(5, 19, True))
        frame = SharedScreen("5b1c").take(body)
        assert frame is not None
        app.joined.take_frame(frame)
        seat = Seat(app, pilot, line)
        await seat.take()
        await pilot.pause()
        yield seat


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_a_joined_session_looks_as_drawn(size: tuple[int, int]) -> None:
    async with sit(room(), size) as seat:
        check_golden(f"joined-{size[0]}x{size[1]}", seat.text)


async def test_a_small_terminal_shows_one_after_the_other() -> None:
    async with sit(room(), (80, 24)) as seat:
        for panel in (*PANELS[1:], PANELS[0]):
            await seat.press("tab")
            assert seat.app.joined.panel == panel
            check_golden(f"joined-80x24-{panel}", seat.text)


async def test_whoever_waits_sees_the_three_words() -> None:
    async with sit(Room(name="ben", words="amber otter pine"), (80, 24)) as seat:
        check_golden("joined-waiting", seat.text)


async def test_what_is_written_goes_to_people_and_after_a_key_to_the_agent() -> None:
    async with sit(room()) as seat:
        await seat.write("hi")
        await seat.press("ctrl+t")
        assert "PROMPT" in seat.text
        await seat.write("go")
        assert "CHAT" in seat.text
        await seat.write("/prompt again")
        kinds = [said for said in seat.line.said if said[0] != "typing"]
        assert kinds == [("chat", {"text": "hi"}), ("command", {"text": "go"}), ("command", {"text": "again"})]
        assert ("typing", {"on": True}) in seat.line.said


async def test_an_observer_is_told_what_they_may_not_do_and_nothing_is_sent() -> None:
    async with sit(room("observer")) as seat:
        for what in ("hello", "/prompt x", "/interrupt", "/resume", "/cancel 1"):
            await seat.write(what)
        await seat.press("ctrl+t")
        assert "observers may not send prompts" in seat.text
        await seat.press("f4")
        assert "the owner has not given you the keyboard" in seat.text
        assert [said for said in seat.line.said if said[0] != "typing"] == []


async def test_a_role_that_is_given_is_there_at_once() -> None:
    async with sit(room("observer")) as seat:
        assert "^T prompt" not in seat.text
        await seat.take(room("driver"))
        assert "^T prompt" in seat.text


async def test_who_status_and_queue_are_answered_in_the_chat() -> None:
    async with sit(room(), (200, 60)) as seat:
        for word in ("/who", "/status", "/queue"):
            await seat.write(word)
        for said in ("ana: driver (you)", "carla: observer (away)", "health 92 (good)", "$4.12", "1 ben: also bump"):
            assert said in seat.text
        assert [said for said in seat.line.said if said[0] != "typing"] == []


async def test_a_broken_line_is_said_in_the_first_row_and_what_waits_in_the_chat() -> None:
    async with sit(room()) as seat:
        seat.line.unsaid = 2
        await seat.take(state=State(up=False, tries=2, next_at=0.0, why="nobody answers", since=NOW))
        assert "owner unreachable since 22:13: nobody answers; trying again" in seat.text.splitlines()[0]
        assert "2 messages to go out" in seat.text


async def test_with_hands_keys_go_to_the_session_until_it_is_left() -> None:
    async with sit(room(hands=True)) as seat:
        await seat.press("f4", "y", "enter", "up", "ctrl+c")
        assert "TYPING" in seat.text
        sent = "".join(body["data"] for kind, body in seat.line.said if kind == "keys")
        assert sent == "y\r\x1b[A\x03"
        await seat.press("ctrl+q")
        await seat.write("done")
        assert seat.line.said[-1] == ("chat", {"text": "done"})


async def test_hands_that_are_taken_away_end_typing() -> None:
    async with sit(room(hands=True)) as seat:
        await seat.press("f4")
        await seat.take(room())
        assert not seat.app.joined.typing
        await until(lambda: "the owner has taken the keyboard back" in seat.text)


async def test_leaving_asks_nothing_but_never_loses_what_was_written() -> None:
    async with sit(room()) as seat:
        await seat.press("x", "ctrl+c")
        assert seat.app.is_running
        await seat.write("/leave")
        assert seat.app.return_code == 0 or not seat.app.is_running or seat.app._exit


async def test_keys_are_obeyed_in_their_turn_however_fast_they_come() -> None:
    async with sit(room()) as seat:
        for key in ("h", "i", "enter", "ctrl+t", "g", "o", "enter"):
            seat.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(lambda: len([said for said in seat.line.said if said[0] != "typing"]) == 2)
        kinds = [said for said in seat.line.said if said[0] != "typing"]
        assert kinds == [("chat", {"text": "hi"}), ("command", {"text": "go"})]


async def test_pasted_lines_stay_lines() -> None:
    async with sit(room()) as seat:
        seat.app.post_message(events.Paste("def f():\n    return 1\n"))
        await until(lambda: bool(seat.app.joined.text.value))
        await seat.press("enter")
        assert seat.line.said[-1] == ("chat", {"text": "def f():\n    return 1"})


async def test_what_is_not_sent_stays_in_the_line() -> None:
    async with sit(room("observer")) as seat:
        await seat.write("hello")
        assert seat.app.joined.text.value == "hello"
        await seat.take(room("commenter"))
        await seat.press("enter")
        assert seat.app.joined.text.value == ""
        assert seat.line.said[-1] == ("chat", {"text": "hello"})


async def test_ones_own_keys_are_in_force_in_the_footer_and_in_help() -> None:
    keys = Keys(joined={"zoom": ["f11"], "leave": ["ctrl+g"], "nonsense": ["f2"]})
    async with sit(room(hands=True), keys=keys) as seat:
        assert "F11 zoom" in seat.text
        assert "no action called 'nonsense'" in seat.text
        await seat.press("f11")
        assert seat.app.joined.zoom
        await seat.press("f11", "f4", "f9")
        assert seat.line.said[-1] == ("keys", {"data": "\x1b[20~"})
        await seat.press("ctrl+g")
        assert not seat.app.joined.typing
        await seat.press("f1")
        assert "F11" in seat.text


OFFLINE = State(up=False, tries=2, next_at=0.0, why="nobody answers", since=NOW)


async def test_enter_in_an_empty_line_dials_now_and_what_is_only_for_now_is_said_to_be_lost() -> None:
    async with sit(room(hands=True)) as seat:
        await seat.take(state=OFFLINE)
        assert "OFFLINE  enter try now  ^Q leave" in seat.text
        await seat.press("enter")
        assert seat.line.dialled == 1
        await seat.write("later then")
        assert seat.line.said[-1] == ("chat", {"text": "later then"})
        await seat.press("ctrl+x")
        await until(lambda: "nothing was interrupted" in seat.text)
        await seat.press("f4", "y")
        await until(lambda: "a key went nowhere" in seat.text)
        assert "keys" not in [kind for kind, _ in seat.line.said]


async def test_how_others_get_in_is_said_with_what_ones_role_may() -> None:
    async with sit(room("commenter"), (200, 60)) as seat:
        await seat.write("/invite")
        assert "only the owner of shop invites" in seat.text
        assert "as commenter you watch, chat; the" in seat.text


async def test_a_shell_has_no_feed_and_its_screen_has_the_room() -> None:
    shell = replace(room(), provider="shell", feed=(), data=v.DataUpdate(), health=None)
    async with sit(shell) as seat:
        assert "events" not in seat.text
        assert "no figures" not in seat.text
        assert seat.app.joined.pane.size.height == 36
    async with sit(shell, (80, 24)) as seat:
        await seat.press("tab", "tab", "tab")
        assert "a shell tells no events: it has only its screen" in seat.text


def big(cols: int = 200, rows: int = 60, cursor: tuple[int, int, bool] = (3, 59, True)) -> Frame:
    lines = tuple((y, ((f"{y:03} " + "".join(f"{x:<10}" for x in range(10, cols, 10)), ""),)) for y in range(rows))
    body = v.Screen(from_=0, tseq=1, full=True, cols=cols, rows=rows, lines=lines, cursor=cursor)
    frame = SharedScreen("5b1c").take(body)
    assert frame is not None
    return frame


async def test_a_screen_larger_than_the_pane_is_followed_and_moved_by_key_and_wheel() -> None:
    async with sit(room(), (80, 24)) as seat:
        pane = seat.app.joined.pane
        seat.app.joined.take_frame(big())
        await seat.pilot.pause()
        assert "059" in seat.text
        assert "hidden: 107 right, 42 above" in seat.text
        await seat.press("alt+right", "alt+up")
        assert pane.hidden == (8, 99, 38, 4)
        assert "esc follow" in seat.text
        seat.app.joined.take_frame(big())
        assert pane.hidden.left == 8, "what comes does not move a view that was moved"
        await seat.press("escape")
        assert (pane.hidden.left, pane.hidden.below) == (0, 0)
        await seat.press("pageup")
        assert pane.hidden.above == 42 - 16
        await seat.pilot._post_mouse_events([events.MouseScrollDown], pane, offset=(5, 5))
        await seat.pilot._post_mouse_events([events.MouseScrollDown], pane, offset=(5, 5), shift=True)
        assert (pane.hidden.above, pane.hidden.left) == (42 - 16 + 3, 6)
        await seat.press("pagedown", "pagedown", "alt+left")
        assert not pane.held, "back where the cursor is it follows again"


async def test_the_view_goes_where_the_cursor_goes() -> None:
    async with sit(room(), (80, 24)) as seat:
        for cursor in ((150, 2), (10, 30), (199, 0), (0, 59)):
            seat.app.joined.take_frame(big(cursor=(*cursor, True)))
            await seat.pilot.pause()
            hidden = seat.app.joined.pane.hidden
            assert hidden.left <= cursor[0] < hidden.left + 80
            assert hidden.above <= cursor[1] < hidden.above + 18


async def test_what_is_selected_or_in_view_is_copied_from_the_right_place() -> None:
    async with sit(room(), (80, 24)) as seat:
        seat.app.joined.take_frame(big())
        await seat.press("alt+right")
        pane = seat.app.joined.pane
        assert await seat.pilot.mouse_down(pane, offset=(6, 0))
        await seat.pilot.hover(pane, offset=(7, 0))
        await seat.pilot.mouse_up(pane, offset=(7, 0))
        assert seat.app.clipboard == "20"
        await seat.press("escape", "f5")
        assert seat.app.clipboard.splitlines()[0].startswith("042 10")
        await until(lambda: "copied 18 lines" in seat.text)


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_nothing_hostile_gets_out_of_its_cells(size: tuple[int, int]) -> None:
    nasty = "\x1b[2J\u202eevil\x9b31m\u2066" + "Z\u0335\u0336\u0337\u0338\u0339\u033a" * 9 + "\x07" + "长" * 300
    people = tuple(v.Participant(id=f"p{n}", name=nasty[:60], role="driver", online=True) for n in range(200))
    item = v.QueueItem(id="q", by="p9", name=nasty, text=nasty, state="queued", position=1)
    hostile = replace(
        room(), session=nasty, provider=nasty, presence=v.Presence(participants=people, viewers=10**9),
        queue=v.Queue(items=(item,) * 30, waits_for=nasty), talk=(Said(1, NOW, "chat", "p9", nasty, nasty),),
        feed=(v.Feed(n=1, at=NOW, kind=nasty, title=nasty, text=nasty, status=nasty),), role="driver",
        status=v.Status(state=nasty, why=nasty), data=v.DataUpdate(model=nasty, tokens=1, context_used=5, doing=nasty),
        health=v.HealthUpdate(score=10**6, status=nasty, factors={nasty: 9e9}),
    )  # fmt: skip
    async with sit(hostile, size) as seat:
        for cols, rows in ((1, 1), (500, 300), (2, 300), (500, 1)):
            body = v.Screen(
                from_=0, tseq=1, full=True, cols=cols, rows=rows, cursor=(10**9, -5, True),
                lines=tuple((y, ((nasty, "38;5;999;1;4:9"), (nasty, ""))) for y in range(-3, 400)),
            )  # fmt: skip
            frame = SharedScreen("5b1c", cell_len).take(body)
            assert frame is not None
            seat.app.joined.take_frame(frame)
            for key in ("tab", "alt+right", "alt+down", "f3", "f3", "escape"):
                await seat.press(key)
                assert not set(seat.text) & {"\x1b", "\x9b", "\x07", "\u202e", "\u2066"}
                assert all(cell_len(line) <= size[0] for line in seat.text.splitlines())
        for word in ("/who", "/status", "/queue", "/invite"):
            await seat.write(word)
        assert seat.app.is_running


async def test_a_flood_of_large_frames_leaves_the_keys_alone() -> None:
    async with sit(room()) as seat:
        for n in range(60):
            seat.app.joined.take_frame(big(500, 300, (n, n, True)))
            if n == 30:
                seat.app.post_message(events.Key("h", "h"))
        await until(lambda: seat.app.joined.text.value == "h")


@pytest.mark.parametrize("columns", range(20, 220, 7))
def test_no_two_parts_overlap_and_the_screen_has_its_80_columns(columns: int) -> None:
    for rows in range(6, 70, 5):
        for panel in PANELS:
            found = places(columns, rows, panel, people=5, prompts=3)
            shown = [rect for rect in found.values() if rect.width and rect.height]
            assert all(rect.right <= columns and rect.bottom <= rows for rect in shown)
            pairs = [(a, b) for n, a in enumerate(shown) for b in shown[n + 1 :]]
            assert not any(a.overlaps(b) for a, b in pairs)
            if columns >= 82 and panel == "screen" and "pane" in found:
                assert found["pane"].width >= 82


def test_two_slashes_are_a_word_that_begins_with_one() -> None:
    assert words.read("//etc", prompt=False) == words.Order("chat", "/etc")
    assert words.read("/nonsense", prompt=False) == words.Order("?", "nonsense")
