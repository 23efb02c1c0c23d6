"""Watching agents that run elsewhere, queueing prompts and guarded interrupts, as a person sees them."""

from agentdeck.errors import SessionError
from agentdeck.protocol import messages as m
from agentdeck.protocol import outside as o
from agentdeck.protocol import queue as q
from agentdeck.ui.screens.attach import AboutAgent, Chooser
from agentdeck.ui.screens.queue import InterruptScreen, QueueScreen
from tests.fakes.fake_hub import NOW, FakeHub, frame, session
from tests.ui.deck_page import open_deck

A, B = "11111111-2222-4333-8444-555555555555", "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"


def agent(pid: int, **facts: object) -> o.Agent:
    plain: dict[str, object] = {
        "provider": "claude", "pid": pid, "start": 7, "began": NOW - 60, "cwd": "/home/ana/shop", "session": A,
        "transcript": "/t.jsonl", "how": "certain", "state": "idle", "terminal": "pts/3", "screen": "tmux",
    }  # fmt: skip
    return o.Agent(**{**plain, **facts})  # type: ignore[arg-type]


def hub_with(*agents: o.Agent) -> FakeHub:
    hub = FakeHub(session(1))
    hub.agents = {each.pid: o.Attached(agent=each, cpu=12.0, rss=300 * 1024 * 1024) for each in agents}
    return hub


async def test_an_agent_is_chosen_from_a_list_and_its_screen_is_shown() -> None:
    hub = hub_with(agent(4711), agent(4712, ours=session(1).id))
    async with open_deck(hub) as page:
        await page.press("a")
        await page.until(lambda: isinstance(page.app.screen, Chooser))
        await page.shows("4711")
        assert "4712" not in page.text, "what runs in agentdeck is on the deck already"
        await page.press("enter")
        await page.until(lambda: hub.requests(o.LookAt))
        assert [(asked.pid, asked.on) for asked in hub.requests(o.LookAt)] == [(4711, True)]
        hub.push(m.Screen(frame=frame(f"claude:{A}", ["somebody else's screen"], 80, 20)))
        await page.shows("somebody else's screen")
        await page.press("enter")
        await page.shows("can only be watched")
        assert not hub.requests(m.Input)


async def test_another_selection_ends_the_looking() -> None:
    hub = hub_with(agent(4711))
    async with open_deck(hub) as page:
        await page.press("a")
        await page.until(lambda: isinstance(page.app.screen, Chooser))
        await page.press("enter")
        await page.until(lambda: hub.requests(o.LookAt))
        await page.press("1")
        await page.until(lambda: [asked.on for asked in hub.requests(o.LookAt)] == [True, False])


async def test_where_the_screen_cannot_be_seen_the_reason_is_told() -> None:
    hub = hub_with(agent(4711, screen="", screen_why="its terminal (pts/3) shows its screen to nobody else"))
    async with open_deck(hub) as page:
        await page.press("a")
        await page.until(lambda: isinstance(page.app.screen, Chooser))
        await page.press("enter")
        await page.shows("its screen cannot be seen: its terminal (pts/3)")
        assert not hub.requests(o.LookAt)


async def test_of_several_conversations_the_person_chooses_one() -> None:
    candidates = (o.Candidate(A, "/a", NOW), o.Candidate(B, "/b", NOW - 100))
    hub = hub_with(agent(4711, session="", how="ambiguous", candidates=candidates, why="two could be"))
    async with open_deck(hub) as page:
        await page.press("a")
        await page.until(lambda: isinstance(page.app.screen, Chooser))
        await page.press("enter")
        await page.shows("Nothing tells for sure")
        hub.agents[4711] = o.Attached(agent=agent(4711, session=B, how="chosen"))
        await page.press("down", "enter")
        await page.until(lambda: [asked.session for asked in hub.requests(o.Attach)] == ["", B])


