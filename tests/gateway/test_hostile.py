"""Whatever strangers and programs send, viewers get plain messages, the gateway stays up, and no secret is written."""

import asyncio
import contextlib
import os
import re
import sys
from pathlib import Path
from typing import Any, Final

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio import client as websocket
from websockets.exceptions import ConnectionClosed

from agentdeck.gateway.socket import _decoded
from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from agentdeck.protocol import viewers as v
from agentdeck.share.refusal import RefusedError
from tests.gateway.conftest import Link, World

OPEN: Final = (4400, 4401, 4413, 4429, 1009, 1002, 1007)
"""How a hostile connection may end. Never 1011: that would be a bug of ours."""

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=12,
)
kinds = st.sampled_from([kind.name for kind in v.KINDS] + ["", "hello", "x" * 33]) | st.text(max_size=10)
near_messages = st.fixed_dictionaries({}, optional={"t": kinds, "id": st.text(max_size=70), "d": json_values})


@given(near_messages | json_values)
@settings(max_examples=400, deadline=None)
def test_whatever_is_no_message_is_refused_in_the_words_of_the_protocol(value: Any) -> None:
    try:
        sent = _decoded(msgspec.json.encode(value))
        kind = v.BY_NAME.get(sent.t)
        if kind is not None and kind.client is not None:
            msgspec.json.decode(sent.d, type=kind.client)
    except (RefusedError, msgspec.DecodeError):
        pass


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_bytes_that_are_no_json_are_refused_too(data: bytes) -> None:
    with contextlib.suppress(RefusedError):
        _decoded(data)


async def attack(link: Link, token: str, *messages: str | bytes) -> int | None:
    """Send messages one after the other; return how the connection ended, None if it did not."""
    async with websocket.connect(
        f"{link.base.replace('http', 'ws')}/v1/s/{link.share}/ws",
        additional_headers={"Authorization": f"Bearer {token}"}, compression=None, max_size=None, ping_interval=None,
    ) as socket:  # fmt: skip
        try:
            for message in messages:
                await socket.send(message)
            async with asyncio.timeout(1.5):
                async for _ in socket:
                    pass
        except (ConnectionClosed, TimeoutError):
            pass
        return socket.close_code


async def test_hostile_messages_end_their_own_connection_and_nothing_else(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "while read x; do echo [$x]; done")
    link = await world.share(session, max_uses=30)
    good = await world.join(link, "ana")
    auth = '{"t":"auth"}'
    for messages in (
        ["x"], [""], ["null"], ["[" * 20_000], ['{"t":"auth","d":{"since":-1}}'], ['{"t":"auth","d":{"since":NaN}}'],
        [b"\x00\xff"], [auth, b"\x00"], [auth, "x" * 33_000], [auth, "x" * 200_000], [auth, "nonsense"],
        [auth, '{"t":"chat","d":' + '{"a":' * 5_000 + "1" + "}" * 5_000 + "}"], [auth, *['{"t":"typing"}'] * 200],
        ['{"t":"chat"}'],
    ):  # fmt: skip
        joined = await world.token(link)
        assert await attack(link, joined.token, *messages) in OPEN, messages[-1][:40]
    world.client.post(m.Input(session=session, data=b"fine\r"))
    await good.until(lambda: "[fine]" in good.screen)
    assert good.closed is None


async def test_frames_that_break_the_rules_of_websockets_are_no_problem(world: World) -> None:
    link = await world.share(await world.start("/bin/sh", "-c", "sleep 1000"))
    joined = await world.token(link)
    host, port = link.base.removeprefix("http://").rsplit(":", 1)
    for frames in (
        b"\x81\x05hello",  # not masked
        b"\xf1\x80\0\0\0\0",  # reserved bits
        b"\x81\xff" + b"\x7f" + b"\xff" * 7 + b"\0\0\0\0",  # announces 2^63 bytes
        b"\x83\x80\0\0\0\0",  # unknown opcode
        b"\x09\x80\0\0\0\0",  # a fragmented ping
        b"\x80\x80\0\0\0\0",  # a continuation of nothing
        b"\x89\x80\0\0\0\0" * 5000,  # pings
        b"\x81\x82\0\0\0\0\xff\xfe",  # no UTF-8
        os.urandom(2000),
    ):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"GET /v1/s/{link.share}/ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nAuthorization: Bearer {joined.token}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        await reader.readuntil(b"\r\n\r\n")
        writer.write(frames)
        with contextlib.suppress(TimeoutError, ConnectionError):
            answer = await asyncio.wait_for(reader.read(), 6)
            assert b"\x03\xf3" not in answer, "1011 would be a bug of ours"
        writer.close()
    guest = await world.join(await world.invite((await world.facts()).session, "observer"))
    assert guest.closed is None


