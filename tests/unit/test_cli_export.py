"""`agentdeck export`: the whole conversation, and nothing in it can break out of its place."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdeck.cli.markdown import contained, escaped, fenced, quoted
from agentdeck.cli.page import prose
from tests.search.talk import OTHER, SESSION, Talk
from tests.unit.cli_home import CliHome, a_home

NASTY = '<script>alert("x")</script> & </pre></details> `tick` \x1b[31mred\x1b[m \u202eback'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> CliHome:
    talk = Talk(tmp_path).prompt(f"look\n# not a heading\n{NASTY}")
    talk.answer(f"# Plan\n\n- **read** `code`\n\n```python\nif a < b:\n```\n{NASTY}", thought="hm")
    talk.call("Bash", "a `b` ```\n" + NASTY, command="ls -la\nls")
    talk.call("Edit", "failed badly", failed=True, file_path="/w/shop/a.py")
    talk.subagent("abc").prompt("explore").answer("explored")
    talk.record({"type": "system", "subtype": "compact_boundary", "timestamp": "2026-11-20T10:30:00Z"})
    talk.prompt("and now?").answer("open ended ```\nno fence")
    Talk(tmp_path, OTHER).prompt("another")
    return a_home(tmp_path, monkeypatch, capfd)


class Page(HTMLParser):
    """What is open, and what was ever used."""

    VOID = frozenset(("meta", "br", "link"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_whole_and_has_no_scripts_and_nothing_from_elsewhere(home: CliHome) -> None:
    text = home.ok("export", SESSION, "--format", "html")
    page = Page(text)
    assert not {"script", "iframe", "img", "link", "object", "a"} & page.tags
    assert not {name for name in page.attributes if name.startswith("on")} | {"src", "href"} & page.attributes
    assert "default-src 'none'" in text
    assert "prefers-color-scheme:dark" in text
    for said in ("look", "hm", "Plan", "ls -la", "failed badly", "explored", "and now?", "no fence"):
        assert said in page.text
    assert '<script>alert("x")</script>' in page.text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_markdown_has_everything_in_its_place(home: CliHome) -> None:
    text = home.ok("export", SESSION)
    assert text.startswith("# look\n")
    for part in (
        "> \\# not a heading", "```python\nif a < b:\n```", "**Bash**", "````\na `b` ```", "· failed",
        "*the context was compacted*", "> and now?", "open ended",
    ):  # fmt: skip
        assert part in text
    outside = re.sub(r"(`{3,}).*?\n\1\n", "", text, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)<script", outside)
    assert "\x1b" not in text
    assert text.count("<details>") == outside.count("</details>")


def test_json_has_every_event_with_its_place(home: CliHome) -> None:
    found = json.loads(home.ok("export", SESSION, "--format", "json"))
    assert (found["provider"], found["session"], found["project"]) == ("claude", SESSION, "/w/shop")
    kinds = [event["kind"] for event in found["events"]]
    assert kinds.count("tool_use") == kinds.count("tool_result") == 2
    assert [event["text"] for event in found["events"] if event["agent"] == "abc"] == ["explore", "explored"]
    assert all(Path(event["source"]["path"]).exists() for event in found["events"])


@pytest.mark.parametrize("name", ["talk.md", "talk.html", "talk.json", "talk.txt"])
def test_a_file_is_written_whole_and_for_ones_own_eyes(home: CliHome, name: str) -> None:
    path = home.path / name
    assert home.ok("export", SESSION, "-o", str(path)) == ""
    begin = {"html": "<!doctype html>", "json": "{"}.get(path.suffix[1:], "# ")
    assert path.read_text("utf-8").startswith(begin)
    assert path.stat().st_mode & 0o077 == 0
    assert [each.name for each in home.path.iterdir() if each.is_file()] == [name]


def test_a_session_is_named_as_it_is_everywhere(home: CliHome) -> None:
    whole = home.ok("export", SESSION)
    (path,) = home.path.glob(f".claude/projects/*/{SESSION}.jsonl")
    for name in (SESSION[:8], f"claude:{SESSION}", str(path)):
        assert home.ok("export", name) == whole


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("zzz",), "there is no session 'zzz'"),
        (("",), "there is no session ''"),
        (("./nowhere.jsonl",), "./nowhere.jsonl cannot be read"),
        ((SESSION, "--format", "pdf"), "--format: invalid choice: 'pdf'"),
        ((SESSION, "-o", "/nowhere/talk.md"), "/nowhere/talk.md cannot be written"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_a_hint(home: CliHome, words: tuple[str, ...], sentence: str) -> None:
    assert home.refused("export", *words)[0].startswith(f"agentdeck: {sentence}")


def test_a_beginning_that_fits_several_names_them(home: CliHome) -> None:
    Talk(home.path, f"{SESSION[:9]}ffff-4000-8000-000000000009").prompt("x")
    sentence, hint = home.refused("export", SESSION[:8])
    assert "fits 2 sessions" in sentence
    assert f"claude:{SESSION}" in hint


# ── whatever is written ────────────────────────────────────────────────────────────────────────

TEXTS = st.text(alphabet=st.one_of(st.sampled_from("`~<>#*-_\n \t1.&\\[]"), st.characters()), max_size=80)


@given(TEXTS)
def test_prose_is_well_formed_whatever_an_agent_writes(text: str) -> None:
    page = Page(f"<div>{prose(text)}</div>")
    assert page.tags <= {"div", "p", "br", "pre", "code", "ul", "ol", "li", "strong", "h2", "h3", "h4", "h5"}
    assert page.attributes <= {"start"}


@given(TEXTS)
def test_a_code_block_ends_only_at_its_own_fence(text: str) -> None:
    first, *inside, last = fenced(text).split("\n")
    assert first == last
    assert set(first) == {"`"}
    assert not [line for line in inside if line.startswith(first)]


@given(TEXTS)
def test_a_quote_stays_a_quote_and_has_no_tags(text: str) -> None:
    lines = quoted(text).split("\n")
    assert all(line.startswith(">") for line in lines)
    assert not re.search(r"(?<!\\)<", "\n".join(lines))
    assert not re.search(r"(?<!\\)[`*_]", escaped(text.replace("\n", " ")).replace("\\\\", ""))


@given(TEXTS)
def test_markdown_of_an_agent_leaves_no_code_block_open(text: str) -> None:
    assert contained(contained(text)) == contained(text) or "&lt;" in contained(text)
    fence = ""
    for line in contained(text).split("\n"):
        found = re.match(r"^ {0,3}(`{3,}|~{3,})(.*)$", line)
        if fence:
            fence = "" if found and found[1].startswith(fence) and not found[2].strip() else fence
        elif found and not (found[1][0] == "`" and "`" in found[2]):
            fence = found[1]
    assert fence == ""
