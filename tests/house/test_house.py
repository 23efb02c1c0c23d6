"""Rules of the house that no other tool checks."""

import ast
import gzip
import json
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement

from agentdeck.cli.commands import COMMANDS
from agentdeck.config import CHOICES, RANGES, Config
from tests.house import reference

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = ROOT / "tui" / "agentdeck"


def files() -> list[Path]:
    """Every file of the project: what git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if listed.returncode:  # an unpacked source distribution
        return [path for path in ROOT.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


FILES: Final = files()
PAGES: Final = [path for path in FILES if path.suffix == ".md"]
MODULES: Final = [path for path in FILES if path.suffix == ".py"]


def text_of(path: Path) -> str:
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    return data.decode("utf-8", "replace")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


# ── what must not be in any file ───────────────────────────────────────────────────────────────

PLACES: Final = re.compile(
    "|".join(["/wo" + "rk/(?:main|shared)", "/opt/agent" + "clis", "/tmp/" + "lab", "/root/" + r"\."])
)
_HOSTS = (
    r"files\.python" + "hosted",
    r"pypi\." + "org",
    r"registry\.npm" + "js",
    "--(?:extra-)?index" + "-url",
    "--has" + "h=",
)
HOSTS: Final = re.compile("|".join(_HOSTS), re.IGNORECASE)


@pytest.mark.parametrize("path", FILES, ids=named)
def test_a_file_has_no_paths_of_a_machine_and_no_hosts_of_a_registry(path: Path) -> None:
    text = text_of(path)
    assert not PLACES.search(text), "it names a place on the machine that it was written on"
    assert not HOSTS.search(text), "where packages come from is the business of whoever installs"


def test_there_is_no_lock_file_and_no_pinned_interpreter() -> None:
    names = {named(path) for path in FILES}
    assert not {"uv.lock", ".python-version", "poetry.lock"} & names


# ── modules ────────────────────────────────────────────────────────────────────────────────────


OURS: Final = [path for path in MODULES if PACKAGE in path.parents]


@pytest.mark.parametrize("path", OURS, ids=named)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree) or not tree.body, "the first lines of a module say why it exists"


def test_a_module_is_one_idea() -> None:
    lengths = {named(path): path.read_text("utf-8").count("\n") for path in OURS}
    assert statistics.median(lengths.values()) < 150
    long = {name: length for name, length in lengths.items() if length > 400}
    assert len(long) <= len(lengths) // 20, f"rarely over 400 lines: {long}"
    assert not [name for name, length in lengths.items() if length > 600], "split it by idea"


def swallows_everything(handler: ast.ExceptHandler) -> bool:
    """Whether it catches what nobody can name, and does not pass it on."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    everything = any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException")) for kind in caught
    )
    last = ast.unparse(handler.body[-1])
    return everything and not last.startswith("raise") and "._handle_exception(" not in last


@pytest.mark.parametrize("path", OURS, ids=named)
def test_an_except_names_what_it_catches_or_passes_it_on(path: Path) -> None:
    handlers = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ExceptHandler)]
    assert not [f"line {handler.lineno}" for handler in handlers if swallows_everything(handler)]


def test_modules_are_called_by_what_they_hold() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "base_manager", "manager"}
    assert not [named(path) for path in MODULES if path.stem in vague]


def test_the_help_loads_neither_textual_nor_anything_else_that_is_slow() -> None:
    code = (
        "import sys\nfrom agentdeck.cli.main import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "agentdeck.cli.main" in loaded
    assert not {"textual", "rich", "msgspec", "psutil", "pexpect", "cffi"} & loaded


# ── dependencies ───────────────────────────────────────────────────────────────────────────────


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_dependency_has_its_reason_beside_it() -> None:
    lines = (ROOT / "pyproject.toml").read_text("utf-8").splitlines()
    for dependency in project()["project"]["dependencies"]:
        (line,) = (line for line in lines if f'"{dependency}"' in line)
        assert re.search(r",\s+# \w.{10,}", line), f"{dependency} has no reason"


def test_the_constraints_are_names_and_versions_that_fit_the_project() -> None:
    pins: dict[str, str] = {}
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line), line
            name, _, version = line.partition("==")
            assert plain(name) not in pins
            pins[plain(name)] = version
    wanted = project()
    for each in (
        *wanted["project"]["dependencies"],
        *wanted["dependency-groups"]["dev"],
        *wanted["build-system"]["requires"],
    ):
        requirement = Requirement(each)
        assert plain(requirement.name) in pins, f"{requirement.name} is not in constraints.txt"
        assert requirement.specifier.contains(pins[plain(requirement.name)]), f"{each} does not allow its pin"


# ── documents ──────────────────────────────────────────────────────────────────────────────────


def links(page: Path) -> Iterator[str]:
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.DOTALL)
    yield from re.findall(r"\]\(([^)\s]+)\)", prose)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        found = (page.parent / target).resolve() if target else page
        assert found.exists(), f"{link} leads nowhere"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", found.read_text("utf-8"), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings]


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="argparse writes options in other words from 3.13 on")
def test_the_command_reference_is_what_the_commands_say() -> None:
    now = reference.PAGE.read_text("utf-8")
    assert now == reference.page_with(reference.reference()), "python -m tests.house.reference writes it anew"
    assert all(f"### agentdeck {name}\n" in now for name in COMMANDS)


def test_every_setting_is_documented_with_its_default() -> None:
    rows = dict(
        re.findall(r"^\| `([\w.]+)` \| `(.+?)` \|", (ROOT / "docs/configuration.md").read_text("utf-8"), re.MULTILINE)
    )
    wanted: dict[str, object] = {}
    for name in Config.__struct_fields__:
        value = getattr(Config(), name)
        if hasattr(value, "__struct_fields__"):
            wanted |= {f"{name}.{inner}": getattr(value, inner) for inner in value.__struct_fields__}
        else:
            wanted[name] = value
    assert rows.keys() == wanted.keys()
    for name, value in wanted.items():
        shown = json.dumps(value) if isinstance(value, str | tuple) else str(value)  # as TOML writes it
        assert rows[name] == shown, name
    assert {*CHOICES, *RANGES} <= rows.keys()


def test_every_exit_code_is_documented() -> None:
    from agentdeck import errors

    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.AgentdeckError)
    ]
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", reference.PAGE.read_text("utf-8"), re.MULTILINE)}
    assert {kind.exit_code for kind in kinds} | {0, 130} <= documented


def test_the_readme_says_how_to_run_the_tests_and_what_leaves_the_machine() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "uv run pytest" in readme
    assert "Nothing leaves your machine" in readme


# ── the rules themselves ───────────────────────────────────────────────────────────────────────


def test_the_rules_catch_what_they_are_for() -> None:
    assert PLACES.search("see /wo" + "rk/main/x")
    assert HOSTS.search("https://pypi." + "org/simple")
    assert not PLACES.search("homework/3")
    for source, wrong in (
        ("except: pass", True),
        ("except (OSError, Exception): x()", True),
        ("except BaseException: raise", False),
    ):
        (handler,) = (
            node for node in ast.walk(ast.parse(f"try: x()\n{source}")) if isinstance(node, ast.ExceptHandler)
        )
        assert swallows_everything(handler) == wrong
