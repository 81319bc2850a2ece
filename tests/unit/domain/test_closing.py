"""Closing orders: reduce-only, one at a time, until nothing is left."""

from itertools import pairwise

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
    assert (request.lots, request.price, request.round) == (33, PRICE - 8_000, 4)
    assert request.reduce_only
    assert request.cross_account_guard
    assert talk.core.own.in_flight == -33


def test_closing_is_wanted_by_a_person_alone() -> None:
    assert not Closing(core=maker_side().core).wanted


def test_nothing_unwanted_is_closed() -> None:
    talk, closing = holding(33)
    closing.wanted = False
    assert closing.step(talk.now, 4) == []


def test_a_flat_account_ends_the_wish() -> None:
    talk, closing = holding(0)
    assert closing.step(talk.now, 4) == []
    assert not closing.wanted


def test_one_closing_order_at_a_time_and_a_moment_between_two() -> None:
    talk, closing = holding(33)
    closing.step(talk.now, 4)
    assert closing.step(talk.now, 4) == [], "the first has not ended"
    talk.core.own.withdraw(talk.core.own.open_orders[0].coid)
    talk.core.lane._tickets.take(talk.core.lane._tickets._last)
    assert closing.step(talk.now, 4) == [], "too soon"
    talk.ms += 1_000
    assert len(only(closing.step(talk.now, 4), Prepare)) == 1


def test_without_another_side_of_the_book_it_waits() -> None:
    talk, closing = holding(33)
    talk.hear(frame(bids=()))
    assert closing.step(talk.now, 4) == []
    assert closing.wanted


def test_closing_orders_that_do_nothing_follow_each_other_more_and_more_slowly() -> None:
    talk, closing = holding(33)
    sent_ms = []
    for ms in range(0, 40_000, 500):
        talk.ms = ms
        if closing.step(talk.now, 4):
            sent_ms.append(ms)
            talk.core.own.withdraw(talk.core.own.open_orders[0].coid)
            talk.core.lane._tickets.take(talk.core.lane._tickets._last)
    waits = [later - earlier for earlier, later in pairwise(sent_ms)]
    assert waits[:5] == [1_000, 2_000, 4_000, 8_000, 8_000]
