"""What people see and do on the page, with a real session behind it."""

from pathlib import Path

import pytest

from agentdeck.protocol import gateway as g
from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from agentdeck.share import tokens
from tests.gateway.conftest import Link, World
from tests.page.conftest import PHONE, Visit, Visitor, start_recorded, until

pytestmark = pytest.mark.chromium

ECHO = "while read x; do echo [$x]; done"


async def shell(world: World, role: str = "observer", script: str = ECHO) -> tuple[str, Link]:
    session = await world.start("/bin/sh", "-c", script)
    await world.share(session)
    return session, await world.invite(session, role, max_uses=4)


async def test_the_terminal_shows_text_colours_and_size_of_the_owners_screen(world: World, visit: Visit) -> None:
    script = r"printf '\033[1;31mred\033[0m \033[38;2;1;200;3mtrue\033[0m 你好|\n👍🏽|\n🇩🇪|\n'; " + ECHO
    session, link = await shell(world, script=script)
    ana = await visit()
    await ana.open(link)
    await ana.until_terminal("red true 你好|")
    styles = await ana.page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('.xterm-rows span')]"
        ".map((run) => [run.textContent, [getComputedStyle(run).color, getComputedStyle(run).fontWeight]]))"
    )
    assert styles["red"][0] == "rgb(247, 118, 142)"
    assert styles["red"][1] == "bold" or int(styles["red"][1]) >= 600
    assert styles["true"][0] == "rgb(1, 200, 3)"
    widths = await ana.page.evaluate(  # the bar after a wide character stands in the column where the owner sees it
        """(() => {
            const rows = [...document.querySelectorAll('.xterm-rows > div')].slice(0, 3);
            const cell = document.querySelector('.xterm-screen').getBoundingClientRect().width / 80;
            return rows.map((row) => {
                const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
                for (let node = walker.nextNode(); node; node = walker.nextNode()) {
                    const at = node.data.indexOf('|');
                    if (at < 0) continue;
                    const range = document.createRange();
                    range.setStart(node, at);
                    range.setEnd(node, at + 1);
                    return Math.round((range.getBoundingClientRect().left - row.getBoundingClientRect().left) / cell);
                }
            });
        })()"""
    )
    assert widths == [13, 2, 2]
    world.client.post(m.View(session=session, cols=100, rows=30))
    world.client.post(m.Input(session=session, data=b"wider\r"))
    await ana.until_terminal("[wider]")
    await until(lambda: rows_are(ana, 30))
    assert ana.complaints == []


async def rows_are(visitor: Visitor, count: int) -> bool:
    return await visitor.page.locator(".xterm-rows > div").count() == count


async def test_the_whole_screen_fits_and_letters_can_be_made_larger(world: World, visit: Visit) -> None:
    _, link = await shell(world)
    ana = await visit()
    await ana.open(link)

    async def fits() -> bool:
        return bool(
            await ana.page.evaluate(
                "(() => { const view = document.querySelector('.screen-view');"
                " return view.scrollWidth <= view.clientWidth && view.scrollHeight <= view.clientHeight })()"
            )
        )

    async def width() -> float:
        box = await ana.page.locator(".xterm-screen").bounding_box()
        assert box is not None
        return box["width"]

    await ana.page.wait_for_selector(".xterm-screen")
    await until(fits)
    before = await width()
    for _ in range(6):
        await ana.page.click("[data-zoom='1']")

    async def larger() -> bool:
        return await width() > before * 1.2

    await until(larger)
    await ana.page.click("[data-zoom='0']")
    await until(fits)


PINCH = """(apart) => {
    const view = document.querySelector('.screen-view');
    const touch = (identifier, clientX) => new Touch({ identifier, target: view, clientX, clientY: 400 });
    const fire = (type, by) => view.dispatchEvent(new TouchEvent(type, {
        touches: [touch(1, 200 - by), touch(2, 200 + by)], bubbles: true, cancelable: true }));
    fire('touchstart', 50);
    fire('touchmove', apart);
}"""


