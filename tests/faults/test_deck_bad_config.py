"""A broken configuration file: it is named with line and key, and the defaults are used."""

import pytest

from tests.e2e.world import World


def test_broken_toml_is_named_with_its_line_and_stops_nothing(world: World) -> None:
    path = world.configure("theme = 'night'\nglyphs = = 'ascii'\n")
    answer = world.call("ls", "--json")
    assert answer.status == 0
    assert answer.out.strip() == "[]"
    shown = world.call("config", "show")
    doctor = world.call("doctor")
    told = shown.out + shown.err + doctor.out + doctor.err
    assert f"{path}:2" in told


def test_a_wrong_value_is_named_with_its_key_and_line(world: World) -> None:
    path = world.configure("theme = 'night'\n\n[limits]\nsessions = 'many'\n")
    doctor = world.call("doctor")
    told = doctor.out + doctor.err
    assert f"{path}:4" in told
    assert "sessions" in told
    assert world.agentdeck("ls", "--json").strip() == "[]"


def test_an_unknown_key_is_named_and_the_rest_is_used(world: World) -> None:
    path = world.configure("colour = 'red'\n\n[limits]\nsessions = 1\n")
    doctor = world.call("doctor")
    told = doctor.out + doctor.err
    assert "colour" in told
    assert f"{path}:1" in told


@pytest.mark.tmux
def test_the_deck_opens_with_the_defaults_and_says_what_is_wrong(world: World) -> None:
    world.configure("theme = 'night'\nglyphs = = 'ascii'\n")
    world.shell("kept", "echo up; exec sleep 1000")
    seat = world.deck()
    seat.wait_for("up")
    seat.wait_for("config.toml:2")
