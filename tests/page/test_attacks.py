"""What strangers try: markup in everything that people can name, other sites in the same browser, a rebound name."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from tests.gateway.conftest import World
from tests.page.conftest import Visit, Visitor, start_recorded, until

pytestmark = pytest.mark.chromium

PAYLOADS = (
    "<img src=x onerror=hit()>",
    "<script>hit()</script>",
    '"><svg onload=hit()>',
    "javascript:hit()",
    "<a href=javascript:hit()>x</a>",
    "<iframe srcdoc='<script>parent.hit()</script>'>",
    "'-hit()-'",
    "{{constructor.constructor('hit()')()}}",
    "<style>@import'//evil.test'</style>",
    "\x1b]8;;javascript:hit()\x07x\x1b]8;;\x07",
    "\u202eevil\u2066",
    "</textarea><details open ontoggle=hit()>",
)

TRICKS = (
    r"\033]0;<img src=x onerror=hit()>\007", r"\033]52;c;aGk=\007", r"\033]8;;javascript:hit()\007link\033]8;;\007",
    r"\033[c\033[6n", r"\033Pq#0\033\\", r"end\n",
)  # fmt: skip

WATCH = "window.hit = () => { window.was = true }"

FOREIGN = "img, iframe, object, embed, details, style, form[action], a[href^='javascript'], script:not([src])"


async def test_nothing_that_people_or_agents_name_is_ever_markup(home: Path, world: World, visit: Visit) -> None:
    def rename(data: bytes) -> bytes:
        evil = PAYLOADS[0].replace(" ", "_").encode()
        return data.replace(b"test_trees.py", evil).replace(
            b"fix the empty list case", PAYLOADS[2].encode("unicode_escape").replace(b'"', b'\\"')
        )

    session = await start_recorded(world, home, name=PAYLOADS[0], change=rename)
    watch = await world.share(session)
    link = await world.invite(session, "driver", max_uses=4)
    ana = await visit()
    await ana.page.add_init_script(WATCH)
    await ana.open(link, PAYLOADS[1])
    names = [await world.join(watch, payload) for payload in PAYLOADS]
    for payload in PAYLOADS:
        await world.client.ask(s.Say(session=session, text=payload), m.Done)
    for payload in PAYLOADS[:3]:
        await ana.say(payload)
    guest = await world.join(link, PAYLOADS[3])
    for n, payload in enumerate(PAYLOADS[:4]):
        await guest.send("command", f"c{n}", text=payload)
        await guest.answer(f"c{n}")
    await guest.send("typing", on=True)
    await ana.sees("#chat .word", PAYLOADS[0])
    await ana.tab("people")
    await until(lambda: shown(ana, "#people .name", len(names)))
    await ana.tab("files")
    await ana.sees("#files .file", "onerror=hit()")
    await ana.tab("queue")
    await ana.sees("#queue .prompt", "<script>hit()</script>")
    await ana.tab("chat")
    await world.client.ask(s.Kick(session=session, participant=PAYLOADS[0]), m.Done)
    await ana.sees("#chat", "was removed")
    assert await ana.page.evaluate("window.was") is None
    assert await ana.page.locator(FOREIGN).count() == 0
    body = await ana.page.inner_text("body")
    assert "\u202e" not in body
    assert "\x1b" not in body
    assert ana.complaints == []


async def shown(visitor: Visitor, selector: str, least: int) -> bool:
    return len(await visitor.words(selector)) >= least


async def test_the_page_itself_cannot_turn_text_into_markup_or_load_anything_else(world: World, visit: Visit) -> None:
    link = await world.share(await world.start("/bin/sh", "-c", "sleep 1000"))
    ana = await visit()
    await ana.open(link)
    refused = await ana.page.evaluate(
        """(async () => {
            const tries = {
                markup: () => { document.body.innerHTML = '<b>x</b>'; },
                policy: () => trustedTypes.createPolicy('x', { createHTML: (text) => text }),
                code: () => eval('1'),
                elsewhere: () => fetch('http://evil.test:1/'),
                styles: () => {
                    const sheet = document.createElementNS('http://www.w3.org/1999/xhtml', 'style');
                    sheet.append('body { color: rgb(1, 2, 3) }');
                    document.body.append(sheet);
                    if (getComputedStyle(document.body).color !== 'rgb(1, 2, 3)') throw new Error('no effect');
                },
            };
            const refused = [];
            for (const [name, attempt] of Object.entries(tries)) {
                await new Promise((next) => setTimeout(async () => {  // from the page, not from the developer tools
                    try { await attempt(); } catch { refused.push(name); }
                    next();
                }));
            }
            return refused;
        })()"""
    )
    assert refused == ["markup", "policy", "code", "elsewhere", "styles"]


async def test_a_program_in_the_terminal_cannot_reach_the_browser(world: World, visit: Visit) -> None:
    session = await world.start("/bin/sh", "-c", f"printf '{''.join(TRICKS)}'; while read x; do echo [$x]; done")
    link = await world.share(session)
    ana = await visit()
    await ana.page.add_init_script(WATCH)
    typed: list[str] = []
    ana.page.on("websocket", lambda socket: socket.on("framesent", lambda data: typed.append(str(data))))
    await ana.open(link)
    await ana.until_terminal("linkend")
    await ana.page.locator(".xterm-screen").click()
    assert await ana.page.evaluate("window.was") is None
    assert await ana.page.locator(FOREIGN).count() == 0
    assert not any('"keys"' in text for text in typed), "no query may be answered for the owner's program"
    assert ana.complaints == []


# ── other sites in the same browser ────────────────────────────────────────────────────────────


class Empty(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """The port of another site on this machine."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Empty) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


