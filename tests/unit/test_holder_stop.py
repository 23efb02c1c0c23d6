import signal
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from agentdeck.holder.ps import parse
from agentdeck.holder.stop import INSIST, Stop
from agentdeck.holder.tree import Member, divide

OWN = 100


def member(pid: int, parent: int = 1, command: str = "agent") -> Member:
    return Member(pid, str(pid), parent, OWN, command)


class Town:
    """Processes that die of what their `dies_of` says."""

    def __init__(self, *alive: Member, dies_of: Callable[[Member, int], bool]) -> None:
        self.alive = list(alive)
        self.sent: list[tuple[int, int]] = []
        self.now = 0.0
        self._dies_of = dies_of

    def send(self, who: Member, number: int) -> None:
        self.sent.append((who.pid, number))
        if who in self.alive and self._dies_of(who, number):
            self.alive.remove(who)

    def stop(self, grace: float = 5.0, *, spare: tuple[str, ...] = ()) -> Stop:
        stop = Stop(OWN, spare, look=lambda: list(self.alive), send=self.send)
        stop.begin(self.now, grace)
        while not stop.step(self.now):
            assert stop.next_at > self.now, "it would spin"
            self.now = stop.next_at
        return stop


def test_who_listens_is_asked_once_and_nobody_waits_for_the_grace() -> None:
    town = Town(member(100), member(101), dies_of=lambda _, number: number == signal.SIGCONT)
    assert town.stop().left == ()
    assert sorted(town.sent) == sorted((pid, n) for pid in (100, 101) for n in (signal.SIGTERM, signal.SIGCONT))
    assert town.now < 0.2


def test_who_does_not_listen_is_killed_when_the_grace_is_over() -> None:
    town = Town(member(100), dies_of=lambda _, number: number == signal.SIGKILL)
    assert town.stop(5.0).left == ()
    assert 5.0 <= town.now < 5.2
    assert town.sent.count((100, signal.SIGTERM)) == 1


def test_what_cannot_be_killed_is_named_after_a_second_of_insisting() -> None:
    town = Town(member(100, command="sudo  something"), dies_of=lambda *_: False)
    assert town.stop(1.0).left == ("sudo something (pid 100)",)
    assert town.now <= 1.0 + INSIST + 0.2


def test_who_turns_up_during_the_stop_is_ended_too() -> None:
    town = Town(
        member(100),
        dies_of=lambda who, number: number == signal.SIGKILL or (who.pid == 102 and number == signal.SIGTERM),
    )
    original = town.send

    def send(who: Member, number: int) -> None:
        if who.pid == 100 and number == signal.SIGTERM:
            town.alive.append(member(102))
        original(who, number)

    town.send = send  # type: ignore[method-assign]
    assert town.stop(1.0).left == ()
    assert (102, signal.SIGTERM) in town.sent


def test_a_second_stop_can_only_be_less_patient() -> None:
    stop = Stop(OWN, (), look=lambda: [member(100)], send=lambda *_: None)
    stop.begin(0.0, 60.0)
    stop.begin(1.0, 0.0)
    assert not stop.step(1.0)
    assert stop.step(2.5)


def test_no_grace_at_all_kills_at_once() -> None:
    town = Town(member(100), dies_of=lambda _, number: number == signal.SIGKILL)
    town.stop(0.0)
    assert town.sent == [(100, signal.SIGKILL)]


def test_a_spared_daemon_gets_no_signal_and_is_named() -> None:
    town = Town(member(100), member(101, 1, "codex app-server"), dies_of=lambda _, number: number == signal.SIGTERM)
    assert town.stop(spare=("codex app-server",)).left == ("codex app-server (pid 101)",)
    assert {pid for pid, _ in town.sent} == {100}


def test_the_children_of_a_daemon_are_spared_with_it_and_the_program_never_is() -> None:
    found = [member(100, 1, "node daemon"), member(101, 100, "daemon"), member(102, 101), member(103, 102)]
    condemned, spared = divide(found, ("daemon",), OWN)
    assert [m.pid for m in condemned] == [100]
    assert [m.pid for m in spared] == [101, 102, 103]


@given(st.lists(st.tuples(st.integers(2, 30), st.integers(2, 30)), unique_by=lambda pair: pair[0]), st.integers(2, 30))
def test_everybody_is_either_condemned_or_spared(pairs: list[tuple[int, int]], daemon: int) -> None:
    found = [member(pid, parent, "daemon" if pid == daemon else "x") for pid, parent in pairs]
    condemned, spared = divide(found, ("daemon",), OWN)
    assert sorted(condemned + spared) == sorted(found)
    assert not {m.pid for m in condemned} & {m.pid for m in spared}
    assert all(m.parent not in {s.pid for s in spared} for m in condemned)


def test_an_empty_pattern_spares_nobody() -> None:
    assert divide([member(101)], ("",), OWN) == ([member(101)], [])


def test_a_long_command_line_is_shortened_for_people() -> None:
    label = member(7, 1, "x" * 5000).label
    assert len(label) < 120
    assert label.endswith("… (pid 7)")


def test_ps_lines_are_understood_and_zombies_left_out() -> None:
    facts = parse(
        "    1     0     1 Ss   Sat Nov 21 02:13:38 2026 /sbin/init splash\n"
        "  812     1   812 Z    Sat Nov 21 02:13:39 2026 (gone)\n"
        " 4001   812   812 S+   Sat Nov 21 02:14:00 2026 node  /opt/a b.js\n"
    )
    assert facts.keys() == {1, 4001}
    assert facts[4001].start == "Sat Nov 21 02:14:00 2026"
    assert (facts[4001].parent, facts[4001].sid, facts[4001].command) == (812, 812, "node /opt/a b.js")
