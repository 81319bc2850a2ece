"""What the books do not explain, in words."""

from tests.unit.domain.builders import codes, trade
from tests.unit.domain.talk import maker_side

from lighter_hedge.domain.events import PositionReported
from lighter_hedge.domain.foreign import differences, proven_difference, take_foreign
from lighter_hedge.domain.reads import DIFFERS_GRACE_MS
from lighter_hedge.domain.states import Role


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