async def test_a_wide_terminal_can_be_used_on_a_phone(world: World, visit: Visit) -> None:
    session, link = await shell(world)
    world.client.post(m.View(session=session, cols=200, rows=50))
    world.client.post(m.Input(session=session, data=b"seq 60\r" + b"word\r" * 60 + b"the end\r"))
    ana = await visit(PHONE, has_touch=True)
    await ana.open(link)
    await ana.until_terminal("[the end]")
    await until(lambda: rows_are(ana, 50))

    async def last_line_is_seen() -> bool:
        return bool(
            await ana.page.evaluate(
                """(() => {
                    const view = document.querySelector('.screen-view').getBoundingClientRect();
                    const rows = [...document.querySelectorAll('.xterm-rows > div')];
                    const row = rows.find((each) => each.textContent.includes('[the end]'));
                    const box = row.getBoundingClientRect();
                    return box.top >= view.top && box.bottom <= view.bottom && box.height >= 10;
                })()"""
            )
        )

    async def wide() -> float:
        return float(await ana.page.evaluate("document.querySelector('.xterm-screen').getBoundingClientRect().width"))

    await until(last_line_is_seen)
    before = await wide()

    async def larger() -> bool:
        return await wide() > before * 1.3

    async def smaller() -> bool:
        return await wide() < before * 0.7

    await ana.page.evaluate(PINCH, 80)
    await until(larger)
    await ana.page.evaluate(PINCH, 15)
    await until(smaller)
    await ana.page.click("[data-zoom='0']")
    await until(last_line_is_seen)


async def test_many_people_and_names_of_any_direction_and_length_stay_in_their_places(
    world: World, visit: Visit
) -> None:
    session, link = await shell(world)
    (room,) = world.hub.sharing.shares.rooms.values()
    many = await world.invite(session, "observer", max_uses=200)
    secret = tokens.hashed(many.secret)
    for n, name in enumerate(
        ("\u05d3\u05d5\u05d3 \u05db\u05d4\u05df", "W" * 36, "\u0645\u0631\u064a\u0645", *["ben"] * 197)
    ):
        ask = g.AskJoin(
            id=n, share=link.share, secret=secret, name=name, address="", token=f"t{n}", csrf="", door="local"
        )
        await room.let_in(ask)
    ana = await visit(PHONE)
    await ana.open(link)
    await ana.page.click("#regions [data-region=talk]")
    await ana.tab("people")
    await until(lambda: many_are_listed(ana))
    wide = await ana.page.evaluate(
        "[...document.querySelectorAll('#people .person')].every((row) => row.scrollWidth <= row.clientWidth)"
    )
    assert wide
    assert not await ana.page.evaluate("document.documentElement.scrollWidth > innerWidth")


async def many_are_listed(visitor: Visitor) -> bool:
    return await visitor.page.locator("#people .person").count() >= 100


async def test_a_recorded_session_shows_activity_files_figures_health_and_its_chart(
    home: Path, world: World, visit: Visit
) -> None:
    session = await start_recorded(world, home)
    link = await world.share(session)
    ana = await visit()
    await ana.open(link)
    await ana.sees("#feed", "fix the empty list case")
    assert any("Write" in line for line in await ana.words("#feed .title"))
    await ana.tab("files")
    await ana.sees("#files .file", "test_trees.py")
    assert await ana.page.locator("#files time").count() > 0
    await ana.sees("[data-figure=tokens]", "k")
    await ana.sees("[data-figure=cost]", "$")
    await ana.sees("[data-figure=context]", "%")
    await ana.sees("[data-figure=duration]", "since")
    await until(lambda: factors(ana))
    assert (await ana.page.inner_text("#health-score")).isdigit()
    await ana.until_terminal("Do you want to proceed?")
    await ana.sees("#state", "needs its owner")
    await ana.sees("footer", "Redaction is best effort")
    assert ana.complaints == []


async def factors(visitor: Visitor) -> bool:
    return len(await visitor.words("#factors li")) == 4


async def test_people_see_each_other_talk_and_who_is_writing(world: World, visit: Visit) -> None:
    session, link = await shell(world, "commenter")
    ana, ben = await visit(), await visit(PHONE)
    await ana.open(link, "Ana")
    await ben.open(link, "Ben")
    await ben.page.click("#regions [data-region=talk]")
    await ana.page.locator("#chat-text").press_sequentially("Hel")
    await ben.sees("#typing", "Ana is writing…")
    await ana.say("Hello *everybody*\u202e <b>")
    await ben.sees("#chat .word", "Hello *everybody* <b>")
    assert await ben.page.inner_text("#typing") == ""
    await ben.say("Hi Ana")
    await ana.sees("#chat .word", "Hi Ana")
    await world.client.ask(s.Say(session=session, text="The owner is here too"), m.Done)
    await ana.sees("#chat .word", "The owner is here too")
    assert [line.split("\n")[0].split(" ")[0] for line in await ana.words("#chat .word .who")] == [
        "You",
        "Ben",
        "Owner",
    ]
    await ben.tab("people")
    await ben.page.click("#rename")
    await ben.page.fill("#name-3", "Benedikt")
    await ben.page.press("#name-3", "Enter")
    await ana.tab("people")
    await ana.sees("#people .person", "Benedikt")
    await ana.sees("#people .person", "(you)")
    await ben.page.close()
    await ana.sees("#people .person[data-online=no]", "Benedikt")


