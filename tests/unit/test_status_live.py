"""States of live sessions: a hub, a holder, and a program that says what the test tells it to say."""

import json
import os
import stat
from pathlib import Path

import pytest

from agentdeck.hub import evidence
from agentdeck.hub.client import HubClient
from agentdeck.hub.hub import Hub
from agentdeck.paths import Paths
from agentdeck.processes import resume
from agentdeck.protocol import messages as m
from tests.hub.conftest import client, connect, environment, hub, paths, until

__all__ = ["client", "connect", "hub", "paths"]

SAYS_WHAT_IT_READS = 'stty -echo; printf ready; while read -r line; do printf "$line"; done'
WORKING, READY, ASKING = (
    r"\033]0;✦  Working… (x)\007",
    r"\033]0;◇  Ready (x)\007",
    r"\033]0;✋  Action Required (x)\007",
)
ID = "11111111-2222-4333-8444-555555555555"


class Agent:
    def __init__(self, hub: Hub, client: HubClient, session: str) -> None:
        self.hub, self.client, self.session = hub, client, session

    @classmethod
    async def start(cls, hub: Hub, client: HubClient, paths: Paths, provider: str, *argv: str) -> "Agent":
        argv = argv or ("/bin/sh", "-c", SAYS_WHAT_IT_READS)
        spawn = m.Spawn(provider=provider, cwd="/", env=environment(paths), argv=argv, cols=80, rows=24)
        return cls(hub, client, (await client.ask(spawn, m.Done)).session)

    @property
    def info(self) -> m.Session:
        return self.hub.roster.sessions[self.session].info

    def says(self, line: str) -> None:
        self.client.post(m.Input(session=self.session, data=line.encode() + b"\n"))

    async def becomes(self, state: str) -> None:
        await until(lambda: self.info.state == state)
        assert self.info.why


async def test_a_turn_is_seen_in_the_title_and_done_until_somebody_looks(
    hub: Hub, client: HubClient, paths: Paths
) -> None:
    agent = await Agent.start(hub, client, paths, "gemini")
    assert agent.info.state == "starting"
    agent.says(READY)
    await agent.becomes("idle")
    agent.says(WORKING)
    await agent.becomes("working")
    began = agent.info.since
    agent.says(ASKING)
    await agent.becomes("needs_you")
    agent.says(WORKING)
    await agent.becomes("working")
    agent.says(READY)
    await agent.becomes("done")
    assert agent.info.since > began
    await client.call(m.Seen(session=agent.session))
    await agent.becomes("idle")


async def test_who_watches_has_seen_the_end(hub: Hub, client: HubClient, paths: Paths) -> None:
    agent = await Agent.start(hub, client, paths, "gemini")
    await client.call(m.View(session=agent.session, priority="focus"))
    agent.says(WORKING)
    await agent.becomes("working")
    agent.says(READY)
    await agent.becomes("idle")


async def test_a_program_status_decides_whatever_the_title_says(hub: Hub, client: HubClient, paths: Paths) -> None:
    agent = await Agent.start(hub, client, paths, "codex")
    agent.says(r"\033]7501;state=working:app=codex\007")
    await agent.becomes("working")
    agent.says(r"\033]7501;state=blocked:kind=permission:app=codex\007")
    await agent.becomes("needs_you")
    assert "permission" in agent.info.why
    agent.says(r"\033]7501;state=done:app=codex\007")
    await agent.becomes("done")


async def test_a_first_start_dialog_needs_you_although_nothing_says_so(
    hub: Hub, client: HubClient, paths: Paths
) -> None:
    agent = await Agent.start(hub, client, paths, "gemini")
    agent.says(READY)
    await agent.becomes("idle")
    box = ("╭─────╮", "│ Do you trust the files in this folder?", "│ ● 1. Trust folder", "│   2. No", "╰─────╯")
    agent.says("".join(rf"\r\n{line}" for line in box))
    await agent.becomes("needs_you")
    assert agent.info.asks == "setup"
    agent.says(r"\033[2J" + WORKING)
    await agent.becomes("working")
    agent.says(r"\r\n I read: Do you trust the files in this folder?\r\n" + READY)
    await agent.becomes("done")


