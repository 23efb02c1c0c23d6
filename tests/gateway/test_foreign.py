"""A session that was started elsewhere is shared by the CLI's own id: its feed, figures and files, without a screen."""

from pathlib import Path

import httpx
import pytest

from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from tests.gateway.conftest import Link, World
from tests.hub.test_hub_facts import SESSION, Transcript

KEY = "sk-ant-api03-Zx81kLmQ09vTn2PqRb77Yw5Ds3Fg6Hj4"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def used(call: str, tool: str, **words: str) -> dict[str, object]:
    content = [{"type": "tool_use", "id": call, "name": tool, "input": words}]
    usage = {"input_tokens": 1000, "output_tokens": 50}
    return {
        "type": "assistant", "requestId": call,
        "message": {"id": call, "role": "assistant", "model": "claude-sonnet-4-5", "content": content, "usage": usage},
    }  # fmt: skip


async def test_its_feed_and_figures_are_told_and_its_secrets_are_not(world: World, home: Path) -> None:
    transcript = Transcript(home)
    transcript.write({"type": "user", "message": {"role": "user", "content": f"deploy with {KEY} please"}})
    await world.client.ask(s.AllowRepository(path="/home/dev"), m.Done)
    told = await world.client.ask(s.Share(session=SESSION), s.Shared)
    link = Link(told.url)
    assert f'"path": "{transcript.path}"' in world.allowlist.read_text()
    guest = await world.join(link, "ana")
    await guest.until(lambda: any("deploy with" in each["d"]["text"] for each in guest.of("feed")))
    transcript.write(used("toolu_1", "Bash", command=f"curl -H 'x-api-key: {KEY}' {home}/x"))
    await guest.until(lambda: any(each["d"]["title"] == "Bash" for each in guest.of("feed")))
    await guest.until(lambda: guest.newest("session_data_update").get("tools") == 1)
    await guest.until(lambda: guest.newest("session_health_update").get("factors"))
    assert guest.of("snapshot")[0]["d"]["screen"] is None
    wire = b"".join(guest.wire)
    assert KEY[:20].encode() not in wire
    assert str(home).encode() not in wire
    token = (world.paths.run / "gateway.token").read_text()
    async with httpx.AsyncClient(base_url=link.base, headers={"Authorization": f"Bearer {token}"}) as http:
        (found,) = (await http.get(f"/api/sessions?claude_session_id={SESSION}")).json()["sessions"]
    assert found["url"] == link.url.partition("#")[0]
    driver = await world.join(await world.invite(SESSION, "driver"), "ben")
    await driver.send("interrupt", "i")
    assert (await driver.answer("i"))["d"]["code"] == "UNAVAILABLE"
