"""Starting the hub: many at once, in an odd place, with leftovers in the way."""

import subprocess

from tests.e2e.patience import until
from tests.e2e.world import World, alive

CLIENTS = 30


def test_thirty_clients_at_once_start_exactly_one_hub(world: World) -> None:
    asked = [
        subprocess.Popen(
            world.argv("run", "shell", "--detach", "--name", f"s{number}", "--", "-c", "sleep 1000")
            if number < 5
            else world.argv("ls", "--json"),
            cwd=world.project,
            env=world.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(CLIENTS)
    ]
    answers = [process.communicate(timeout=60) for process in asked]
    assert [process.returncode for process in asked] == [0] * CLIENTS, answers
    assert len({out.strip() for out, _ in answers[:5]}) == 5
    assert {session["name"] for session in world.sessions()} == {f"s{number}" for number in range(5)}
    starts = [line for line in world.paths.hub_log.read_text().splitlines() if "another hub" in line.lower()]
    assert starts == []
    assert alive(world.hub_pid())


def test_a_socket_that_a_killed_hub_left_is_no_obstacle(world: World) -> None:
    world.agentdeck("ls")
    world.kill_hub()
    assert world.paths.hub_socket.exists()
    assert world.agentdeck("ls", "--json").strip() == "[]"


def test_stopping_the_hub_stops_no_session(world: World) -> None:
    session = world.shell("kept", "echo up; exec sleep 1000")
    world.wait_for_screen(session, "up")
    pid = world.session(session)["pid"]
    hub = world.hub_pid()
    world.agentdeck("hub", "stop")
    until(lambda: not alive(hub), what="the hub to be gone")
    assert alive(pid)
    assert world.session(session)["pid"] == pid
    assert "up" in world.screen(session)


def test_the_run_directory_is_closed_to_others(world: World) -> None:
    world.agentdeck("ls")
    assert world.paths.run.stat().st_mode & 0o777 == 0o700
    world.paths.run.chmod(0o755)
    world.agentdeck("hub", "stop")
    world.agentdeck("ls")
    assert world.paths.run.stat().st_mode & 0o777 == 0o700


def test_a_run_directory_that_was_removed_comes_back_and_the_sessions_with_it(world: World) -> None:
    session = world.shell("kept", "echo up; exec sleep 1000")
    world.wait_for_screen(session, "up")
    pid = world.session(session)["pid"]
    for path in world.paths.run.iterdir():
        path.unlink()
    world.paths.run.rmdir()
    until(lambda: (world.paths.run / f"{session}.sock").exists(), what="the holder's socket to come back")
    found = world.session(session)
    assert (found["id"], found["pid"], found["exit_status"]) == (session, pid, None)
    assert "up" in world.screen(session)
