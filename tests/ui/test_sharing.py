"""Sharing from the deck, over a fake hub: what is shown, and what each key asks of the hub."""

import msgspec
import pytest

from agentdeck.errors import RepositoryError
from agentdeck.protocol import share as s
from agentdeck.ui.screens.share import ShareScreen, qr_rows
from tests.fakes.fake_hub import NOW, FakeHub, session
from tests.ui.deck_page import Page, check_golden, freeze, open_deck

pytestmark = pytest.mark.usefixtures("utc")

SIZES = [(80, 24), (120, 40), (200, 60)]
URL = "http://127.0.0.1:41873/s/5b1c5b1c5b1c5b1c#eVK3z5aFSvETRLZucnqULs3gYLGrCb9LTZmaiLSbA7A"

ANA = s.PersonTold(id="p1", name="ana", role="driver", invite="i1", address="127.0.0.1", online=1, joined=NOW)
BEN = s.PersonTold(id="p2", name="ben", role="observer", invite="i1", address="127.0.0.1", online=1, joined=NOW)
EVE = s.PersonTold(
    id="p3",
    name="eve",
    role="commenter",
    invite="i2",
    address="127.0.0.1",
    pending=True,
    words="amber otter pine",
    online=1,
)


def facts(*people: s.PersonTold, session: str = "00000001") -> s.ShareFacts:
    return s.ShareFacts(
        share="5b1c", session=session, provider_session="", name="s1", url=URL, role="observer", created=NOW,
        expires_at=NOW + 3600, server="local", viewers=sum(p.online for p in people if not p.pending), people=people,
        queue=(s.PromptTold(id="q1", by="p1", name="ana", text="also bump the ttl", state="queued", position=1),),
        waits_for="waits for the end of the turn", last_seq=2,
    )  # fmt: skip


def hub(*people: s.PersonTold) -> FakeHub:
    made = FakeHub(session(1, state="working"), session(2))
    made.shares["5b1c"] = facts(*people)
    made.said["5b1c"] = [
        s.ShareEvent(seq=1, kind="system", at=NOW, by="session", name="session", text="ana joined as driver"),
        s.ShareEvent(seq=2, kind="chat", at=NOW + 60, by="p1", name="ana", text="looks like clock skew"),
    ]
    return made


async def opened(page: Page) -> None:
    await page.press("S")
    await page.until(lambda: isinstance(page.app.screen, ShareScreen))
    await page.shows("looks like clock skew")


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_a_shared_session_looks_as_drawn(size: tuple[int, int]) -> None:
    async with open_deck(hub(ANA, BEN, EVE), size) as page:
        await page.shows("1 waits to be let in")
        await freeze(page)
        check_golden(f"share-{size[0]}x{size[1]}", page.text)
        await opened(page)
        check_golden(f"share-dialog-{size[0]}x{size[1]}", page.text)


async def test_the_first_row_counts_viewers_and_drivers() -> None:
    async with open_deck(hub(ANA, BEN)) as page:
        await page.shows("share: 2 viewers 1 driver")
        page.hub.share(facts(ANA))
        await page.shows("share: 1 viewer 1 driver")
        page.hub.push(s.ShareGone(share="5b1c", session="00000001", text="the share has ended"))
        await page.shows("the share has ended")
        await page.until(lambda: "share:" not in page.text.splitlines()[0])


async def test_a_repository_is_asked_for_once_and_refusing_shares_nothing() -> None:
    made = hub()
    held = made.shares.pop("5b1c")
    made.failing[s.Share] = RepositoryError("/home/ana/shop", "local")
    async with open_deck(made) as page:
        await page.press("S")
        await page.shows("/home/ana/shop has never been shared")
        await page.press("escape")
        assert made.requests(s.AllowRepository) == []
        await page.press("S")
        await page.shows("has never been shared")
        del made.failing[s.Share]
        made.shares["5b1c"] = held
        await page.press("enter")
        await page.until(lambda: isinstance(page.app.screen, ShareScreen))
        assert [request.path for request in made.requests(s.AllowRepository)] == ["/home/ana/shop"]
        await page.shows("7KQ2-M9XD")


async def test_one_key_lets_in_the_guest_whose_words_are_shown() -> None:
    async with open_deck(hub(ANA, EVE), (200, 60)) as page:
        await page.shows("amber otter pine")
        await page.press("L")
        assert [(r.participant, r.on) for r in page.hub.requests(s.Admit)] == [("p3", True)]


async def test_where_the_words_are_not_in_view_they_are_shown_first() -> None:
    async with open_deck(hub(EVE), (80, 24)) as page:
        await page.shows("1 waits")
        await page.press("L")
        await page.shows("amber otter pine")
        assert page.hub.requests(s.Admit) == []
        await page.press("enter")
        await page.until(lambda: page.hub.requests(s.Admit))