async def test_claude_is_read_from_its_own_file(hub: Hub, client: HubClient, paths: Paths) -> None:
    agent = await Agent.start(hub, client, paths, "claude")
    await until(lambda: agent.info.pid > 0)
    file = Path(environment(paths)["HOME"]) / ".claude" / "sessions" / f"{agent.info.pid}.json"
    file.parent.mkdir(parents=True)

    def status(status: str, **more: str) -> None:
        start = resume.start_ticks(agent.info.pid)
        file.write_text(json.dumps({"sessionId": ID, "procStart": start, "status": status, **more}))

    status("busy")
    agent.says(r"\033]0;⠂ Fix it\007")
    await agent.becomes("working")
    status("waiting", waitingFor="permission prompt")
    agent.says(r"\033]0;✳ Fix it\007")
    await agent.becomes("needs_you")
    assert agent.info.resume_id == ID
    assert evidence.resume_id(hub.roster.sessions[agent.session]) == "", "there is no conversation on disk to resume"
    conversation = file.parent.parent / "projects" / "-app" / f"{ID}.jsonl"
    conversation.parent.mkdir(parents=True)
    conversation.touch()
    assert evidence.resume_id(hub.roster.sessions[agent.session]) == ID


async def test_the_conversation_that_codex_holds_open_is_learned_at_the_end_of_a_turn(
    hub: Hub, client: HubClient, paths: Paths
) -> None:
    rollout = Path(environment(paths)["HOME"]) / ".codex" / "sessions" / "2026" / "11" / "21" / f"rollout-x-{ID}.jsonl"
    rollout.parent.mkdir(parents=True)
    agent = await Agent.start(hub, client, paths, "codex", "/bin/sh", "-c", f"exec 5>'{rollout}'; {SAYS_WHAT_IT_READS}")
    agent.says(r"\033]7501;state=working\007")
    await agent.becomes("working")
    agent.says(r"\033]7501;state=done\007")
    await agent.becomes("done")
    assert agent.info.resume_id == ID


@pytest.mark.skipif(not os.path.exists("/bin/bash"), reason="needs bash")  # noqa: PTH110
async def test_a_shell_is_idle_at_its_prompt_and_works_during_a_command(
    hub: Hub, client: HubClient, paths: Paths
) -> None:
    shell = await Agent.start(hub, client, paths, "shell", "/bin/bash", "--norc", "--noprofile")
    await shell.becomes("idle")
    shell.says("sleep 600")
    await shell.becomes("working")
    client.post(m.Input(session=shell.session, data=b"\x03"))
    await shell.becomes("idle")  # whoever interrupts a command has seen its end
    shell.says("sleep 2")
    await shell.becomes("working")
    await shell.becomes("done")


async def test_an_end_is_exited_with_its_status(hub: Hub, client: HubClient, paths: Paths) -> None:
    agent = await Agent.start(hub, client, paths, "gemini", "/bin/sh", "-c", "exit 7")
    await agent.becomes("exited")
    assert agent.info.why == "exit status 7"


async def test_a_quiet_session_leaves_no_timer_behind(hub: Hub, client: HubClient, paths: Paths) -> None:
    agent = await Agent.start(hub, client, paths, "gemini")
    agent.says(READY)
    await agent.becomes("idle")
    await until(lambda: hub.roster.sessions[agent.session]._judge_timer is None)


async def test_done_survives_a_restart_of_the_hub(hub: Hub, client: HubClient, paths: Paths) -> None:
    agent = await Agent.start(hub, client, paths, "gemini")
    agent.says(WORKING)
    await agent.becomes("working")
    agent.says(READY)
    await agent.becomes("done")
    hub.roster.close()
    hub.roster.sessions.clear()
    await hub.roster.scan()
    await until(lambda: not hub.roster.sessions[agent.session].seen)
    await agent.becomes("done")
    await client.call(m.Seen(session=agent.session))
    await agent.becomes("idle")


async def test_a_program_without_a_voice_is_unknown_when_it_rests(hub: Hub, client: HubClient, paths: Paths) -> None:
    script = paths.state / "agent"
    script.write_text("#!/bin/sh\nfor i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.1; done; read x\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    agent = await Agent.start(hub, client, paths, "cursor", str(script))
    await agent.becomes("working")
    await agent.becomes("unknown")
