"""Which events pass which filters."""

from typing import Any

import pytest

from agentdeck import events as e
from agentdeck.errors import UsageError
from agentdeck.realtime import Filter, LiveSession, filters
from tests.realtime.happening import base, returned, said, used


def passes(chosen: Filter, event: e.AnyEvent, cwd: str = "/demo/shop") -> bool:
    live = LiveSession(event.provider, event.session)
    live.cwd = cwd
    return chosen(event, live)


def answered(call: e.ToolUsed, **of: Any) -> e.ToolReturned:
    return e.ToolReturned(**base(1), call=call.call, output="", used=call, **of)


EDIT = used(0, "c", "Edit", "file_write", input={"file_path": "/demo/shop/src/a/b.py"})
PATCH = used(0, "c", "apply_patch", "file_write", input={"input": "*** Begin Patch\n*** Update File: src/x.rs\n@@\n"})


def test_providers_sessions_kinds_and_roles() -> None:
    event = said(0, "user", session="0199a213-81c0")
    assert passes(filters.provider("codex", "claude"), event)
    assert not passes(filters.provider("codex"), event)
    assert passes(filters.session("other", "0199a2"), event)
    assert not passes(filters.session("0199b"), event)
    assert passes(filters.kind("message", "error"), event)
    assert not passes(filters.kind("error"), event)
    assert passes(filters.role("user"), event)
    assert not passes(filters.role("assistant"), event)
    assert not passes(filters.role("user"), used(0, "c"))


@pytest.mark.parametrize(
    ("wanted", "cwd", "expected"),
    [
        ("shop", "/demo/shop", True),
        ("sh*p", "/demo/shop", True),
        ("shop", "/demo/shop/sub", False),
        ("/demo/shop", "/demo/shop/sub", True),
        ("/demo/shop", "/demo/shopping", False),
        ("/demo/shop/", "/demo/shop", True),
        ("shop", "", False),
    ],
)
def test_a_project_is_a_name_or_a_directory_with_all_below_it(wanted: str, cwd: str, expected: bool) -> None:
    assert passes(filters.project(wanted), said(0), cwd) is expected


def test_tools_and_their_categories_hold_for_results_too() -> None:
    for event in (EDIT, answered(EDIT)):
        assert passes(filters.tool("Ed*"), event)
        assert passes(filters.tool_category("command", "file_write"), event)
        assert not passes(filters.tool_category("command"), event)
    assert not passes(filters.tool("*"), returned(0, "c")), "a result without its call is of no tool"
    assert not passes(filters.tool("*"), said(0))


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("src/**/*.py", True),
        ("src/*.py", False),
        ("**/*.py", True),
        ("*.py", False),
        ("/demo/shop/src/a/?.py", True),
        ("/demo/**", True),
        ("shop/src/a/b.py", False),
        ("src/a/b[.]py", False),
    ],
)
def test_paths_are_globs_below_the_working_directory_or_from_the_root(glob: str, expected: bool) -> None:
    assert passes(filters.path(glob), EDIT) is expected
    assert passes(filters.path(glob), answered(EDIT)) is expected


def test_paths_are_found_in_patches_and_changes() -> None:
    assert passes(filters.path("src/*.rs"), PATCH)
    changed = returned(0, "c", files=(e.FileChange(path="/demo/shop/doc.md"),))
    assert passes(filters.path("doc.md"), changed)


def test_failures_agents_and_own_claims() -> None:
    assert passes(filters.failed(), returned(0, "c", is_error=True))
    assert passes(filters.failed(), e.ErrorRaised(**base(0), text="x"))
    assert not passes(filters.failed(), returned(0, "c"))
    assert passes(filters.main(), said(0))
    assert not passes(filters.main(), said(0, agent="a1"))
    assert passes(filters.where(lambda event: event.session == "s1"), said(0))


def test_filters_are_combined() -> None:
    yes, no = filters.provider("claude"), filters.provider("codex")
    event = said(0)
    assert passes(filters.any_of(no, yes), event)
    assert not passes(filters.any_of(no, no), event)
    assert passes(filters.all_of(yes, yes), event)
    assert not passes(filters.all_of(yes, no), event)
    assert passes(filters.none_of(no), event)
    assert not passes(filters.none_of(no, yes), event)


@pytest.mark.parametrize(
    "empty",
    [filters.provider, filters.session, filters.project, filters.kind, filters.tool, filters.path, filters.any_of],
)
def test_a_filter_that_could_never_pass_is_refused(empty: Any) -> None:
    with pytest.raises(UsageError, match="needs something"):
        empty()


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no event called 'mesage'"):
        filters.kind("mesage")
