import pytest
from tests.unit.simulator.paper_world import ASK, BID, MID, A, World, make_world

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.orders import Order, OrderStatus, OrderType, TriggerStatus
from lighter_hedge.simulator.core.pushes import OrdersChanged

STOP, STOP_LIMIT, PROFIT, PROFIT_LIMIT = 2, 3, 4, 5


def waiting(world: World, side: Side, kind: int, trigger: int, price: int, **more: int) -> Order:
    """Send an order that waits and run it."""
    tif = 1 if kind in (STOP_LIMIT, PROFIT_LIMIT) else 0
    expiry = world.now_us // 1000 + 3_600_000
    fields = {"Type": kind, "TriggerPrice": trigger, "OrderExpiry": expiry, **more}
    assert world.order(A, side, 20, price, tif=tif, **fields).accepted
    world.run()
    return world.last_order(A)


@pytest.mark.parametrize(
    ("side", "kind", "trigger", "falls"),
    [
        (ASK, STOP, MID - 100, True),
        (BID, STOP, MID + 100, False),
        (ASK, PROFIT, MID + 100, False),
        (BID, PROFIT, MID - 100, True),
        (ASK, STOP_LIMIT, MID - 100, True),
        (BID, PROFIT_LIMIT, MID - 100, True),
    ],
)
def test_an_order_fires_when_the_mark_price_reaches_its_trigger(
    side: Side, kind: int, trigger: int, falls: bool
) -> None:
    world = make_world()
    order = waiting(world, side, kind, trigger, MID - side.opposite.sign * 30)
    away = 1 if falls else -1
    world.mark(trigger + away)
    assert (order.status, order.trigger_status) == (OrderStatus.PENDING, TriggerStatus.MARK_PRICE)
    world.mark(trigger)
    assert (order.status, order.trigger_status) == (OrderStatus.FILLED, TriggerStatus.READY)
    assert order.triggered_us == world.now_us


def test_a_pending_order_is_told_and_is_alive_but_not_in_the_book() -> None:
    world = make_world()
    order = waiting(world, ASK, STOP, MID - 100, MID - 200)
    told = [push for push in world.pushes if isinstance(push, OrdersChanged)]
    assert [one.status.value for push in told for one in push.orders] == ["pending"]
    assert order.leaves_lots == 20
    assert world.exchange.state.books[1].asks.orders() == []
    assert world.exchange.state.position_view(world.account(A), 1).pending_order_count == 1


def test_what_the_mark_price_has_passed_fires_at_once() -> None:
    world = make_world()
    assert waiting(world, ASK, STOP, MID + 5, MID - 50).status is OrderStatus.FILLED


def test_a_fired_limit_order_rests_at_its_price() -> None:
    world = make_world()
    order = waiting(world, ASK, STOP_LIMIT, MID - 5, MID + 5)
    world.mark(MID - 5)
    assert (order.status, world.exchange.state.books[1].asks.orders()) == (OrderStatus.OPEN, [order])


def test_reduce_only_is_trimmed_to_the_position_when_it_fires() -> None:
    world = make_world()
    world.take(A, BID, 22, MID + 10)
    order = waiting(world, ASK, STOP, MID - 100, MID - 200, ReduceOnly=1, BaseAmount=40)
    assert order.size_lots == 40
    world.mark(MID - 100)
    assert (order.status, order.size_lots, world.position(A)) == (OrderStatus.FILLED, 22, 0)
    gone = waiting(world, ASK, STOP, MID - 100, MID - 200, ReduceOnly=1)
    assert (gone.status, gone.filled_lots) == (OrderStatus.CANCELED_REDUCE_ONLY, 0)


def test_size_zero_means_the_whole_position() -> None:
    world = make_world()
    world.take(A, BID, 30, MID + 10)
    order = waiting(world, ASK, PROFIT, MID + 100, MID - 200, ReduceOnly=1, BaseAmount=0)
    world.mark(MID + 100)
    assert (order.filled_lots, world.position(A)) == (30, 0)


def test_a_fired_order_without_margin_is_cancelled() -> None:
    world = make_world()
    order = waiting(world, BID, STOP, MID + 100, MID + 200, BaseAmount=10_000_000)
    world.mark(MID + 100)
    assert order.status is OrderStatus.CANCELED_MARGIN_NOT_ALLOWED


def test_a_pending_order_can_be_cancelled_modified_and_expires() -> None:
    world = make_world()
    order = waiting(world, ASK, STOP, MID - 100, MID - 200, ClientOrderIndex=7)
    moved = {"MarketIndex": 1, "Index": 7, "BaseAmount": 25, "Price": MID - 300, "TriggerPrice": MID - 50}
    assert world.send(17, A, moved).accepted
    world.run()
    assert (order.status, order.trigger_ticks, order.size_lots) == (OrderStatus.PENDING, MID - 50, 25)
    world.cancel(A, 7)
    world.run()
    assert order.status is OrderStatus.CANCELED
    late = waiting(world, ASK, STOP, MID - 100, MID - 200)
    world.run(ms=3_600_001)
    assert late.status is OrderStatus.CANCELED_EXPIRED
    world.mark(MID - 100)
    assert late.filled_lots == 0


def test_only_four_types_wait() -> None:
    assert [one for one in OrderType if one.waits] == [
        OrderType.STOP_LOSS,
        OrderType.STOP_LOSS_LIMIT,
        OrderType.TAKE_PROFIT,
        OrderType.TAKE_PROFIT_LIMIT,
    ]