async def test_what_is_known_of_it_can_be_read() -> None:
    hub = hub_with(agent(4711))
    hub.agents[4711] = o.Attached(
        agent=hub.agents[4711].agent, cpu=12.0, rss=1, processes=((4711, "claude", 12.0, 300 * 1024 * 1024),)
    )
    async with open_deck(hub) as page:
        await page.press("a")
        await page.until(lambda: isinstance(page.app.screen, Chooser))
        await page.press("enter")
        await page.until(lambda: hub.requests(o.LookAt))
        await page.press("a")
        await page.until(lambda: isinstance(page.app.screen, AboutAgent))
        for words in ("seen through tmux", "11111111-2222", "300M", "pts/3"):
            await page.shows(words)


async def test_when_it_has_ended_it_can_be_resumed_here() -> None:
    hub = hub_with(agent(4711))
    async with open_deck(hub) as page:
        await page.press("a")
        await page.until(lambda: isinstance(page.app.screen, Chooser))
        await page.press("enter")
        await page.until(lambda: hub.requests(o.LookAt))
        hub.push(o.Attached(agent=agent(4711, state="gone")))
        await page.shows("its process has ended")
        hub.failing[o.Adopt] = SessionError("its conversation has not been written down")
        await page.press("a")
        await page.shows("goes on with the same conversation")
        await page.press("enter")
        await page.until(lambda: [asked.pid for asked in hub.requests(o.Adopt)] == [4711])
        await page.shows("has not been written down")


async def test_a_prompt_is_queued_with_enter_and_sent_at_once_with_control_enter() -> None:
    hub = FakeHub(session(1, state="working"))
    async with open_deck(hub) as page:
        await page.press("m", *"later", "enter")
        await page.press("m", *"at once", "ctrl+enter")
        await page.until(lambda: len(hub.requests(q.Enqueue)) == 2)
        assert [(asked.text, asked.now) for asked in hub.requests(q.Enqueue)] == [("later", False), ("at once", True)]


async def test_what_waits_is_listed_changed_and_dropped() -> None:
    one = session(1)
    hub = FakeHub(one)
    hub.queue[one.id] = q.Queued(
        n=7, session=one.id, place=1, text="tidy up", added=NOW, state="waiting", why="waits for the end of the turn"
    )
    async with open_deck(hub) as page:
        await page.press("m")
        await page.shows("tidy up")
        await page.shows("waits for the end of the turn")
        await page.press("tab", "e")
        await page.shows("change prompt 1")
        await page.press("space", *"now", "enter")
        await page.until(lambda: [(r.n, r.text) for r in hub.requests(q.EditQueued)] == [(7, "tidy up now")])
        await page.press("m")
        await page.until(lambda: isinstance(page.app.screen, QueueScreen))
        await page.press("tab", "x")
        await page.until(lambda: [r.n for r in hub.requests(q.CancelQueued)] == [7])


async def test_a_broadcast_goes_to_all_that_are_marked() -> None:
    hub = FakeHub(session(1, marked=True), session(2), session(3, marked=True))
    async with open_deck(hub) as page:
        await page.press("M", *"all of you", "enter")
        await page.until(lambda: hub.requests(q.Enqueue))
        assert hub.requests(q.Enqueue)[0].sessions == (session(1).id, session(3).id)


async def test_an_interrupt_says_what_it_ends_and_can_wait_for_the_call() -> None:
    one = session(1, state="working")
    hub = FakeHub(one)
    hub.would_end[one.id] = q.InterruptTold(
        session=one.id, state="working", tools=("Bash pytest -q",), agents=2, queued=1
    )
    async with open_deck(hub) as page:
        await page.press("i")
        await page.until(lambda: isinstance(page.app.screen, InterruptScreen))
        for words in ("Bash pytest -q", "2 sub-agents", "1 queued prompt"):
            await page.shows(words)
        assert not hub.requests(q.GuardedInterrupt)
        await page.press("escape")
        await page.press("i")
        await page.until(lambda: isinstance(page.app.screen, InterruptScreen))
        await page.press("a")
        await page.until(lambda: [r.after_tool for r in hub.requests(q.GuardedInterrupt)] == [True])


async def test_an_interrupt_that_ends_nothing_else_asks_nothing() -> None:
    hub = FakeHub(session(1, state="working"))
    async with open_deck(hub) as page:
        await page.press("i")
        await page.until(lambda: [r.after_tool for r in hub.requests(q.GuardedInterrupt)] == [False])
