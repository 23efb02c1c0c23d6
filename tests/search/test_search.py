"""Words are found in every conversation, once, with the place to open them at."""

import contextlib
import itertools
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdeck import events as e
from agentdeck.errors import AgentdeckError
from agentdeck.live.conversation import render
from agentdeck.search.ask import Hit, Question, ask, cut_out, half_typed, question
from agentdeck.search.gather import update
from agentdeck.search.index import Index, Row
from agentdeck.search.inquiry import Inquiry
from agentdeck.search.names import Names
from agentdeck.transcripts.follow import read_all
from agentdeck.transcripts.roots import roots
from tests.search.talk import OTHER, SESSION, Talk


class Library:
    """All conversations of a home directory, and the index over them."""

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        self.path = root / "state" / "search.db"
        self.problems: list[str] = []

    def find(self, text: str, *, count: int = 100, roles: tuple[str, ...] = (), since: int = 0) -> list[Hit]:
        with Index(self.path, problem=self.problems.append) as index:
            for _ in update(index, roots({"HOME": str(self.home)})):
                pass
            return list(ask(index, question(text), count=count, roles=roles, since=since))

    def texts(self, text: str) -> list[str]:
        return [hit.snippet for hit in self.find(text)]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def marked(hit: Hit) -> list[str]:
    return [hit.snippet[begin:end] for begin, end in hit.marks]


# ── words ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("flaky", ["flaky"]),
        ("FLAKY test", ["flaky", "test"]),
        ('"flaky test"', ["flaky test"]),
        ('"test flaky"', None),
        ("fla*", ["flaky"]),
        ("fla", None),
        ("flaky -test", None),
        ("flaky -soup", ["flaky"]),
        ("resume", ["résumé"]),
        ("RÉSUMÉ", ["résumé"]),
        ("src/app.py", ["src/app.py"]),
        ("app.py", ["app.py"]),
        ("snake_case_name", ["snake_case_name"]),
        ("日本", ["日本"]),
        ("本語", ["本語"]),
        ('say "don\'t"', None),
        ("(AND) NOT NEAR( ^col:x", None),
    ],
)
def test_words_are_found_as_people_type_them(library: Library, asked: str, found: list[str] | None) -> None:
    Talk(library.home).prompt("the flaky test in src/app.py, a résumé in 日本語 and snake_case_name")
    hits = library.find(asked)
    assert [marked(hit) for hit in hits] == ([found] if found else [])


def test_calls_results_thoughts_and_titles_are_found_by_their_role(library: Library) -> None:
    talk = Talk(library.home).prompt("apple one").answer("apple two", thought="apple three")
    talk.call("Bash", "apple five", command="grep apple four")
    talk.record({"type": "ai-title", "aiTitle": "apple six", "sessionId": SESSION})
    found = {hit.role: hit.snippet.split()[-1] for hit in library.find("apple")}
    assert found == {
        "user": "one", "assistant": "two", "thinking": "three", "tool": "four", "result": "five", "title": "six",
    }  # fmt: skip
    assert [hit.snippet for hit in library.find("apple", roles=("user", "thinking"))] == ["apple three", "apple one"]


def test_the_newest_hits_come_first_and_no_more_than_asked_for(library: Library) -> None:
    Talk(library.home, minute=2).prompt("pear two")
    Talk(library.home, OTHER, minute=1).prompt("pear one").answer("pear half")
    assert library.texts("pear") == ["pear two", "pear half", "pear one"]
    assert [hit.snippet for hit in library.find("pear", count=1)] == ["pear two"]
    middle = library.find("half")[0].at
    assert [hit.snippet for hit in library.find("pear", since=middle)] == ["pear two", "pear half"]


def test_a_fork_tells_what_it_inherited_only_once(library: Library) -> None:
    Talk(library.home).prompt("plum").answer("more plum")
    Talk(library.home, OTHER).prompt("plum").answer("more plum").answer("own plum")
    assert sorted(library.texts("plum")) == ["more plum", "own plum", "plum"]


@given(st.text(), st.text(min_size=1))
def test_any_question_is_understood(text: str, word: str) -> None:
    asked = question(text)
    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE words USING fts5(text, tokenize='unicode61 remove_diacritics 2')")
    db.execute("INSERT INTO words VALUES(?)", (word.encode("utf-8", "replace").decode(),))
    if asked.wanted:
        db.execute("SELECT * FROM words WHERE words MATCH ?", (asked.expression,)).fetchall()
    db.close()


