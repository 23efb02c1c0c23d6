"""Webhooks against a receiver that really listens, and really fails."""

import logging
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdeck.errors import UsageError
from agentdeck.integrations import payloads, signing
from agentdeck.integrations.webhook import LONGEST_DELAY, Counts, Webhook, delay
from agentdeck.realtime import SessionWatcher, filters
from tests.fakes.pen import Pen
from tests.fakes.receiver import Receiver, answer, hang_up, receiving
from tests.realtime.happening import returned, said, used

PATIENCE = 30.0


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with receiving() as found:
        yield found


def test_events_arrive_in_their_order_signed_and_named(receiver: Receiver) -> None:
    with Webhook(receiver.url, secret="it is a secret", now=lambda: 1000) as hook:
        hook.send(said(0, "user", "do not tell"))
        hook.send(used(1, "c1"))
        assert hook.flush(PATIENCE)
        assert hook.counts == Counts(sent=2, failed=0, dropped=0, waiting=0)
    first, second = receiver.next(), receiver.next()
    assert (first.json["kind"], second.json["kind"]) == ("message", "tool_use")
    assert first.headers["x-agentdeck-event"] == "message"
    assert first.headers["content-type"] == "application/json"
    assert first.headers["x-agentdeck-delivery"] != second.headers["x-agentdeck-delivery"]
    assert signing.verify("it is a secret", first.headers["x-agentdeck-signature"], first.body, now=1010)
    assert b"do not tell" not in first.body, "contents are only sent when that is chosen"


def test_without_a_secret_nothing_is_signed(receiver: Receiver) -> None:
    with Webhook(receiver.url) as hook:
        hook.send(said(0))
        assert hook.flush(PATIENCE)
    assert "x-agentdeck-signature" not in receiver.next().headers


def test_what_may_pass_is_tried_again_with_the_same_delivery(receiver: Receiver) -> None:
    receiver.will(answer(500), hang_up, answer(429), answer(200))
    with Webhook(receiver.url, first_delay=0.001) as hook:
        hook.send(said(0))
        assert hook.flush(PATIENCE)
        assert hook.counts == Counts(1, 0, 0, 0)
    tries = [receiver.next() for _ in range(4)]
    assert len({each.headers["x-agentdeck-delivery"] for each in tries}) == 1
    assert len({each.body for each in tries}) == 1


