"""The hub's side of attention: alerts, who looks, explanations, reports."""

import json
from pathlib import Path

import pytest

from agentdeck.config import Notify
from agentdeck.errors import UnknownSessionError
from agentdeck.hub import attention, evidence
from agentdeck.hub.client import HubClient
from agentdeck.hub.hub import Hub
from agentdeck.paths import Paths
from agentdeck.protocol import attention as w
from agentdeck.protocol import messages as m
from tests.hub.conftest import client, connect, environment, hub, paths, until
from tests.status.recording import from_report
from tests.status.replay import Played
from tests.unit.test_status_live import ASKING, READY, WORKING, Agent

__all__ = ["client", "connect", "hub", "paths"]

SECRET = "sk-ant-api03-" + "Ab3" * 12


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "ALERT_AFTER", 0.05)


async def watch(client: HubClient) -> list[w.Alert]:
    alerts: list[w.Alert] = []
    client.on_push = lambda push: alerts.append(push) if isinstance(push, w.Alert) else None
    await client.call(m.Watch(resources=False))
    return alerts


# ── alerts ─────────────────────────────────────────────────────────────────────────────────────


async def test_who_is_needed_is_told_once_and_what_works_is_no_news(hub: Hub, client: HubClient, paths: Paths) -> None:
    alerts = await watch(client)
    agent = await Agent.start(hub, client, paths, "gemini")
    agent.says(READY)
    await agent.becomes("idle")
    agent.says(WORKING)
    await agent.becomes("working")
    agent.says(ASKING)
    await agent.becomes("needs_you")
    await until(lambda: bool(alerts))
    assert [(each.session, each.state) for each in alerts] == [(agent.session, "needs_you")]
    assert alerts[0].title.endswith("needs you")
    agent.says(WORKING)
    await agent.becomes("working")
    agent.says(READY)
    await agent.becomes("done")
    await until(lambda: len(alerts) == 2)
    assert alerts[1].state == "done"


async def test_what_is_answered_at_once_is_no_alert(
    hub: Hub, client: HubClient, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "ALERT_AFTER", 1.0)
    alerts = await watch(client)
    agent = await Agent.start(hub, client, paths, "gemini")
    agent.says(WORKING)
    await agent.becomes("working")
    agent.says(ASKING)
    await agent.becomes("needs_you")
    agent.says(WORKING)
    await agent.becomes("working")
    agent.says(READY)
    await agent.becomes("done")
    await until(lambda: bool(alerts))
    assert [each.state for each in alerts] == ["done"]


async def test_a_muted_session_alerts_nobody(hub: Hub, client: HubClient, paths: Paths) -> None:
    alerts = await watch(client)
    quiet, loud = [await Agent.start(hub, client, paths, "gemini") for _ in range(2)]
    await client.call(w.Mute(session=quiet.session, on=True))
    assert quiet.info.muted
    for agent in (quiet, loud):
        agent.says(ASKING)
        await agent.becomes("needs_you")
    await until(lambda: bool(alerts))
    assert {each.session for each in alerts} == {loud.session}


async def test_the_persons_own_command_gets_title_and_text(hub: Hub, client: HubClient, paths: Paths) -> None:
    told = paths.state / "told"
    desk = next(desk for desk in hub._desks if isinstance(desk, attention.AttentionDesk))
    script = 'printf "%s|%s" "$1" "$2" > "$0.new"; mv "$0.new" "$0"'
    desk._settings = Notify(command=("/bin/sh", "-c", script, str(told)))
    agent = await Agent.start(hub, client, paths, "gemini")
    agent.says(ASKING)
    await agent.becomes("needs_you")
    await until(told.exists)
    assert told.read_text() == f"{agent.info.name} needs you|{attention.plain(agent.info.why)}"


async def test_a_command_that_does_not_start_is_named(hub: Hub, client: HubClient, paths: Paths) -> None:
    desk = next(desk for desk in hub._desks if isinstance(desk, attention.AttentionDesk))
    desk._settings = Notify(command=("/nowhere/at-all",))
    agent = await Agent.start(hub, client, paths, "gemini")
    agent.says(ASKING)
    await until(lambda: any("notify.command" in problem for problem in hub.problems))


