"""What holds for every test: where a tool is missing a test is skipped, and in CI such a skip is a failure."""

import os
import shutil
import signal
from collections.abc import Iterator

import pytest

MUST_RUN = ("tmux", "real_cli")
"""Markers of tests that CI has the tools for; a skip there would hide that the tools are gone."""


def pytest_configure() -> None:
    """A run in the background of a script ignores Ctrl+C, and would hand that on to every program that it starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("tmux") and shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    if item.get_closest_marker("real_cli") and not os.environ.get("AGENTDECK_TEST_CLIS"):
        pytest.skip("the real CLIs are not installed: set AGENTDECK_TEST_CLIS (.ci/clis installs them)")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if os.environ.get("CI") != "true" or not report.skipped or hasattr(report, "wasxfail"):
        return
    if any(item.get_closest_marker(marker) for marker in MUST_RUN):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {reason}"
