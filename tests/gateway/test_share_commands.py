"""The commands around sharing, as a person or a script calls them, with their own hub and gateway."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

DEADLINE = 40.0


class Shell:
    """A home directory of its own, with a hub that is started when needed and ended afterwards."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.project = home / "project"
        self.project.mkdir()
        self.env = {
            "HOME": str(home), "PATH": f"{Path(sys.executable).parent}:{os.defpath}", "LANG": "C.UTF-8",
            "SHELL": "/bin/sh", "TERM": "xterm", "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        }  # fmt: skip

    def run(self, *words: str, code: int = 0, **env: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "agentdeck", *words], env=self.env | env, cwd=self.project, capture_output=True,
            text=True, timeout=DEADLINE, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def start(self) -> str:
        return self.run("run", "shell", "--detach", "--name", "shop").split()[0]


@pytest.fixture
def shell() -> Iterator[Shell]:
    with tempfile.TemporaryDirectory(prefix="ad-") as home:
        shell = Shell(Path(home))
        try:
            yield shell
        finally:
            for words in (("unshare",), ("stop", "shop", "--grace", "0.2"), ("hub", "stop")):
                subprocess.run(
                    [sys.executable, "-m", "agentdeck", *words], env=shell.env, capture_output=True, timeout=DEADLINE,
                    check=False,
                )  # fmt: skip


def test_a_session_is_shared_listed_and_unshared_from_the_command_line(shell: Shell) -> None:
    session = shell.start()
    refused = shell.run("share", "shop", "--json", code=2)
    assert "agentdeck repo allow" in refused
    shell.run("repo", "allow")
    assert str(shell.project) in shell.run("repo", "list")
    told = json.loads(shell.run("share", "shop", "--json"))
    assert {"url", "code", "role", "expires_at"} <= told.keys()
    assert told["role"] == "observer"
    assert json.loads(shell.run("share", "--json", AGENTDECK_SESSION=session))["url"] == told["url"]
    base, _, rest = told["url"].partition("/s/")
    share, _, secret = rest.partition("#")
    answer = httpx.post(f"{base}/v1/s/{share}/join", json={"secret": secret, "name": "ana", "bearer": True})
    joined = answer.json()
    screen = httpx.get(
        f"{base}/v1/s/{share}/screen",
        headers={"Authorization": f"Bearer {joined['token']}", "Accept": "text/plain"},
    )
    assert screen.status_code == 200
    listed = shell.run("shares")
    assert "ana" in listed
    assert secret not in listed + shell.run("shares", "--json")
    link = shell.run("invite", "shop", "--role", "commenter").strip()
    assert link.startswith(f"{base}/s/{share}#")
    assert len(shell.run("invite", "shop", "--code").strip()) == 9
    shell.run("invite", "shop", "--give", "ana", "--role", "driver")
    shell.run("kick", "shop", "ana")
    shell.run("kick", "shop", "nobody", code=9)
    shell.run("revoke", "shop")
    shell.run("unshare", "shop", "--purge")
    assert "nothing is shared" in shell.run("shares")
    shell.run("repo", "deny")
    shell.run("share", "shop", "--json", code=2)


def test_what_cannot_be_shared_says_so_with_its_own_exit_code(shell: Shell) -> None:
    shell.start()
    assert "no session" in shell.run("share", "nothing", "--json", code=1)
    assert "no session is named" in shell.run("share", "--json", code=2)
    shell.run("repo", "allow")
    shell.run("share", "shop", "--role", "owner", "--json", code=2)
    shell.run("share", "shop", "--expires", "25h", "--json", code=2)
    shell.run("share", "shop", "--expires", "soon", "--json", code=2)
    shell.run("repo", "allow", "--server", "lan")
    assert "go together" in shell.run("share", "shop", "--lan", "--cert", "x.pem", "--json", code=2)
    assert "everybody on the way" in shell.run("share", "shop", "--url", "http://box.test", "--json", code=2)
    shell.run("unshare", "shop", code=9)
    assert "nothing is shared" in shell.run("shares", "--panic")


def test_without_json_it_stays_until_ctrl_c_and_takes_the_share_with_it(shell: Shell) -> None:
    shell.start()
    shell.run("repo", "allow")
    shell.run("share", "shop", "--json")
    process = subprocess.Popen(
        [sys.executable, "-m", "agentdeck", "share", "shop", "--role", "commenter"], env=shell.env, cwd=shell.project,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    link = process.stdout.readline().split()[1]
    base, _, rest = link.partition("/s/")
    share, _, secret = rest.partition("#")
    joined = httpx.post(f"{base}/v1/s/{share}/join", json={"secret": secret, "name": "ana", "bearer": True})
    assert joined.status_code == 200
    lines: list[str] = []
    while not any("makes another link" in line for line in lines):
        lines.append(process.stdout.readline())
    while not any("ana joined" in line for line in lines):
        lines.append(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130
    assert "not shared any more" in told
    assert "nothing is shared" in shell.run("shares")


def test_the_list_cannot_be_used_by_mistake_when_it_is_broken(shell: Shell) -> None:
    shell.start()
    shell.run("repo", "allow")
    place = shell.home / ".config" / "agentdeck" / "shared-sessions.json"
    place.write_text("{")
    told = shell.run("share", "shop", "--json", code=9)
    assert "shared-sessions.json" in told
    assert place.read_text() == "{"
