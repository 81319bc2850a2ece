from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.simulator.paper_world import (
    ASK,
    BID,
    MID,
    STRANGER,
    A,
    B,
    World,
    book_change,
    make_world,
    print_trade,
)

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core import exchange
from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.exchange import fast_hash
from lighter_hedge.simulator.core.orders import OrderStatus, SelfTradeEquality
from lighter_hedge.simulator.core.pushes import (
    AccountTraded,
    BestChanged,
    BookChanged,
    OrdersChanged,
    PositionsChanged,
    Traded,
    TxExecuted,
)
from lighter_hedge.simulator.core.rules import DEFAULT_LATENCIES, ExchangeSettings


def kinds(pushes: list[Any], account: int) -> list[type]:
    return [type(push) for push in pushes if getattr(push, "account_index", None) == account]


def test_a_resting_order_is_filled_by_the_other_account_and_told_in_the_recorded_order() -> None:
    world = make_world()
    quote = world.rest(A, BID, 20, MID, client=7)
    hedge = world.take(B, ASK, 20, MID - 10, client=8)
    assert quote.status is OrderStatus.FILLED
    assert (hedge.status, hedge.filled_quote) == (OrderStatus.FILLED, 20_000_000)
    assert (world.position(A), world.position(B)) == (20, -20)
    assert kinds(world.pushes, A) == [OrdersChanged, AccountTraded, PositionsChanged]
    assert kinds(world.pushes, B) == [OrdersChanged, AccountTraded, PositionsChanged, TxExecuted]
    trade = next(push for push in world.pushes if isinstance(push, Traded)).trades[0]
    assert (trade.bid.client_order_index, trade.ask.client_order_index) == (7, 8)
    assert trade.is_maker_ask is False


def test_the_parties_hear_of_a_fill_before_the_public() -> None:
    world = make_world()
    world.rest(A, BID, 20, MID)
    world.take(B, ASK, 20, MID - 10)
    private = [hasattr(push, "account_index") for push in world.pushes]
    assert private == sorted(private, reverse=True)
    assert any(private)
    assert not all(private)


def test_a_post_only_order_that_would_cross_is_cancelled_whole() -> None:
    world = make_world()
    order = world.rest(A, BID, 20, MID + 10)
    assert (order.status, order.filled_lots) == (OrderStatus.CANCELED_POST_ONLY, 0)


def test_a_good_till_time_order_takes_what_it_crosses_and_rests_with_the_remainder() -> None:
    world = make_world()
    assert world.order(A, BID, 150, MID + 10, tif=1).accepted
    world.run()
    order = world.last_order(A)
    assert (order.status, order.filled_lots, order.leaves_lots) == (OrderStatus.OPEN, 100, 50)


@pytest.mark.parametrize(
    ("lots", "price", "status", "filled"),
    [
        (150, MID + 10, OrderStatus.CANCELED_TOO_MUCH_SLIPPAGE, 100),
        (1000, MID + 30, OrderStatus.CANCELED_NOT_ENOUGH_LIQUIDITY, 400),
        (100, MID + 5, OrderStatus.CANCELED_TOO_MUCH_SLIPPAGE, 0),
        (400, MID + 20, OrderStatus.FILLED, 400),
    ],
)
def test_the_remainder_of_an_immediate_order_says_why(lots: int, price: int, status: OrderStatus, filled: int) -> None:
    order = make_world().take(A, BID, lots, price)
    assert (order.status, order.filled_lots, order.leaves_lots) == (status, filled, 0)


def test_order_indices_count_asks_up_and_bids_down() -> None:
    world = make_world()
    ask, bid = world.rest(A, ASK, 20, MID + 5), world.rest(A, BID, 20, MID - 5)
    assert ask.order_index > (2 << 48)
    assert bid.order_index < (3 << 48)
    assert world.rest(A, ASK, 20, MID + 6).order_index > ask.order_index
    assert world.rest(A, BID, 20, MID - 6).order_index < bid.order_index


@pytest.mark.parametrize("offset", [-1, 1, 5])
def test_only_the_expected_nonce_is_taken_and_a_wrong_one_moves_nothing(offset: int) -> None:
    world = make_world()
    world.rest(A, BID, 20, MID - 5)
    result = world.order(A, BID, 20, MID - 5, Nonce=1 + offset)
    assert (result.code, result.http_status, world.nonce(A)) == (21104, 400, 1)


def test_each_key_has_its_own_nonce() -> None:
    world = make_world()
    assert world.order(A, BID, 20, MID - 5, ApiKeyIndex=5).accepted
    assert (world.nonce(A, 4), world.nonce(A, 5)) == (0, 1)


