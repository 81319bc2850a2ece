from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, make_world

from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.markets import BTC


def test_whoever_is_no_account_is_the_ambient_one() -> None:
    world = make_world()
    world.take(A, BID, 20, MID + 10)
    assert world.position(A) == -world.exchange.state.ambient.position(BTC).lots == 20


def test_fees_are_of_the_role_in_the_trade() -> None:
    world = make_world(tier=Tier.PREMIUM)
    world.rest(A, BID, 20, MID)
    world.run(ms=1_000)
    assert world.order(B, ASK, 20, MID, tif=0).accepted
    world.run(ms=1_000)
    (trade,) = world.exchange.state.trades_of[B]
    assert (trade.maker.fee, trade.taker.fee) == (40, 280)
    assert world.account(A).collateral == 10_000_000_000 - 20_000_000 * 40 // 1_000_000
    assert world.account(B).collateral == 10_000_000_000 - 20_000_000 * 280 // 1_000_000


def test_a_forced_trade_has_two_parties_and_no_fee() -> None:
    world = make_world(tier=Tier.PREMIUM)
    world.exchange.force_trade(A, 1, ASK, 30, "deleverage", world.now_us)
    (trade,) = world.exchange.state.trades_of[A]
    assert (trade.kind, trade.price_ticks, trade.taker.fee, trade.maker.fee) == ("deleverage", MID, 0, 0)
    assert world.position(A) == -world.exchange.state.ambient.position(BTC).lots == -30


def test_parties_are_real_accounts_each_once() -> None:
    world = make_world()
    world.rest(A, BID, 20, MID)
    world.take(B, ASK, 20, MID)
    settlement = world.exchange.engine.settlement
    assert settlement.parties(world.exchange.state.trades_of[A] * 2) == [B, A]
