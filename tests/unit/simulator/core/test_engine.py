from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, make_world, print_trade

from lighter_hedge.simulator.core.orders import OrderStatus
from lighter_hedge.simulator.core.pushes import OrdersChanged


def test_two_makers_each_hear_their_own_fill() -> None:
    world = make_world()
    world.rest(A, BID, 20, MID)
    world.rest(B, BID, 20, MID)
    world.traffic(print_trade(MID, 30, ASK))
    told = [push for push in world.pushes if isinstance(push, OrdersChanged)]
    assert [(push.account_index, push.orders[0].filled_lots) for push in told] == [(A, 20), (B, 10)]


def test_what_was_told_does_not_change_afterwards() -> None:
    world = make_world()
    world.rest(A, BID, 20, MID)
    told = next(push for push in world.pushes if isinstance(push, OrdersChanged)).orders[0]
    world.take(B, ASK, 20, MID)
    assert told.status is OrderStatus.OPEN


def test_modify_below_what_is_filled_ends_the_order() -> None:
    world = make_world()
    order = world.rest(A, BID, 60, MID, client=7)
    world.take(B, ASK, 40, MID)
    assert world.send(17, A, {"MarketIndex": 1, "Index": 7, "BaseAmount": 30, "Price": MID}).accepted
    world.run()
    assert (order.status, order.filled_lots, order.size_lots) == (OrderStatus.FILLED, 40, 40)


def test_modify_of_a_post_only_order_never_takes() -> None:
    world = make_world()
    order = world.rest(A, BID, 20, MID, client=7)
    assert world.send(17, A, {"MarketIndex": 1, "Index": 7, "BaseAmount": 20, "Price": MID + 10}).accepted
    world.run()
    assert order.status is OrderStatus.CANCELED_POST_ONLY


def test_modify_of_a_dead_order_does_nothing() -> None:
    world = make_world()
    sent = world.send(17, A, {"MarketIndex": 1, "Index": 7, "BaseAmount": 20, "Price": MID})
    world.run()
    assert "21600" in world.exchange.state.txs[sent.tx_hash].event_info


def test_a_cancel_names_the_market_of_its_order() -> None:
    world = make_world()
    order = world.rest(A, BID, 20, MID, client=7)
    world.send(15, A, {"MarketIndex": 0, "Index": 7})
    world.run()
    assert order.is_open
