from typing import Any

import pytest
from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, World, make_world

from lighter_hedge.simulator.core.exchange import SubmitResult
from lighter_hedge.simulator.core.orders import Order, OrderStatus, TriggerStatus
from lighter_hedge.simulator.core.pushes import OrdersChanged

OTO, OCO, OTOCO = 1, 2, 3


def leg(world: World, **fields: Any) -> dict[str, Any]:
    base = {"MarketIndex": 1, "ClientOrderIndex": 0, "BaseAmount": 40, "Price": MID - 5, "IsAsk": 0, "Type": 0}
    base |= {"TimeInForce": 2, "ReduceOnly": 0, "TriggerPrice": 0, "OrderExpiry": world.now_us // 1000 + 3_600_000}
    return {**base, **fields}


def child(world: World, kind: int, trigger: int, lots: int = 0) -> dict[str, Any]:
    """A take-profit (4) or stop-loss (2) that sells."""
    fields = {"Type": kind, "TriggerPrice": trigger, "BaseAmount": lots, "Price": MID - 900}
    return leg(world, IsAsk=1, TimeInForce=0, ReduceOnly=1, **fields)


def send(world: World, grouping: int, *legs: dict[str, Any]) -> tuple[SubmitResult, list[Order]]:
    result = world.send(28, A, {"GroupingType": grouping, "Orders": list(legs)})
    world.run()
    state = world.exchange.state
    return result, [state.orders[index] for index in state.orders_of[A][-len(legs) :]]


def bracket(world: World) -> list[Order]:
    result, orders = send(world, OTOCO, leg(world), child(world, 4, MID + 100), child(world, 2, MID - 100))
    assert result.accepted
    return orders


def test_children_wait_for_their_parent_and_take_its_size() -> None:
    world = make_world()
    parent, profit, stop = bracket(world)
    assert parent.to_trigger == (profit.order_index, stop.order_index)
    for one in (profit, stop):
        assert (one.status, one.trigger_status) == (OrderStatus.PENDING, TriggerStatus.PARENT_ORDER)
        assert one.parent_index == parent.order_index
    world.mark(MID + 200)
    assert profit.status is OrderStatus.PENDING
    world.mark(MID)
    world.take(B, ASK, 40, MID - 5)
    assert parent.status is OrderStatus.FILLED
    assert [(one.size_lots, one.trigger_status) for one in (profit, stop)] == [(40, TriggerStatus.MARK_PRICE)] * 2


def test_the_first_child_that_fires_ends_the_other() -> None:
    world = make_world()
    _, profit, stop = bracket(world)
    world.take(B, ASK, 40, MID - 5)
    world.mark(MID + 100)
    assert (profit.status, stop.status) == (OrderStatus.FILLED, OrderStatus.CANCELED_OCO)
    assert world.position(A) == 0


def test_children_of_a_parent_that_filled_nothing_die_in_the_same_frame() -> None:
    world = make_world()
    parent, profit, stop = bracket(world)
    world.cancel(A, parent.order_index)
    frames = [push for push in world.run() if isinstance(push, OrdersChanged)]
    assert [len(frame.orders) for frame in frames] == [3]
    assert (profit.status, stop.status) == (OrderStatus.CANCELED_CHILD, OrderStatus.CANCELED_CHILD)


def test_children_of_a_parent_cancelled_in_part_cover_what_it_filled() -> None:
    world = make_world()
    parent, profit, _ = bracket(world)
    world.take(B, ASK, 25, MID - 5)
    assert profit.trigger_status is TriggerStatus.PARENT_ORDER
    world.cancel(A, parent.order_index)
    world.run()
    assert (profit.size_lots, profit.trigger_status) == (25, TriggerStatus.MARK_PRICE)


def test_a_parent_that_takes_at_once_arms_its_child_at_once() -> None:
    world = make_world()
    taker = leg(world, Type=1, TimeInForce=0, OrderExpiry=0, Price=MID + 10)
    result, (parent, stop) = send(world, OTO, taker, child(world, 2, MID - 100))
    assert result.accepted
    assert parent.status is OrderStatus.FILLED
    world.mark(MID - 100)
    assert (stop.status, stop.filled_lots) == (OrderStatus.FILLED, 40)


def test_one_cancels_the_other_covers_a_position_and_a_cancel_leaves_the_other() -> None:
    world = make_world()
    world.take(A, BID, 40, MID + 10)
    result, (profit, stop) = send(world, OCO, child(world, 4, MID + 100, 40), child(world, 2, MID - 100, 40))
    assert result.accepted
    world.cancel(A, profit.order_index)
    world.run()
    assert (profit.status, stop.status) == (OrderStatus.CANCELED, OrderStatus.PENDING)
    world.mark(MID - 100)
    assert (stop.status, world.position(A)) == (OrderStatus.FILLED, 0)


def test_a_client_order_index_twice_in_a_group_leaves_no_order() -> None:
    world = make_world()
    legs = (leg(world, ClientOrderIndex=7), {**child(world, 2, MID - 100), "ClientOrderIndex": 7})
    result = world.send(28, A, {"GroupingType": OTO, "Orders": list(legs)})
    world.run()
    assert (result.accepted, world.ae(result), world.exchange.state.orders_of[A]) == (True, 21728, [])


@pytest.mark.parametrize(
    ("grouping", "change", "code"),
    [
        (0, {}, 21741),
        (OTOCO, {}, 21742),
        (OTO, {"BaseAmount": 40}, 21743),
        (OTO, {"IsAsk": 0}, 21743),
        (OTO, {"MarketIndex": 0}, 21743),
        (OTO, {"Type": 0, "TriggerPrice": 0, "TimeInForce": 1, "BaseAmount": 20}, 21743),
        (OCO, {}, 21743),
    ],
)
def test_what_is_no_group_has_its_code(grouping: int, change: dict[str, Any], code: int) -> None:
    world = make_world()
    legs = [leg(world), {**child(world, 2, MID - 100), **change}]
    result = world.send(28, A, {"GroupingType": grouping, "Orders": legs})
    assert (result.code, world.nonce(A)) == (code, 0)


def test_what_a_child_closes_at_once_trims_the_order_that_woke_it() -> None:
    """Found by the random walk: the order expires its own parent order, whose child closes the position."""
    world = make_world()
    parent = leg(world, TimeInForce=1, BaseAmount=130, Price=MID + 10, ClientOrderIndex=7)
    _, (first, profit) = send(world, OTO, parent, child(world, 4, MID - 50))
    assert (first.filled_lots, first.leaves_lots, profit.status) == (100, 30, OrderStatus.PENDING)
    closing = leg(world, IsAsk=1, ReduceOnly=1, TimeInForce=1, BaseAmount=100, Price=MID + 9)
    assert world.send(14, A, closing).accepted
    world.run()
    assert (first.status, profit.status) == (OrderStatus.CANCELED_SELF_TRADE, OrderStatus.FILLED)
    assert (world.last_order(A).status, world.position(A)) == (OrderStatus.CANCELED_REDUCE_ONLY, 0)
