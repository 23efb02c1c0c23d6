"""What a person was given, read: links, codes, and everything that is neither."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdeck.errors import UsageError
from agentdeck.join import farewell
from agentdeck.join.link import Code, Link, base_of, is_local, read
from agentdeck.protocol import viewers as v

SECRET = "eVK3z5aFSvETRLZucnqULs3gYLGrCb9LTZmaiLSbA7A"


def test_a_link_names_server_share_and_secret() -> None:
    assert read(f" http://127.0.0.1:41873/s/5b1c#{SECRET}\n") == Link("http://127.0.0.1:41873", "5b1c", SECRET)
    assert read(f"https://box.lan:8443/s/5b1c/#{SECRET}") == Link("https://box.lan:8443", "5b1c", SECRET)


@pytest.mark.parametrize("text", ["7KQ2-M9XD", "7kq2m9xd", "7kq2 m9xd", "7KQ2-M9XL"])
def test_a_code_is_read_as_people_type_it(text: str) -> None:
    assert read(text) == Code(text)
    assert read(text, "127.0.0.1:41873") == Code(text, "http://127.0.0.1:41873")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hello there you", "neither a link nor a code"),
        ("", "neither a link nor a code"),
        ("http://127.0.0.1:1/s/abc", "no secret"),
        ("http://127.0.0.1:1/s/abc#short", "no secret"),
        (f"http://127.0.0.1:1/x/abc#{SECRET}", "no link of a shared session"),
        (f"file:///s/abc#{SECRET}", "no address of a server"),
        (f"http://[::1/s/abc#{SECRET}", "no link of a shared session"),
        (f"http://127.0.0.1:99999/s/abc#{SECRET}", "no address of a server"),
    ],
)
def test_anything_else_is_a_usage_error_that_says_why(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        read(text)
    assert caught.value.hint


def test_names_and_passwords_in_an_address_are_left_out() -> None:
    assert base_of("http://ana:secret@127.0.0.1:80/x") == "http://127.0.0.1:80"


@given(st.one_of(st.text(max_size=80), st.text(max_size=40).map(lambda text: f"http://{text}")))
def test_no_text_breaks_the_reader(text: str) -> None:
    with contextlib.suppress(UsageError):
        read(text)


def test_only_this_machine_is_local() -> None:
    assert [is_local(f"http://{host}:1") for host in ("127.0.0.1", "[::1]", "localhost", "10.0.0.1", "evil.test")] == [
        True, True, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("code", v.CODES, ids=lambda code: code.name)
def test_every_close_code_is_one_sentence_and_says_whether_to_come_back(code: v.Code) -> None:
    end = farewell.ending(code.close)
    assert (end.code, end.again) == (code.name, code.reconnect != "no")
    assert end.text
    assert "\n" not in end.text
    error = farewell.parted(end)
    assert (error.exit_code, str(error)) == (9, end.text)
    assert str(farewell.refused(v.Problem(code=code.name, text="x")))


@pytest.mark.parametrize("close", [None, 1000, 1001, 1006, 1011, 1012])
def test_a_line_that_only_broke_is_worth_another_dial(close: int | None) -> None:
    assert farewell.ending(close).again


def test_the_last_words_count_when_no_code_came() -> None:
    end = farewell.ending(1006, v.Ended(code="REVOKED", text=""))
    assert (end.code, end.again) == ("REVOKED", False)
