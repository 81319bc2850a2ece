"""The last look at a send."""

from typing import Any

import pytest
from tests.unit.domain.builders import ASK, BID, candidate, frame, order, quote
from tests.unit.domain.talk import Talk, hedger_side, maker_side

from lighter_hedge.domain.events import BurnRequest, CancelRequest, MarketHeard, OrderRequest, PositionReported
from lighter_hedge.domain.guard import HASHES_MAX, HELD_MS_MAX, SLOWLY_MS, SendGuard
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import Side


def guarded(talk: Talk) -> SendGuard:
    talk.hear(frame(), MarketHeard(mark=BID))
    return SendGuard(core=talk.core)


def refuses(guard: SendGuard, talk: Talk, request: OrderRequest, tx_hash: str = "") -> str:
    return guard.refuses(candidate(request, tx_hash=tx_hash or f"h{request.coid}"), talk.now, talk.now)


def opening(serial: int = 1, **changes: Any) -> OrderRequest:
    return quote(serial, opens=True, price=BID, **changes)


def test_an_opening_quote_passes() -> None:
    talk = maker_side()
    assert refuses(guarded(talk), talk, opening()) == ""


def test_a_quote_that_was_held_up_does_not_and_a_hedge_does() -> None:
    talk = maker_side()
    guard, decided = guarded(talk), talk.now
    talk.ms += HELD_MS_MAX
    assert guard.refuses(candidate(opening()), decided, talk.now) == ""
    talk.ms += 1
    assert guard.refuses(candidate(opening()), decided, talk.now) == "held up for 1001 ms"
    talk.core.maker.base = 100
    assert guard.refuses(candidate(order(2)), decided, talk.now) == ""


@pytest.mark.parametrize("request_", [BurnRequest(), CancelRequest(coid=1)])
def test_what_ends_orders_always_passes(request_: BurnRequest | CancelRequest) -> None:
    talk = maker_side(orders_per_round_max=0)
    assert guarded(talk).refuses(candidate(request_), talk.now, talk.now) == ""


def test_a_quote_larger_than_the_quantity_does_not() -> None:
    talk = maker_side()
    assert "more than the quantity" in refuses(guarded(talk), talk, opening(lots=101))


def test_a_closing_quote_is_held_to_the_position() -> None:
    talk = maker_side()
    guard = guarded(talk)
    talk.core.maker.base = 250
    closing = quote(2, side=Side.ASK, price=ASK, lots=250)
    assert refuses(guard, talk, closing) == ""
    assert "more than the position" in refuses(guard, talk, quote(3, side=Side.ASK, price=ASK, lots=251))


def test_the_price_must_lie_within_the_collar() -> None:
    talk = maker_side(price_collar_bps_e2=10_000)  # 1 percent
    guard = guarded(talk)
    assert refuses(guard, talk, quote(1, opens=True, price=BID * 99 // 100)) == ""
    assert "collar" in refuses(guard, talk, quote(2, opens=True, price=BID * 99 // 100 - 1))
    assert "collar" in refuses(guard, talk, quote(3, opens=True, price=BID * 101 // 100 + 1))


def test_without_a_mark_price_nothing_is_quoted() -> None:
    talk = maker_side()
    guard = guarded(talk)
    talk.core.book.mark = 0
    assert "collar" in refuses(guard, talk, opening())


def test_a_stale_book_stops_a_quote_and_no_hedge() -> None:
    talk = maker_side()
    guard = guarded(talk)
    talk.ms += 5_000
    assert refuses(guard, talk, opening()) == "book is stale"
    talk.core.maker.base = 100
    assert refuses(guard, talk, order(2)) == ""


def test_opening_orders_of_a_minute_are_counted_and_hedges_are_not() -> None:
    talk = maker_side(orders_per_minute_max=2)
    guard = guarded(talk)
    assert refuses(guard, talk, opening(1)) == ""
    assert refuses(guard, talk, opening(2)) == ""
    assert "in the last minute" in refuses(guard, talk, opening(3))
    talk.core.maker.base = 100
    assert refuses(guard, talk, order(4)) == ""
    talk.core.maker.base = 0
    talk.ms += 60_000
    talk.hear(frame())
    assert refuses(guard, talk, opening(3)) == ""


def test_orders_of_a_round_are_counted_whatever_they_are_for() -> None:
    talk = hedger_side(orders_per_round_max=2)
    guard = guarded(talk)
    talk.core.maker.base = 500
    assert refuses(guard, talk, order(1, round=7)) == ""
    assert refuses(guard, talk, order(2, round=7)) == ""
    assert "orders in round 7" in refuses(guard, talk, order(3, round=7))
    assert refuses(guard, talk, order(4, round=8)) == ""
    assert refuses(guard, talk, order(5, round=8)) == ""
    talk.ms += SLOWLY_MS - 1
    assert "orders in round 8" in refuses(guard, talk, order(6, round=8))
    talk.ms += 1
    assert refuses(guard, talk, order(6, round=8)) == "", "what is missing stays missing"
    assert "orders in round 8" in refuses(guard, talk, order(7, round=8))
    assert "orders in round 8" in refuses(guard, talk, quote(8, round=8, opens=True, price=BID))
    talk.ms += SLOWLY_MS
    talk.hear(frame())
    assert refuses(guard, talk, quote(8, round=8, opens=True, price=BID)) == "", "a quiet market may need many quotes"


def test_bytes_that_were_sent_may_go_again() -> None:
    talk = maker_side(orders_per_round_max=1)
    guard = guarded(talk)
    assert refuses(guard, talk, opening(1), "h") == ""
    assert refuses(guard, talk, opening(1), "h") == ""
    assert refuses(guard, talk, opening(2), "other") != ""
    for number in range(HASHES_MAX):
        refuses(guard, talk, opening(3, round=100 + number), f"x{number}")
    assert len(guard._hashes) <= HASHES_MAX


def test_a_hedge_is_held_to_what_is_missing() -> None:
    talk = hedger_side()
    guard = guarded(talk)
    talk.core.maker.base = 40
    assert refuses(guard, talk, order(1, lots=40)) == ""
    assert "is missing:" in refuses(guard, talk, order(2, lots=41))
    assert "is missing:" in refuses(guard, talk, order(3, lots=40, side=Side.BID))
    talk.core.maker.base = 0
    assert "is missing:" in refuses(guard, talk, order(4, lots=1))


def test_a_reducing_order_is_held_to_what_is_held() -> None:
    talk = hedger_side()
    guard = guarded(talk)
    talk.hear(PositionReported(role=Role.HEDGER, lots=-30))
    talk.core.hedger.base = -30
    assert refuses(guard, talk, order(1, lots=30, side=Side.BID, reduce_only=True)) == ""
    assert "is held:" in refuses(guard, talk, order(2, lots=31, side=Side.BID, reduce_only=True))
