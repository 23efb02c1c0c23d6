"""Real transcripts, damaged at random: nothing that reads them fails, and what is whole still counts."""

import gzip
import tempfile
from pathlib import Path
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from agentdeck.search.ask import ask, question
from agentdeck.search.gather import update
from agentdeck.search.index import Index
from agentdeck.search.portraits import portraits
from agentdeck.transcripts.roots import roots
from tests.usage.history import History

DATA = Path(__file__).parents[1] / "data" / "transcripts"


class Real(NamedTuple):
    name: str
    """Where it is below a home directory."""
    data: bytes


def real() -> list[Real]:
    found = []
    for path in sorted(DATA.rglob("*.jsonl.gz")):
        parts = path.relative_to(DATA).parts
        home = next((n for n, part in enumerate(parts) if part.startswith(".")), None)
        if home is not None:
            found.append(Real("/".join(parts[home:]).removesuffix(".gz"), gzip.decompress(path.read_bytes())))
    return found


REAL = real()

Damage = st.one_of(
    st.tuples(st.just("byte"), st.floats(0, 1), st.binary(min_size=1, max_size=8)),
    st.tuples(st.just("cut"), st.floats(0, 1), st.just(b"")),
    st.tuples(st.just("join"), st.floats(0, 1), st.just(b"")),
    st.tuples(st.just("number"), st.floats(0, 1), st.sampled_from([b"-1", b"1e999", b"null", b'"x"', b"[]", b"{}"])),
)


def damaged(data: bytes, kind: str, where: float, what: bytes) -> bytes:
    at = int(where * max(0, len(data) - 1))
    match kind:
        case "byte":
            return data[:at] + what + data[at + len(what) :]
        case "cut":
            return data[:at]
        case "join":
            found = data.find(b"\n", at)
            return data[:found] + data[found + 1 :] if found >= 0 else data
    found = data.find(b'_tokens":', at)
    if found < 0:
        return data
    begin = found + len(b'_tokens":')
    end = begin
    while end < len(data) and data[end : end + 1].isdigit():
        end += 1
    return data[:begin] + what + data[end:]


def test_there_are_transcripts_of_every_cli() -> None:
    assert {each.name.split("/")[0] for each in REAL} >= {".claude", ".codex", ".gemini"}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(REAL), st.lists(Damage, min_size=1, max_size=6))
def test_no_damage_to_a_transcript_escapes(transcript: Real, damages: list[tuple[str, float, bytes]]) -> None:
    data = transcript.data
    for damage in damages:
        data = damaged(data, *damage)
    with tempfile.TemporaryDirectory(prefix="ad-fuzz-") as root:
        history = History(Path(root))
        path = history.home / transcript.name
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        found = history.usage()
        again = history.usage()
        assert again == found
        assert all(session.tokens >= 0 for session in found.sessions.values())
        places = roots(history.env)
        assert len(portraits(places)) <= 1
        with Index(Path(root) / "search.db") as index:
            for _ in update(index, places):
                pass
            list(ask(index, question("the")))
