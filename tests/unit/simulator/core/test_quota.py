from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, World, make_world

from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.rules import ExchangeSettings


def premium(quota: int) -> World:
    return make_world(tier=Tier.PREMIUM, settings=ExchangeSettings(latencies={}, quota_start=quota))


def test_orders_use_quota_that_a_wallet_shares_and_cancels_do_not() -> None:
    world = premium(3)
    first = world.order(A, BID, 20, MID - 5, client=7)
    world.run()
    assert (first.quota_remaining, first.message) == (2, '{"ratelimit": "2 volume quota remaining"}')
    cancelled = world.cancel(A, 7)
    assert (cancelled.quota_remaining, cancelled.message) == (2, '{"ratelimit": "didn\'t use volume quota"}')
    assert world.order(B, BID, 20, MID - 5).quota_remaining == 1


def test_without_quota_one_transaction_in_fifteen_seconds_is_free() -> None:
    world = premium(0)
    assert world.order(A, BID, 20, MID - 5).accepted
    refused = world.order(B, BID, 20, MID - 5)
    assert (refused.code, refused.http_status, world.nonce(B)) == (23000, 429, 0)
    assert world.cancel(B, 7).accepted
    world.run(ms=15_000)
    assert world.order(B, BID, 20, MID - 5).accepted


def test_seven_dollars_traded_earn_one() -> None:
    world = premium(1)
    world.take(A, BID, 20, MID + 10)
    assert world.order(A, ASK, 20, MID + 5).quota_remaining == 20_000_200 // 7_000_000 - 1


def test_other_tiers_have_no_quota() -> None:
    world = make_world(settings=ExchangeSettings(latencies={}, quota_start=0))
    assert all(world.order(A, BID, 20, MID - 5).accepted for _ in range(3))
