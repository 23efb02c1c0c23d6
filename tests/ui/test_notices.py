from textual.widgets import Static

from agentdeck.ui.widgets.notices import WAITING, Notices
from tests.ui.showing import Stage, on_screen, until


async def test_a_notice_lies_over_the_screen_and_moves_nothing() -> None:
    pane, notices = Static("pane"), Notices()
    pane.styles.height = "1fr"
    app = Stage(pane, notices)
    async with app.run_test(size=(40, 10)) as pilot:
        before = pane.region
        notices.show("codex is not installed", "warning")
        await pilot.pause()
        assert pane.region == before
        assert on_screen(app).splitlines()[8] == " ! codex is not installed"


async def test_notices_come_one_after_the_other_and_a_click_takes_one_away() -> None:
    notices = Notices()
    app = Stage(notices)
    async with app.run_test(size=(40, 10)) as pilot:
        notices.show("first")
        notices.show("second", "error")
        await pilot.pause()
        assert "first  (+1)" in on_screen(app)
        await pilot.click(notices)
        assert "✗ second" in on_screen(app)
        await pilot.click(notices)
        await pilot.pause()
        assert on_screen(app).strip() == ""


async def test_a_notice_goes_by_itself() -> None:
    notices = Notices()
    app = Stage(notices)
    async with app.run_test(size=(40, 10)) as pilot:
        notices.show("gone soon")
        await pilot.pause()
        timer = notices._timer
        assert timer is not None
        timer._interval = 0.01
        notices.dismiss()
        await until(lambda: on_screen(app).strip() == "")


async def test_the_same_sentence_is_said_once_and_a_flood_keeps_the_newest() -> None:
    notices = Notices()
    app = Stage(notices)
    async with app.run_test(size=(40, 10)):
        for _ in range(3):
            notices.show("again")
        assert not notices._waiting
        for n in range(100):
            notices.show(f"number {n}")
        assert len(notices._waiting) == WAITING
        assert notices._waiting[-1] == ("number 99", "info")
