"""What a call does, in a few words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdeck.live.wording import LONGEST, full_input, one_line, pretty, subject
from tests.realtime.happening import used

PATCH = "*** Begin Patch\n*** Update File: src/a.rs\n@@\n-x\n*** Add File: b.rs\n+y\n*** End Patch"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"command": "pytest -q", "description": "run tests"}, "pytest -q"),
        ({"command": ["bash", "-lc", "ls"]}, "bash -lc ls"),
        ({"file_path": "/demo/shop/src/a.py", "content": "x"}, "src/a.py"),
        ({"file_path": "/elsewhere/a.py"}, "/elsewhere/a.py"),
        ({"command": "cat /demo/shop/a.py"}, "cat /demo/shop/a.py"),
        ({"pattern": "till", "path": "/demo/shop/src"}, "src"),
        ({"input": PATCH}, "src/a.rs, b.rs"),
        ({"questions": [{"question": "Which?"}]}, "Which?"),
        ({"questions": []}, ""),
        ({"limit": 3, "deep": {"a": 1}, "name": "x"}, "limit=3, name=x"),
        ({"command": 7, "query": "q"}, "q"),
        ({}, ""),
    ],
)
def test_a_call_is_about_the_most_telling_of_its_inputs(arguments: dict[str, object], expected: str) -> None:
    assert subject(used(0, "c1", input=arguments), "/demo/shop") == expected


def test_a_command_is_shown_as_it_is_and_the_rest_as_json() -> None:
    assert full_input(used(0, "c1", input={"command": "a\nb", "timeout": 5})) == "a\nb"
    assert full_input(used(0, "c1", input={"a": [1]})) == '{\n  "a": [\n    1\n  ]\n}'
    assert full_input(used(0, "c1", input={"command": "a", "x": 1, "y": 2})) == pretty({"command": "a", "x": 1, "y": 2})


@given(st.text(max_size=2000))
def test_a_line_is_one_printable_line_of_bounded_length(text: str) -> None:
    found = one_line(text)
    assert len(found) <= LONGEST
    assert found.isprintable()
    assert found == " ".join(found.split())
