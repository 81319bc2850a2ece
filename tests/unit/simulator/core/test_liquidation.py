from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, World, book_change, make_world

from lighter_hedge.simulator.core.exchange import Exchange
from lighter_hedge.simulator.core.markets import BTC, ETH
from lighter_hedge.simulator.core.orders import OrderStatus, OrderType, Trade
from lighter_hedge.simulator.core.pushes import AccountTraded, OrdersChanged, PositionsChanged
from lighter_hedge.simulator.core.rules import ExchangeSettings

LOTS = 10_000
USDC = 1_000_000


def leveraged(insurance_fund: int = 10**12) -> World:
    """A holds 10,000 lots, worth 10,000 USDC, of B's at 1,000,000 ticks; the mark price stands there."""
    world = make_world(settings=ExchangeSettings(latencies={}, insurance_fund=insurance_fund))
    world.rest(B, ASK, LOTS, MID + 5)
    world.take(A, BID, LOTS, MID + 5)
    world.account(A).collateral = 600 * USDC
    return world


def trades(world: World, kind: str) -> list[Trade]:
    return [trade for trade in world.exchange.state.trades_of[A] if trade.kind == kind]


def value(world: World) -> int:
    return world.exchange.state.health(world.account(A)).portfolio_value


def test_nothing_happens_at_the_maintenance_margin() -> None:
    world = leveraged()
    resting = world.rest(A, ASK, 20, MID + 300)
    world.traffic(book_change((BID, MID - 48_200, LOTS), snapshot=True))
    world.mark(MID - 48_000)
    assert value(world) > LOTS * 952 * 120 // 10
    assert (resting.status, world.position(A)) == (OrderStatus.OPEN, LOTS)


def test_below_it_orders_are_cancelled_and_just_enough_is_sold() -> None:
    world = leveraged()
    resting = world.rest(A, ASK, 20, MID + 300)
    world.traffic(book_change((BID, MID - 49_500, LOTS), snapshot=True))
    world.mark(MID - 49_500)
    assert resting.status is OrderStatus.CANCELED_LIQUIDATION
    assert 0 < world.position(A) < LOTS
    now = world.exchange.state.health(world.account(A))
    assert now.portfolio_value >= now.maintenance_requirement
    order = world.last_order(A)
    assert (order.order_type, order.reduce_only) == (OrderType.LIQUIDATION, True)
    assert {trade.kind for trade in world.exchange.state.trades_of[A][1:]} == {"liquidation"}
    told = [push for push in world.pushes if isinstance(push, OrdersChanged)]
    assert [one.status.value for push in told[:1] for one in push.orders] == ["canceled-liquidation"]


def test_a_liquidation_pays_at_most_one_percent_and_no_more_than_it_was_better_than_the_zero_price() -> None:
    world = leveraged()
    world.traffic(book_change((BID, MID - 49_500, LOTS), snapshot=True))
    world.mark(MID - 49_500)
    paid = [trade.taker.fee for trade in trades(world, "liquidation")]
    assert all(0 < fee <= 10_000 for fee in paid)
    assert world.exchange.state.insurance > 0


def test_without_buyers_above_the_zero_price_nothing_is_sold() -> None:
    world = leveraged()
    world.traffic(book_change((BID, MID - 80_000, LOTS), snapshot=True))
    world.mark(MID - 49_500)
    assert world.position(A) == LOTS
    assert world.last_order(A).status is OrderStatus.CANCELED_TOO_MUCH_SLIPPAGE


def test_below_the_close_out_margin_the_insurance_fund_takes_everything() -> None:
    world = leveraged()
    world.mark(MID - 55_000)
    assert (world.position(A), world.account(A).collateral) == (0, 0)
    (trade,) = trades(world, "liquidation")
    assert trade.maker.account_index == world.exchange.state.ambient.account_index
    assert world.position(B) == -LOTS
    told = [type(push) for push in world.pushes if getattr(push, "account_index", None) == A]
    assert told[-2:] == [AccountTraded, PositionsChanged]


def test_a_bankrupt_account_is_deleveraged_against_the_other_side_where_the_fund_is_empty() -> None:
    world = leveraged(insurance_fund=0)
    world.mark(MID - 70_000)
    assert (world.position(A), world.position(B)) == (0, 0)
    (trade,) = trades(world, "deleverage")
    assert (trade.maker.account_index, trade.lots) == (B, LOTS)
    # 600 USDC under 10,000: the zero price lies 6 % below the entry, and B gets it instead of the mark price.
    assert abs(trade.price_ticks - (MID + 5 - 60_000)) <= 1
    assert world.account(A).collateral == 0


def test_an_isolated_position_falls_alone() -> None:
    world = make_world()
    world.send(20, A, {"MarketIndex": 1, "InitialMarginFraction": 500, "MarginMode": 1})
    world.run()
    world.traffic(book_change((ASK, MID + 10, LOTS)))
    world.take(A, BID, LOTS, MID + 10)
    collateral = world.account(A).collateral
    world.mark(MID - 60_000)
    position = world.account(A).positions[1]
    assert (position.lots, position.allocated, world.account(A).collateral) == (0, 0, collateral)


def test_a_short_is_liquidated_when_the_price_rises() -> None:
    world = make_world()
    world.rest(B, BID, LOTS, MID)
    world.take(A, ASK, LOTS, MID)
    world.account(A).collateral = 600 * USDC
    world.mark(MID + 58_000)
    assert (world.position(A), world.account(A).collateral) == (0, 0)


def test_a_healthy_exchange_has_nothing_to_liquidate() -> None:
    exchange = Exchange((ETH, BTC), [])
    assert exchange._liquidator.check_market(1, 0) == []
