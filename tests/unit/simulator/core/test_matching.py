import pytest

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.matching import Book, Execution
from lighter_hedge.simulator.core.orders import (
    Order,
    OrderStatus,
    OrderType,
    SelfTrade,
    SelfTradeEquality,
    TimeInForce,
)

BID, ASK = Side.BID, Side.ASK
A, B = 101, 102


class Desk:
    """A book and numbered orders for it."""

    def __init__(self) -> None:
        self.book = Book()
        self._count = 0

    def order(
        self,
        account: int,
        side: Side,
        lots: int,
        price: int,
        *,
        wallet: str = "",
        order_type: OrderType = OrderType.LIMIT,
        self_trade: SelfTrade = SelfTrade.EXPIRE_MAKER,
        equality: SelfTradeEquality = SelfTradeEquality.ACCOUNT,
    ) -> Order:
        self._count += 1
        return Order(
            order_index=self._count,
            client_order_index=0,
            account_index=account,
            wallet=wallet or str(account),
            market_index=1,
            side=side,
            order_type=order_type,
            time_in_force=TimeInForce.GTT,
            reduce_only=False,
            price_ticks=price,
            size_lots=lots,
            expiry_ms=0,
            tx_hash="",
            created_us=0,
            updated_us=0,
            sequence=self._count,
            self_trade=self_trade,
            equality=equality,
        )

    def rest(self, account: int, side: Side, lots: int, price: int, wallet: str = "") -> Order:
        order = self.order(account, side, lots, price, wallet=wallet)
        self.book.rest(order)
        return order

    def ambient(self, *updates: tuple[Side, int, int], snapshot: bool = False) -> list[Execution]:
        return self.book.change_ambient(updates, snapshot=snapshot)


def fills(executions: list[Execution]) -> list[tuple[int | None, int, int]]:
    return [(None if one.maker is None else one.maker.order_index, one.price_ticks, one.lots) for one in executions]


def test_a_taker_walks_levels_by_price_down_to_its_worst_price() -> None:
    desk = Desk()
    desk.ambient((ASK, 101, 5), (ASK, 102, 5), (ASK, 103, 5))
    walk = desk.book.take(desk.order(A, BID, 20, 102), 102)
    assert fills(walk.executions) == [(None, 101, 5), (None, 102, 5)]
    assert (walk.leaves_lots, walk.book_exhausted) == (10, False)
    assert desk.book.asks.displayed() == [(103, 5)]


def test_an_empty_side_is_told_apart_from_a_reached_worst_price() -> None:
    desk = Desk()
    desk.ambient((ASK, 101, 5))
    assert desk.book.take(desk.order(A, BID, 20, 102), 102).book_exhausted


def test_a_better_price_goes_before_an_older_order() -> None:
    desk = Desk()
    desk.rest(A, ASK, 5, 102)
    better = desk.rest(A, ASK, 5, 101)
    walk = desk.book.take(desk.order(B, BID, 5, 105), 105)
    assert fills(walk.executions) == [(better.order_index, 101, 5)]


def test_at_one_price_ambient_size_that_came_first_is_taken_first() -> None:
    """Queue, order, then the ambient size that joined behind it."""
    desk = Desk()
    desk.ambient((ASK, 101, 4))
    first = desk.rest(A, ASK, 5, 101)
    desk.ambient((ASK, 101, 10))
    second = desk.rest(A, ASK, 5, 101)
    walk = desk.book.take(desk.order(B, BID, 18, 101), 101)
    assert fills(walk.executions) == [
        (None, 101, 4),
        (first.order_index, 101, 5),
        (None, 101, 6),
        (second.order_index, 101, 3),
    ]
    assert second.leaves_lots == 2


def test_what_a_taker_took_is_missing_until_the_traffic_sets_the_level() -> None:
    desk = Desk()
    desk.ambient((ASK, 101, 5))
    desk.book.take(desk.order(A, BID, 3, 101), 101)
    assert desk.book.asks.displayed() == [(101, 2)]
    desk.ambient((ASK, 101, 5))
    assert desk.book.asks.displayed() == [(101, 5)]


def test_a_print_consumes_the_queue_before_it_fills() -> None:
    desk = Desk()
    desk.ambient((BID, 100, 10))
    order = desk.rest(A, BID, 5, 100)
    assert desk.book.print_trade(100, 8, ASK) == []
    assert order.queue_ahead == 2
    assert fills(desk.book.print_trade(100, 4, ASK)) == [(order.order_index, 100, 2)]


def test_a_print_and_the_book_change_that_it_caused_count_once() -> None:
    desk = Desk()
    desk.ambient((BID, 100, 10))
    order = desk.rest(A, BID, 5, 100)
    desk.book.print_trade(100, 4, ASK)
    desk.ambient((BID, 100, 6))
    assert order.queue_ahead == 6


def test_a_shrinking_level_shortens_the_queue_and_a_growing_one_does_not_lengthen_it() -> None:
    desk = Desk()
    desk.ambient((BID, 100, 10))
    order = desk.rest(A, BID, 5, 100)
    desk.ambient((BID, 100, 3))
    desk.ambient((BID, 100, 30))
    assert order.queue_ahead == 3


def test_a_print_through_the_price_fills_without_queue_up_to_its_size() -> None:
    desk = Desk()
    desk.ambient((BID, 100, 10))
    order = desk.rest(A, BID, 5, 100)
    assert fills(desk.book.print_trade(99, 3, ASK)) == [(order.order_index, 100, 3)]


