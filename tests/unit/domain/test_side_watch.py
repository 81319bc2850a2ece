"""One side as the monitor hears it."""

from typing import Any

import pytest
from tests.unit.domain.builders import at, maker_state

from lighter_hedge.domain.monitor_words import LookForStop, MonitorCommand
from lighter_hedge.domain.side_watch import START_GRACE_MS, STOP_ANSWER_MS, STOP_LOOK_MS, SideWatch
from lighter_hedge.domain.states import Role

SILENT_MS = 3_000
LAG_MS = 1_000


class Heard:
    """A watch over A that is looked at by the clock."""

    def __init__(self) -> None:
        self.watch = SideWatch.create(Role.MAKER, silent_ms_max=SILENT_MS, read_lag_ms=LAG_MS)
        self.watch.wait(at(0))
        self.seq = 0

    def speak(self, ms: int, **changes: Any) -> bool:
        self.seq += 1
        said = {"seq": self.seq, "at_ms": at(ms).wall_ms, **changes}
        return self.watch.hear(maker_state(**said), at(ms))

    def look(self, ms: int, held: int | None = None) -> list[MonitorCommand]:
        return self.watch.look(held, at(ms), lambda lots: f"{lots} lots")

    def told(self, ms: int, held: int | None = None) -> list[str]:
        return [getattr(command, "text", type(command).__name__) for command in self.look(ms, held)]


def test_silence_is_alerted_once_and_ends_with_a_word() -> None:
    heard = Heard()
    heard.speak(1_000)
    assert heard.told(1_000 + SILENT_MS) == []
    late = 1_001 + SILENT_MS
    assert heard.told(late) == ["LookForStop"]
    assert heard.told(late + STOP_ANSWER_MS) == ["account A has said nothing for 4 s"]
    assert heard.told(late + STOP_ANSWER_MS + 1) == []
    heard.speak(late + 2_000)
    assert heard.told(late + 2_001) == ["account A speaks again"]


def test_a_stop_by_a_person_is_no_silence_and_is_asked_again() -> None:
    heard = Heard()
    heard.speak(0)
    assert heard.look(SILENT_MS + 1) == [LookForStop(role=Role.MAKER)]
    heard.watch.stopped = True
    assert heard.look(SILENT_MS + 2) == []
    assert heard.look(SILENT_MS + STOP_LOOK_MS) == []
    assert heard.look(SILENT_MS + 1 + STOP_LOOK_MS) == [LookForStop(role=Role.MAKER)]
    heard.watch.stopped = False
    heard.look(SILENT_MS + 2 + STOP_LOOK_MS)
    assert "said nothing" in heard.told(SILENT_MS + 2 + STOP_LOOK_MS + STOP_ANSWER_MS)[0]


def test_a_word_says_that_it_runs_again_whatever_a_person_did() -> None:
    heard = Heard()
    heard.watch.stopped = True
    heard.speak(0)
    assert not heard.watch.stopped


def test_a_stop_does_not_end_a_silence_that_was_told() -> None:
    heard = Heard()
    heard.speak(0)
    heard.look(SILENT_MS + 1)
    assert heard.look(SILENT_MS + 1 + STOP_ANSWER_MS) != []
    heard.watch.stopped = True
    assert heard.told(SILENT_MS + 2 + STOP_ANSWER_MS) == []


def test_a_side_that_has_never_spoken_has_longer() -> None:
    heard = Heard()
    assert heard.look(START_GRACE_MS) == []
    assert heard.look(START_GRACE_MS + 1) == [LookForStop(role=Role.MAKER)]
    assert len(heard.look(START_GRACE_MS + 1 + STOP_ANSWER_MS)) == 1


def test_nobody_is_silent_while_nobody_can_be_heard() -> None:
    heard = Heard()
    heard.speak(0)
    heard.watch.wait(None)
    assert heard.look(60_000) == []
    assert not heard.watch.speaks(at(1))
    heard.watch.wait(at(60_000))
    assert heard.look(60_000 + SILENT_MS) == []
    assert heard.look(60_001 + SILENT_MS) == [LookForStop(role=Role.MAKER)]


def test_the_last_word_of_a_side_that_is_long_dead_is_no_life() -> None:
    heard = Heard()
    heard.speak(10_000, at_ms=at(10_000 - SILENT_MS - 1).wall_ms)
    assert not heard.watch.speaks(at(10_000))
    assert heard.watch.position(at(10_000)) is None
    heard.speak(10_001, at_ms=at(0).wall_ms)
    assert heard.watch.speaks(at(10_001)), "a second entry is new, whatever the other machine's clock says"


@pytest.mark.parametrize(("epoch", "seq", "newer"), [(31, 1, False), (31, 2, True), (32, 1, True), (30, 9, False)])
def test_only_a_newer_state_counts(epoch: int, seq: int, newer: bool) -> None:
    heard = Heard()
    heard.speak(0, epoch=31, seq=1)
    assert heard.speak(1_000, epoch=epoch, seq=seq) is newer


def test_a_position_that_differs_for_longer_than_the_read_lag_is_alerted() -> None:
    heard = Heard()
    for ms in range(0, 5_000, 1_000):
        heard.speak(ms, position=20)
        expected = [] if ms < LAG_MS + SILENT_MS else ["account A has 0 lots at the exchange and says 20 lots"]
        assert heard.told(ms, 0) == expected
    assert heard.told(4_001, None) == []
    heard.speak(4_002, position=0)
    assert heard.told(4_002, 0) == ["account A says what the exchange says: 0 lots"]


def test_a_difference_that_passes_or_cannot_be_known_is_none() -> None:
    heard = Heard()
    for ms in range(0, 20_000, 1_000):
        heard.speak(ms, position=20 if ms % 2_000 else 0)
        assert heard.told(ms, 0) == []
    unknown = Heard()
    for ms in range(0, 20_000, 1_000):
        unknown.speak(ms, position=None)
        assert unknown.told(ms, 20) == []


def test_a_word_as_old_as_a_silence_may_be_is_life() -> None:
    heard = Heard()
    heard.speak(10_000, at_ms=at(10_000 - SILENT_MS).wall_ms)
    assert heard.watch.speaks(at(10_000))
    assert heard.watch.speaks(at(10_000 + SILENT_MS))
    assert not heard.watch.speaks(at(10_001 + SILENT_MS))


def test_each_silence_is_asked_about_at_once() -> None:
    heard = Heard()
    heard.speak(0)
    assert heard.look(SILENT_MS + 1) == [LookForStop(role=Role.MAKER)]
    heard.speak(SILENT_MS + 2)
    assert heard.look(SILENT_MS + 3) == []
    assert heard.look(2 * SILENT_MS + 3) == [LookForStop(role=Role.MAKER)]
