import pytest

from agentdeck.ui.widgets.footer import Footer
from tests.ui.showing import Stage, inks, seen, until

HINTS = [("enter", "type"), ("n", "new"), ("/", "filter"), ("z", "zoom"), ("?", "keys")]


async def test_it_names_the_mode_and_the_keys() -> None:
    footer = Footer()
    async with Stage(footer).run_test(size=(80, 3)) as pilot:
        footer.show("deck", HINTS)
        await pilot.pause()
        assert seen(footer) == [" DECK  enter type  n new  / filter  z zoom  ? keys"]


async def test_the_two_modes_look_different() -> None:
    footer = Footer()
    async with Stage(footer).run_test(size=(80, 3)) as pilot:
        footer.show("deck", HINTS)
        await pilot.pause()
        deck = inks(footer)[0]
        footer.show("typing", HINTS)
        await pilot.pause()
        typing = inks(footer)[0]
        assert (deck[0], typing[0]) == (" DECK ", " TYPING ")
        assert deck[1] != typing[1]
        assert inks(footer)[1][1] not in (deck[1], typing[1])


@pytest.mark.parametrize("width", range(1, 60, 7))
async def test_hints_are_whole_or_absent_and_the_way_to_help_stays_longest(width: int) -> None:
    footer = Footer()
    async with Stage(footer).run_test(size=(width, 3)) as pilot:
        footer.show("deck", HINTS)
        await pilot.pause()
        [line] = seen(footer)
        assert len(line) <= width
        words = line.replace("DECK", "").split()
        if width >= 7:
            assert words in [[part for hint in [*HINTS[:n], HINTS[-1]] for part in hint] for n in range(5)] + [[]]
        if width >= 15:
            assert line.endswith("? keys")


async def test_a_note_stands_before_the_hints() -> None:
    footer = Footer()
    async with Stage(footer).run_test(size=(50, 3)) as pilot:
        footer.show("deck", HINTS, "/ s:waiting")
        await pilot.pause()
        assert seen(footer)[0].startswith(" DECK  / s:waiting  ")
        assert seen(footer)[0].endswith("? keys")


async def test_an_unbound_key_flashes_the_chip_once() -> None:
    footer = Footer()
    async with Stage(footer).run_test(size=(50, 3)) as pilot:
        footer.show("deck", HINTS)
        await pilot.pause()
        calm = inks(footer)[0]
        footer.flash()
        await pilot.pause()
        assert inks(footer)[0] != calm
        assert inks(footer)[0][0] == calm[0]
        await until(lambda: inks(footer)[0] == calm)
