"""Programs that print what no terminal expects, or do not read what they are sent."""

import sys

from tests.e2e.patience import until
from tests.e2e.world import World
from tests.faults.numbered import hub_pid
from tests.faults.test_hub_clients import resident

THEN = "; sys.stdout.buffer.write(b'\\x1b\\\\\\x18\\x1bc' + b'still here\\r\\n'); sys.stdout.flush(); input()"
"""Ends whatever the garbage began, resets the terminal and says that the program lives."""


def printer(source: str) -> list[str]:
    return [sys.executable, "-c", "import os, random, sys; " + source + THEN]


def test_random_bytes_end_neither_hub_nor_session(world: World) -> None:
    beside = world.shell("beside", "echo up; exec sleep 1000")
    session = world.shell(
        "noise", *printer("r = random.Random(7); [sys.stdout.buffer.write(r.randbytes(4096)) for _ in range(1000)]")
    )
    world.wait_for_screen(session, "still here", 60)
    assert "up" in world.screen(beside)
    assert {found["exit_status"] for found in world.sessions()} == {None}


def test_an_osc_string_of_five_megabytes_neither_ends_nor_fills_the_hub(world: World) -> None:
    hub = None
    for number in (0, 8, 9, 52, 133, 777, 7501):
        session = world.shell(
            f"osc{number}", *printer(f"sys.stdout.buffer.write(b'\\x1b]{number};' + b'A' * 5_000_000)")
        )
        hub = hub or hub_pid(world.paths)
        world.wait_for_screen(session, "still here", 60)
        assert world.session(session)["exit_status"] is None
        world.agentdeck("stop", session)
    assert hub is not None
    assert hub_pid(world.paths) == hub
    assert resident(hub) < 250


def test_control_characters_from_a_program_never_reach_the_person(world: World) -> None:
    session = world.shell(
        "nasty", *printer("sys.stdout.buffer.write('\\x1b]0;title\\x07a\\x9bb\\u202ec\\x7fd\\r\\n'.encode())")
    )
    world.wait_for_screen(session, "still here")
    told = world.screen(session) + world.agentdeck("ls") + str(world.session(session)["title"])
    assert not {"\x1b", "\x07", "\x9b", "\x7f", "\u202e"} & set(told)


def test_a_megabyte_pasted_into_a_program_that_does_not_read_holds_up_nobody(world: World) -> None:
    deaf = world.shell("deaf", "stty raw -echo; echo deaf; exec sleep 1000")
    other = world.shell("other", "echo up; while read line; do echo you said $line; done")
    world.wait_for_screen(deaf, "deaf")
    hub = hub_pid(world.paths)
    before = resident(hub)
    for _ in range(8):
        world.agentdeck("send", deaf, "x" * 128_000)  # the longest argument that Linux takes
    world.agentdeck("send", other, "hello")
    world.wait_for_screen(other, "you said hello")
    assert resident(hub) - before < 40
    world.agentdeck("stop", deaf)
    until(lambda: world.session(deaf)["exit_status"] is not None)
    assert hub_pid(world.paths) == hub
