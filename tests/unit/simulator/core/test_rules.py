from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.rules import DEFAULT_LATENCIES, LATENCIES, Latency


def test_every_tier_has_latencies_and_takers_wait_longest() -> None:
    assert set(DEFAULT_LATENCIES) == set(Tier)
    for latency in DEFAULT_LATENCIES.values():
        assert latency.taker_us >= latency.maker_us >= latency.cancel_us


def test_scaling_multiplies_each() -> None:
    assert Latency(taker_us=10, maker_us=20, cancel_us=30).scaled(1.5) == Latency(
        taker_us=15, maker_us=30, cancel_us=45
    )


def test_the_documents_of_three_months_differ() -> None:
    standard = {month: latencies[Tier.STANDARD] for month, latencies in LATENCIES.items()}
    assert {month: one.cancel_us for month, one in standard.items()} == {
        "2026-01": 100_000,
        "2026-07": 200_000,
        "2026-09": 300_000,
    }
    assert standard["2026-09"].maker_us == 0
    assert all(set(latencies) == set(Tier) for latencies in LATENCIES.values())