SOCKET = """(address) => new Promise((resolve) => {
    const socket = new WebSocket(address, 'agentdeck.v1');
    socket.onmessage = () => resolve('heard something');
    socket.onopen = () => resolve('open');
    socket.onclose = () => resolve('refused');
})"""

SEND = """async ([base, share]) => {
    const body = JSON.stringify({ t: 'chat', d: { text: 'from elsewhere' } });
    for (const type of ['text/plain', 'application/json']) {
        await fetch(`${base}/v1/s/${share}/messages`,
            { method: 'POST', mode: 'no-cors', credentials: 'include', headers: { 'content-type': type }, body })
            .catch(() => 0);
    }
    return fetch(`${base}/v1/s/${share}`, { credentials: 'include' }).then(() => 'read', () => 'refused');
}"""


async def test_another_site_can_neither_connect_nor_read_nor_speak(world: World, visit: Visit, elsewhere: int) -> None:
    session = await world.start("/bin/sh", "-c", "sleep 1000")
    await world.share(session)
    link = await world.invite(session, "commenter")
    ana = await visit()
    await ana.open(link)  # its cookie is in the browser from now on
    last = (await world.facts()).last_seq
    socket = f"{link.base.replace('http', 'ws')}/v1/s/{link.share}/ws"
    tab = await ana.page.context.new_page()
    for site in (f"http://127.0.0.1:{elsewhere}/", f"http://evil.test:{elsewhere}/"):
        await tab.goto(site)
        assert await tab.evaluate(SOCKET, socket) == "refused"
        assert await tab.evaluate(SEND, [link.base, link.share]) == "refused"
        framed = await tab.evaluate(
            """(address) => new Promise((resolve) => {
                const frame = document.createElement('iframe');
                frame.onload = () => resolve(frame.contentDocument ? 'readable' : 'opaque');
                frame.src = address;
                document.body.append(frame);
            })""",
            f"{link.base}/s/{link.share}",
        )
        assert framed == "opaque"
        assert "chrome-error" in tab.frames[-1].url or await tab.frames[-1].locator("#session").count() == 0
    assert (await world.facts()).last_seq == last


async def test_a_name_that_was_rebound_to_this_machine_gets_nothing(world: World, visit: Visit) -> None:
    session = await world.start("/bin/sh", "-c", "sleep 1000")
    link = await world.share(session)
    ana = await visit()
    await ana.open(link)
    rebound = link.base.replace("127.0.0.1", "evil.test")
    tab = await ana.page.context.new_page()
    answer = await tab.goto(f"{rebound}/s/{link.share}")
    assert answer is not None
    assert answer.status == 403
    read = await tab.evaluate(f"fetch('/v1/s/{link.share}').then((answer) => answer.status)")
    assert read == 403
    assert await tab.evaluate(SOCKET, f"{rebound.replace('http', 'ws')}/v1/s/{link.share}/ws") == "refused"
    joined = await tab.evaluate(
        f"""fetch('/v1/s/{link.share}/join', {{ method: 'POST', headers: {{ 'content-type': 'application/json' }},
            body: JSON.stringify({{ secret: '{link.secret}' }}) }}).then((answer) => answer.status)"""
    )
    assert joined == 403
