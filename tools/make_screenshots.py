"""Draw screenshots/: the deck at its three sizes, and its dialogs, made by the app itself from the recorded sessions.

    uv run --with cairosvg python tools/make_screenshots.py

cairosvg is only needed for the PNG beside each SVG.
"""

import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path

from textual.pilot import Pilot

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from agentdeck.config import Config  # noqa: E402
from agentdeck.demo.stage import stage  # noqa: E402
from agentdeck.hub.client import HubClient  # noqa: E402
from agentdeck.paths import Paths  # noqa: E402
from agentdeck.protocol import messages as m  # noqa: E402
from agentdeck.ui import theme  # noqa: E402
from agentdeck.ui.app import DeckApp  # noqa: E402
from tests.fakes.recorded import transcripts  # noqa: E402

OUT = ROOT / "screenshots"
PLAYER = ROOT / "tests" / "page" / "player.py"
SETTLE = 4.0
"""Seconds until the recordings show something worth seeing."""

SHOTS: dict[str, tuple[tuple[int, int], str, tuple[str, ...]]] = {
    "deck-80x24": ((80, 24), "night", ()),
    "deck-120x40": ((120, 40), "night", ()),
    "deck-200x60": ((200, 60), "night", ()),
    "tiles-200x60": ((200, 60), "ember", ("v", "v")),
    "light-120x40": ((120, 40), "paper", ()),
    "new-120x40": ((120, 40), "night", ("n",)),
    "keys-120x40": ((120, 40), "night", ("question_mark",)),
}
"""Name → size, theme, keys pressed before."""


async def settled(pilot: Pilot[str]) -> None:
    """Wait until two exports a moment apart are the same, or a few seconds have passed: recordings go on."""
    before = ""
    for _ in range(20):
        await pilot.pause(0.25)
        now = pilot.app.export_screenshot()
        if now == before:
            return
        before = now


def without_fonts(svg: str) -> str:
    """Drop the fonts that the export would load from the network; the viewer's own monospace font does."""
    svg = re.sub(r"@font-face\s*{[^}]*}", "", svg)
    return svg.replace("Fira Code", "DejaVu Sans Mono, Menlo, Consolas")


def recorded(home: Path) -> Path:
    """Put a recorded transcript where the player finds it."""
    home.mkdir()
    source = home / "recorded.jsonl"
    source.write_bytes(max(transcripts("claude", "2.1.329-basic"), key=lambda each: len(each.data)).data)
    return source


async def with_transcript(client: HubClient, home: Path) -> str:
    """Put a session whose transcript was recorded, too, in the place of the first one."""
    first = (await client.ask(m.List(), m.Sessions)).sessions[0]
    await client.call(m.Stop(session=first.id, grace=0.2))
    await client.call(m.Forget(session=first.id))
    request = m.Spawn(
        provider="claude", cwd=first.cwd, env={**os.environ, "HOME": os.fspath(home)}, name=first.name, cols=120,
        rows=40, argv=(sys.executable, os.fspath(PLAYER), os.fspath(recorded(home)), str(os.getpid())),
    )  # fmt: skip
    return (await client.ask(request, m.Done)).session


async def shoot(paths: Paths) -> None:
    palettes = theme.load_palettes()
    async with await HubClient.connect(paths, kind="screenshots") as client:
        session = await with_transcript(client, paths.state.parent.parent / "home")
        await asyncio.sleep(SETTLE)
        for name, (size, colours, keys) in SHOTS.items():
            app = DeckApp(
                lambda start=True: HubClient.connect(paths, kind="deck", start=start),
                Config(theme=colours),
                palettes=palettes,
                env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
                attach=session,
            )
            async with app.run_test(size=size) as pilot:
                await settled(pilot)
                await pilot.press("ctrl+q", *keys)
                await settled(pilot)
                write(name, without_fonts(app.export_screenshot(title="agentdeck")))


def write(name: str, svg: str) -> None:
    OUT.mkdir(exist_ok=True)
    (OUT / f"{name}.svg").write_text(svg, "utf-8")
    try:
        import cairosvg
    except ImportError:
        print(f"{name}.svg")
        return
    cairosvg.svg2png(bytestring=svg.encode(), write_to=str(OUT / f"{name}.png"), output_width=1400)
    print(f"{name}.svg and .png")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="ad-home-", dir="/tmp", ignore_cleanup_errors=True) as own:
        for variable in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
            os.environ.pop(variable, None)
        os.environ["HOME"] = own  # the deck follows the transcripts of whoever's home it is
        with stage() as paths:
            asyncio.run(shoot(paths))
