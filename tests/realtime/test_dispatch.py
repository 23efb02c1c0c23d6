"""Who is told of what, and what a failure does."""

import logging
import threading

import pytest

from agentdeck import events as e
from agentdeck.realtime import Dispatcher, HandlerFailed, LiveSession
from tests.realtime.happening import said, used

SESSION = LiveSession("claude", "s1")


def test_handlers_are_called_in_the_order_in_which_they_came() -> None:
    dispatcher, called = Dispatcher(), list[str]()
    dispatcher.subscribe(lambda event: called.append("any"))
    dispatcher.subscribe(lambda event: called.append("message"), "message")
    dispatcher.subscribe(lambda event: called.append("error"), "error")
    dispatcher.dispatch(said(0), SESSION)
    assert called == ["any", "message"]


def test_a_failing_filter_is_its_handlers_failure() -> None:
    reports: list[HandlerFailed] = []
    dispatcher, called = Dispatcher(reports.append), list[e.AnyEvent]()

    def broken(event: e.AnyEvent, session: LiveSession) -> bool:
        raise LookupError("no such thing")

    dispatcher.subscribe(called.append, "", (broken,))
    dispatcher.subscribe(called.append, "message")
    event = said(0)
    dispatcher.dispatch(event, SESSION)
    assert called == [event]
    (report,) = reports
    assert isinstance(report.error, LookupError)
    assert report.event is event
    assert dispatcher.failures == 1


def test_a_failing_report_is_logged_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def report(failed: HandlerFailed) -> None:
        raise RuntimeError("cannot report")

    dispatcher, called = Dispatcher(report), list[e.AnyEvent]()
    dispatcher.subscribe(lambda event: 1 / 0)
    dispatcher.subscribe(called.append)
    with caplog.at_level(logging.ERROR, "agentdeck.realtime"):
        dispatcher.dispatch(said(0), SESSION)
    assert len(called) == 1
    assert "cannot report" in caplog.text


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_the_wish_to_end_is_no_failure(raised: type[BaseException]) -> None:
    dispatcher = Dispatcher()

    def end(event: e.AnyEvent) -> None:
        raise raised

    dispatcher.subscribe(end)
    with pytest.raises(raised):
        dispatcher.dispatch(said(0), SESSION)
    assert dispatcher.failures == 0


def test_who_is_taken_off_by_an_earlier_handler_is_not_called() -> None:
    dispatcher, called = Dispatcher(), list[e.AnyEvent]()
    dispatcher.subscribe(lambda event: dispatcher.unsubscribe(called.append))
    dispatcher.subscribe(called.append)
    dispatcher.dispatch(said(0), SESSION)
    assert called == []


def test_who_comes_during_an_event_hears_the_next_one() -> None:
    dispatcher, called = Dispatcher(), list[e.AnyEvent]()
    dispatcher.subscribe(lambda event: dispatcher.subscribe(called.append))
    first, second = said(0), said(1)
    dispatcher.dispatch(first, SESSION)
    assert called == []
    dispatcher.dispatch(second, SESSION)
    assert called == [second]


def test_a_handler_can_leave_one_kind_and_stay_for_another() -> None:
    dispatcher, called = Dispatcher(), list[e.AnyEvent]()
    for kind in ("message", "tool_use"):
        dispatcher.subscribe(called.append, kind)
    assert dispatcher.unsubscribe(called.append, "message")
    assert not dispatcher.unsubscribe(called.append, "message")
    dispatcher.dispatch(said(0), SESSION)
    dispatcher.dispatch(used(0, "c1"), SESSION)
    assert [event.kind for event in called] == ["tool_use"]


def test_handlers_may_come_and_go_from_many_threads() -> None:
    dispatcher, called = Dispatcher(), list[e.AnyEvent]()
    dispatcher.subscribe(called.append)

    def come_and_go() -> None:
        for _ in range(300):

            def mine(event: e.AnyEvent) -> None:
                pass

            dispatcher.subscribe(mine)
            assert dispatcher.unsubscribe(mine)

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(300):
        dispatcher.dispatch(said(number), SESSION)
    for thread in threads:
        thread.join()
    assert len(called) == 300
    assert len(dispatcher._subscriptions) == 1
    assert dispatcher.failures == 0