@pytest.mark.parametrize(
    ("key", "person", "request_"),
    [
        ("plus", BEN, s.SetRole(session="5b1c", participant="p2", role="commenter")),
        ("minus", ANA, s.SetRole(session="5b1c", participant="p1", role="commenter")),
        ("h", ANA, s.SetRole(session="5b1c", participant="p1", role="driver", hands=True)),
        ("l", EVE, s.Admit(session="5b1c", participant="p3")),
        ("d", EVE, s.Admit(session="5b1c", participant="p3", on=False)),
        ("p", ANA, s.PauseQueue(session="5b1c", on=True)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_key_in_the_dialog_does_it_to_the_chosen_person(
    key: str, person: s.PersonTold, request_: s.ShareRequest
) -> None:
    async with open_deck(hub(person)) as page:
        await page.shows("share:")
        await opened(page)
        await page.press(key)
        await page.until(lambda: page.hub.requests(type(request_)))
        assert page.hub.requests(type(request_))[0] == request_


async def test_whoever_is_sent_away_is_named_first_and_k_only_moves() -> None:
    async with open_deck(hub(ANA, BEN)) as page:
        await page.shows("share:")
        await opened(page)
        await page.press("j", "k", "j", "x")
        await page.shows("send ben away")
        assert page.hub.requests(s.Kick) == []
        await page.press("enter")
        await page.until(lambda: page.hub.requests(s.Kick))
        assert page.hub.requests(s.Kick) == [s.Kick(session="5b1c", participant="p2")]


async def test_a_prompt_is_moved_and_dropped_where_it_is_chosen() -> None:
    async with open_deck(hub(ANA)) as page:
        await page.shows("share:")
        await opened(page)
        await page.press("down", "greater_than_sign", "less_than_sign", "x")
        await page.until(lambda: page.hub.requests(s.CancelPrompt))
        assert page.hub.requests(s.MovePrompt) == [s.MovePrompt(session="5b1c", item="q1", position=2)]
        assert page.hub.requests(s.CancelPrompt) == [s.CancelPrompt(session="5b1c", item="q1")]


async def test_one_queue_has_the_prompts_of_all_and_says_what_is_left_out() -> None:
    by = [("owner", "ana m."), ("p1", "ana"), ("p2", "ben"), ("p1", "ana"), ("owner", "ana m.")]
    waiting = tuple(
        s.PromptTold(id=f"q{n}", by=who, name=name, text=f"prompt {n}", state="queued", position=n)
        for n, (who, name) in enumerate(by, 1)
    )
    made = hub(ANA, BEN)
    made.shares["5b1c"] = msgspec.structs.replace(facts(ANA, BEN), queue=waiting)
    async with open_deck(made, (200, 60)) as page:
        await page.shows("1 you → prompt 1")
        assert "3 ben → prompt 3" in page.text
        assert "and 2 more" in page.text
        await opened(page)
        assert "5 you → prompt 5" in page.text


async def test_a_guest_who_went_away_while_waiting_is_no_reason_to_look() -> None:
    gone = msgspec.structs.replace(EVE, online=0)
    async with open_deck(hub(ANA, gone), (200, 60)) as page:
        await page.shows("share: 1 viewer 1 driver")
        assert "waits to be let in" not in page.text
        await page.press("L")
        await page.shows("nobody waits to be let in")
        await opened(page)
        await page.shows("waited, and left")


async def test_raising_twice_counts_twice_though_the_hub_tells_later() -> None:
    async with open_deck(hub(BEN)) as page:
        await page.shows("share:")
        await opened(page)
        await page.press("plus", "plus", "plus")
        await page.until(lambda: len(page.hub.requests(s.SetRole)) == 2)
        assert [request.role for request in page.hub.requests(s.SetRole)] == ["commenter", "driver"]


async def test_the_owner_talks_and_keys_that_follow_tab_are_text() -> None:
    async with open_deck(hub(ANA)) as page:
        await page.shows("share:")
        await opened(page)
        await page.press("tab", "k", "u", "enter")
        await page.until(lambda: page.hub.requests(s.Say))
        assert [request.text for request in page.hub.requests(s.Say)] == ["ku"]
        assert page.hub.requests(s.Kick) == []


async def test_one_key_cuts_everything_off_and_says_so() -> None:
    async with open_deck(hub(ANA, BEN), (200, 60)) as page:
        await page.shows("share: 2 viewers")
        for n in range(5):
            page.deck.say(f"something else {n}", "error")  # stands for twelve seconds each
        await page.press("X")
        await page.shows("1 share cut off: nothing is shared any more")
        assert len(page.hub.requests(s.Panic)) == 1
        await page.until(lambda: "share:" not in page.text)


async def test_everything_can_be_cut_off_from_the_dialog_too() -> None:
    async with open_deck(hub(ANA)) as page:
        await page.shows("share:")
        await opened(page)
        await page.press("X")
        await page.shows("nothing is shared any more")
        assert not isinstance(page.app.screen, ShareScreen)


async def test_a_word_is_said_where_the_chat_is_not_in_view() -> None:
    async with open_deck(hub(ANA), (80, 24)) as page:
        await page.until(lambda: page.deck._caught_up)
        event = s.ShareEvent(seq=3, kind="chat", at=NOW, by="p1", name="ana", text="are you there?")
        page.hub.push(s.ShareEvents(share="5b1c", session="00000001", events=(event,)))
        await page.shows("ana: are you there?")


def test_a_link_is_a_square_of_blocks_that_fits_a_small_terminal() -> None:
    rows = qr_rows(URL)
    assert len(rows) <= 22
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(rows[0]) <= 76
