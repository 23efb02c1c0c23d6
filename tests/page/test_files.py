"""The files of the page: small, whole, and in step with the schema and the themes."""

import gzip
import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import agentdeck.gateway
from agentdeck.protocol import viewers as v
from agentdeck.ui.theme import load_palettes
from tests.page.conftest import Visit

PAGE = Path(agentdeck.gateway.__file__).with_name("page")
BUDGET = 150_000
ROOT = Path(__file__).parent.parent.parent


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("vendor_page", ROOT / "tools" / "vendor_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def served() -> list[Path]:
    return sorted(path for path in PAGE.rglob("*") if path.is_file() and path.suffix != ".lock")


def test_the_whole_page_is_small() -> None:
    loaded = [path for path in served() if path.suffix != ".txt"]  # licences lie beside it
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9, mtime=0)) for path in loaded}
    assert sum(sizes.values()) <= BUDGET, sizes


def test_vendored_files_are_what_the_lock_says_with_their_licences() -> None:
    assert tool().problems() == []
    lock = tomllib.loads((PAGE / "vendor" / "vendor.lock").read_text("utf-8"))
    for package in lock["package"]:
        assert package["licence"] == "MIT"
        assert package["integrity"].startswith("sha512-")
        assert any(file["path"].endswith("LICENSE.txt") for file in package["file"])


def test_a_vendored_file_that_was_changed_is_noticed(tmp_path: Path) -> None:
    for path in (PAGE / "vendor").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "xterm.mjs").write_bytes((tmp_path / "xterm.mjs").read_bytes() + b"//")
    (tmp_path / "xterm.css").unlink()
    (tmp_path / "more.js").write_text("")
    assert sorted(each.split(" ")[0] for each in tool().problems(tmp_path)) == ["more.js", "xterm.css", "xterm.mjs"]


def test_no_line_of_ours_makes_markup_from_text_or_names_another_host() -> None:
    for path in served():
        if path.parent == PAGE and path.suffix in (".js", ".html", ".css"):
            text = path.read_text("utf-8")
            found = re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text)
            assert not found, path.name
            assert not re.findall(r"https?://(?!www\.w3\.org/)", text), path.name
            assert not re.search(r"<[^>]+\s(on\w+|style)=", text), path.name


def test_every_kind_of_message_is_heard() -> None:
    heard = set(re.findall(r'case "(\w+)"', (PAGE / "session.js").read_text("utf-8")))
    heard |= set(re.findall(r't === "(\w+)"', (PAGE / "connection.js").read_text("utf-8")))
    assert {kind.name for kind in v.KINDS if kind.server} <= heard
    sent = {kind.name for kind in v.KINDS if kind.client}
    text = "".join(path.read_text("utf-8") for path in PAGE.glob("*.js"))
    assert {kind for kind in sent if f'"{kind}"' in text} == sent


@pytest.mark.chromium
async def test_codes_roles_and_colours_are_those_of_the_program(world: object, visit: Visit) -> None:
    from tests.gateway.conftest import World

    assert isinstance(world, World)
    link = await world.share(await world.start("/bin/sh", "-c", "sleep 100"))
    ana = await visit()
    await ana.page.goto(f"{link.base}/join")
    words = await ana.page.evaluate(
        "Promise.all([import('/assets/words.js'), import('/assets/terminal.js')])"
        ".then(([words, terminal]) => ({ closes: words.CLOSES, roles: words.ROLES, colours: terminal.COLOURS }))"
    )
    assert {(int(close), each["name"], each["again"]) for close, each in words["closes"].items()} == {
        (code.close, code.name, code.reconnect) for code in v.CODES
    }
    assert tuple(words["roles"]) == v.ROLES
    palettes = load_palettes()
    names = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
    for theme, name in (("dark", "night"), ("light", "paper")):
        colours = words["colours"][theme]
        assert (colours["background"], colours["foreground"]) == (palettes[name].background, palettes[name].text)
        bright = [f"bright{each.title()}" for each in names]
        assert tuple(colours[each] for each in (*names, *bright)) == tuple(palettes[name].ansi)
