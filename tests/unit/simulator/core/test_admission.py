from typing import Any

import pytest
from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, World, book_change, make_world

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.events import Mark
from lighter_hedge.simulator.core.orders import OrderStatus
from lighter_hedge.simulator.core.rules import CAPS, Caps, ExchangeSettings


@pytest.mark.parametrize(
    ("side", "price", "taken"),
    [
        (BID, (MID * 105) // 100, True),
        (BID, (MID * 105) // 100 + 1, False),
        (BID, MID // 2, True),
        (ASK, (MID * 95) // 100, True),
        (ASK, (MID * 95) // 100 - 1, False),
        (ASK, MID * 2, True),
    ],
)
def test_limits_may_not_be_worse_than_five_percent_from_the_mark(side: Side, price: int, taken: bool) -> None:
    result = make_world().order(A, side, 400, price, tif=0)
    assert result.code == (200 if taken else 21733)


def test_without_any_price_there_is_no_band() -> None:
    assert make_world(book=False).order(A, BID, 400, MID * 2, tif=0).accepted


def test_the_band_can_be_switched_off() -> None:
    world = make_world(settings=ExchangeSettings(price_band_percent=0))
    assert world.order(A, BID, 400, MID * 2, tif=0).accepted


def test_minimums_bind_takers_only_where_set_and_never_reduce_only() -> None:
    for bound, code in ((True, 21706), (False, 200)):
        world = make_world(settings=ExchangeSettings(minimums_bind_takers=bound))
        assert world.order(A, BID, 1, MID, tif=0).code == code
        assert world.order(A, BID, 1, MID).code == 21706
        assert world.order(A, BID, 1, MID, tif=0, ReduceOnly=1).code == 200


def test_the_quote_minimum_binds_too() -> None:
    world = make_world(book=False)
    world.traffic(Mark(market_index=1, mark_ticks=100_000, index_ticks=100_000))
    assert world.order(A, BID, 20, 100_000).code == 21706
    assert world.order(A, BID, 100, 100_000).accepted


def test_open_orders_of_the_same_side_use_margin_together() -> None:
    world = make_world()
    world.rest(A, BID, 150_000, MID - 5)
    assert world.order(A, BID, 150_000, MID - 5).code == 21739
    assert world.order(A, ASK, 150_000, MID + 5).accepted


def test_an_order_may_not_live_longer_than_thirty_days() -> None:
    world = make_world()
    days_31 = world.now_us // 1000 + 31 * 86_400_000
    assert world.order(A, BID, 20, MID - 5, OrderExpiry=days_31).code == 21711


@pytest.mark.parametrize(
    ("caps", "code"),
    [
        (Caps(open_account=2, open_market=9, pending_account=9, pending_market=9, sub_accounts=0), 21717),
        (Caps(open_account=9, open_market=2, pending_account=9, pending_market=9, sub_accounts=0), 21718),
    ],
)
def test_a_tier_caps_open_orders_in_all_and_of_a_market(caps: Caps, code: int) -> None:
    world = make_world(settings=ExchangeSettings(latencies={}, caps={Tier.UNLIMITED: caps}))
    orders = [world.rest(A, BID, 20, MID - 5) for _ in range(2)]
    assert world.order(A, BID, 20, MID - 5).code == code
    assert world.order(A, BID, 20, MID + 10, tif=0).accepted
    assert _stop(world).accepted
    world.cancel(A, orders[0].order_index)
    world.run()
    assert world.order(A, BID, 20, MID - 5).accepted


@pytest.mark.parametrize(
    ("caps", "code"),
    [
        (Caps(open_account=9, open_market=9, pending_account=1, pending_market=9, sub_accounts=0), 21719),
        (Caps(open_account=9, open_market=9, pending_account=9, pending_market=1, sub_accounts=0), 21720),
    ],
)
def test_a_tier_caps_pending_orders_apart(caps: Caps, code: int) -> None:
    world = make_world(settings=ExchangeSettings(latencies={}, caps={Tier.UNLIMITED: caps}))
    assert _stop(world).accepted
    world.run()
    assert _stop(world).code == code
    assert world.order(A, BID, 20, MID - 5).accepted


def _stop(world: World, **more: Any) -> Any:
    expiry = world.now_us // 1000 + 3_600_000
    fields = {"Type": 2, "TriggerPrice": MID - 500, "OrderExpiry": expiry, **more}
    return world.order(A, ASK, 20, MID - 900, tif=0, **fields)


def test_the_documented_caps_are_those_of_the_fact_sheet() -> None:
    shown = {tier.value: (caps.open_account, caps.open_market) for tier, caps in CAPS.items()}
    assert shown == {"standard": (250, 30), "builder": (250, 30), "premium": (1500, 1000), "plus": (750, 250)}


def test_in_a_halted_market_only_cancels_work() -> None:
    world = make_world()
    order = world.rest(A, BID, 20, MID - 5, client=7)
    world.exchange.set_market(1, halted=True)
    assert world.order(A, BID, 20, MID - 5).code == 21605
    assert world.send(17, A, {"MarketIndex": 1, "Index": 7, "BaseAmount": 30, "Price": MID - 5}).code == 21605
    assert world.cancel(A, 7).accepted
    world.run()
    assert order.status is OrderStatus.CANCELED
    world.exchange.set_market(1, halted=False)
    assert world.order(A, BID, 20, MID - 5).accepted


def test_a_reduce_only_market_takes_only_what_reduces() -> None:
    world = make_world()
    world.take(A, BID, 40, MID + 10)
    world.exchange.set_market(1, force_reduce_only=True)
    assert world.order(A, BID, 20, MID - 5).code == 21740
    assert world.order(A, ASK, 41, MID + 5).code == 21740
    assert world.order(A, ASK, 40, MID + 5).accepted
    assert world.order(A, ASK, 90, MID + 5, ReduceOnly=1).accepted


def test_once_a_scheduled_cancel_all_is_due_nothing_passes_until_it_has_fired() -> None:
    world = make_world(settings=ExchangeSettings(latencies={}, cancel_all_delay_us=2_000_000))
    order = world.rest(A, BID, 20, MID - 5)
    assert world.send(16, A, {"TimeInForce": 1, "Time": world.now_us // 1000 + 300_000}).accepted
    world.run(ms=300_000)
    refused = world.order(A, BID, 20, MID - 5)
    assert (refused.code, world.nonce(A), order.is_open) == (21122, 2, True)
    world.run(ms=2_000)
    assert order.status is OrderStatus.CANCELED
    assert world.order(A, BID, 20, MID - 5).accepted


def test_a_band_around_the_mark_price_can_be_set() -> None:
    world = make_world(settings=ExchangeSettings(latencies={}, far_percent=20))
    assert world.order(A, BID, 200, MID * 80 // 100).accepted
    assert world.order(A, BID, 200, MID * 80 // 100 - 1).code == 21734
    assert world.order(A, ASK, 200, MID * 120 // 100 + 1).code == 21734


def test_a_band_around_the_trigger_can_be_set() -> None:
    world = make_world(settings=ExchangeSettings(latencies={}, trigger_band_percent=5))
    assert _stop(world, TriggerPrice=MID, Price=MID * 95 // 100).accepted
    assert _stop(world, TriggerPrice=MID, Price=MID * 95 // 100 - 1, Nonce=1).code == 21735


def poor(value: int) -> World:
    """An account with 1,000 lots of BTC (1,000 USDC, 20 of them initial margin) and so much portfolio value left."""
    world = make_world()
    world.traffic(book_change((ASK, MID + 10, 10_000)))
    world.send(20, A, {"MarketIndex": 1, "InitialMarginFraction": 200, "MarginMode": 0})
    world.take(A, BID, 1_000, MID + 10)
    account = world.account(A)
    account.collateral -= world.exchange.state.health(account).portfolio_value - value
    return world


@pytest.mark.parametrize(("value", "code"), [(20_000_000, 200), (19_999_999, 21111), (11_999_999, 21112)])
def test_an_account_without_its_margin_may_only_get_healthier(value: int, code: int) -> None:
    world = poor(value)
    assert world.order(A, BID, 20, MID - 5, tif=0).code == code
    transfer = {"FromAccountIndex": A, "ToAccountIndex": B, "AssetIndex": 3, "FromRouteType": 0, "ToRouteType": 0}
    sent = world.send(12, A, {**transfer, "Amount": 1, "USDCFee": 0, "L1Sig": ""})
    assert sent.code == (21301 if code == 200 else code)
    assert world.order(A, ASK, 20, MID - 5, tif=0).accepted
    assert world.order(A, ASK, 20, MID + 50).accepted
    world.run()
    assert world.cancel(A, world.last_order(A).order_index).accepted
    assert world.send(16, A, {"TimeInForce": 0, "Time": 0}).accepted


def test_an_order_that_reduces_may_be_modified_in_pre_liquidation() -> None:
    world = poor(15_000_000)
    reduces = world.rest(A, ASK, 20, MID + 50, client=7, ReduceOnly=1)
    assert world.send(17, A, {"MarketIndex": 1, "Index": 7, "BaseAmount": 30, "Price": MID + 60}).accepted
    world.rest(A, ASK, 20, MID + 50, client=8)
    refused = world.send(17, A, {"MarketIndex": 1, "Index": 8, "BaseAmount": 30, "Price": MID + 60})
    assert (refused.code, reduces.is_open) == (21111, True)
