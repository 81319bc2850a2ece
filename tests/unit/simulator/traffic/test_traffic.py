"""The sources of traffic in one place."""

from lighter_hedge.domain.units import Lots, MarketSpec
from lighter_hedge.simulator import traffic

SPEC = MarketSpec(
    market_index=1,
    symbol="BTC",
    size_decimals=5,
    price_decimals=1,
    min_base_lots=Lots(1),
    min_quote=10_000_000,
    initial_margin_fraction=500,
)


def test_endless_traffic_is_cut_by_time() -> None:
    """What is before the time is kept, in order, and the rest is left."""
    cut = list(traffic.until(traffic.synthetic(1, [SPEC]), 1_000_000))
    longer = list(traffic.until(traffic.synthetic(1, [SPEC]), 2_000_000))
    assert 0 < len(cut) < len(longer)
    assert longer[: len(cut)] == cut
    assert cut[-1][0] < 1_000_000 <= longer[len(cut)][0]


def test_every_public_name_is_there() -> None:
    """What the module promises it has."""
    assert all(hasattr(traffic, name) for name in traffic.__all__)