@given(st.text(alphabet="ab cé日\n\t", max_size=300), st.sampled_from(["a", "ab", "cé", "b c"]))
def test_marks_lie_inside_of_the_snippet_and_in_order(text: str, word: str) -> None:
    from agentdeck.search.ask import _pattern

    snippet, marks = cut_out(text, _pattern((word,)))
    assert "\n" not in snippet
    ends = [place for mark in marks for place in mark]
    assert ends == sorted(ends)
    assert all(0 <= begin < end <= len(snippet) for begin, end in marks)


# ── places ─────────────────────────────────────────────────────────────────────────────────────


def test_a_turn_is_the_number_of_the_message_in_the_conversation(library: Library) -> None:
    talk = Talk(library.home).prompt("kiwi 0").answer("kiwi 2", thought="kiwi 1").call("Bash", "kiwi 2", command="ls")
    talk.prompt(" \n ").prompt("kiwi 3").answer("kiwi 4")
    for hit in library.find("kiwi"):
        assert hit.snippet == f"kiwi {hit.turn}"
    spoken = [event for event in read_all(str(talk.path)) if isinstance(event, e.MessageAdded) and event.text.strip()]
    assert [event.text for event in spoken] == [f"kiwi {n}" for n in range(5)]
    assert len([line for line in render(spoken, 80) if line.text]) == 5


def test_the_turn_goes_on_counting_when_the_transcript_grows(library: Library) -> None:
    talk = Talk(library.home).prompt("kiwi 0")
    library.find("kiwi")
    talk.answer("kiwi 1")
    library.find("kiwi")
    talk.prompt("kiwi 2")
    assert [hit.turn for hit in library.find("kiwi")] == [2, 1, 0]


def test_a_sub_agents_hit_names_the_session_and_its_project_and_has_no_turn(library: Library) -> None:
    talk = Talk(library.home).prompt("look around")
    talk.subagent("explorer").prompt("find the grapes").answer("grapes found")
    (hit,) = library.find("found")
    assert (hit.session, hit.agent, hit.turn, hit.project) == (SESSION, "explorer", None, "/w/shop")


def test_a_hit_names_the_line_in_the_transcript(library: Library) -> None:
    talk = Talk(library.home).prompt("first").answer("the melon")
    (hit,) = library.find("melon")
    data = talk.path.read_bytes()
    assert (hit.path, hit.provider) == (str(talk.path), "claude")
    assert b"the melon" in data[hit.offset : data.index(b"\n", hit.offset)]


# ── while somebody types ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("typed", "wanted", "unwanted"),
    [
        ("fla", ("fla*",), ()),
        ("flaky te", ("flaky", "te*"), ()),
        ("flaky t", ("flaky", "t"), ()),
        ("flaky ", ("flaky",), ()),
        ("fla*", ("fla*",), ()),
        ('"flaky te', ("flaky te*",), ()),
        ('"flaky test"', ("flaky test",), ()),
        ("soup -fla", ("soup",), ("fla",)),
        ("src/app.py", ("src/app.py*",), ()),
        ("", (), ()),
    ],
)
def test_the_word_that_is_being_typed_counts_as_a_beginning(
    typed: str, wanted: tuple[str, ...], unwanted: tuple[str, ...]
) -> None:
    assert half_typed(typed) == Question(wanted, unwanted)


def inquire(library: Library, text: str, *, count: int = 100, each: int = 0, within: str = "") -> Inquiry:
    return Inquiry(library.path, text, library.problems.append, count=count, each=each, within=within)


def test_of_each_conversation_a_few_are_told_and_all_on_request(library: Library) -> None:
    long = Talk(library.home, minute=2)
    for number in range(6):
        long.prompt(f"grape {number}")
    Talk(library.home, OTHER, minute=1).prompt("grape other")
    library.find("grape")
    few = inquire(library, "grape", each=2)
    assert [hit.snippet for hit in few.run()] == ["grape 5", "grape 4", "grape other"]
    assert few.fuller == {f"claude:{SESSION}"}
    assert len(inquire(library, "grape", within=f"claude:{SESSION}").run()) == 6


def test_a_sub_agents_words_are_placed_where_the_conversation_was_then(library: Library) -> None:
    talk = Talk(library.home).prompt("look around").answer("I ask somebody")
    talk.subagent("a1").prompt("find the medlar")
    Talk(library.home, minute=2).prompt("and then")
    library.find("medlar")
    (hit,) = inquire(library, "medlar").run()
    assert (hit.agent, hit.turn) == ("a1", 1)


def test_a_question_that_is_called_off_ends_with_what_it_has(library: Library) -> None:
    for number in range(20):
        Talk(library.home, f"{number:08}-0000-4000-8000-000000000000", minute=number).prompt(f"cherry {number}")
    library.find("cherry")
    before = inquire(library, "cherry")
    before.cancel()
    assert before.run() == []
    amid = inquire(library, "cherry")
    seen: list[Row] = []
    look = amid._wants

    def stop_at_the_third(row: Row) -> bool:
        seen.append(row)
        if len(seen) == 3:
            amid.cancel()
        return look(row)

    amid._wants = stop_at_the_third  # type: ignore[method-assign]
    assert [hit.snippet for hit in amid.run()] == ["cherry 19", "cherry 18"]
    assert amid.cancelled
    amid.cancel()


