import pytest
from tests.unit.simulator.paper_world import ASK, BID, MID, A, make_world

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.events import Mark
from lighter_hedge.simulator.core.rules import ExchangeSettings


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