def test_skip_nonce_lets_the_nonce_jump() -> None:
    world = make_world()
    assert world.order(A, BID, 20, MID - 5, Nonce=900, L2TxAttributes={"4": 1}).accepted
    assert world.nonce(A) == 901


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"MarketIndex": 9}, 21602),
        ({"BaseAmount": 19}, 21706),
        ({"Price": MID * 2}, 21733),
        ({"Price": 0}, 21702),
        ({"Type": 6}, 21710),
        ({"OrderExpiry": 0}, 21711),
        ({"ExpiredAt": 1}, 21501),
        ({"ApiKeyIndex": 4, "BaseAmount": 3_000_000}, 21739),
        ({"IsAsk": 2}, 21703),
        ({"ClientOrderIndex": 2**48}, 21727),
        ({"Price": "x"}, 21702),
    ],
)
def test_what_the_api_refuses_consumes_no_nonce(change: dict[str, Any], code: int) -> None:
    world = make_world()
    result = world.order(A, BID, 20, MID - 5, **change)
    assert (result.code, result.http_status, world.nonce(A)) == (code, 400, 0)
    assert world.run() == []


def test_an_unknown_account_or_key_is_refused_by_name() -> None:
    world = make_world()
    assert world.send(15, STRANGER, {"MarketIndex": 1, "Index": 1}).code == 21100
    del world.exchange.state.accounts[A].keys[5]
    assert world.order(A, BID, 20, MID - 5, ApiKeyIndex=5, Nonce=0).code == 21109


def test_an_open_client_order_index_is_taken_silently() -> None:
    """Accepted, nonce consumed, no order, no orders frame; only the transaction tells."""
    world = make_world()
    world.rest(A, BID, 20, MID - 5, client=7)
    result = world.order(A, BID, 20, MID - 6, client=7)
    pushes = world.run()
    assert result.accepted
    assert world.nonce(A) == 2
    assert kinds(pushes, A) == [TxExecuted]
    assert len(world.exchange.state.orders_of[A]) == 1
    assert world.ae(result) == 21728


def test_a_client_order_index_is_free_again_once_its_order_is_dead() -> None:
    world = make_world()
    order = world.rest(A, BID, 20, MID - 5, client=7)
    world.cancel(A, 7)
    world.run()
    assert order.status is OrderStatus.CANCELED
    assert world.rest(A, BID, 20, MID - 5, client=7).is_open


