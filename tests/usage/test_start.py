"""What has to be loaded before the first figures can be told is little."""

import subprocess
import sys


def after(*statements: str) -> set[str]:
    """The modules that a fresh interpreter has after these statements."""
    code = "\n".join(["import sys", *statements, "print(*sys.modules)"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_worker_loads_nothing_slow_before_its_first_figures() -> None:
    loaded = after("import agentdeck.worker.main")
    assert {"msgspec", "agentdeck.usage.scan"} <= loaded
    slow = {"inspect", "dataclasses", "typing_extensions", "asyncio", "json", "socket", "zstandard", "platformdirs"}
    assert not slow & loaded


def test_msgspec_is_spared_typing_extensions_and_nobody_else_is() -> None:
    assert "typing_extensions" not in after("import agentdeck.sparing")
    assert "typing_extensions" in after("import agentdeck.sparing, typing_extensions")
    assert "typing_extensions" in after("import typing_extensions, agentdeck.sparing, msgspec")


def test_records_are_decoded_as_ever_by_msgspec_alone() -> None:
    after(
        "import agentdeck.sparing, msgspec",
        "from typing import Annotated, NotRequired, TypedDict",
        "T = TypedDict('T', {'a': Annotated[int, msgspec.Meta(ge=1)], 'b': NotRequired[str]})",
        "assert msgspec.json.decode(b'{\"a\": 1}', type=T) == {'a': 1}",
    )
