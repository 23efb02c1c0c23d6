"""A conversation that has long been over is found from inside the deck, read where the words are, and left again."""

import re

import pytest

from tests.e2e.world import World
from tests.search.talk import SESSION, Talk

pytestmark = pytest.mark.tmux

ENTER = b"\r"
ESC = b"\x1b"
CTRL_U = b"\x15"
DOWN = b"\x1b[B"


def test_a_conversation_of_long_ago_is_found_read_and_left(world: World) -> None:
    world.wait_for_screen(world.shell("alder", "echo in alder; exec sleep 1000"), "in alder")
    talk = Talk(world.home, cwd=str(world.project))
    for number in range(20):
        talk.prompt(f"prompt {number} of the orchard").answer(f"answer {number}: the medlar was not in leaf")
    deck = world.deck()
    deck.wait_for("in alder")

    deck.send(b"s")
    deck.wait_for("search all conversations")
    deck.send(b"quince")
    deck.wait_for("nothing found", 30)
    deck.send(CTRL_U)
    deck.wait_for("nothing found", gone=True)
    deck.send(b"medl")
    shown = deck.wait_for(lambda text: "answer 19" in text and "prompt 0 of the orchard" in text, 30)
    assert re.search(r"claude +~?\S*orchard +prompt 0 of the orchard", shown), "named by how it began"
    assert "more places in this conversation" in shown
    deck.send(DOWN * 2)
    deck.wait_for(lambda text: re.search(r"❯ assistant +answer 17", text) is not None)

    deck.send(ENTER)
    shown = deck.wait_for(lambda text: "answer 17: the medlar" in text and "resumes this conversation here" in text)
    assert "esc back" in shown
    deck.wait_until_still()
    deck.send(b"a")
    deck.wait_for("goes on with this conversation here")
    deck.send(ESC)
    deck.wait_for("goes on with this conversation here", gone=True)

    talk.answer("a medlar for the road")
    deck.send(b"s")
    deck.wait_for(lambda text: re.search(r"❯ assistant +answer 17", text) is not None)
    deck.wait_for("a medlar for the road", 30)
    deck.send(ESC)
    deck.wait_for("search all conversations", gone=True)
    deck.send(ESC)
    shown = deck.wait_for(lambda text: "in alder" in text and "answer 17" not in text)
    assert SESSION not in shown

    small = world.deck(cols=80, rows=24)
    small.wait_for("in alder")
    small.send(b"smedlar")
    small.wait_for(lambda text: "for the road" in text and "esc back" in text, 30)
