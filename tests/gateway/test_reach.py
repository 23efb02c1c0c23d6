"""Beyond this machine: TLS with a certificate of our own or the owner's, the name of a proxy, and who is let in where.

Everything listens on loopback only: 127.0.0.2 stands for another address of this machine, 127.0.0.3 for a proxy's.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import socket
import ssl
import stat
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from websockets.asyncio import client as websocket
from websockets.exceptions import InvalidStatus

from agentdeck.errors import RepositoryError, ShareError, UsageError
from agentdeck.gateway import doors
from agentdeck.join import door
from agentdeck.join.link import Code, read
from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from agentdeck.protocol import viewers as v
from agentdeck.share import certificate, meeting, reach
from tests.gateway.authority import DAY, Authority
from tests.gateway.conftest import Guest, Link, World
from tests.gateway.proxy import Proxy, proxied
from tests.hub.conftest import until
from tests.join.test_real_gateway import Seat, seated

pytestmark = [
    pytest.mark.timeout(90),
    pytest.mark.skipif(sys.platform != "linux", reason="needs 127.0.0.2, which only Linux has without being asked"),
]

FAR = "127.0.0.2"
PROXY = "127.0.0.3"
SHELL = ("/bin/sh", "-c", 'while read -r word; do echo "heard $word"; done')


async def lan(world: World, session: str = "", **more: str | bool) -> Link:
    """A session that other machines may see."""
    session = session or await world.start(*SHELL)
    await world.client.ask(s.AllowRepository(path=str(world.place), server="lan"), m.Done)
    return await world.share(session, **{"lan": True, "host": FAR, **more})


def port_of(link: Link) -> int:
    return int(link.base.rpartition(":")[2])


def kept(world: World) -> Path:
    return world.paths.run / certificate.FILE


async def pinned(link: Link) -> ssl.SSLContext:
    """What a program knows of the server whose link it has."""
    what = read(link.url)
    assert what.fingerprint
    return door.context("", await door.shown(link.base, what.fingerprint))


async def entered(link: Link, joined: v.Joined, context: ssl.SSLContext, **headers: str) -> Guest:
    connection = await websocket.connect(
        f"{link.base.replace('http', 'ws', 1)}/v1/s/{link.share}/ws", ssl=context, compression=None, max_size=None,
        additional_headers={"Authorization": f"Bearer {joined.token}", **headers},
        subprotocols=[v.SUBPROTOCOL],  # type: ignore[list-item]
    )  # fmt: skip
    guest = Guest(connection)
    await guest.send("auth", since=0, epoch="")
    guest.reader = asyncio.create_task(guest.listen())
    return guest


# ── a certificate of our own ───────────────────────────────────────────────────────────────────


async def test_without_a_certificate_one_is_made_for_days_and_its_fingerprint_is_in_the_link(world: World) -> None:
    session = await world.start(*SHELL)
    link = await lan(world, session)
    assert link.base == f"https://{FAR}:{port_of(link)}"
    told = await world.client.ask(s.Share(session=session), s.Shared)
    shown = ssl.PEM_cert_to_DER_cert(await asyncio.to_thread(ssl.get_server_certificate, (FAR, port_of(link))))
    fingerprint = hashlib.sha256(shown).hexdigest()
    assert (read(link.url).fingerprint, told.fingerprint) == (fingerprint, fingerprint)
    assert stat.S_IMODE(kept(world).stat().st_mode) == 0o600
    made = x509.load_der_x509_certificate(shown)
    now = datetime.now(UTC)
    assert timedelta(days=3) < made.not_valid_after_utc - now < timedelta(days=30)
    assert made.not_valid_before_utc < now
    named = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {FAR, "127.0.0.1", "::1"} <= set(map(str, named.get_values_for_type(x509.IPAddress)))
    assert {"localhost", *reach.names()} <= set(named.get_values_for_type(x509.DNSName))


async def test_everything_works_over_tls_and_this_machine_goes_on_without_it(world: World) -> None:
    session = await world.start(*SHELL)
    link = await lan(world, session, role="commenter")
    context = await pinned(link)
    async with httpx.AsyncClient(base_url=link.base, verify=context) as http:
        assert "<title>" in (await http.get(f"/s/{link.share}")).text
        page = await http.post(
            f"/v1/s/{link.share}/join", json={"secret": link.secret, "name": "ana"}, headers={"Origin": link.base}
        )
        assert "Secure" in page.headers["set-cookie"]
        http.cookies.clear()
        answer = await http.post(f"/v1/s/{link.share}/join", json={"secret": link.secret, "name": "bo", "bearer": True})
        joined = v.Joined(**answer.json())
        bearer = {"Authorization": f"Bearer {joined.token}"}
        async with http.stream("GET", f"/v1/s/{link.share}/events", headers=bearer) as stream:
            assert stream.headers["x-accel-buffering"] == "no"
            await world.client.ask(s.Say(session=session, text="pomegranate"), m.Done)
            async for line in stream.aiter_lines():
                if "pomegranate" in line:
                    break
    guest = await entered(link, joined, context)
    await guest.until(lambda: guest.of("snapshot"))
    await world.client.ask(m.SendText(session=session, text="quince"), m.Done)
    await guest.until(lambda: "heard quince" in guest.screen)
    await guest.socket.close()
    near = Link(f"http://127.0.0.1:{port_of(link)}/s/{link.share}#{link.secret}")
    assert (await world.token(near, "cy")).role == "commenter"
    async with httpx.AsyncClient(base_url=near.base) as http:
        page = await http.post(
            f"/v1/s/{link.share}/join", json={"secret": link.secret, "name": "di"}, headers={"Origin": near.base}
        )
    assert page.status_code == 200
    assert "Secure" not in page.headers["set-cookie"]


async def test_a_terminal_joins_by_the_link_alone_and_by_a_code_with_the_fingerprint(world: World) -> None:
    session = await world.start(*SHELL)
    link = await lan(world, session)
    async with seated(await door.enter(read(link.url), "ana")) as seat:
        await until(lambda: seat.line.state.up)
        await world.client.ask(m.SendText(session=session, text="medlar"), m.Done)
        await until(lambda: "heard medlar" in seat.screen)
    way = await door.enter(read(link.code, link.base, read(link.url).fingerprint), "ben")
    assert way.joined.pending
    with pytest.raises(ShareError, match="is not trusted here") as caught:
        await door.enter(Code(link.code, link.base), "eve")
    assert "--fingerprint" in caught.value.hint


async def test_a_wrong_fingerprint_is_one_sentence_and_nothing_is_sent(world: World) -> None:
    link = await lan(world)
    wrong = read(link.url.rpartition(".")[0] + "." + "A" * 43)
    with pytest.raises(ShareError, match="somebody may stand between") as caught:
        await door.enter(wrong, "ana")
    assert caught.value.exit_code == 9
    assert not (await world.facts()).people


async def test_whoever_shows_another_certificate_later_gets_no_token(world: World, tmp_path: Path) -> None:
    link = await lan(world)
    way = await door.enter(read(link.url), "ana")
    false = Authority(tmp_path).issue(FAR)
    taken: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(await reader.read(100))
        writer.close()

    impostor = await asyncio.start_server(take, PROXY, 0, ssl=false.server())
    port = impostor.sockets[0].getsockname()[1]
    seat = Seat(door.Pass(f"https://{PROXY}:{port}", way.joined, pinned=way.pinned))
    await until(lambda: seat.line.state.tries > 1)
    assert "another certificate" in seat.line.state.why
    await seat.line.leave()
    await seat.task
    impostor.close()
    assert b"".join(taken) == b""


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1")
async def test_old_tls_plain_text_and_noise_get_nothing_and_break_nothing(world: World) -> None:
    link = await lan(world)
    before = world.gateway_pid()
    for words in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\xff\xff" + os.urandom(2000), b"", b"\x00" * 9):
        reader, writer = await asyncio.open_connection(FAR, port_of(link))
        writer.write(words)
        writer.write_eof()
        told = await asyncio.wait_for(reader.read(), 10)
        assert b"HTTP" not in told, words
        writer.close()
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection(FAR, port_of(link), ssl=old)
    async with httpx.AsyncClient(base_url=link.base, verify=await pinned(link)) as http:
        assert (await http.get(f"/s/{link.share}")).status_code == 200
    assert world.gateway_pid() == before


async def test_a_viewer_over_tls_that_does_not_read_is_cut_off_and_costs_others_nothing(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "while :; do head -c 3000 /dev/urandom | base64; sleep 0.02; done")
    link = await lan(world, session)
    context = await pinned(link)
    way = await door.enter(read(link.url), "ana")
    good = await entered(link, way.joined, context)
    await good.until(lambda: good.of("snapshot"))
    text = b'{"t":"auth"}'
    asks = (
        f"GET /v1/s/{link.share}/ws HTTP/1.1\r\nHost: {FAR}:{port_of(link)}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nAuthorization: Bearer {way.joined.token}\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()

    def stall() -> ssl.SSLSocket:
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        plain.settimeout(10)
        plain.connect((FAR, port_of(link)))
        sealed = context.wrap_socket(plain, server_hostname=FAR)
        sealed.sendall(asks)
        assert sealed.recv(100).startswith(b"HTTP/1.1 101")
        sealed.sendall(bytes((0x81, 0x80 | len(text))) + bytes(4) + text)
        return sealed

    stalled = await asyncio.to_thread(stall)
    room = world.hub.sharing.shares.rooms[link.share].room
    await until(lambda: room.online.get(way.joined.participant) == 2)
    await until(lambda: room.online.get(way.joined.participant) == 1, 25)
    assert good.closed is None
    heard = len(good.of("screen"))
    await good.until(lambda: len(good.of("screen")) > heard + 5)
    stalled.close()
    await good.socket.close()


async def test_at_the_tls_door_only_names_of_this_machine_are_served_whole(world: World) -> None:
    link = await lan(world)
    port, context = port_of(link), await pinned(link)
    good = [FAR, "127.0.0.1", "localhost", "[::1]", *reach.names()]
    bad = ["evil.test", "127.0.0.3", f"{FAR}.evil.test", "127.0.0", "0.0.0.0", f"x.{reach.names()[0]}", f"{FAR}.", ""]
    async with httpx.AsyncClient(base_url=link.base, verify=context) as http:
        for host in good:
            answer = await http.get("/join", headers={"Host": f"{host}:{port}", "Origin": f"https://{host}:{port}"})
            assert answer.status_code == 200, host
        for host in bad:
            assert (await http.get("/join", headers={"Host": f"{host}:{port}"})).status_code == 403, host
            answer = await http.get("/join", headers={"Origin": f"https://{host}:{port}"})
            assert answer.status_code == 403, host
        for headers in ({"Host": FAR}, {"Origin": f"http://{FAR}:{port}"}, {"Origin": "null"}):
            assert (await http.get("/join", headers=headers)).status_code == 403, headers
        near = await http.get(f"http://127.0.0.1:{port}/join", headers={"Host": f"{FAR}:{port}"})
        assert near.status_code == 403, "each door has its own names"


def test_a_certificate_is_kept_until_it_ends_soon_or_lacks_a_name(tmp_path: Path) -> None:
    file = tmp_path / "gateway.pem"
    first = certificate.own(file, ["a.test", "10.0.0.1"], ["a.test"])
    assert certificate.own(file, ["b.test"], ["10.0.0.1"]) == first
    second = certificate.own(file, ["b.test"], ["b.test"])
    assert second.fingerprint != first.fingerprint
    assert second.hosts == ("b.test",)
    file.write_text("rubbish")
    assert certificate.own(file, ["b.test"], ["b.test"]).fingerprint != second.fingerprint
    old = Authority(tmp_path).issue("b.test", ends=DAY)
    file.write_bytes(old.key.read_bytes() + old.cert.read_bytes())
    assert not certificate.load(file, file).self_signed
    assert certificate.own(file, ["b.test"], ["b.test"]).self_signed, "one that ends tomorrow is made anew"


# ── the owner's certificate ────────────────────────────────────────────────────────────────────


async def test_a_certificate_of_an_authority_is_shown_and_joiners_trust_the_authority(
    world: World, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    files = authority.issue(FAR, "box.test")
    link = await lan(world, cert=str(files.cert), key=str(files.key))
    assert read(link.url).fingerprint == ""
    with pytest.raises(ShareError, match="is not trusted here"):
        await door.enter(read(link.url), "ana")
    async with seated(await door.enter(read(link.url), "ana", str(authority.file))) as seat:
        await until(lambda: seat.line.state.up)
    other = certificate.load(files.cert, files.key).fingerprint
    assert (await door.enter(read(link.url, "", other), "ben")).joined.token
    assert not kept(world).exists()


async def test_a_certificate_that_is_no_good_is_refused_and_changes_nothing(world: World, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    session = await world.start(*SHELL)
    await world.share(session)
    pid = world.gateway_pid()
    good, other = authority.issue(FAR), authority.issue(FAR, name="other")
    old = authority.issue(FAR, starts=-2 * DAY, ends=-DAY, name="old")
    early = authority.issue(FAR, starts=DAY, ends=2 * DAY, name="early")
    locked = authority.issue(FAR, passphrase=b"sesame", name="locked")
    elsewhere = authority.issue("box.test", name="elsewhere")
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("rubbish")
    cases = {
        "there is no file": (tmp_path / "none.pem", good.key),
        "holds no certificate": (rubbish, good.key),
        "holds no private key": (good.cert, rubbish),
        "does not belong": (good.cert, other.key),
        "expired on": (old.cert, old.key),
        "is not valid before": (early.cert, early.key),
        "locked with a passphrase": (locked.cert, locked.key),
        f"is not for {FAR}": (elsewhere.cert, elsewhere.key),
    }
    for sentence, (cert, key) in cases.items():
        with pytest.raises(UsageError, match=sentence) as caught:
            await lan(world, session, cert=str(cert), key=str(key))
        assert caught.value.exit_code == 2
        assert caught.value.hint
    for more, sentence in (
        ({"cert": str(good.cert)}, "go together"),
        ({"host": "localhost"}, "this machine alone"),
        ({"host": "https://x"}, "is no host"),
        ({"host": "0.0.0.0"}, "no address of one machine"),
        ({"lan": False}, "belong to --lan"),
        ({"url": "https://x.test"}, "two ways"),
    ):
        with pytest.raises(UsageError, match=sentence):
            await lan(world, session, **more)
    assert (world.gateway_pid(), (await world.facts()).server) == (pid, "local")


# ── one gateway, several places ────────────────────────────────────────────────────────────────


async def test_a_second_share_opens_the_door_and_viewers_of_the_first_come_back_to_the_same_port(world: World) -> None:
    first = await world.start(*SHELL)
    near = await world.share(first, role="commenter")
    pid = world.gateway_pid()
    async with seated(await door.enter(read(near.url), "ana")) as seat:
        await until(lambda: seat.line.state.up)
        seat.line.say("chat", text="before")
        await until(lambda: seat.talk == ["before"])
        far = await lan(world)
        assert world.gateway_pid() != pid
        assert port_of(far) == port_of(near)
        await until(lambda: seat.line.state.up and seat.line.room.here)
        seat.line.say("chat", text="after")
        await until(lambda: seat.talk == ["before", "after"])
        async with seated(await door.enter(read(far.url), "ben")) as other:
            await until(lambda: other.line.state.up)
        again = await world.share(first)
        assert again.base == near.base


async def test_a_place_that_cannot_be_had_leaves_everything_as_it_was(world: World) -> None:
    first = await world.start(*SHELL)
    near = await world.share(first)
    async with seated(await door.enter(read(near.url), "ana")) as seat:
        await until(lambda: seat.line.state.up)
        with socket.socket() as other:
            other.bind((FAR, port_of(near)))
            other.listen()
            with pytest.raises(ShareError, match="the gateway did not start"):
                await lan(world)
        await until(lambda: seat.line.state.up and seat.line.room.here)
        assert (await world.share(first)).url == near.url


async def test_what_is_shared_here_cannot_be_reached_from_elsewhere(world: World) -> None:
    session = await world.start(*SHELL)
    near = await world.share(session)
    far = await lan(world)
    joined = await world.token(near)
    async with httpx.AsyncClient(base_url=far.base, verify=await pinned(far)) as http:
        wish = {"secret": near.secret, "name": "eve", "bearer": True}
        assert (await http.post(f"/v1/s/{near.share}/join", json=wish)).status_code == 404
        code = {"code": near.code, "name": "eve", "bearer": True}
        assert (await http.post("/v1/join", json=code)).status_code == 404
        bearer = {"Authorization": f"Bearer {joined.token}"}
        assert (await http.get(f"/v1/s/{near.share}/screen", headers=bearer)).status_code == 401
        await lan(world, session)  # until its owner says so
        assert (await http.get(f"/v1/s/{near.share}/screen", headers=bearer)).status_code == 200
        assert (await http.post(f"/v1/s/{near.share}/join", json=wish)).status_code == 200


async def test_a_repository_is_allowed_for_each_server_by_itself(world: World) -> None:
    session = await world.start(*SHELL)
    await world.share(session)
    for more in ({"lan": True, "host": FAR}, {"url": "https://box.test"}):
        with pytest.raises(RepositoryError) as caught:
            await world.share(session, **more)
        assert caught.value.server == "lan"
        assert caught.value.repository == str(world.place)
        assert "--server lan" in caught.value.hint
    await world.client.ask(s.Unshare(session=""), m.Done)
    await world.client.ask(s.AllowRepository(path=str(world.place), on=False), m.Done)
    await world.client.ask(s.AllowRepository(path=str(world.place), server="lan"), m.Done)
    with pytest.raises(RepositoryError) as caught:
        await world.client.ask(s.Share(session=session), s.Shared)
    assert caught.value.server == "local"


async def test_the_next_share_after_the_last_one_has_ended_is_for_this_machine_alone(world: World) -> None:
    session = await world.start(*SHELL)
    far = await lan(world, session)
    await world.client.ask(s.Unshare(session=session), m.Done)
    near = await world.share(session)
    assert near.base.startswith("http://127.0.0.1:")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(FAR, port_of(far))


# ── behind a proxy ─────────────────────────────────────────────────────────────────────────────


@contextlib.asynccontextmanager
async def behind(
    world: World, authority: Authority, **more: str
) -> AsyncIterator[tuple[Proxy, Link, httpx.AsyncClient]]:
    """A share that is reached by way of a proxy, and a client that trusts it."""
    session = await world.start(*SHELL)
    await world.client.ask(s.AllowRepository(path=str(world.place), server="lan"), m.Done)
    async with proxied(PROXY, authority.issue(PROXY).server()) as proxy:
        link = await world.share(session, url=f"https://{PROXY}:{proxy.port}", **more)
        proxy.upstream = world.hub.sharing.shares.gateway.place.port
        context = ssl.create_default_context(cafile=str(authority.file))
        async with httpx.AsyncClient(base_url=link.base, verify=context) as http:
            yield proxy, link, http


async def test_pages_and_terminals_come_by_way_of_a_proxy_and_events_are_not_held_up(
    world: World, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    async with behind(world, authority, role="commenter") as (proxy, link, http):
        assert link.base == f"https://{PROXY}:{proxy.port}"
        assert read(link.url).fingerprint == ""
        way = await door.enter(read(link.url), "ana", str(authority.file))
        async with seated(way) as seat:
            await until(lambda: seat.line.state.up)
            seat.line.say("chat", text="quince")
            await until(lambda: seat.talk == ["quince"])
        assert (await world.facts()).people[0].address == proxy.client
        page = await http.post(
            f"/v1/s/{link.share}/join", json={"secret": link.secret, "name": "bo"}, headers={"Origin": link.base}
        )
        assert page.status_code == 200
        assert {"Secure", "HttpOnly", "SameSite=strict"} <= set(page.headers["set-cookie"].split("; "))
        near = f"http://127.0.0.1:{proxy.upstream}"
        assert (await http.get(f"{near}/s/{link.share}")).status_code == 200, "this machine is served as ever"
        for host, origin in (("evil.test", link.base), (f"{PROXY}.evil.test", link.base), (PROXY, "https://evil.test")):
            answer = await http.get("/join", headers={"Host": f"{host}:{proxy.port}", "Origin": origin})
            assert answer.status_code == 403, (host, origin)
        bearer = {"Authorization": f"Bearer {way.joined.token}"}
        async with http.stream("GET", f"/v1/s/{link.share}/events", headers=bearer, timeout=30) as stream:
            assert stream.headers["x-accel-buffering"] == "no"
            async for line in stream.aiter_lines():
                if line == ": ping":
                    break
            else:
                pytest.fail("the stream has ended")


async def test_a_proxy_is_believed_in_its_own_word_about_its_client_and_in_no_other(
    world: World, tmp_path: Path
) -> None:
    async with behind(world, Authority(tmp_path)) as (proxy, link, http):
        wrong = {"secret": "x" * 43, "name": "eve", "bearer": True}
        path = f"/v1/s/{link.share}/join"
        told = [
            (await http.post(path, json=wrong, headers={"X-Forwarded-For": f"198.51.100.{n}"})).status_code
            for n in range(14)
        ]
        assert told[-1] == 429, "an address of one's own making does not help those who guess"
        proxy.client = "203.0.113.8"
        assert (await http.post(path, json=wrong)).status_code == 404, "others are not held up"
        right = {"secret": link.secret, "name": "ana", "bearer": True}
        proxy.client = "2001:db8::5"
        assert (await http.post(path, json=right)).status_code == 200
        proxy.client = "unknown"
        assert (await http.post(path, json=right)).status_code == 200
        assert [person.address for person in (await world.facts()).people] == ["2001:db8::5", "127.0.0.1"]


async def test_without_a_proxy_nobody_says_from_where_they_come(world: World) -> None:
    link = await world.share(await world.start(*SHELL))
    wish = {"secret": link.secret, "name": "ana", "bearer": True}
    headers = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    async with httpx.AsyncClient(base_url=link.base) as http:
        answer = await http.post(f"/v1/s/{link.share}/join", json=wish, headers=headers)
    assert answer.status_code == 403
    assert "--url" in answer.json()["text"], "what a proxy passes on is served only if somebody announced it"
    assert not (await world.facts()).people


async def test_the_owners_token_is_good_on_this_machine_and_not_through_a_proxy_or_the_network(
    world: World, tmp_path: Path
) -> None:
    async with behind(world, Authority(tmp_path)) as (proxy, link, http):
        bearer = {"Authorization": f"Bearer {(world.paths.run / meeting.TOKEN).read_text()}"}
        near = f"http://127.0.0.1:{proxy.upstream}"
        assert (await http.get(f"{near}/api/sessions", headers=bearer)).status_code == 200
        assert (await http.get("/api/sessions", headers=bearer)).status_code == 401
        proxy.host = f"127.0.0.1:{proxy.upstream}"  # one that hides the name that was asked for
        assert (await http.get("/api/sessions", headers=bearer)).status_code == 401
        for name in ("Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host"):
            assert (await http.get(f"{near}/api/sessions", headers=bearer | {name: "x"})).status_code == 401, name
        far = await lan(world)
        async with httpx.AsyncClient(base_url=far.base, verify=await pinned(far)) as other:
            assert (await other.get("/api/sessions", headers=bearer)).status_code == 401
        me = v.Joined(**(await http.post(
            f"/v1/s/{link.share}/join", json={"secret": link.secret, "name": "ana", "bearer": True}
        )).json())  # fmt: skip
        listed = (await http.get("/api/sessions", headers={"Authorization": f"Bearer {me.token}"})).json()
        assert [each["url"] for each in listed["sessions"]] == [f"{link.base}/s/{link.share}"]


async def test_a_proxy_that_names_us_by_our_own_address_works_for_pages_too(world: World, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with behind(world, authority) as (proxy, link, http):
        proxy.host, proxy.says = f"127.0.0.1:{proxy.upstream}", False
        page = await http.post(
            f"/v1/s/{link.share}/join", json={"secret": link.secret, "name": "bo"}, headers={"Origin": link.base}
        )
        assert page.status_code == 200
        assert "Secure" in page.headers["set-cookie"]
        csrf = page.json()["csrf"]
        context = ssl.create_default_context(cafile=str(authority.file))
        address = f"wss://{PROXY}:{proxy.port}/v1/s/{link.share}/ws"
        cookie = {"Cookie": page.headers["set-cookie"].partition(";")[0]}
        with pytest.raises(InvalidStatus):
            await websocket.connect(address, ssl=context, additional_headers=cookie, origin="https://evil.test")  # type: ignore[arg-type]
        async with websocket.connect(
            address, ssl=context, additional_headers=cookie, origin=link.base,  # type: ignore[arg-type]
            subprotocols=[v.SUBPROTOCOL],  # type: ignore[list-item]
        ) as connection:  # fmt: skip
            await connection.send(json.dumps({"t": "auth", "d": {"csrf": csrf}}))
            assert json.loads(await connection.recv())["t"] == "hello"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://box.test", "show links and the screen to everybody"),
        ("http://10.0.0.1:8080", "show links and the screen to everybody"),
        ("https://box.test/deck", "more than scheme, host and port"),
        ("https://ana:x@box.test", "more than scheme, host and port"),
        ("https://box.test?x=1", "more than scheme, host and port"),
        ("ftp://box.test", "is no URL"),
        ("box.test", "is no URL"),
        ("https://", "is no URL"),
        ("https://box.test:99999", "is no URL"),
        ("https://b ox", "is no host"),
    ],
)
def test_a_url_that_is_none_or_not_safe_is_refused_with_the_reason(url: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        reach.url_of(url)
    assert caught.value.hint


# ── names ──────────────────────────────────────────────────────────────────────────────────────


def test_urls_have_one_form_and_the_hosts_that_browsers_and_proxies_write() -> None:
    assert reach.url_of(" HTTPS://Box.Test:443/ ") == "https://box.test"
    assert reach.url_of("http://localhost:8080") == "http://localhost:8080"
    assert reach.url_of("https://[2001:DB8::1]:8443") == "https://[2001:db8::1]:8443"
    assert reach.hosts_of("https://box.test") == {"box.test", "box.test:443"}
    assert reach.hosts_of("https://box.test:8443") == {"box.test:8443"}


def test_links_name_the_address_from_which_packets_leave_and_never_one_that_needs_a_scope() -> None:
    found = [
        ("docker0", "172.17.0.1"), ("lo", "127.0.0.1"), ("lo", "::1"), ("eth0", "fe80::1%eth0"), ("eth0", "fe80::2"),
        ("eth0", "fd00::2"), ("tailscale0", "100.101.102.103"), ("wlan0", "192.168.1.20"), ("eth0", "169.254.7.7"),
    ]  # fmt: skip
    assert reach.ranked(found) == ["192.168.1.20", "100.101.102.103", "fd00::2", "172.17.0.1"]
    assert reach.ranked(found, ["100.101.102.103"])[0] == "100.101.102.103"


def test_names_of_the_doors_are_whole_and_apart() -> None:
    wish = doors.Wish(lan=doors.EVERYWHERE, host="box.test", url="https://deck.test")
    names = doors.named(wish, 7, ["box.test", "10.0.0.1", "fd00::2"])
    near = {"127.0.0.1:7", "localhost:7", "[::1]:7"}
    assert names.lan == "https://box.test:7"
    assert names.hosts[0] == near | {"deck.test", "deck.test:443"}
    assert names.hosts[1] == near | {"box.test:7", "10.0.0.1:7", "[fd00::2]:7"}
    assert names.origins[0] == {f"http://{host}" for host in near} | {"https://deck.test"}
    assert names.origins[1] == {f"https://{host}" for host in names.hosts[1]}
    closed = doors.named(doors.Wish(), 7, [])
    assert (closed.lan, closed.hosts[1], closed.origins[1]) == ("", frozenset(), frozenset())


def test_a_fingerprint_is_read_as_anybody_writes_it() -> None:
    plain = hashlib.sha256(b"x").hexdigest()
    for text in (plain, plain.upper(), certificate.readable(plain), f"SHA256:{plain}", certificate.pin(plain)):
        assert certificate.unpinned(text) == plain
    for text in ("", "abc", plain[:-2], f"{plain}00", "ß" * 43):
        with pytest.raises(UsageError, match="no SHA-256"):
            certificate.unpinned(text)
