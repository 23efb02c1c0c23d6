"""Approvals in the deck, over a fake hub: what is shown, what a key answers, and what it must not."""

import msgspec

from agentdeck.errors import AlreadyAnsweredError
from agentdeck.protocol import approvals as a
from agentdeck.protocol import messages as m
from agentdeck.ui.screens import approving
from tests.fakes.fake_hub import NOW, FakeHub, session
from tests.ui.deck_page import Page, open_deck

ASKED = a.Approval(
    id="abc123",
    session=session(1).id,
    name="s1",
    provider="claude",
    tool="Bash",
    subject="rm -rf build",
    input='{\n  "command": "rm -rf build"\n}',
    cwd="/home/ana/shop",
    rule="rm -rf",
    why="it deletes whole directories without asking",
    kind="gate",
    always="exactly this call",
    since=NOW,
    until=NOW + 600,
)


def asked(**facts: object) -> a.Approval:
    return msgspec.structs.replace(ASKED, **facts)


async def show(page: Page, approval: a.Approval) -> None:
    """Have an approval come in, and let it be there long enough to be read."""
    page.hub.push(a.ApprovalAsked(approval=approval))
    await page.shows(approval.subject[:20])
    page.deck._shown_since = (approval.id, -approving.READABLE)


def decided(hub: FakeHub) -> list[tuple[str, str, str]]:
    return [(request.approval, request.verb, request.reason) for request in hub.requests(a.Decide)]


async def test_what_the_selected_session_asks_is_shown_and_one_key_allows_it() -> None:
    hub = FakeHub(session(1, state="needs_you"))
    async with open_deck(hub) as page:
        await page.until(lambda: hub.requests(a.WatchApprovals))
        await show(page, ASKED)
        assert "rm -rf build · rm -rf" in page.text
        await page.press("y")
        await page.until(lambda: decided(hub) == [("abc123", "allow", "")])
        page.hub.push(a.ApprovalGone(approval="abc123", session=ASKED.session, how="allow", who="deck"))
        await page.until(lambda: not page.deck.approval_bar.has_class("-shown"))


async def test_a_key_pressed_as_the_question_appears_answers_nothing() -> None:
    hub = FakeHub(session(1, state="needs_you"))
    async with open_deck(hub) as page:
        await show(page, ASKED)
        page.deck.draw()
        page.deck._shown_since = (ASKED.id, float("inf"))
        await page.press("y")
        assert decided(hub) == []


async def test_what_does_not_fit_the_bar_is_opened_before_it_is_allowed() -> None:
    hub = FakeHub(session(1, state="needs_you"))
    async with open_deck(hub) as page:
        await show(page, asked(subject="rm -rf " + "build/" * 40))
        await page.press("y")
        await page.shows("caught by the rule")
        assert decided(hub) == []
        await page.press("y")
        await page.until(lambda: decided(hub) == [("abc123", "allow", "")])


async def test_denying_asks_for_a_reason_and_is_possible_in_the_list_only() -> None:
    hub = FakeHub(session(1, state="needs_you"))
    async with open_deck(hub) as page:
        await show(page, ASKED)
        await page.press("p")
        await page.shows("caught by the rule rm -rf")
        await page.press("n")
        await page.shows("what the agent is told")
        await page.press("n", "o", "enter")
        await page.until(lambda: decided(hub) == [("abc123", "deny", "no")])


async def test_the_list_goes_on_to_the_next_and_closes_with_the_last() -> None:
    hub = FakeHub(session(1, state="needs_you"), session(2))
    async with open_deck(hub) as page:
        await show(page, ASKED)
        hub.push(a.ApprovalAsked(approval=asked(id="def456", session=session(2).id, name="s2", subject="git push -f")))
        await page.press("p")
        await page.shows("s1 asks 1 of 2")
        hub.push(a.ApprovalGone(approval="abc123", session=ASKED.session, how="there"))
        await page.shows("s2 asks")
        await page.press("A")
        await page.until(lambda: decided(hub) == [("def456", "always", "")])
        hub.push(a.ApprovalGone(approval="def456", session=session(2).id, how="always", who="deck"))
        await page.until(lambda: page.app.screen is page.deck)


async def test_who_comes_second_is_told() -> None:
    hub = FakeHub(session(1, state="needs_you"))
    async with open_deck(hub) as page:
        hub.failing[a.Decide] = AlreadyAnsweredError("denied by command line")
        await show(page, ASKED)
        await page.press("y")
        await page.shows("settled before: denied by command line")


async def test_who_types_into_a_session_gets_the_clis_own_dialog() -> None:
    hub = FakeHub(session(1))
    async with open_deck(hub) as page:
        await page.press("enter")
        hub.push(a.ApprovalAsked(approval=asked(kind="dialog", provider="codex", rule="")))
        await page.until(lambda: decided(hub) == [("abc123", "back", "typing there")])


async def test_a_held_call_stays_held_while_somebody_types() -> None:
    hub = FakeHub(session(1))
    async with open_deck(hub) as page:
        await page.press("enter")
        hub.push(a.ApprovalAsked(approval=ASKED))
        await page.shows("to answer")
        assert decided(hub) == []
        hub.push(m.Notice(text="still here"))
        await page.shows("still here")
