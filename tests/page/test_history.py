"""What happened before one came: older lines on demand, few of them in the document, the usage from the beginning."""

from pathlib import Path

import msgspec
import pytest

from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from agentdeck.protocol import viewers as v
from agentdeck.share.log import Draft
from agentdeck.share.room import Change
from tests.gateway.conftest import Link, World
from tests.page.conftest import Visit, Visitor, start_recorded, until

pytestmark = pytest.mark.chromium

DRAWN_AT_MOST = 300


async def busy(world: World, calls: int) -> tuple[str, Link]:
    """A shared session whose agent has done much: every call was told twice, when it began and when it was done."""
    session = await world.start("/bin/sh", "-c", "sleep 1000")
    await world.share(session)
    link = await world.invite(session, "commenter", max_uses=4)
    await world.client.ask(s.Say(session=session, text="before all that"), m.Done)
    await did(world, range(1, calls + 1))
    return session, link


async def did(world: World, calls: range) -> None:
    (room,) = world.hub.sharing.shares.rooms.values()
    drafts = []
    for n in calls:
        for status in ("pending", "ok"):
            line = v.Feed(n=n, at=1.7e9 + n, kind="tool_use", title="Bash", text=f"call {n}.", status=status)
            drafts.append(Draft("feed", line.at, "session", msgspec.json.encode(line)))
    for start in range(0, len(drafts), 400):
        await room.store(Change(drafts=drafts[start : start + 400]))


async def drawn(visitor: Visitor) -> list[int]:
    texts: list[str] = await visitor.page.evaluate(
        "[...document.querySelectorAll('#feed .said')].map((e) => e.textContent)"
    )
    return [int(text.split()[1].rstrip(".")) for text in texts]


async def test_older_activity_comes_when_one_scrolls_up_and_nothing_jumps(world: World, visit: Visit) -> None:
    _, link = await busy(world, 600)
    ana = await visit()
    await ana.open(link)
    await ana.sees("#feed .said", "call 600.")
    assert min(await drawn(ana)) > 500  # a newcomer is sent the newest events only
    assert await ana.page.locator("#feed-older").is_hidden()
    stood = await ana.page.evaluate(
        """(() => {
            const list = document.querySelector('#feed');
            list.scrollTop = 120;
            window.seen = [...list.children].find((row) => row.offsetTop > list.scrollTop + 60);
            return seen.getBoundingClientRect().top;
        })()"""
    )

    async def more() -> bool:
        return min(await drawn(ana)) < 500

    await until(more)
    stands = await ana.page.evaluate("seen.isConnected && seen.getBoundingClientRect().top")
    assert abs(stands - stood) < 3
    seen: set[int] = set()

    async def all_of_it() -> bool:
        await ana.page.press("#feed", "Home")
        numbers = await drawn(ana)
        assert numbers == list(range(numbers[0], numbers[-1] + 1)), "in order, none twice, none left out"
        seen.update(numbers)
        return numbers[0] == 1

    await until(all_of_it)
    assert len(seen) == 600
    assert await ana.page.locator("#feed [data-status=pending]").count() == 0, "what was done later is known to be done"
    assert await ana.page.locator("#feed > li").count() <= DRAWN_AT_MOST
    await did(world, range(601, 602))
    await ana.page.wait_for_selector("#feed-newest")
    assert max(await drawn(ana)) < 600, "who reads old lines is left alone"
    await ana.page.click("#feed-newest")
    await ana.sees("#feed .said", "call 601.")
    assert ana.complaints == []


async def test_a_day_of_events_stays_small_in_the_document(world: World, visit: Visit) -> None:
    _, link = await busy(world, 10)
    ana = await visit()
    await ana.open(link)
    await ana.sees("#feed .said", "call 10.")
    await did(world, range(11, 1201))
    await ana.sees("#feed .said", "call 1200.")
    assert await ana.page.locator("#feed > li").count() <= DRAWN_AT_MOST
    await ana.page.press("#feed", "Home")
    for _ in range(3):
        await ana.page.press("#feed", "Home")
        await ana.page.evaluate("new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)))")
        assert await ana.page.locator("#feed > li").count() <= DRAWN_AT_MOST


async def test_what_people_said_long_ago_is_there_for_who_comes_late(world: World, visit: Visit) -> None:
    _, link = await busy(world, 300)
    ana = await visit()
    await ana.open(link)
    await ana.sees("#chat .word", "before all that")


async def test_the_usage_is_a_chart_from_the_beginning_and_the_same_as_a_table(
    home: Path, world: World, visit: Visit
) -> None:
    session = await start_recorded(world, home)
    link = await world.share(session)
    ana = await visit()
    await ana.open(link)
    await ana.page.wait_for_selector("#chart svg .tokens", state="attached")
    assert await ana.page.locator("#chart svg .cost").count() == 1
    assert await ana.page.locator("#chart svg .context").count() == 1
    label = await ana.page.get_attribute("#chart svg", "aria-label")
    figures = await ana.page.get_attribute("[data-figure=tokens] dd", "title")
    assert label is not None
    assert f"{figures} tokens" in label
    await ana.page.focus("#chart-table")
    await ana.page.keyboard.press("Enter")
    await ana.page.wait_for_selector("#table-dialog[open]")
    rows = [text.split("\t") for text in await ana.words("#table-rows tr")]
    tokens = [int(row[1].replace(",", "")) for row in rows]
    assert len(tokens) >= 5, "a point for each answer, also of those before the share"
    assert tokens == sorted(tokens, reverse=True)
    assert f"{tokens[0]:,}" == figures
    assert all(row[2].startswith("$") and row[4].endswith("%") for row in rows)
    await ana.page.keyboard.press("Escape")
    assert await ana.page.evaluate("document.activeElement.id") == "chart-table"


async def test_health_says_what_it_is_made_of_and_files_when_they_were_touched(
    home: Path, world: World, visit: Visit
) -> None:
    session = await start_recorded(world, home)
    ana = await visit()
    await ana.open(await world.share(session))
    await ana.page.locator("#factors li").nth(3).wait_for()
    named = [line.split("\n")[0] for line in await ana.words("#factors li")]
    await ana.page.click("[data-opens=health-dialog]")
    told = await ana.words("#factors-told > div")
    assert [text.split("\n")[0] for text in told] == named
    assert all("of 100" in text and "Counts" in text for text in told)
    await ana.page.keyboard.press("Escape")
    await ana.tab("files")
    await ana.sees("#files .file", "test_trees.py")
    for file in await ana.words("#files .file"):
        assert "+" in file
        assert "touched" in file
        assert ":" in file