def test_a_question_to_a_damaged_index_moves_it_aside(library: Library) -> None:
    Talk(library.home).prompt("a fig")
    library.find("fig")
    with contextlib.closing(sqlite3.connect(library.path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'words_data'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    with library.path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    assert inquire(library, "fig").run() == []
    assert "was damaged" in library.problems[0]
    assert library.texts("fig") == ["a fig"]


def test_an_index_that_cannot_be_opened_is_said(library: Library) -> None:
    library.path.mkdir(parents=True)
    with pytest.raises(AgentdeckError, match="cannot be used"):
        inquire(library, "fig").run()


def test_conversations_are_named_by_their_titles_or_how_they_began(library: Library) -> None:
    Talk(library.home).prompt("  plant\nthe pear ")
    titled = Talk(library.home, OTHER, minute=1).prompt("something else")
    titled.record({"type": "ai-title", "aiTitle": "A garden", "sessionId": OTHER})
    library.find("pear")
    names = Names(library.path)
    assert names.read([f"claude:{SESSION}", f"claude:{OTHER}", "claude:nobody"]) == {
        f"claude:{SESSION}": "plant the pear",
        f"claude:{OTHER}": "A garden",
    }
    titled.record({"type": "ai-title", "aiTitle": "An orchard", "sessionId": OTHER})
    library.find("pear")
    assert names.read([f"claude:{OTHER}"]) == {f"claude:{OTHER}": "An orchard"}
    library.path.write_bytes(b"rubbish")
    assert names.read(["claude:nobody"]) == {}


# ── transcripts that change ────────────────────────────────────────────────────────────────────


def test_what_is_deleted_or_rewritten_is_not_found_any_more(library: Library) -> None:
    talk = Talk(library.home).prompt("the old lemon").answer("the new lemon")
    assert len(library.texts("lemon")) == 2
    lines = talk.path.read_bytes().splitlines(keepends=True)
    new = talk.path.with_suffix(".tmp")
    new.write_bytes(lines[1])
    new.rename(talk.path)
    assert library.texts("lemon") == ["the new lemon"]
    talk.path.unlink()
    assert library.texts("lemon") == []


def test_building_can_stop_anywhere_and_goes_on_later(library: Library) -> None:
    for number in range(30):
        Talk(library.home, f"{number:08}-0000-4000-8000-000000000000", minute=number).prompt(f"cherry {number}")
    places = roots({"HOME": str(library.home)})
    seen = []
    for _ in range(40):
        with Index(library.path) as index:
            for _ in itertools.islice(update(index, places, slice=0.0), 3):
                pass
            seen.append(len(list(ask(index, question("cherry"), count=100))))
    assert seen == sorted(seen)
    assert seen[0] < 30
    assert seen[-1] == 30


def test_odd_texts_and_times_are_taken_as_they_come(library: Library) -> None:
    talk = Talk(library.home).prompt("whole date")
    half = '{"type":"user","message":{"role":"user","content":"half \\ud83d date"},"sessionId":"%s","timestamp":"%s"}'
    talk.record((half % (SESSION, "9999-12-31T23:59:59Z")).encode())
    talk.record((half % (SESSION, "0001-01-01T00:00:00Z")).encode())
    talk.record(b'{"type":"user","message":{"content":"\xff\xfe broken date"}}')
    assert len(library.texts("date")) == 4


# ── the index itself ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("damage", [b"rubbish " * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_index_is_moved_aside_and_made_anew(library: Library, damage: bytes) -> None:
    Talk(library.home).prompt("a fig")
    assert library.texts("fig") == ["a fig"]
    library.path.write_bytes(damage)
    for part in ("-wal", "-shm"):
        Path(f"{library.path}{part}").unlink(missing_ok=True)
    assert library.texts("fig") == ["a fig"]
    assert len(library.problems) == 1
    assert "was damaged" in library.problems[0]


def test_words_that_lead_nowhere_do_not_pile_up(library: Library) -> None:
    for number in range(10):
        talk = Talk(library.home, f"{number:08}-0000-4000-8000-000000000000").prompt(f"date {number}")
        if number:
            talk.path.unlink()
        library.find("date")
    with Index(library.path) as index:
        assert index.waste <= 0.5
        assert [hit.snippet for hit in ask(index, question("date"))] == ["date 0"]
