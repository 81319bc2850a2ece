from tests.unit.domain.builders import PRICE, frame, one, only
from tests.unit.domain.talk import Talk, maker_side

from lighter_hedge.domain.closing import Closing
from lighter_hedge.domain.commands import Prepare
from lighter_hedge.domain.events import OrderRequest


def holding(lots: int) -> tuple[Talk, Closing]:
    talk = maker_side()
    talk.core.own.base = lots
    return talk, Closing(core=talk.core, wanted=True)


def test_a_long_is_sold_at_once_with_the_widest_reach() -> None:
    talk, closing = holding(33)
    request = one(closing.step(talk.now, 4), Prepare).request
    assert isinstance(request, OrderRequest)
    assert (request.lots, request.price, request.reduce_only, request.round) == (33, PRICE - 8_000, True, 4)
    assert talk.core.own.in_flight == -33


def test_nothing_unwanted_is_closed() -> None:
    talk, closing = holding(33)
    closing.wanted = False
    assert closing.step(talk.now) == []


def test_a_flat_account_ends_the_wish() -> None:
    talk, closing = holding(0)
    assert closing.step(talk.now) == []
    assert not closing.wanted


def test_one_closing_order_at_a_time_and_a_moment_between_two() -> None:
    talk, closing = holding(33)
    closing.step(talk.now)
    assert closing.step(talk.now) == [], "the first has not ended"
    talk.core.own.withdraw(talk.core.own.open_orders[0].coid)
    talk.core.lane._tickets.take(talk.core.lane._tickets._last)
    assert closing.step(talk.now) == [], "too soon"
    talk.ms += 1_000
    assert len(only(closing.step(talk.now), Prepare)) == 1


def test_without_another_side_of_the_book_it_waits() -> None:
    talk, closing = holding(33)
    talk.hear(frame(bids=()))
    assert closing.step(talk.now) == []
    assert closing.wanted
