from tests.unit.domain.builders import WALL_MS, codes, entries, only

from lighter_hedge.domain.commands import Alert, ModeChanged
from lighter_hedge.domain.latch import Latch
from lighter_hedge.domain.states import Mode


def test_a_pause_is_journalled_first_and_alerts() -> None:
    latch = Latch()
    out = latch.hold("UNHEDGED_TOO_LONG", "100 unhedged", WALL_MS)
    assert latch.mode is Mode.PAUSED
    assert latch.pause is not None
    assert latch.pause.id == WALL_MS
    assert entries(out[:1], ModeChanged) == [ModeChanged(mode=Mode.PAUSED, pause=latch.pause, by="desk")]
    assert [alert.code for alert in only(out, Alert)] == ["UNHEDGED_TOO_LONG"]


def test_a_persons_pause_is_said_without_an_alert() -> None:
    out = Latch().hold("PAUSED", "lunch", WALL_MS, by="person")
    assert codes(out) == ["PAUSED"]
    assert not only(out, Alert)


def test_the_first_reason_stands() -> None:
    latch = Latch()
    latch.hold("HEDGE_FAILED", "first", WALL_MS)
    assert latch.hold("PAUSED", "second", WALL_MS + 1) == []
    assert latch.pause is not None
    assert latch.pause.reason == "first"


def test_a_release_ends_the_pause_in_the_journal_too() -> None:
    latch = Latch()
    latch.hold("PAUSED", "lunch", WALL_MS)
    out = latch.release(by="person")
    assert (latch.mode, latch.pause) == (Mode.RUNNING, None)
    assert entries(out, ModeChanged) == [ModeChanged(mode=Mode.RUNNING, pause=None, by="person")]


def test_draining_ends_in_a_pause_and_is_void_while_paused() -> None:
    latch = Latch()
    assert codes(latch.drain(by="person")) == ["DRAINING"]
    assert latch.mode.value == "draining"
    assert latch.drain(by="person") == []
    latch.hold("DRAINED", "flat", WALL_MS)
    assert latch.mode.value == "paused"
    assert latch.drain(by="person") == []


def test_a_limit_that_drains_alerts_and_is_remembered() -> None:
    latch = Latch()
    assert latch.draining_for == ""
    latch.drain(by="person")
    assert latch.draining_for == ""
    latch = Latch()
    (_, alert) = latch.drain(by="desk", code="DAILY_LOSS", reason="lost 9 USD")
    assert isinstance(alert, Alert)
    assert alert.code == "DAILY_LOSS"
    assert alert.text.startswith("lost 9 USD; ")
    assert latch.draining_for == "lost 9 USD"
