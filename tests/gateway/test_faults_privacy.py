"""Everything that a viewer gets of a whole scripted session, taken off the wire: no place, name, value or escape of the
owner's is in it.
"""

import getpass
import json
import re
import socket
from pathlib import Path
from typing import Final

import httpx
import msgspec

from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from tests.gateway.conftest import Guest, Link, World
from tests.gateway.test_foreign import used
from tests.hub.test_hub_facts import SESSION, Transcript, home

__all__ = ["home"]

VALUES: Final = {
    "ANTHROPIC_API_KEY": "sk-ant-api03-Zx81kLmQ09vTn2PqRb77Yw5Ds3Fg6Hj4",
    "GITHUB_TOKEN": "ghp_a8Kd93kfLs02mfPq84hfDk29sLfm3kWq91Lz",
    "DB_PASSWORD": "correct-horse-battery",
    "MY_SECRET": "l33tl33tl33t",
    "PGPASSWORD": "swordfish-9",
    "STRIPE_KEY": "plainlookingvalue77",
}
ENV_FILE: Final = {"SESSION_KEY": "q7w8e9r0t1y2u3", "MAIL_URL": "smtp://bot:fishfish99@mail.test"}
UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u202a-\u202e\u2066-\u2069]")


async def everything(link: Link, token: str) -> bytes:
    """What every route tells, and the beginning of the event stream."""
    told = b""
    async with httpx.AsyncClient(base_url=link.base, headers={"Authorization": f"Bearer {token}"}) as http:
        for path in ("", "/screen", "/snapshot", "/participants", "/queue", "/messages", "/history"):
            answer = await http.get(f"/v1/s/{link.share}{path}")
            assert answer.status_code in (200, 503)
            told += answer.content + str(answer.headers).encode()
        plain = await http.get(f"/v1/s/{link.share}/screen", headers={"Accept": "text/plain"})
        async with http.stream("GET", f"/v1/s/{link.share}/events") as stream:
            async for line in stream.aiter_lines():
                told += line.encode()
                if line.startswith("event: snapshot"):
                    break
    return told + plain.content


def private(world: World, *more: str) -> list[str]:
    """What must not be told, as far as it is telling: a user called `a` is in every word."""
    names = [str(world.paths.state), str(Path.home()), getpass.getuser(), socket.gethostname()]
    return [each for each in (*names, *more) if len(each) > 5 and each != "/"]


def seen(guest: Guest) -> bytes:
    return b"".join(guest.wire)


async def test_a_terminal_session_tells_no_value_of_its_environment_no_home_no_user_and_no_host(world: World) -> None:
    (world.place / ".env").write_text("".join(f"{name}={value}\n" for name, value in ENV_FILE.items()))
    script = "; ".join(
        (
            'env; pwd; echo "$HOME/x"; hostname; id -un; uname -n; cat .env; ls -la "$HOME"',
            'printf "\\033]0;%s@%s:%s\\007" "$USER" "$(hostname)" "$PWD"',
            'echo "url postgres://me:$DB_PASSWORD@db/x"; printf "%s" "$GITHUB_TOKEN" | fold -w 7; echo',
            'printf "%s" "$MY_SECRET" | base64; echo ready; while read x; do echo "[$x]"; done',
        )
    )
    user = {"USER": "wilhelmina", "LOGNAME": "wilhelmina"}
    session = await world.start("/bin/sh", "-c", script, env={**VALUES, **user})
    await world.share(session)
    link = await world.invite(session, "driver", max_uses=2)
    joined = await world.token(link, "ben")
    guest = await world.join(link, "ana")
    await guest.until(lambda: "ready" in guest.screen)
    for n, name in enumerate(VALUES):
        world.client.post(m.Input(session=session, data=f"{VALUES[name]}\r".encode()))
        await guest.until(lambda n=n: guest.screen.count("[") > n)  # type: ignore[misc]
    await world.client.ask(m.Rename(session=session, name=f"work on {VALUES['STRIPE_KEY']}"), m.Done)
    await guest.send("chat", "1", text="hello")
    await guest.answer("1")
    wire = seen(guest) + await everything(link, joined.token)
    for value in (*VALUES.values(), *ENV_FILE.values(), *private(world), "wilhelmina"):
        assert value.encode() not in wire, value
        assert json.dumps(value).strip('"').encode() not in wire, value


