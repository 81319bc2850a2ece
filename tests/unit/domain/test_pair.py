import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.builders import DESK, WALL_MS, fills, order, trade

from lighter_hedge.domain.ledger import Ledger
from lighter_hedge.domain.pair import STALLED_MS, Agreement, PositionCheck, missing, net, residual
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import Side

LAG_MS = 1_000


def ledgers() -> tuple[Ledger, Ledger]:
    return Ledger(role=Role.MAKER, desk=DESK), Ledger(role=Role.HEDGER, desk=DESK)


def check_against(position: int) -> tuple[PositionCheck, Ledger]:
    ledger = ledgers()[0]
    ledger.base = position
    return PositionCheck(read_lag_ms=LAG_MS), ledger


def test_what_is_missing_is_the_net_less_what_is_in_flight() -> None:
    a, b = ledgers()
    a.apply_peer(fills(filled=60, closed=False))
    assert (net(a, b), missing(a, b)) == (60, -60)
    b.intend(order(lots=40), WALL_MS)
    assert (net(a, b), missing(a, b)) == (60, -20)
    b.apply_trade(trade(lots=40))
    assert (net(a, b), missing(a, b)) == (20, -20)


@given(a=st.integers(-1000, 1000), b=st.integers(-1000, 1000))
def test_a_hedge_of_what_is_missing_leaves_nothing(a: int, b: int) -> None:
    maker, hedger = ledgers()
    maker.base, hedger.base = a, b
    hedger.base += missing(maker, hedger)
    assert net(maker, hedger) == 0


@pytest.mark.parametrize(("lots", "less"), [(9, True), (-9, True), (0, True), (10, False), (-10, False)])
def test_less_than_the_minimum_is_a_residual(lots: int, less: bool) -> None:
    assert residual(lots, 10) is less


def test_nothing_heard_is_unknown_never_flat() -> None:
    check, ledger = check_against(0)
    check.refresh(ledger, 0)
    assert check.agreement() is Agreement.UNKNOWN
    with pytest.raises(AssertionError):
        check.reported_now()


def test_a_difference_begins_anew_after_a_sleep() -> None:
    check, ledger = check_against(0)
    check.heard(5, ledger, 0)
    check.refresh(ledger, STALLED_MS)
    assert (check.stalled(STALLED_MS), check.differs_since_ms) == (False, 0)
    check.refresh(ledger, 2 * STALLED_MS)
    assert check.differs_since_ms == 0
    assert check.stalled(3 * STALLED_MS + 1)
    check.refresh(ledger, 3 * STALLED_MS + 1)
    assert check.differs_since_ms == 3 * STALLED_MS + 1


def test_a_difference_begins_once_and_ends_when_the_books_catch_up() -> None:
    check, ledger = check_against(0)
    check.heard(5, ledger, 100)
    check.heard(5, ledger, 200)
    assert (check.agreement(), check.differs_since_ms) == (Agreement.DIFFERS, 100)
    ledger.base = 5
    check.refresh(ledger, 300)
    assert (check.agreement(), check.differs_since_ms) == (Agreement.AGREES, None)
    assert check.reported_now() == 5


def test_two_equal_reads_a_lag_apart_prove_a_difference() -> None:
    check, ledger = check_against(0)
    check.read(5, ledger, asked_ms=0, mono_ms=1, quiet=True)
    check.read(5, ledger, asked_ms=LAG_MS - 1, mono_ms=LAG_MS, quiet=True)
    assert check.agreement() is Agreement.DIFFERS
    check.read(5, ledger, asked_ms=LAG_MS, mono_ms=LAG_MS + 1, quiet=True)
    assert check.agreement() is Agreement.PROVEN
    check.heard(0, ledger, LAG_MS + 2)
    assert check.agreement() is Agreement.AGREES


def test_a_surplus_of_the_books_is_what_two_reads_have_proved() -> None:
    check, ledger = check_against(7)
    assert check.surplus(ledger) == 0, "nothing was read"
    check.read(5, ledger, asked_ms=0, mono_ms=1, quiet=True)
    assert check.surplus(ledger) == 0, "one read proves nothing"
    check.read(5, ledger, asked_ms=LAG_MS, mono_ms=LAG_MS + 1, quiet=True)
    assert check.surplus(ledger) == 2
    check.heard(4, ledger, LAG_MS + 2)
    assert (check.agreement(), check.surplus(ledger)) == (Agreement.PROVEN, 0), "another position was heard since"
    check.heard(5, ledger, LAG_MS + 3)
    assert check.surplus(ledger) == 2
    ledger.base = 8
    assert check.surplus(ledger) == 0, "the books have moved since"
    ledger.base = 7
    check.read(5, ledger, asked_ms=2 * LAG_MS, mono_ms=2 * LAG_MS, quiet=False)
    assert check.surplus(ledger) == 0, "something may fill again"


def test_reads_with_a_hedge_between_them_prove_nothing() -> None:
    """Interleaving E25."""
    check, ledger = check_against(0)
    check.read(5, ledger, asked_ms=0, mono_ms=1, quiet=True)
    check.read(5, ledger, asked_ms=500, mono_ms=501, quiet=False)
    check.read(5, ledger, asked_ms=LAG_MS, mono_ms=LAG_MS + 1, quiet=True)
    assert check.agreement() is Agreement.DIFFERS, "the second begins the proof anew"


def test_reads_that_differ_from_each_other_prove_nothing() -> None:
    check, ledger = check_against(0)
    check.read(5, ledger, asked_ms=0, mono_ms=1, quiet=True)
    check.read(6, ledger, asked_ms=LAG_MS, mono_ms=LAG_MS + 1, quiet=True)
    assert check.agreement() is Agreement.DIFFERS
    ledger.apply_trade(trade(side=Side.BID, lots=1))
    check.read(6, ledger, asked_ms=3 * LAG_MS, mono_ms=3 * LAG_MS, quiet=True)
    assert check.agreement() is Agreement.DIFFERS, "the books have moved between them"


def test_what_was_proven_is_so_no_longer_once_the_books_agreed() -> None:
    check, ledger = check_against(0)
    for asked_ms in (0, LAG_MS):
        check.read(5, ledger, asked_ms=asked_ms, mono_ms=asked_ms, quiet=True)
    assert check.agreement() is Agreement.PROVEN
    check.heard(0, ledger, LAG_MS + 1)
    check.heard(5, ledger, LAG_MS + 2)
    assert check.agreement() is Agreement.DIFFERS


def test_a_position_heard_that_agrees_forgets_the_first_read() -> None:
    check, ledger = check_against(0)
    check.read(5, ledger, asked_ms=0, mono_ms=1, quiet=True)
    check.heard(0, ledger, 2)
    check.read(5, ledger, asked_ms=LAG_MS, mono_ms=LAG_MS, quiet=True)
    assert check.agreement() is Agreement.DIFFERS


def test_a_read_that_agrees_forgets_the_first_one() -> None:
    check, ledger = check_against(0)
    check.read(5, ledger, asked_ms=0, mono_ms=1, quiet=True)
    check.read(0, ledger, asked_ms=1, mono_ms=2, quiet=True)
    check.read(5, ledger, asked_ms=LAG_MS, mono_ms=LAG_MS, quiet=True)
    assert check.agreement() is Agreement.DIFFERS