async def test_a_hidden_chat_counts_what_was_not_read(world: World, visit: Visit) -> None:
    session, link = await shell(world, "commenter")
    ana = await visit()
    await ana.open(link)
    await ana.tab("queue")
    for n in range(2):
        await world.client.ask(s.Say(session=session, text=f"word {n}"), m.Done)
    await ana.sees("#tab-chat .count", "2")
    await ana.tab("chat")
    assert await ana.words("#tab-chat .count") == [""]


async def test_a_driver_queues_prompts_sees_their_places_and_takes_one_back(world: World, visit: Visit) -> None:
    env = {"HOME": str(world.place), "PATH": "/usr/bin:/bin", "PS1": "$ "}
    spawn = m.Spawn(provider="shell", cwd=str(world.place), env=env)
    session = (await world.client.ask(spawn, m.Done)).session
    await world.share(session)
    link = await world.invite(session, "driver")
    world.client.post(m.Input(session=session, data=b"sleep 1000\r"))
    ana = await visit()
    await ana.open(link)
    await ana.sees("#state", "working")
    await ana.tab("queue")
    for text in ("one", "two"):
        await ana.page.fill("#prompt-text", f": {text}")
        await ana.page.press("#prompt-text", "Enter")
        await ana.sees("#queue .prompt", f": {text}")
    assert await ana.words("#queue .position") == ["1", "2"]
    await ana.sees("#queue-why", "Waits for the end of the turn.")
    await ana.page.click("#queue .prompt:first-child button")
    await ana.sees("#queue .prompt[data-state=cancelled]", ": one")
    await ana.sees("#queue .prompt[data-state=queued] .position", "1")
    await ana.page.click("#interrupt")
    await ana.page.click("#interrupt")
    await ana.sees("#queue-paused", "paused")
    await ana.page.click("#resume")
    await ana.page.wait_for_selector("#queue-paused", state="hidden")


async def test_rights_change_while_one_looks_and_hands_reach_the_terminal(world: World, visit: Visit) -> None:
    session, link = await shell(world)
    ana = await visit()
    await ana.open(link)
    assert await ana.page.locator("#chat-form").is_hidden()
    assert await ana.page.locator("#chat-watch").is_visible()
    await ana.page.click("[data-opens=role-dialog]")
    assert (await ana.words("#rights li"))[1] == "You may not chat with everybody here"
    await ana.page.keyboard.press("Escape")
    await world.client.ask(s.SetRole(session=session, participant="Ana", role="driver", hands=True), m.Done)
    await ana.sees("#role-name", "driver, with keyboard")
    await ana.page.wait_for_selector("#chat-form:not([hidden])")
    await ana.page.click("#hands")
    await ana.page.keyboard.type("typed here")
    await ana.page.keyboard.press("Enter")
    await ana.until_terminal("[typed here]")
    await ana.page.keyboard.press("Control+]")
    assert await ana.page.evaluate("document.activeElement.id") == "hands"
    await world.client.ask(s.SetRole(session=session, participant="Ana", role="observer"), m.Done)
    await ana.page.wait_for_selector("#hands", state="hidden")
    await ana.page.wait_for_selector("#chat-form", state="hidden")
    await ana.sees("#note", "you are observer now")


async def test_what_is_refused_is_said_and_the_page_goes_on(world: World, visit: Visit) -> None:
    _, link = await shell(world, "commenter")
    ana = await visit()
    await ana.open(link)
    for n in range(22):  # twenty a minute are allowed
        await ana.say(f"word {n}")
    await ana.sees("#note", "Wait")
    await ana.sees("#chat .word", "word 19")
    await until(lambda: nobody_waits(ana))
    assert "word 21" not in "".join(await ana.words("#chat .word"))


async def nobody_waits(visitor: Visitor) -> bool:
    return await visitor.page.locator("#chat .waiting").count() == 0