async def test_a_transcript_tells_no_place_no_name_and_no_secret_of_its_prompts_calls_and_files(
    home: Path, world: World
) -> None:
    transcript = Transcript(home)
    key = VALUES["ANTHROPIC_API_KEY"]
    await world.client.ask(s.AllowRepository(path="/home/dev"), m.Done)
    transcript.prompt(f"use {key} in {home}/project")
    link = Link((await world.client.ask(s.Share(session=SESSION), s.Shared)).url)
    joined = await world.token(link, "ana")
    guest = await world.enter(link, joined.token)
    transcript.write(used("t1", "Read", file_path=f"{home}/project/.env"))
    transcript.result("t1", f"KEY={key}")
    transcript.write(used("t2", "Bash", command=f"ssh {getpass.getuser()}@{socket.gethostname()} 'TOKEN={key} x'"))
    transcript.result("t2", f"{home}: {key}")
    transcript.write(used("t3", "Write", file_path=f"{home}/project/{key}.txt", content="x"))
    result = [{"type": "tool_result", "tool_use_id": "t3", "content": "done"}]
    made = {"type": "create", "filePath": f"{home}/project/{key}.txt", "content": "x", "structuredPatch": []}
    transcript.write({"type": "user", "message": {"role": "user", "content": result}, "toolUseResult": made})
    transcript.answer({"type": "text", "text": f"Your key {key} is in {home}/project/.env"})
    await guest.until(lambda: sum(each["d"]["status"] == "ok" for each in guest.of("feed")) >= 3)
    await guest.until(lambda: guest.newest("session_file_update").get("files"))
    wire = seen(guest) + await everything(link, joined.token)
    for value in (key, *private(world, str(home))):
        assert value.encode() not in wire, value


PROGRAM: Final = r"""
import sys
w = sys.stdout.write
w("\x1b]52;c;" + "QUFB" * 250_000 + "\x07")              # a megabyte for the clipboard
w("\x1b]0;" + "t" * 1_000_000 + "\x1b\\")                # a megabyte of title
w("\x1b]8;;javascript:alert(1)\x1b\\link\x1b]8;;\x1b\\")
w("\x1bPq#0;2;0;0;0#0~~@@vv@@~~$-\x1b\\")                # sixel
w("\x1bP+q544e;1b5d\x1b\\\x1bP$qm\x1b\\")                # questions in DCS
w("\x1b_Ga=T,f=100;" + "iVBORw0KGgo" * 20_000 + "\x1b\\\x1b^private\x1b\\\x1bXstart of string\x1b\\")
w("\x1b]1337;File=inline=1:AAAA\x07\x1b]9;4;1;50\x07\x1b]777;notify;a;b\x07\x1b]7;file://host/home/me\x07")
w("\x1b[c\x1b[>c\x1b[=c\x1b[5n\x1b[6n\x1b[?6n\x1b[18t\x1b[21t\x1b[>q\x1b[?u\x1b]10;?\x07\x1b]4;1;?\x07\x05\x1bZ")
w("\x9b31m\x9d0;c1\x9c\x90q\x9c \u202eright to left\u2066 \u200bzero")
w("\x1b[200~paste\x1b[201~ <script>alert(1)</script>\r\nthe end\r\n")
sys.stdout.flush()
sys.stdin.readline()
"""


async def test_whatever_a_program_prints_viewers_get_cells_and_plain_words(world: World) -> None:
    (world.place / "program.py").write_text(PROGRAM)
    session = await world.start("/usr/bin/env", "python3", str(world.place / "program.py"))
    await world.share(session)
    link = await world.invite(session, "commenter", max_uses=2)
    joined = await world.token(link, "ben")
    guest = await world.join(link, "ana")
    await guest.until(lambda: "the end" in guest.screen)
    wire = [*guest.wire, await everything(link, joined.token)]
    for sent in guest.wire:
        assert not UNSEEN.search(str(msgspec.json.decode(sent)))
        assert len(sent) < 64 * 1024, "a megabyte of title is no megabyte for viewers"
    for sent in wire:
        for trace in (
            b"\\u001b",
            b"\\u009b",
            b"\\u009d",
            b"\x1b",
            b"QUFBQUFB",
            b"javascript:",
            b"iVBORw",
            b"544e",
            b"1337",
        ):
            assert trace not in sent, trace
    sgr = {part for each in guest.of("screen") for _, runs in each["d"]["lines"] for _, part in runs}
    assert all(re.fullmatch(r"[0-9;:]*", part) for part in sgr), "a style is numbers"
