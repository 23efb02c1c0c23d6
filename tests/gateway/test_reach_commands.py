"""Sharing beyond this machine and joining from another, with the real programs on both sides."""

import json
import os
import signal
import subprocess
import sys

import pexpect
import pytest

from agentdeck.share.certificate import readable, unpinned
from tests.e2e.patience import until
from tests.gateway.test_reach import FAR
from tests.gateway.test_share_commands import DEADLINE, Shell, shell

__all__ = ["shell"]

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(sys.platform != "linux", reason="needs 127.0.0.2, which only Linux has without being asked"),
]


def joining(shell: Shell, *words: str) -> "pexpect.spawn[bytes]":
    """`agentdeck join` at a terminal of its own."""
    return pexpect.spawn(
        sys.executable, ["-m", "agentdeck", "join", *words, "--name", "ana"], env=shell.env,
        cwd=str(shell.project), dimensions=(24, 80), timeout=DEADLINE,
    )  # fmt: skip


def people(shell: Shell) -> list[dict[str, object]]:
    return list(json.loads(shell.run("shares", "--json"))[0]["people"])


def test_a_terminal_elsewhere_joins_by_a_link_that_carries_the_fingerprint(shell: Shell) -> None:
    shell.start()
    shell.run("repo", "allow", "--server", "lan")
    told = json.loads(shell.run("share", "shop", "--lan", "--host", FAR, "--no-approve", "--json"))
    assert told["url"].startswith(f"https://{FAR}:")
    assert len(told["fingerprint"]) == 64
    guest = joining(shell, told["url"])
    try:
        until(lambda: [person["online"] for person in people(shell)] == [1], 30)
    finally:
        guest.close(force=True)
    tail = told["url"][-1]
    wrong = joining(shell, told["url"][:-2] + ("A" if told["url"][-2] != "A" else "B") + tail)
    said = wrong.read().decode()
    wrong.close()
    assert wrong.exitstatus == 9
    assert "somebody may stand between" in said
    assert "Traceback" not in said
    assert len(people(shell)) == 1


def test_a_code_needs_the_server_and_its_fingerprint_as_share_prints_them(shell: Shell) -> None:
    shell.start()
    shell.run("repo", "allow", "--server", "lan")
    process = subprocess.Popen(
        [sys.executable, "-m", "agentdeck", "share", "shop", "--lan", "--host", FAR], env=shell.env, cwd=shell.project,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    lines: list[str] = []
    while not any("until you press" in line for line in lines):
        lines.append(process.stdout.readline())
        assert lines[-1], lines
    words = next(line for line in lines if "agentdeck join" in line).split()
    fingerprint = words[-1].removeprefix("--fingerprint=")
    assert readable(unpinned(fingerprint)) in "".join(line.strip().removeprefix("cert  ") for line in lines)
    guest = joining(shell, *words[words.index("agentdeck") + 2 :])
    try:
        until(lambda: [person["pending"] for person in people(shell)] == [True], 30)
    finally:
        guest.close(force=True)
    guest = joining(shell, shell.run("invite", "shop", "--code").strip())  # on this machine it is known
    try:
        until(lambda: [person["pending"] for person in people(shell)] == [True, True], 30)
    finally:
        guest.close(force=True)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=DEADLINE)
    assert process.returncode == 130


def test_two_shares_side_by_side_keep_the_port_and_each_has_its_own_door(shell: Shell) -> None:
    shell.start()
    shell.run("run", "shell", "--detach", "--name", "yard")
    try:
        shell.run("repo", "allow")
        near = json.loads(shell.run("share", "shop", "--json"))["url"]
        refused = shell.run("share", "yard", "--lan", "--host", FAR, "--json", code=2)
        assert "--server lan" in refused
        shell.run("repo", "allow", "--server", "lan")
        far = json.loads(shell.run("share", "yard", "--lan", "--host", FAR, "--json"))["url"]
        assert far.split("/")[2] == near.split("/")[2].replace("127.0.0.1", FAR)
        assert json.loads(shell.run("share", "shop", "--json"))["url"] == near
        assert shell.run("invite", "yard").startswith(f"https://{FAR}:")
        assert shell.run("invite", "shop").startswith("http://127.0.0.1:")
    finally:
        shell.run("stop", "yard", "--grace", "0.2", code=0)


def test_the_key_is_kept_where_only_its_owner_reads_it(shell: Shell) -> None:
    shell.start()
    shell.run("repo", "allow", "--server", "lan")
    shell.run("share", "shop", "--lan", "--host", FAR, "--json")
    (file,) = shell.home.rglob("gateway.pem")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert b"PRIVATE KEY" in file.read_bytes()
    assert os.listdir(file.parent).count("gateway.pem") == 1