PROGRAM: Final = """
printf '\\033]0;<script>alert(1)</script>\\007\\033]52;c;c2VjcmV0\\007'
printf '\\033]8;;javascript:alert(1)\\033\\\\click\\033]8;;\\033\\\\'
printf '\\033P+q544e\\033\\\\\\033[c\\033[6n\\033[>q\\033]11;?\\007\\033_Gi=1;AAAA\\033\\\\\\u202eevil\\u2066'
printf '\\033]1337;File=inline=1:AAAA\\007<img src=x onerror=alert(1)>'
sleep 1000
"""


async def test_nothing_that_could_steer_a_terminal_reaches_a_viewer(world: World) -> None:
    session = await world.start("/bin/bash", "-c", PROGRAM)
    await world.share(session)
    guest = await world.join(await world.invite(session, "commenter"), "<b>ana</b>")
    await guest.until(lambda: "onerror" in guest.screen)
    await guest.send("chat", "k", text="\x1b]52;c;eA==\x07\x1b[2J\u202ehello\x00")
    await guest.until(lambda: guest.of("chat"))
    for sent in guest.wire:
        text = str(msgspec.json.decode(sent))
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
        assert "javascript:" not in text
        assert b"c2VjcmV0" not in sent
    assert "]52;c;eA==[2Jhello" in guest.of("chat")[0]["d"]["text"]


async def test_no_secret_is_on_the_disk_or_in_a_log_and_no_place_or_name_on_the_wire(world: World) -> None:
    session = await world.start(
        "/bin/sh", "-c", 'echo "$API_TOKEN $HOME $(hostname) user@host"; pwd; while read x; do eval "$x"; done',
        env={"API_TOKEN": "Zq81kLmQ09vTn2PqRb77"},
    )  # fmt: skip
    (world.place / ".env").write_text("DB_URL=postgres-k3y9Xx2Qq7\n")
    link = await world.share(session)
    joined = await world.token(link, "ana")
    guest = await world.enter(link, joined.token)
    await guest.until(lambda: "█" in guest.screen)
    world.client.post(m.Input(session=session, data=b"cat .env\r"))
    await guest.until(lambda: "DB_URL=█" in guest.screen)
    code = link.code
    await world.client.ask(s.Say(session=session, text="hello"), m.Done)
    await guest.until(lambda: guest.of("chat"))
    home = os.environ.get("HOME", "/nonexistent")
    wire = b"".join(guest.wire)
    for private in (
        "Zq81kLmQ09vTn2PqRb77",
        "postgres-k3y9Xx2Qq7",
        str(world.paths.state),
        *([home] if home != "/" else []),
    ):
        assert private.encode() not in wire, private
    kept = [
        path for root in (world.paths.state, world.paths.config.parent) for path in root.rglob("*") if path.is_file()
    ]
    assert any(path.suffix == ".log" for path in kept)
    assert any(path.name == "usage.db" for path in kept)
    for path in kept:
        data = path.read_bytes()
        for secret in (link.secret, joined.token, joined.csrf, code, code.replace("-", ""), "Zq81kLmQ09vTn2PqRb77"):
            assert secret.encode() not in data, path.name
        assert path.stat().st_mode & 0o077 == 0, path.name


REFUSALS = sorted({str(code.status) for code in v.CODES} | {"405"})


async def test_the_routes_do_what_their_document_says(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "echo hello; sleep 1000")
    await world.share(session)
    link = await world.invite(session, "driver")
    joined = await world.token(link, "fuzz")
    config = world.place / "schemathesis.toml"
    config.write_text(
        f'[parameters]\n"path.share" = "{link.share}"\n'
        f"[checks.negative_data_rejection]\nexpected-statuses = {REFUSALS}\n"
    )
    program = Path(sys.executable).with_name("schemathesis")
    fuzz = await asyncio.create_subprocess_exec(
        program, "--config-file", config, "run", f"{link.base}/v1/openapi.json",
        "-H", f"Authorization: Bearer {joined.token}", "--exclude-path", "/v1/s/{share}/events",
        "--max-examples", os.environ.get("AGENTDECK_FUZZ_ROUTES", "15"), "--checks", "all",
        "--suppress-health-check", "all", "--no-color",
        cwd=world.place, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    told, _ = await asyncio.wait_for(fuzz.communicate(), 100)
    assert fuzz.returncode == 0, told.decode()[-4000:]
    assert "Traceback" not in (world.paths.state / "gateway.log").read_text()
