from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.rules import LATENCIES
from lighter_hedge.simulator.core.stakes import STAKES, stake_of


def test_fees_and_delays_are_those_of_the_table() -> None:
    """docs, account types, July 2026: fees in 1e-6 of the notional, taker delay in ms."""
    latency = LATENCIES["2026-07"][Tier.PREMIUM]
    assert [(one.less(40), one.less(280), latency.staked(one).taker_us // 1000) for one in STAKES] == [
        (40, 280, 200),
        (39, 273, 195),
        (38, 266, 190),
        (36, 252, 180),
        (34, 238, 170),
        (32, 224, 160),
        (30, 210, 150),
        (28, 196, 140),
    ]


def test_a_stake_reaches_the_highest_step_that_it_covers() -> None:
    assert [stake_of(lit).lit for lit in (0, 999, 1_000, 2_999, 3_000, 10**9)] == [0, 0, 1_000, 1_000, 3_000, 500_000]
