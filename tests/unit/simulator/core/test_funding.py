import pytest
from tests.unit.simulator.paper_world import ASK, BID, MID, START_US, A, B, World, make_world

from lighter_hedge.simulator.core.pushes import FundingPaid, MarketStats, PositionsChanged
from lighter_hedge.simulator.core.state import MarketState, rate_now

HOUR_MS = 3_600_000


def holding(index: int) -> World:
    """A holds 100 lots of B's, worth 100 USDC, an index price having been sampled once."""
    world = make_world()
    world.rest(A, BID, 100, MID)
    world.take(B, ASK, 100, MID)
    world.exchange.state.market_states[1].premium_minute = 0
    world.mark(MID, index)
    return world


@pytest.mark.parametrize(
    ("premium", "rate"),
    [(0, 1_250), (30_000, 1_250), (100_000, 6_250), (-100_000, -6_250), (9_000_000, 500_000), (-9_000_000, -500_000)],
)
def test_the_rate_is_the_premium_and_interest_clamped_and_divided_by_eight(premium: int, rate: int) -> None:
    """Interest 0.01 %, small clamp 0.05 %, big clamp 4 % (docs, funding); 1e-8."""
    assert rate_now(MarketState(premium_sum=2 * premium, premium_count=2)) == rate


def test_longs_pay_shorts_at_the_hour() -> None:
    world = holding(index=MID * 99 // 100)
    rate = rate_now(world.exchange.state.market_states[1])
    assert rate > 1_250
    world.run(ms=HOUR_MS - 1)
    assert world.account(A).collateral == 10_000_000_000
    world.run(ms=1)
    paid = 100_000_000 * rate // 100_000_000
    assert (world.account(A).collateral, world.account(B).collateral) == (10_000_000_000 - paid, 10_000_000_000 + paid)
    assert world.exchange.state.ambient.collateral == 0
    assert [world.account(one).positions[1].funding_paid for one in (A, B)] == [paid, -paid]
    assert [push.account_index for push in world.pushes if isinstance(push, PositionsChanged)] == [A, B]
    assert [(push.account_index, push.change) for push in world.pushes if isinstance(push, FundingPaid)] == [
        (A, -paid),
        (B, paid),
    ]
    record = world.exchange.state.position_fundings[B][-1]
    assert (record.change, record.rate, record.lots) == (paid, rate, -100)
    assert world.exchange.state.fundings[1][-1].time_us == START_US + HOUR_MS * 1000


def test_shorts_pay_longs_where_the_rate_is_negative() -> None:
    world = holding(index=MID * 101 // 100)
    world.run(ms=HOUR_MS)
    assert world.account(A).collateral > 10_000_000_000 > world.account(B).collateral


def test_an_isolated_position_pays_from_its_own_margin() -> None:
    world = make_world()
    world.send(20, A, {"MarketIndex": 1, "InitialMarginFraction": 500, "MarginMode": 1})
    world.run()
    world.take(A, BID, 100, MID + 10)
    before = world.account(A).collateral, world.account(A).positions[1].allocated
    world.run(ms=HOUR_MS)
    assert world.account(A).collateral == before[0]
    assert world.account(A).positions[1].allocated == before[1] - 1_250


def test_premiums_are_sampled_once_a_minute_and_begin_anew_each_hour() -> None:
    world = make_world()
    market = world.exchange.state.market_states[1]
    assert market.premium_count == 1
    world.mark(MID, MID + 500)
    assert market.premium_count == 1
    world.run(ms=60_000)
    stats = world.mark(MID, MID - 5_000)[0]
    assert market.premium_count == 2
    assert isinstance(stats, MarketStats)
    assert stats.current_rate == rate_now(market)
    world.run(ms=HOUR_MS)
    assert (market.premium_count, market.funding_rate) == (0, stats.current_rate)
