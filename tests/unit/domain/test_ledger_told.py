"""What one side's books make of the other side's words, and what they answer between two changes."""

from dataclasses import replace

import pytest
from tests.unit.domain.builders import DESK, WALL_MS, announce, fills, order, row, trade

from lighter_hedge.domain.ledger import Ledger
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import Side

PART = fills(filled=40, filled_quote=40_000_000, closed=False)


def books() -> Ledger:
    return Ledger(role=Role.MAKER, desk=DESK)


def test_an_order_knows_what_was_said_of_it() -> None:
    ledger = books()
    known = ledger.apply_peer(PART)
    assert known is not None
    assert known.knows(PART)


@pytest.mark.parametrize(
    "news",
    [{"filled": 50}, {"filled": 30}, {"filled_quote": 41_000_000}, {"closed": True}, {"lots": 120}, {"side": Side.ASK}],
)
def test_an_order_does_not_know_what_is_said_for_the_first_time(news: dict[str, object]) -> None:
    ledger = books()
    known = ledger.apply_peer(PART)
    assert known is not None
    assert not known.knows(replace(PART, **news))  # type: ignore[arg-type]


def test_an_order_without_its_round_learns_it() -> None:
    known = books().apply_peer(replace(PART, round=0))
    assert known is not None
    assert not known.knows(PART)


def test_a_closed_order_knows_that_it_was_open() -> None:
    ledger = books()
    ledger.apply_peer(PART)
    known = ledger.apply_peer(replace(PART, closed=True))
    assert known is not None
    assert known.knows(PART)


def test_answers_follow_every_change() -> None:
    ledger = books()
    ledger.apply_peer(PART)
    for filled in (50, 60):
        told = replace(PART, filled=filled)
        ledger.apply_peer(told)
        assert (ledger.round_filled(1), ledger.round_filled(1)) == (filled, filled)
        assert ledger.newest(8) == ledger.newest(8) == (told,)
    ledger.rebase(0)
    assert (ledger.round_filled(1), ledger.newest(8), ledger.open_orders) == (0, (), [])


GHOST = fills(side=Side.ASK, lots=8, filled=0, filled_quote=0, closed=False)
"""Told, and never written down: its side has died, and the next order bears its number."""


def test_an_order_that_bears_the_number_of_one_that_never_was_counts_on_its_own_side() -> None:
    ledger = books()
    ledger.apply_peer(GHOST)
    assert ledger.in_flight == -8
    ledger.apply_peer(PART)
    assert (ledger.total, ledger.in_flight, ledger.newest(8)) == (40, 60, (PART,))


def test_a_quote_that_bears_the_number_of_an_order_that_never_was_is_expected_on_its_own_side() -> None:
    ledger = books()
    ledger.apply_peer(GHOST)
    assert ledger.expect(announce()).side is Side.BID
    ledger.apply_trade(trade(1, side=Side.BID, lots=40))
    assert (ledger.total, ledger.in_flight, ledger.foreign_lots) == (40, 60, 0)


def test_an_order_that_has_filled_keeps_its_side_whatever_is_told() -> None:
    ledger = books()
    ledger.apply_peer(replace(GHOST, filled=3))
    ledger.apply_peer(replace(PART, filled=2))
    assert ledger.total == -3


def test_a_told_order_counts_as_these_books_know_it() -> None:
    """Of another round, or told by nobody, it does not count."""
    ledger = books()
    ledger.apply_peer(fills(1, filled=70))
    ledger.apply_peer(fills(2, round=2, filled=9))
    ledger.apply_peer(fills(3, filled=5))
    told = (fills(1, filled=40), fills(2, round=2))
    assert ledger.told_filled(1, told, None) == 70
    assert ledger.told_filled(1, told, announce(3)) == 75
    assert ledger.told_filled(1, told, announce(3, round=2)) == 70


def test_a_told_order_that_these_books_lack_counts_as_it_is_told() -> None:
    ledger = books()
    told = (fills(1, filled=40), fills(2, side=Side.ASK, filled=15))
    assert ledger.told_filled(1, told, announce(3)) == 25
    assert ledger.told_filled(1, (), None) == 0


def test_foreign_lots_have_a_sign_and_end_with_a_baseline() -> None:
    ledger = books()
    for number, lots, side in ((1, 30, Side.BID), (2, 12, Side.ASK)):
        ledger.apply_trade(trade(number, coid=99, side=side, lots=lots))
    assert ledger.foreign_lots == 18
    ledger.rebase(18)
    assert ledger.foreign_lots == 0


def test_a_row_and_a_trade_without_a_time_are_of_any_time() -> None:
    ledger = books()
    ledger.rebase(0, since_ms=WALL_MS)
    assert ledger.apply_row(row(1, created_ms=0, filled=10)) is not None
    assert ledger.apply_trade(trade(5, 2, at_ms=0)) is not None
    assert ledger.apply_row(row(3, created_ms=1, filled=10)) is None
    assert ledger.apply_trade(trade(6, 4, at_ms=1)) is None


def test_the_intent_of_an_order_that_a_trade_has_told_of_gives_it_its_round() -> None:
    ledger = books()
    ledger.apply_trade(trade(1, lots=100))
    assert (ledger.in_flight, ledger.newest(1)[0].round) == (0, 0)
    ledger.intend(order(), WALL_MS)
    assert (ledger.in_flight, ledger.newest(1)[0].round) == (0, 1)
