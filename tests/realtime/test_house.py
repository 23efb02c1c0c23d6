"""What importing the library costs, and what it offers."""

import inspect
import subprocess
import sys

import agentdeck.realtime

WEIGHT = (
    "textual",
    "rich",
    "aiohttp",
    "starlette",
    "fastapi",
    "uvicorn",
    "flask",
    "django",
    "tornado",
    "httpx",
    "cffi",
)


def loaded(module: str) -> set[str]:
    code = f"import sys, {module}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_importing_the_library_loads_neither_textual_nor_a_web_framework() -> None:
    found = loaded("agentdeck.realtime")
    assert "agentdeck" in found
    assert not found & set(WEIGHT)


def test_importing_the_integrations_does_not_load_httpx() -> None:
    names = ("webhook", "prometheus", "log", "payloads", "signing")
    found = loaded(", ".join(f"agentdeck.integrations.{name}" for name in names))
    assert not found & set(WEIGHT)


def test_everything_public_has_a_docstring_and_exists() -> None:
    public = agentdeck.realtime.__all__
    assert public == sorted(public)
    for name in public:
        value = getattr(agentdeck.realtime, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            own = value.__doc__ or ""
            generated = own.startswith(f"{name}(")  # what dataclass makes when there is none
            documented = bool(own) and not generated
            plain = value.__module__ in ("agentdeck.events", "agentdeck.live.health")  # their names and fields say it
            assert documented or plain, name
