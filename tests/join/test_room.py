"""The room as it follows from the server's messages, whatever the network does to them."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from agentdeck.join.room import KEPT, Room, fold, remark
from agentdeck.protocol import viewers as v

NOW = 1_700_000_000.0


def told(kind: str, body: Any, *, seq: int = 0, by: str = "") -> v.Envelope:
    return v.Envelope(v=1, t=kind, seq=seq, ts=NOW, by=by, d=msgspec.Raw(msgspec.json.encode(body)))


def hello(epoch: str = "e1", role: str = "observer") -> v.Envelope:
    body = v.Hello(
        share="s", epoch=epoch, participant="p1", name="ana", role=role, session="shop", provider="claude",
        expires_at=NOW + 60, limits={}, server_time=NOW,
    )  # fmt: skip
    return told("hello", body)


def chat(seq: int, text: str, by: str = "p2") -> v.Envelope:
    return told("chat", v.Chat(text=text), seq=seq, by=by)


def line(n: int, text: str = "", *, seq: int = 0) -> v.Envelope:
    return told("feed", v.Feed(n=n, at=NOW, kind="tool_use", title="Bash", text=text), seq=seq)


def after(*messages: v.Envelope) -> Room:
    room = Room()
    for message in messages:
        room = fold(room, message, NOW)
    return room


def test_hello_says_who_we_are_and_another_epoch_forgets_everything() -> None:
    room = after(hello(), chat(4, "hi"))
    assert (room.me, room.role, room.session, room.last_seq, len(room.talk)) == ("p1", "observer", "shop", 4, 1)
    assert after(hello(), chat(4, "hi"), hello()).last_seq == 4
    again = after(hello(), chat(4, "hi"), hello("e2"))
    assert (again.epoch, again.last_seq, again.talk) == ("e2", 0, ())


@given(st.lists(st.integers(min_value=1, max_value=12), max_size=12))
def test_whatever_is_sent_again_after_a_break_is_taken_once_and_in_order(breaks: list[int]) -> None:
    log = [chat(seq, f"word {seq}") for seq in range(1, 13)]
    room = after(hello())
    for upto in breaks:  # each time we come back it begins somewhere that we may know already
        for message in log[: max(upto, room.last_seq)]:
            room = fold(room, message, NOW)
        room = fold(room, hello(), NOW)
    for message in log:
        room = fold(room, message, NOW)
    assert [said.text for said in room.talk] == [f"word {seq}" for seq in range(1, 13)]


def test_a_call_that_returned_replaces_its_line_in_place() -> None:
    room = after(hello(), line(1, "a", seq=1), line(2, "b", seq=2), line(3, "c", seq=3), line(2, "done", seq=4))
    assert [each.text for each in room.feed] == ["a", "done", "c"]
    assert [each.n for each in after(hello(), line(5), line(3)).feed] == [3, 5]


def test_the_talk_has_an_end() -> None:
    room = after(hello(), *(chat(seq, "x") for seq in range(1, KEPT + 20)))
    assert len(room.talk) == KEPT
    assert room.last_seq == KEPT + 19


def test_somebody_types_for_a_while_or_until_they_have_spoken() -> None:
    typing = told("typing", v.Typing(on=True, participant="p2"))
    people = told(
        "presence", v.Presence(participants=(v.Participant(id="p2", name="ben", role="driver", online=True),))
    )
    room = after(hello(), people, typing)
    assert room.typists(NOW + 1) == ("ben",)
    assert room.typists(NOW + 5) == ()
    assert fold(room, chat(1, "done"), NOW).typists(NOW + 1) == ()


def test_a_role_that_changes_counts_at_once() -> None:
    room = after(hello())
    assert not room.may("chat")
    driver = fold(room, told("role", v.RoleChanged(role="driver")), NOW)
    assert driver.may("chat")
    assert driver.may("command")
    assert not driver.may("keys")
    assert fold(driver, told("role", v.RoleChanged(role="driver", hands=True)), NOW).may("keys")


def test_names_outlive_those_who_left() -> None:
    people = told("presence", v.Presence(participants=(v.Participant(id="p2", name="ben", role="driver"),)))
    room = after(hello(), people, told("presence", v.Presence(participants=())), chat(1, "late"))
    assert room.talk[0].name == "ben"
    assert room.name_of("p1") == "you"


def test_what_is_not_understood_changes_nothing() -> None:
    room = after(hello(), chat(1, "x"))
    for message in (told("chat", {"text": 7}, seq=2), told("unheard-of", {}, seq=2), told("resync", {}, seq=2)):
        assert fold(room, message, NOW) == room


def test_a_remark_is_only_ours() -> None:
    room = remark(after(hello(), chat(3, "x")), "2 viewers", NOW)
    assert (room.talk[-1].kind, room.last_seq) == ("here", 3)


@given(st.sampled_from([kind.name for kind in v.KINDS]), st.binary(max_size=60), st.integers(0, 5))
def test_no_message_breaks_the_room(kind: str, body: bytes, seq: int) -> None:
    fold(after(hello()), v.Envelope(v=1, t=kind, seq=seq, d=msgspec.Raw(body)), NOW)
