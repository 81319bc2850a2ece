"""How far a hedge may reach."""

from typing import Any

import pytest
from tests.unit.domain.builders import ASK, BID, PRICE, announce, at, frame, maker_state
from tests.unit.domain.talk import Talk, hedger_side

from lighter_hedge.domain.book import Book
from lighter_hedge.domain.events import MarketHeard
from lighter_hedge.domain.peer import Heard
from lighter_hedge.domain.reach import Reach
from lighter_hedge.domain.states import MakerState
from lighter_hedge.domain.units import Side

SLIP = PRICE * 20 // 10_000
"""20 basis points."""


def reaching(filled: int = 100, **changes: Any) -> tuple[Reach, Talk]:
    """A bought at ``PRICE``; the book stands around it."""
    talk = hedger_side(**changes)
    talk.hear(frame())
    peer: Heard[MakerState] = Heard()
    order = talk.core.maker.expect(announce(side=Side.BID, lots=100, price=PRICE))
    order.by_row = filled
    order.closed = filled == 100
    talk.core.maker._changed(order)
    return Reach(core=talk.core, peer=peer), talk


def test_the_reference_is_the_price_of_as_newest_order_that_filled() -> None:
    reach, talk = reaching()
    assert reach.reference() == PRICE
    reach, talk = reaching(filled=0)
    assert reach.reference() == BID
    talk.hear(MarketHeard(mark=77))
    assert reach.reference() == 77


@pytest.mark.parametrize(("tries", "factor"), [(0, 1), (1, 2), (2, 4), (9, 4)])
def test_each_try_reaches_further(tries: int, factor: int) -> None:
    reach, talk = reaching()
    assert reach.cap(Side.ASK, tries, talk.now) == (PRICE - factor * SLIP, False)
    assert reach.cap(Side.BID, tries, talk.now) == (PRICE + factor * SLIP, False)


def test_without_any_price_b_waits() -> None:
    reach, talk = reaching(filled=0)
    talk.core.book._bids.clear()
    talk.core.book._asks.clear()
    assert reach.cap(Side.ASK, 0, talk.now) == (0, False)


def test_new_tries_of_a_person_go_from_where_the_market_is() -> None:
    reach, talk = reaching()
    talk.core.book._bids.clear()
    talk.core.book._bids.set(PRICE - 20_000, 5)
    reach.from_market = True
    slip = (PRICE - 20_000) * 20 // 10_000
    assert reach.cap(Side.ASK, 0, talk.now) == (PRICE - 20_000 - slip, False)
    assert reach.cap(Side.BID, 0, talk.now)[0] == ASK + ASK * 20 // 10_000


def stand(talk: Talk, bid: int, ask: int, mark: int) -> None:
    """The book and the mark price are here now."""
    for levels, price in ((talk.core.book._bids, bid), (talk.core.book._asks, ask)):
        levels.clear()
        levels.set(price, 500)
    talk.hear(MarketHeard(mark=mark))


def test_a_cap_far_behind_the_market_moves_into_the_collar() -> None:
    reach, talk = reaching(price_collar_bps_e2=30_000)
    up = PRICE * 120 // 100
    stand(talk, up, up + 10, up)
    assert reach.cap(Side.ASK, 0, talk.now) == (up - up * 3 // 100, False)
    down = PRICE * 80 // 100
    stand(talk, down - 10, down, down)
    assert reach.cap(Side.BID, 0, talk.now) == (down + down * 3 // 100, False)


def test_a_mark_price_alone_puts_no_book_out_of_reach() -> None:
    reach, talk = reaching(price_collar_bps_e2=30_000)
    stand(talk, BID, ASK, PRICE * 110 // 100)
    assert reach.cap(Side.ASK, 0, talk.now) == (PRICE - SLIP, False)
    stand(talk, BID, ASK, PRICE * 90 // 100)
    assert reach.cap(Side.BID, 0, talk.now) == (PRICE + SLIP, False)
    stand(talk, BID, ASK, 0)
    assert reach.cap(Side.ASK, 0, talk.now) == (PRICE - SLIP, False)


def test_b_waits_for_a_to_cancel_its_rest() -> None:
    reach, talk = reaching(filled=40)
    reach.peer.hear(maker_state(announce=announce(side=Side.BID, lots=100, price=PRICE)), talk.now)
    assert reach.cap(Side.ASK, 0, talk.now) == (0, False)


def test_b_hedges_out_of_reach_of_a_silent_a() -> None:
    reach, talk = reaching(filled=40)
    assert reach.cap(Side.ASK, 0, talk.now) == (PRICE + 1, True)


@pytest.mark.parametrize("side", [Side.ASK, Side.BID])
def test_b_waits_while_nobody_knows_where_as_rest_is(side: Side) -> None:
    reach, talk = reaching()
    rest = talk.core.maker.expect(announce(2, side=side.opposite, lots=100, price=PRICE))
    rest.price = 0
    assert reach.cap(side, 0, talk.now) == (0, False)


def test_the_venue_protects_one_wallet_itself() -> None:
    reach, talk = reaching(filled=40, cancel_first=False)
    assert reach.cap(Side.ASK, 0, talk.now) == (PRICE - SLIP, False)


def test_a_quote_that_has_expired_stands_in_nobodys_way() -> None:
    reach, talk = reaching(filled=40)
    shown = announce(side=Side.BID, lots=100, price=PRICE, expires_ms=at(talk.ms + 1_000).wall_ms)
    reach.peer.hear(maker_state(announce=shown), talk.now)
    talk.ms += 11_000
    assert reach.cap(Side.ASK, 0, talk.now) == (PRICE + 1, True)
    talk.ms += 1
    assert reach.cap(Side.ASK, 0, talk.now) == (PRICE - SLIP, False)


def test_a_quote_ends_by_the_venues_clock_not_by_ours() -> None:
    reach, talk = reaching(filled=40)
    shown = announce(side=Side.BID, lots=100, price=PRICE, expires_ms=at(talk.ms + 1_000).wall_ms)
    reach.peer.hear(maker_state(announce=shown), talk.now)
    talk.ms += 20_000
    talk.core.skew.heard(talk.now.wall_ms - 15_000, talk.now)
    assert reach.cap(Side.ASK, 0, talk.now) == (PRICE + 1, True)


def test_without_a_market_the_collar_holds_nothing_back() -> None:
    reach, talk = reaching()
    talk.core.book = Book()
    assert reach.cap(Side.ASK, 0, talk.now) == (PRICE - SLIP, False)


def test_the_collar_is_as_wide_as_the_higher_of_mark_and_market_allows() -> None:
    reach, talk = reaching(price_collar_bps_e2=30_000)
    up = PRICE * 120 // 100
    stand(talk, up, up + 10, 0)
    assert reach.cap(Side.ASK, 0, talk.now)[0] == up - up * 3 // 100
    stand(talk, up, up + 10, up * 110 // 100)
    assert reach.cap(Side.ASK, 0, talk.now)[0] == up - up * 110 // 100 * 3 // 100


@pytest.mark.parametrize("side", Side)
def test_a_rest_at_the_cap_itself_is_met_and_any_of_as_orders_counts(side: Side) -> None:
    """A same-sided order and one out of reach come first: neither hides the one that would be met."""
    reach, talk = reaching()
    cap = PRICE - SLIP if side is Side.ASK else PRICE + SLIP
    sign = -side.sign
    for serial, lies, price in ((2, side, cap), (3, side.opposite, cap - sign), (4, side.opposite, cap)):
        talk.core.maker.expect(announce(serial, side=lies, price=price))
    assert reach.cap(side, 0, talk.now) == (cap + sign, True)