async def test_whoever_looks_away_has_not_seen_the_end(hub: Hub, client: HubClient, paths: Paths) -> None:
    agent = await Agent.start(hub, client, paths, "gemini")
    await client.call(m.View(session=agent.session, priority="focus"))
    await client.call(w.Looking(on=False))
    agent.says(WORKING)
    await agent.becomes("working")
    agent.says(READY)
    await agent.becomes("done")
    await client.call(w.Looking(on=True))
    agent.says(WORKING)
    await agent.becomes("working")
    agent.says(READY)
    await agent.becomes("idle")


# ── explanations ───────────────────────────────────────────────────────────────────────────────


async def test_a_state_is_explained_by_id_name_and_pid(hub: Hub, client: HubClient, paths: Paths) -> None:
    agent = await Agent.start(hub, client, paths, "gemini")
    agent.says(ASKING)
    await agent.becomes("needs_you")
    for ref in (agent.session, agent.session[:5], agent.info.name, str(agent.info.pid)):
        told = await client.ask(w.Explain(ref=ref), w.Explained)
        assert (told.session, told.state, told.asks) == (agent.session, "needs_you", "approval")
        won = [each for each in told.signals if each.part == "won"]
        assert [each.source for each in won] == ["title"]
        assert won[0].age is not None
        assert won[0].says in told.why


@pytest.mark.parametrize("ref", ["nobody", "", "1", "999999999"])
async def test_what_is_no_session_and_no_agent_is_said_to_be_none(client: HubClient, ref: str) -> None:
    with pytest.raises(UnknownSessionError):
        await client.call(w.Explain(ref=ref))


async def test_signals_that_fight_are_shown_as_such(hub: Hub, client: HubClient, paths: Paths) -> None:
    agent = await Agent.start(hub, client, paths, "codex")
    agent.says(r"\033]7501;state=working\007")
    await agent.becomes("working")
    agent.says(r"\033]0;Action Required\007")
    session = hub.roster.sessions[agent.session]
    await until(lambda: session.raw_title == "Action Required" and not session._judge_timer)
    told = await client.ask(w.Explain(ref=agent.session), w.Explained)
    parts = {each.source: each.part for each in told.signals}
    assert parts["status"] == "won"
    assert parts["title"] == "differs"


# ── gates and hooks ────────────────────────────────────────────────────────────────────────────


async def test_a_call_that_a_gate_holds_needs_somebody_whatever_the_program_says(
    hub: Hub, client: HubClient, paths: Paths
) -> None:
    agent = await Agent.start(hub, client, paths, "codex")
    agent.says(r"\033]7501;state=working\007")
    await agent.becomes("working")
    session = hub.roster.sessions[agent.session]
    evidence.hold(session, "call", "Bash rm -rf build")
    await agent.becomes("needs_you")
    assert "rm -rf build" in agent.info.why
    evidence.release(session, "call")
    await agent.becomes("working")


# ── reports ────────────────────────────────────────────────────────────────────────────────────


async def test_a_report_has_no_secret_no_home_and_plays_to_the_same_states(
    hub: Hub, client: HubClient, paths: Paths, tmp_path: Path
) -> None:
    agent = await Agent.start(hub, client, paths, "gemini")
    home = environment(paths)["HOME"]
    agent.says(READY)
    await agent.becomes("idle")
    agent.says(WORKING)
    await agent.becomes("working")
    agent.says(rf"key {SECRET} in {home}/notes\r\n")
    agent.says(rf"\033]0;◇  Ready ({home})\007")
    await agent.becomes("done")
    files = (await client.ask(w.MakeReport(session=agent.session), w.Report)).files
    assert set(files) == {"session.cast", "signals.json", "explained.json"}
    for data in files.values():
        assert SECRET.encode() not in data
        assert SECRET[4:16].encode() not in data
        assert home.encode() not in data
    assert json.loads(files["explained.json"])["name"] == ""
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    played = Played(from_report(tmp_path))
    assert list(played.play()) is not None
    played.clock.until(played.clock.now + 1)
    assert played.info.state == "done"
    assert "working" in [state for _, state, _ in played.changes]
