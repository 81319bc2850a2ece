"""What the books do not explain, in words."""

import pytest
from tests.unit.domain.builders import announce, codes, coid, entries, fills, trade
from tests.unit.domain.talk import Talk, hedger_side, maker_side

from lighter_hedge.domain.commands import FillTakenBack
from lighter_hedge.domain.events import PositionReported
from lighter_hedge.domain.foreign import differences, proven_difference, take_back_guess, take_foreign
from lighter_hedge.domain.pair import Agreement
from lighter_hedge.domain.reads import DIFFERS_GRACE_MS
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import Side


def test_a_difference_is_named_once_it_has_lasted() -> None:
    talk = maker_side()
    assert differences(talk.core) == []
    talk.hear(PositionReported(role=Role.HEDGER, lots=-7))
    words = ["account B has -0.00007 BTC at the venue, 0.00000 BTC in the books"]
    assert differences(talk.core) == words
    assert differences(talk.core, talk.now) == []
    talk.ms += DIFFERS_GRACE_MS
    assert differences(talk.core, talk.now) == words
    assert proven_difference(talk.core, talk.now) == ""


def test_foreign_trades_are_named_and_forgotten() -> None:
    talk = maker_side()
    talk.core.maker.apply_trade(trade(5, 1, coid=3, lots=9))
    talk.core.hedger.apply_trade(trade(6, 1, kind="liquidation"))
    said = take_foreign(talk.core)
    assert codes(said) == ["FOREIGN_TRADE", "FOREIGN_TRADE"]
    assert take_foreign(talk.core) == []


def test_a_difference_is_proved_by_reads_or_by_its_age() -> None:
    talk = maker_side()
    check = talk.core.checks[Role.HEDGER]
    talk.hear(PositionReported(role=Role.HEDGER, lots=-7))
    check._proven = True
    assert proven_difference(talk.core, talk.now) != ""
    check._proven = False
    assert proven_difference(talk.core, talk.now) == ""
    talk.ms += talk.core.settings.unhedged_ms_max
    assert proven_difference(talk.core, talk.now) == "", "it slept, and has heard nothing since (1764727)"
    check._refreshed_ms = talk.now.mono_ms
    assert proven_difference(talk.core, talk.now) != "", "it has lasted as long as an exposure may"
    check.differs_since_ms = None
    assert proven_difference(talk.core, talk.now) == ""


def counted_twice(*, lots: int = 100) -> Talk:
    """B took a movement of A for a fill of the announced order; then A has told so many lots of another order."""
    talk = hedger_side()
    talk.core.maker.expect(announce())
    talk.core.maker.attribute(coid(1), 100, 0)
    talk.core.maker.apply_peer(fills(2, side=Side.BID, filled=lots))
    return talk


def prove(talk: Talk, position: int) -> None:
    """Two reads of A show this position."""
    check = talk.core.checks[Role.MAKER]
    for ms in (0, check.read_lag_ms):
        asked_ms = talk.now.mono_ms + ms
        check.read(position, talk.core.maker, asked_ms=asked_ms, mono_ms=asked_ms, quiet=True)


def test_a_fill_that_was_guessed_wrongly_is_taken_back_and_written_down() -> None:
    talk = counted_twice()
    assert take_back_guess(talk.core, talk.now) == []
    prove(talk, 100)
    assert proven_difference(talk.core, talk.now) != ""
    said = take_back_guess(talk.core, talk.now)
    order = talk.core.maker.orders[coid(1)]
    assert entries(said, FillTakenBack) == [FillTakenBack(role=Role.MAKER, fills=order.fills())]
    assert (order.filled, order.closed) == (0, False)
    assert codes(said) == ["FILL_TAKEN_BACK"]
    assert "account A: 0.00100 BTC was no fill of order" in str(said)
    assert talk.core.maker.position == 100
    assert talk.core.checks[Role.MAKER].agreement() is Agreement.AGREES
    assert talk.core.last_change_ms[Role.MAKER] == talk.now.mono_ms, "a read of before proves nothing more"
    assert proven_difference(talk.core, talk.now) == ""
    assert take_back_guess(talk.core, talk.now) == []


@pytest.mark.parametrize(("lots", "position"), [(100, 99), (100, 101), (100, 300), (99, 99), (0, 0)])
def test_any_other_difference_is_no_wrong_guess(lots: int, position: int) -> None:
    talk = counted_twice(lots=lots)
    prove(talk, position)
    before = talk.core.maker.position
    assert take_back_guess(talk.core, talk.now) == []
    assert talk.core.maker.position == before
    assert proven_difference(talk.core, talk.now) != ""
