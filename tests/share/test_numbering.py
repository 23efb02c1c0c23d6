"""However many hubs have read a session's transcripts, and in whatever order: each line is in the log once."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from agentdeck.protocol.facts import FeedLine
from agentdeck.protocol.viewers import Feed
from agentdeck.share.numbering import Numbering

AGENTS = ("", "a1", "a2")


class Log:
    """What a share's log has, and the hub that writes it now."""

    def __init__(self) -> None:
        self.feeds: list[Feed] = []
        self.texts: dict[int, set[str]] = {}
        self.hub()

    def hub(self) -> None:
        """The hub is started anew: it has only the log."""
        self.numbering = Numbering(self.feeds)

    def hear(self, lines: Sequence[FeedLine]) -> None:
        for line in lines:
            n = self.numbering.number(line)
            if n:
                told = Feed(
                    n=n, at=line.at, kind=line.kind, title="", text=line.text, status=line.status, agent=line.agent
                )
                self.numbering.tell(line, told)
                self.feeds.append(told)
                self.texts.setdefault(n, set()).add(line.text)


@st.composite
def transcripts(draw: st.DrawFn) -> list[list[FeedLine]]:
    """The lines of a conversation and of its agents, each in its own file; some at the very same time."""
    found: list[list[FeedLine]] = []
    for agent in AGENTS[: draw(st.integers(1, 3))]:
        at, lines = 100.0, []
        for n in range(draw(st.integers(1, 12))):
            at += draw(st.sampled_from([0.0, 0.001, 1.0]))
            kind = draw(st.sampled_from(["message", "tool_use", "tool_use", "error"]))
            lines.append(FeedLine(n=0, at=at, kind=kind, title="", text=f"{agent}{n}", agent=agent))
        found.append(lines)
    return found


def told(lines: Sequence[FeedLine], ready: frozenset[str], *, live: bool) -> list[FeedLine]:
    """What a hub that meets `lines` in this order says, with its own numbers: calls begin, and most have ended."""
    said = []
    for n, line in enumerate(lines, 1):
        if line.kind != "tool_use":
            said.append(_with(line, n, ""))
        elif live:
            said += [_with(line, n, "pending"), *([_with(line, n, "ok")] if line.text in ready else [])]
        else:
            said.append(_with(line, n, "ok" if line.text in ready else "pending"))
    return said


def _with(line: FeedLine, n: int, status: str) -> FeedLine:
    return FeedLine(n=n, at=line.at, kind=line.kind, title="", text=line.text, agent=line.agent, status=status)


@given(transcripts(), st.data())
def test_each_line_is_told_once_and_ends_as_it_ended_whatever_the_hubs_read_first(
    files: list[list[FeedLine]], data: st.DataObject
) -> None:
    log = Log()
    written = 0
    order: list[FeedLine] = []
    rest = [list(lines) for lines in files]
    while any(rest):  # as they were really written: the files' lines in turn
        lines = data.draw(st.sampled_from([lines for lines in rest if lines]))
        order.append(lines.pop(0))
    everything = {line.text for line in order}
    for _ in range(data.draw(st.integers(1, 4))):
        written = data.draw(st.integers(written, len(order)))
        now = order[:written]
        ready = frozenset(data.draw(st.sets(st.sampled_from(sorted(everything)))))
        if data.draw(st.booleans()):  # an earlier hub's log, read file by file
            now = sorted(now, key=lambda line: line.agent)
        log.hub()
        log.hear(told(now, ready, live=data.draw(st.booleans())))
    log.hub()
    log.hear(told(order, frozenset(everything), live=True))
    log.hear(told(order, frozenset(everything), live=False))
    count = {n: [feed.status for feed in log.feeds if feed.n == n] for n in log.texts}
    assert all(len(texts) == 1 for texts in log.texts.values()), "a number is one line's for good"
    assert all(states in ([""], ["ok"], ["pending", "ok"]) for states in count.values())
    first = min((feed.at for feed in log.feeds), default=0.0)
    assert {next(iter(texts)) for texts in log.texts.values()} >= {line.text for line in order if line.at > first}


def test_what_was_before_the_share_is_not_told_after_a_restart() -> None:
    log = Log()
    lines = [_with(FeedLine(n=0, at=float(n), kind="message", title="", text=str(n)), n, "") for n in range(1, 9)]
    log.hear(lines[4:])
    log.hub()
    log.hear(lines)
    assert [feed.text for feed in log.feeds] == ["5", "6", "7", "8"]
    assert [feed.n for feed in log.feeds] == [1, 2, 3, 4]


def test_another_conversation_of_the_same_session_goes_on_in_the_log() -> None:
    log = Log()
    log.hear([_with(FeedLine(n=0, at=1.0, kind="message", title="", text="old"), 1, "")])
    log.numbering.anew()
    log.hear([_with(FeedLine(n=0, at=2.0, kind="message", title="", text="new"), 1, "")])
    assert [(feed.n, feed.text) for feed in log.feeds] == [(1, "old"), (2, "new")]


def test_each_hub_concludes_the_end_of_a_session_and_it_is_told_once() -> None:
    log = Log()
    for at in (5.0, 9.0, 13.0):
        log.hub()
        log.hear([_with(FeedLine(n=0, at=at, kind="session_end", title="", text="ended: closed"), 1, "")])
    assert len(log.feeds) == 1