def test_a_resting_order_that_expires_within_five_minutes_vanishes() -> None:
    world = make_world()
    result = world.order(A, BID, 20, MID - 5, OrderExpiry=world.now_us // 1000 + 299_000)
    assert result.accepted
    assert kinds(world.run(), A) == [TxExecuted]
    assert world.exchange.state.orders_of[A] == []


def test_an_order_expires_when_its_time_comes() -> None:
    world = make_world()
    order = world.rest(A, BID, 20, MID - 5)
    world.run(ms=3_599_000)
    assert order.is_open
    world.run(ms=1_001)
    assert order.status is OrderStatus.CANCELED_EXPIRED


def test_cancelling_by_venue_index_or_a_dead_order() -> None:
    world = make_world()
    order = world.rest(A, BID, 20, MID - 5)
    assert world.cancel(A, order.order_index).accepted
    assert kinds(world.run(), A) == [OrdersChanged, TxExecuted]
    again = world.cancel(A, order.order_index)
    assert kinds(world.run(), A) == [TxExecuted]
    assert world.ae(again) == 21600


def test_an_order_that_never_was_carries_another_code_than_a_dead_one() -> None:
    world = make_world()
    result = world.cancel(A, 77)
    assert kinds(world.run(), A) == [TxExecuted]
    assert (result.accepted, world.ae(result), world.nonce(A)) == (True, 21715, 1)


def test_cancel_all_is_one_frame_and_may_name_a_market() -> None:
    world = make_world()
    orders = [world.rest(A, BID, 20, MID - 5 - index) for index in range(3)]
    other = world.rest(B, BID, 20, MID - 5)
    world.send(16, A, {"TimeInForce": 0, "Time": 0, "L2TxAttributes": {"5": 0}})
    world.run()
    assert all(order.is_open for order in orders)
    world.send(16, A, {"TimeInForce": 0, "Time": 0, "L2TxAttributes": {"5": 1}})
    frames = [push for push in world.run() if isinstance(push, OrdersChanged)]
    assert [len(frame.orders) for frame in frames] == [3]
    assert other.is_open


def test_a_scheduled_cancel_all_fires_once_and_can_be_aborted() -> None:
    world = make_world()
    order = world.rest(A, BID, 20, MID - 5)
    at_ms = world.now_us // 1000 + 400_000
    assert world.send(16, A, {"TimeInForce": 1, "Time": at_ms - 200_000}).code == 21714
    assert world.send(16, A, {"TimeInForce": 1, "Time": at_ms}).accepted
    world.run()
    assert world.send(16, A, {"TimeInForce": 1, "Time": at_ms}).code == 21712
    assert world.send(16, A, {"TimeInForce": 2, "Time": 0}).accepted
    world.run(ms=401_000)
    assert order.is_open
    assert world.send(16, A, {"TimeInForce": 1, "Time": world.now_us // 1000 + 300_001}).accepted
    world.run(ms=300_001)
    assert order.status is OrderStatus.CANCELED


def test_reduce_only_is_trimmed_and_vanishes_when_there_is_nothing_to_reduce() -> None:
    world = make_world()
    assert world.order(A, ASK, 50, MID - 10, tif=0, ReduceOnly=1).accepted
    assert kinds(world.run(), A) == [TxExecuted]
    world.take(A, BID, 30, MID + 10)
    order = world.take(A, ASK, 50, MID - 10, ReduceOnly=1)
    assert (order.size_lots, order.status, world.position(A)) == (30, OrderStatus.FILLED, 0)


def test_a_resting_reduce_only_order_dies_with_its_position() -> None:
    world = make_world()
    world.take(A, BID, 30, MID + 10)
    resting = world.rest(A, ASK, 30, MID + 5, ReduceOnly=1)
    world.take(A, ASK, 30, MID - 10)
    assert resting.status is OrderStatus.CANCELED_REDUCE_ONLY


def test_the_engine_cancels_a_taker_without_margin() -> None:
    world = make_world()
    world.traffic(book_change((ASK, MID + 10, 5_000_000)))
    order = world.take(A, BID, 1_000_000, MID + 10)
    assert (order.status, order.filled_lots) == (OrderStatus.CANCELED_MARGIN_NOT_ALLOWED, 0)


def test_modify_changes_size_and_price_and_loses_the_place_in_the_queue() -> None:
    world = make_world()
    order = world.rest(A, BID, 20, MID - 5, client=7)
    behind = world.rest(B, BID, 20, MID - 5)
    changed = {"MarketIndex": 1, "Index": 7, "BaseAmount": 30, "Price": MID - 5, "TriggerPrice": 0}
    assert world.send(17, A, changed).accepted
    world.run()
    assert (order.size_lots, order.is_open) == (30, True)
    world.traffic(print_trade(MID - 5, 20, ASK))
    assert (order.filled_lots, behind.filled_lots) == (0, 20)


def test_leverage_changes_the_initial_margin() -> None:
    world = make_world()
    assert world.send(20, A, {"MarketIndex": 1, "InitialMarginFraction": 100, "MarginMode": 0}).code == 21113
    assert world.send(20, A, {"MarketIndex": 1, "InitialMarginFraction": 1000, "MarginMode": 0}).accepted
    world.run()
    assert world.order(A, BID, 150_000, MID - 5).code == 21739


def test_latencies_differ_by_kind_and_a_key_keeps_its_order() -> None:
    """A slow taker ahead holds back the cancel of the same key, not that of another."""
    settings = ExchangeSettings(latencies={Tier.STANDARD: DEFAULT_LATENCIES[Tier.STANDARD]})
    world = make_world(tier=Tier.STANDARD, settings=settings)
    assert world.order(A, BID, 20, MID - 5, client=7).accepted
    world.run(ms=199)
    assert world.exchange.state.orders_of[A] == []
    world.run(ms=1)
    order = world.last_order(A)
    assert order.is_open
    world.order(A, BID, 20, MID + 10, tif=0)
    world.cancel(A, 7)
    world.run(ms=299)
    assert order.is_open
    world.run(ms=1)
    assert order.status is OrderStatus.CANCELED
    again = world.order(A, BID, 20, MID - 5, client=9)
    assert again.execution_time_ms == world.now_us // 1000 + 200


def test_a_traffic_print_fills_a_resting_order() -> None:
    world = make_world()
    order = world.rest(A, BID, 20, MID - 5)
    pushes = world.traffic(print_trade(MID - 5, 50, ASK))
    assert order.status is OrderStatus.FILLED
    public = [push for push in pushes if isinstance(push, Traded)]
    assert [trade.lots for push in public for trade in push.trades] == [20, 30]


def test_books_come_in_batches_chained_by_nonces() -> None:
    world = make_world()
    world.run(ms=100)
    first = [push for push in world.pushes if isinstance(push, BookChanged)]
    assert len(first) == 1
    world.rest(A, BID, 20, MID - 5)
    assert any(isinstance(push, BestChanged) for push in world.pushes)
    world.take(B, ASK, 20, MID - 5)
    second = [push for push in world.run(ms=50) if isinstance(push, BookChanged)]
    assert len(second) == 1
    assert second[0].begin_nonce == first[0].nonce
    assert second[0].bids == ((MID - 5, 0),)


def test_without_interval_each_change_is_a_batch() -> None:
    world = make_world(settings=ExchangeSettings(book_interval_us=0))
    world.rest(A, BID, 20, MID - 5)
    assert sum(isinstance(push, BookChanged) for push in world.pushes) == 1


def test_fills_of_accounts_of_one_wallet_need_the_flag_to_be_prevented() -> None:
    world = make_world()
    quote = world.rest(A, BID, 20, MID)
    hedge = world.take(B, ASK, 20, MID - 10, L2TxAttributes={"7": int(SelfTradeEquality.MASTER_ACCOUNT)})
    assert quote.status is OrderStatus.CANCELED_SELF_TRADE
    assert hedge.status is OrderStatus.FILLED
    assert world.position(A) == 0


def test_two_wallets_are_never_protected() -> None:
    world = make_world(wallets=("0x1", "0x2"))
    quote = world.rest(A, BID, 20, MID)
    world.take(B, ASK, 20, MID - 10, L2TxAttributes={"7": 1})
    assert quote.status is OrderStatus.FILLED


def test_the_hash_depends_on_the_whole_transaction() -> None:
    assert len(fast_hash(304, 14, {"Nonce": 1})) == 80
    assert fast_hash(304, 14, {"Nonce": 1}) != fast_hash(300, 14, {"Nonce": 1})
    assert fast_hash(304, 14, {"Nonce": 1}) != fast_hash(304, 14, {"Nonce": 2})


@dataclass(frozen=True)
class Step:
    kind: str
    account: int
    side: Side
    lots: int
    offset: int


STEPS = st.builds(
    Step,
    kind=st.sampled_from(["post", "gtt", "ioc", "reduce", "cancel", "print", "level", "snapshot", "wait"]),
    account=st.sampled_from([A, B]),
    side=st.sampled_from([BID, ASK]),
    lots=st.integers(20, 400),
    offset=st.integers(-30, 30),
)


def take_step(world: World, step: Step) -> None:
    price = MID + step.offset
    match step.kind:
        case "post" | "gtt" | "ioc" | "reduce":
            tif = {"post": 2, "gtt": 1, "ioc": 0, "reduce": 0}[step.kind]
            world.order(step.account, step.side, step.lots, price, tif=tif, ReduceOnly=int(step.kind == "reduce"))
        case "cancel":
            orders = world.exchange.state.orders_of[step.account]
            if orders:
                world.cancel(step.account, orders[step.lots % len(orders)])
        case "print":
            world.traffic(print_trade(price, step.lots, step.side))
        case "level":
            world.traffic(book_change((step.side, MID - step.side.sign * abs(step.offset), step.lots)))
        case "snapshot":
            world.traffic(book_change((BID, price - 5, step.lots), (ASK, price + 5, step.lots), snapshot=True))
        case _:
            world.run(ms=200)
    world.run()


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_lots_and_money_are_conserved_whatever_happens(steps: list[Step]) -> None:
    """Positions sum to zero with the ambient counterparty; cash changes by traded quote and fees alone."""
    world = make_world(tier=Tier.PREMIUM)
    state = world.exchange.state
    parties = [*state.accounts.values(), state.ambient]
    for step in steps:
        take_step(world, step)
        positions = [one.positions[1] for one in parties if 1 in one.positions]
        assert sum(position.lots for position in positions) == 0
        assert all((position.lots == 0) <= (position.entry_quote == 0) for position in positions)
        cash = sum(one.collateral for one in parties) - sum(
            position.entry_quote * (1 if position.lots > 0 else -1) for position in positions
        )
        trades = {trade.trade_id: trade for one in state.trades_of.values() for trade in one}
        fees = sum(
            trade.quote * side.fee // 1_000_000 for trade in trades.values() for side in (trade.maker, trade.taker)
        )
        assert cash == 20_000_000_000 - fees
        for account in (A, B):
            for index in state.orders_of[account]:
                order = state.orders[index]
                assert 0 <= order.filled_lots <= order.size_lots
                assert (order.status is OrderStatus.FILLED) == (order.filled_lots == order.size_lots)
        book = state.books[1]
        bid, ask = book.bids.best_price(), book.asks.best_price()
        real = {order.price_ticks for side in (book.bids, book.asks) for order in side.orders()}
        assert bid is None or ask is None or bid < ask or not real & {bid, ask}


def test_expiries_of_ended_orders_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "SWEEP_EVERY", 20)
    world = make_world()
    living = world.rest(A, BID, 20, MID - 5)
    for _ in range(100):
        order = world.rest(A, BID, 20, MID - 5)
        world.cancel(A, order.order_index)
        world.run()
        assert len(world.exchange._heap) <= 22
    world.run(ms=3_600_001)
    assert living.status is OrderStatus.CANCELED_EXPIRED
