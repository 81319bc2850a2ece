from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.rules import DEFAULT_LATENCIES, Latency


def test_every_tier_has_latencies_and_takers_wait_longest() -> None:
    assert set(DEFAULT_LATENCIES) == set(Tier)
    for latency in DEFAULT_LATENCIES.values():
        assert latency.taker_us >= latency.maker_us >= latency.cancel_us


def test_scaling_multiplies_each() -> None:
    assert Latency(taker_us=10, maker_us=20, cancel_us=30).scaled(1.5) == Latency(
        taker_us=15, maker_us=30, cancel_us=45
    )
