"""Two people, each at a terminal: one shares a session with S, the other joins it, sees it, talks and helps."""

import json
import re

import pytest

from tests.e2e.patience import until
from tests.e2e.tmux import Tmux
from tests.e2e.world import World

pytestmark = [pytest.mark.tmux, pytest.mark.timeout(180)]

ESC, ENTER, TAB, CTRL_T, CTRL_Q = "\x1b", "\r", "\t", "\x14", "\x11"
ALT_RIGHT, ALT_UP, F5 = "\x1b[1;3C", "\x1b[1;3A", "\x1b[15~"


def shared(world: World) -> tuple[Tmux, str]:
    """The owner's deck with a shell session that is shared by S, and the link that its dialog shows."""
    world.agentdeck("run", "shell", "--detach", "--name", "pair", "--cwd", str(world.project), "--", "-i")
    owner = world.sit_down(*world.argv("deck"), cols=200, rows=60)
    owner.wait_for("1 pair")
    owner.wait_until_still()
    owner.send("S")
    owner.wait_for("has never been shared")
    owner.send(ENTER)
    screen = owner.wait_for(re.compile(r"http://127\.0\.0\.1:\d+/s/\w+#[\w-]+"))
    found = re.search(r"http://127\.0\.0\.1:\d+/s/\w+#[\w-]+", screen)
    assert found is not None
    return owner, found[0]


def join(world: World, link: str, name: str, *, cols: int = 120, rows: int = 40) -> Tmux:
    return world.sit_down(*world.argv("join", link, "--name", name), cols=cols, rows=rows)


def test_a_joiner_sees_the_session_talks_helps_and_is_sent_away(world: World) -> None:
    owner, link = shared(world)
    guest = join(world, link, "ana")
    guest.wait_for("[shared: 1]")
    guest.wait_for("observer")
    owner.wait_for("ana joined as observer")

    owner.send("+")
    owner.send("+")
    guest.wait_for("driver")
    guest.wait_for("^T prompt")

    guest.send("looks right to me" + ENTER)
    owner.wait_for("ana  looks right to me")
    owner.send(TAB + "thank you" + ENTER)
    guest.wait_for("owner  thank you")
    owner.send(TAB)

    guest.send(CTRL_T)
    guest.send("pwd" + ENTER)
    session = world.session("pair")["id"]
    world.wait_for_screen(session, "[ana via agentdeck] pwd")
    guest.wait_for("[ana via agentdeck] pwd")
    owner.send(ESC)
    owner.wait_for("tab: say something", gone=True)
    owner.wait_for("share: 1 viewer 1 driver")

    owner.send("S")
    owner.wait_for("tab: say something")
    owner.send("x")
    owner.wait_for("send ana away")
    owner.send(ENTER)
    until(lambda: guest.ended)
    assert "the owner has taken your access away" in guest.screen(history=10)
    assert guest.exit_status == 9


def test_whoever_types_a_code_waits_with_three_words_until_one_key_lets_them_in(world: World) -> None:
    owner, _ = shared(world)
    told = world.call("invite", "pair", "--code", "--role", "commenter", "--json")
    code = json.loads(told.out)["code"]
    owner.send(ESC)
    owner.wait_for("tab: say something", gone=True)
    guest = join(world, code, "ben", cols=80, rows=24)
    guest.wait_for("waiting for the owner to let you in")
    owner.wait_for("1 waits to be let in")
    rail = "\n".join(line[150:] for line in owner.wait_for("L let in").splitlines())
    found = re.search(r"ben\s+127\.0\.0\.1[^\w]+(\w+ \w+ \w+)", rail) or re.search(r"ben\s+(\w+ \w+ \w+)", rail)
    assert found is not None
    assert found[1] in guest.screen()
    owner.send("L")
    guest.wait_for("commenter")
    guest.send("/leave" + ENTER)
    until(lambda: guest.ended)
    assert guest.exit_status == 0


def test_one_key_cuts_everything_off(world: World) -> None:
    owner, link = shared(world)
    guest = join(world, link, "ana", cols=80, rows=24)
    guest.wait_for("[shared: 1]")
    owner.wait_for("share: 1 viewer")
    owner.send("X")  # also in the dialog, which is still open
    owner.wait_for("nothing is shared any more")
    owner.wait_for("share: 1 viewer", gone=True)
    until(lambda: guest.ended)
    assert "the owner has ended the share" in guest.screen(history=10)
    assert guest.exit_status == 9


def test_a_small_terminal_reaches_every_part_of_a_large_screen_and_copies_from_it(world: World) -> None:
    _, link = shared(world)
    session = world.session("pair")["id"]
    world.agentdeck("send", session, "for n in $(seq 70); do printf '%115s|end\\n' $n; done")
    guest = join(world, link, "ana", cols=80, rows=24)
    guest.wait_for(re.compile(r"hidden: \d+ right, \d+ above"))
    guest.wait_until_still()
    assert "|end" not in guest.screen()
    for _ in range(6):
        guest.send(ALT_RIGHT)
    guest.wait_for("|end")
    guest.wait_for("left")
    guest.send(ALT_UP)
    guest.wait_for("below")
    guest.send(ESC)
    guest.wait_for(re.compile(r"hidden: \d+ right, \d+ above"))
    guest.send(F5)
    guest.wait_for("copied")


def test_a_link_that_is_pasted_when_asked_stands_in_no_command_line(world: World) -> None:
    _, link = shared(world)
    guest = world.sit_down(*world.argv("join", "--name", "ana"))
    guest.wait_for("Link or code:")
    guest.send(link + ENTER)
    guest.wait_for("[shared: 1]")


def test_beside_a_shell_there_is_no_empty_feed(world: World) -> None:
    _, link = shared(world)
    guest = join(world, link, "ana")
    guest.wait_for("[shared: 1]")
    guest.wait_until_still()
    assert "events" not in guest.screen()
    assert "no figures" not in guest.screen()


def test_a_draft_and_what_nobody_got_are_not_lost_when_one_leaves(world: World) -> None:
    _, link = shared(world)
    guest = join(world, link, "ana")
    guest.wait_for("[shared: 1]")
    world.agentdeck("invite", "pair", "--give", "ana", "--role", "commenter")
    guest.wait_for("commenter")
    guest.send("half a thought")
    guest.wait_for("half a thought")
    guest.send(CTRL_Q)
    until(lambda: guest.ended)
    assert "what you wrote and nobody has got:\n  half a thought" in guest.screen(history=10)


@pytest.mark.parametrize(
    ("what", "status", "said"),
    [
        ("see you there", 2, "is neither a link nor a code"),
        ("http://127.0.0.1:1/s/abc", 2, "the link has no secret"),
        ("http://127.0.0.1:1/x#abcdefghij", 2, "that is no link of a shared session"),
        ("7KQ2-M9XD", 2, "a code alone does not say where it belongs"),
        ("http://127.0.0.1:1/s/abc#abcdefghij", 9, "nobody answers at http://127.0.0.1:1"),
    ],
)
def test_what_cannot_be_joined_is_one_sentence_a_hint_and_an_exit_code(
    world: World, what: str, status: int, said: str
) -> None:
    guest = world.sit_down(*world.argv("join", what))
    until(lambda: guest.ended)
    lines = [line for line in guest.screen(history=10).splitlines() if line.strip()]
    assert guest.exit_status == status
    assert said in lines[0]
    assert lines[1].startswith("  ")