def test_what_will_not_pass_is_given_up_at_once(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.will(answer(410), answer(302, Location=receiver.url + "/other"))
    with caplog.at_level(logging.WARNING, "agentdeck.webhook"), Webhook(receiver.url, first_delay=0.001) as hook:
        hook.send(said(0))
        hook.send(said(1))
        hook.send(said(2))
        assert hook.flush(PATIENCE)
        assert hook.counts == Counts(sent=1, failed=2, dropped=0, waiting=0)
    assert [receiver.next() for _ in range(3)]
    assert receiver.requests.empty(), "a redirect is not followed"
    assert "was not delivered to 127.0.0.1: the answer was 410" in caplog.text
    assert "/hook" not in caplog.text, "the address may hold a token"


def test_it_gives_up_after_so_many_tries(receiver: Receiver) -> None:
    receiver.will(*[answer(503)] * 3)
    with Webhook(receiver.url, tries=3, first_delay=0.001) as hook:
        hook.send(said(0))
        hook.send(said(1))
        assert hook.flush(PATIENCE)
        assert hook.counts == Counts(sent=1, failed=1, dropped=0, waiting=0)
    assert [receiver.next() for _ in range(4)]
    assert receiver.requests.empty()


def test_nobody_listening_is_an_error_that_may_pass(receiver: Receiver) -> None:
    with Webhook("http://127.0.0.1:9/hook", tries=2, first_delay=0.001) as hook:
        hook.send(said(0))
        assert hook.flush(PATIENCE)
        assert hook.counts == Counts(0, 1, 0, 0)


def test_a_stalled_receiver_holds_up_nobody_and_fills_no_memory(receiver: Receiver) -> None:
    receiver.will(receiver.stall)
    with Webhook(receiver.url, queue=10, timeout=PATIENCE, first_delay=0.001) as hook:
        hook.send(said(0, text="stalls", name="m0"))
        receiver.next()
        for number in range(1, 101):
            hook.send(returned(number, f"c{number}"))
        assert hook.counts == Counts(sent=0, failed=0, dropped=90, waiting=11)
        receiver.go_on.set()
        assert hook.flush(PATIENCE)
        assert hook.counts == Counts(sent=11, failed=0, dropped=90, waiting=0)
    calls = [receiver.next().json.get("call") for _ in range(11)]
    assert calls == [None, *(f"c{number}" for number in range(91, 101))], "the oldest went"


def test_a_silent_receiver_is_left_after_the_timeout(receiver: Receiver) -> None:
    receiver.will(receiver.stall)
    with Webhook(receiver.url, timeout=0.05, first_delay=0.001) as hook:
        hook.send(said(0))
        assert hook.flush(PATIENCE)
        assert hook.counts == Counts(1, 0, 0, 0)


def test_closing_goes_on_sending_for_a_while_and_counts_what_is_left(receiver: Receiver) -> None:
    receiver.will(*[answer(503)] * 1000)
    hook = Webhook(receiver.url, tries=1000, first_delay=0.01)
    with hook:
        hook.send(said(0))
        hook.send(said(1))
        receiver.next()
        hook.close(0.05)
    assert hook.counts == Counts(sent=0, failed=1, dropped=1, waiting=0)
    hook.send(said(2))
    assert hook.counts.dropped == 2, "nothing is sent any more"
    assert not any(thread.name == "agentdeck-webhook" for thread in threading.enumerate())


def test_closing_does_not_wait_for_a_receiver_that_is_silent(receiver: Receiver) -> None:
    receiver.will(receiver.stall)
    with Webhook(receiver.url, timeout=600) as hook:
        hook.send(said(0))
        receiver.next()
        began = time.monotonic()
        hook.close(0.01)
        assert time.monotonic() - began < PATIENCE
    receiver.go_on.set()


def test_one_that_was_never_used_can_be_closed() -> None:
    Webhook("http://127.0.0.1:9/").close()


def test_only_the_chosen_events_are_sent(receiver: Receiver) -> None:
    with Webhook(receiver.url, kinds=["tool_result"], where=lambda event: event.session == "s2") as hook:
        for session in ("s1", "s2"):
            hook.send(said(0, session=session))
            hook.send(returned(1, "c1", session=session))
        assert hook.flush(PATIENCE)
    assert receiver.next().json["session"] == "s2"
    assert receiver.requests.empty()


def test_slack_gets_a_line_of_text(receiver: Receiver) -> None:
    with Webhook(receiver.url, template=payloads.slack) as hook:
        hook.send(said(0, "user", "<!channel> a & b\nsecond line"))
        assert hook.flush(PATIENCE)
    body = receiver.next().json
    assert body["text"] == "*claude* `s1` user: &lt;!channel&gt; a &amp; b second line"
    assert body["blocks"][0]["text"] == {"type": "mrkdwn", "text": body["text"]}


@pytest.mark.parametrize(
    "url",
    ["", "example.org/hook", "ftp://example.org/", "http://", "http://[", "https://example.org:0/", "http://a:b/"],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="no address to send to"):
        Webhook(url)


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="no event called"):
        Webhook("http://127.0.0.1:9/", kinds=["nonsense"])


def test_it_is_fed_by_a_watcher(receiver: Receiver, tmp_path: Path) -> None:
    pen = Pen(tmp_path, "s1")
    pen.edit("/demo/shop/a.py", added=2)
    pen.ask("no")
    watcher = SessionWatcher(home=tmp_path, since=timedelta(hours=1))
    with Webhook(receiver.url) as hook:
        watcher.pipe(filters.tool_category("file_write")).on("tool_result")(hook.send)
        watcher.on("message")(lambda event: watcher.stop())
        watcher.start()
        assert hook.flush(PATIENCE)
    body = receiver.next().json
    assert (body["tool"], body["files"]) == ("Edit", [{"path": "/demo/shop/a.py", "added": 2, "removed": 0}])


@given(st.integers(0, 100), st.floats(0, 1), st.floats(0.001, 10))
def test_a_delay_grows_within_its_bounds(attempt: int, chance: float, first: float) -> None:
    found = delay(attempt, None, first=first, rand=lambda: chance)
    most = min(LONGEST_DELAY, first * 2.0**attempt)
    assert most / 2 <= found <= most


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("7", 7.0), ("0", 0.0), ("9999999999", 60.0), ("soon", 0.5), ("-5", 0.5), ("٣", 0.5), ("", 0.5)],
)
def test_what_the_receiver_asks_for_holds_up_to_a_minute(asked: str, expected: float) -> None:
    assert delay(0, asked, first=0.5, rand=lambda: 1.0) == expected


@given(st.text(), st.binary(), st.integers(0, 10**12))
def test_a_signature_fits_its_body_its_secret_and_its_time(secret: str, body: bytes, at: int) -> None:
    header = signing.sign(secret, body, at)
    assert signing.verify(secret, header, body, now=at + 299)
    assert not signing.verify(secret, header, body, now=at + 301)
    assert not signing.verify(secret, header, body, now=at - 301)
    assert not signing.verify(secret, header, body + b"x", now=at)
    assert not signing.verify(secret + "x", header, body, now=at)
    assert not signing.verify(secret, header.replace(f"t={at}", f"t={at + 1}"), body, now=at)


@given(st.text())
def test_no_header_makes_verifying_fail_otherwise_than_by_no(header: str) -> None:
    assert not signing.verify("secret", header, b"body", now=1000)