def test_a_print_on_the_other_side_of_the_spread_fills_nothing() -> None:
    desk = Desk()
    desk.rest(A, BID, 5, 100)
    assert desk.book.print_trade(101, 3, BID) == []
    assert desk.book.print_trade(101, 3, ASK) == []


def test_one_print_fills_two_orders_in_time_priority() -> None:
    desk = Desk()
    desk.ambient((BID, 100, 2))
    first, second = desk.rest(A, BID, 5, 100), desk.rest(B, BID, 5, 100)
    executions = desk.book.print_trade(100, 9, ASK)
    assert fills(executions) == [(first.order_index, 100, 5), (second.order_index, 100, 2)]


def test_an_ambient_update_that_crosses_fills_at_the_orders_own_price() -> None:
    desk = Desk()
    order = desk.rest(A, ASK, 5, 101)
    assert fills(desk.ambient((BID, 103, 3))) == [(order.order_index, 101, 3)]
    assert desk.book.bids.displayed() == []
    assert order.leaves_lots == 2


def test_a_snapshot_replaces_all_ambient_levels_and_no_order() -> None:
    desk = Desk()
    desk.ambient((BID, 100, 10), (BID, 99, 10))
    desk.rest(A, BID, 5, 100)
    desk.ambient((BID, 98, 1), snapshot=True)
    assert desk.book.bids.displayed() == [(100, 5), (98, 1)]


def test_default_self_trade_rule_expires_the_own_resting_order_and_goes_on() -> None:
    desk = Desk()
    own, other = desk.rest(A, ASK, 5, 101), desk.rest(B, ASK, 5, 101)
    walk = desk.book.take(desk.order(A, BID, 5, 101), 101)
    assert own.status is OrderStatus.CANCELED_SELF_TRADE
    assert walk.touched_makers == [own]
    assert fills(walk.executions) == [(other.order_index, 101, 5)]


def test_two_accounts_of_one_wallet_trade_unless_the_order_asks_for_master_equality() -> None:
    for equality, traded in ((SelfTradeEquality.ACCOUNT, True), (SelfTradeEquality.MASTER_ACCOUNT, False)):
        desk = Desk()
        desk.rest(A, ASK, 5, 101, wallet="w")
        walk = desk.book.take(desk.order(B, BID, 5, 101, wallet="w", equality=equality), 101)
        assert bool(walk.executions) is traded


def test_expire_taker_keeps_the_maker_and_expire_both_keeps_neither() -> None:
    for behaviour, maker_stays in ((SelfTrade.EXPIRE_TAKER, True), (SelfTrade.EXPIRE_BOTH, False)):
        desk = Desk()
        own = desk.rest(A, ASK, 5, 101)
        walk = desk.book.take(desk.order(A, BID, 5, 101, self_trade=behaviour), 101)
        assert walk.taker_expired
        assert own.is_open is maker_stays
        assert bool(desk.book.asks.displayed()) is maker_stays
        assert walk.executions == []


@pytest.mark.parametrize(("own_lots", "own_left", "status"), [(8, 3, "open"), (5, 0, "canceled-self-trade")])
def test_reduce_takes_from_both_what_would_have_traded(own_lots: int, own_left: int, status: str) -> None:
    desk = Desk()
    own = desk.rest(A, ASK, own_lots, 101)
    walk = desk.book.take(desk.order(A, BID, 5, 101, self_trade=SelfTrade.REDUCE), 101)
    assert (walk.executions, walk.leaves_lots, walk.touched_makers) == ([], 0, [own])
    assert (own.leaves_lots, own.status.value) == (own_left, status)
    assert desk.book.asks.displayed() == ([(101, own_left)] if own_left else [])


@pytest.mark.parametrize(("lots", "fills_beyond"), [(10, 5), (15, 10), (20, 10)])
def test_the_price_of_a_market_order_bounds_the_average(lots: int, fills_beyond: int) -> None:
    """Five lots one tick better than the bound pay for as many one tick beyond it, and no more of the next level."""
    desk = Desk()
    desk.ambient((ASK, 101, 10), (ASK, 103, 30))
    order = desk.order(A, BID, lots + 5, 102, order_type=OrderType.MARKET)
    walk = desk.book.take(order, 102)
    assert fills(walk.executions)[-1][1:] == (103, min(lots - 5, 10))
    assert sum(one.price_ticks * one.lots for one in walk.executions) <= 102 * order.filled_lots
    assert fills_beyond == order.filled_lots - 10


def test_a_market_order_ends_at_a_bound_that_nothing_pays_for() -> None:
    desk = Desk()
    desk.ambient((ASK, 103, 30))
    walk = desk.book.take(desk.order(A, BID, 5, 102, order_type=OrderType.MARKET), 102)
    assert (walk.executions, walk.leaves_lots, walk.book_exhausted) == ([], 5, False)


def test_the_expired_maker_is_out_of_the_book() -> None:
    desk = Desk()
    desk.rest(A, ASK, 5, 101)
    desk.book.take(desk.order(A, BID, 5, 101), 101)
    assert desk.book.asks.best_price() is None
    assert (ASK, 101) in desk.book.touched


def test_crossing_is_seen_at_the_touch() -> None:
    desk = Desk()
    desk.ambient((ASK, 101, 5))
    assert desk.book.crosses(BID, 101)
    assert not desk.book.crosses(BID, 100)
