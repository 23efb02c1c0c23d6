"""What is taken out of text: what is known, what looks like a secret, places and names; and what is left alone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdeck.protocol.screen import Row
from agentdeck.share.redact import Redactor, cover, merged, secrets_in, secrets_in_file
from agentdeck.share.rows import redacted

LOOKS_LIKE_ONE = [
    "sk-ant-api03-AbCdEf0123456789-xyz_AbCdEf0123456789",
    "sk-proj-abcdefghijklmnopqrstuvwx1234567890",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789",
    "glpat-1234567890abcdefghij",
    "AKIAIOSFODNN7EXAMPLE",
    "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    "xoxb-123456789012-abcdefghijkl",
    "hf_abcdefghijklmnopqrstuvwxyz0123456789",
    "npm_abcdefghijklmnopqrstuvwxyz0123456789",
    "sk_live_abcdefghijklmnopqrstuvwx",
    "SG.abcdefghijklmnopqrstuv.ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij0123456",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "123456789:AAabcdefghijklmnopqrstuvwxyz0123456",
]


@pytest.mark.parametrize("secret", LOOKS_LIKE_ONE)
def test_what_looks_like_a_secret_is_covered(secret: str) -> None:
    text = f'before {secret} after and "{secret}"'
    told = Redactor().text(text)
    assert secret not in told
    assert told.startswith("before █")
    assert " after and " in told


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("DATABASE_PASSWORD=hunter2hunter2", "hunter2hunter2"),
        ('"api_key": "a1b2c3d4e5f6"', "a1b2c3d4e5f6"),
        ("Authorization: Bearer abcdef0123456789abcdef", "abcdef0123456789abcdef"),
        ("postgres://app:s3cr3tpw@db:5432/x", "s3cr3tpw"),
        ("export AWS_SECRET_ACCESS_KEY='wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'", "wJalrXUtnFEMI/K7MDENG"),
    ],
)
def test_what_is_called_a_secret_is_covered(line: str, secret: str) -> None:
    assert secret not in Redactor().text(line)


@pytest.mark.parametrize(
    "line",
    [
        "the token count is 12,345 of 200,000",
        "def test_password(value: str) -> None:",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "https://example.com/a/path?x=1#section",
        "tokens: 1234567",
        "secret = os.environ['SECRET']",
        "pip install fastapi==0.165.0 uvicorn==0.54.0",
        "550e8400-e29b-41d4-a716-446655440000",
    ],
)
def test_what_is_innocent_stays(line: str) -> None:
    assert Redactor().text(line) == line


def test_a_private_key_is_covered_from_its_first_mark_to_its_last() -> None:
    marks = ("-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----")
    body = [marks[0], "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU", "AAAAAAAAABAAAAMwAAAAtzc2gtZW", marks[1], "after"]
    rows = redacted([Row(((line.ljust(80), 0),)) for line in body], Redactor())
    assert "b3Blbn" not in rows[1].text
    assert "AAAAAA" not in rows[2].text
    assert rows[4].text.strip() == "after"


def test_the_home_directory_the_user_and_the_host_are_not_told() -> None:
    redactor = Redactor(homes=["/home/ana"], users=["ana"], host="laptop.lan")
    told = redactor.text("ana@laptop:~$ ls /home/ana/shop /home/anaconda; scp laptop.lan:/x; banana")
    assert "ana@" not in told
    assert "laptop" not in told
    assert "~/shop" in told
    assert "/home/anaconda" in told
    assert "banana" in told


def test_values_of_secret_variables_and_of_env_files_are_known() -> None:
    assert secrets_in([("API_KEY", "abc123def456"), ("PATH", "/usr/bin:/bin"), ("DEBUG_TOKEN", "true")]) == [
        "abc123def456"
    ]
    found = secrets_in_file("# A=commentedvalue\nexport A='quoted value 12'\nB=bare12345 # why\nC=short\nD=localhost\n")
    assert found == ["quoted value 12", "bare12345"]


def test_a_value_is_found_in_other_spellings() -> None:
    redactor = Redactor(["p@ss/w0rd+x1"])
    assert "p%40ss" not in redactor.text("curl https://x/?q=p%40ss%2Fw0rd%2Bx1")
    assert "cEBzcy93MHJkK3gx" not in redactor.text("Basic-ish cEBzcy93MHJkK3gx")


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda p: (min(p), max(p)))), st.text(min_size=50)
)
def test_covering_never_changes_the_length(spans: list[tuple[int, int]], text: str) -> None:
    assert len(cover(text, merged(spans))) == len(text)


@pytest.mark.parametrize(
    "line",
    ["a" * 100_000, "sk-" * 30_000, "eyJ" + "." * 90_000, "token=" * 15_000, "://a:" * 20_000, "A" * 99_999 + "=",
     "-----BEGIN PRIVATE KEY-----" * 3_000, "password: " + "\\" * 90_000],
)  # fmt: skip
def test_no_line_takes_long(line: str) -> None:
    redactor, began = Redactor(["q7Rt5zXw99Lm3k"]), time.process_time()
    redactor.text(line)
    assert time.process_time() - began < 5.0
