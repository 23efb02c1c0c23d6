"""What `agentdeck health` prints, for people and for programs."""

import json

from agentdeck.cli.commands.health import as_object, lines
from agentdeck.protocol import insight as i

TOLD = i.InsightTold(
    insight=i.Insight(
        key="a1", score=86, status="healthy", factors=(0.65, 1.0, 1.0, 1.0),
        alerts=(i.Alert("loop", "Bash ls: 3 times with the same answer", "interrupt it"),),
        conflicts=(i.Conflict("/demo/jwt.py", 5.0, ("b2", "a1")),),
        servers=(i.Server("github", 70, 88 * 2**20, growing=True),), remains=(i.Remain("vite", 4711),),
    ),
    names={"a1": "api", "b2": "docs"},
)  # fmt: skip


def test_people_read_the_score_with_its_factors_and_what_to_do() -> None:
    said = "\n".join(lines(TOLD))
    assert "api: 86 of 100, healthy\n  context   65\n  age      100\n  rest     100\n  errors   100" in said
    assert "loop: Bash ls: 3 times with the same answer\n  interrupt it" in said
    assert "conflict: jwt.py was changed by docs, too\n  /demo/jwt.py" in said
    assert "MCP server github (pid 70): 88 MB, grows" in said
    assert "still runs: vite (pid 4711)" in said


def test_a_session_without_a_transcript_has_no_score() -> None:
    told = i.InsightTold(insight=i.Insight(key="a1"), names={"a1": "api"})
    assert lines(told) == ["api: no transcript tells how it does"]
    assert as_object(told)["score"] is None


def test_programs_get_everything_by_name() -> None:
    whole = json.loads(json.dumps(as_object(TOLD)))
    assert whole["factors"] == {"context": 0.65, "age": 1.0, "rest": 1.0, "errors": 1.0}
    assert whole["alerts"][0]["kind"] == "loop"
    assert whole["conflicts"][0]["sessions"] == [{"key": "b2", "name": "docs"}, {"key": "a1", "name": "api"}]
    assert whole["servers"] == [{"name": "github", "pid": 70, "rss": 88 * 2**20, "growing": True}]
    assert whole["remains"] == [{"name": "vite", "pid": 4711}]
