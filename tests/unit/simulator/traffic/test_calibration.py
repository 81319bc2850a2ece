"""The figures of a stream, and the synthetic market against the recorded ones."""

import pytest

from lighter_hedge.domain.units import Lots, MarketSpec, Side
from lighter_hedge.simulator.core.events import BookChange, Mark, Print, TrafficEvent
from lighter_hedge.simulator.traffic.calibration import statistics
from lighter_hedge.simulator.traffic.synthetic import synthetic


def _spec(market_index: int, symbol: str, size_decimals: int, price_decimals: int) -> MarketSpec:
    return MarketSpec(
        market_index=market_index,
        symbol=symbol,
        size_decimals=size_decimals,
        price_decimals=price_decimals,
        min_base_lots=Lots(1),
        min_quote=10_000_000,
        initial_margin_fraction=500,
    )


MARKETS = (_spec(0, "ETH", 4, 2), _spec(1, "BTC", 5, 1))

RECORDED = {
    0: {
        "spread_ticks_p50": 17.0,
        "spread_ticks_p95": 33.0,
        "trade_lots_p50": 462.0,
        "trade_lots_p95": 18_668.0,
        "updates_per_s": 50.5,
        "trades_per_s": 4.21,
        "mid_changes_per_s": 6.8,
        "ret_1s_bps_std": 0.354,
    },
    1: {
        "spread_ticks_p50": 14.0,
        "spread_ticks_p95": 42.0,
        "trade_lots_p50": 223.0,
        "trade_lots_p95": 3_202.0,
        "updates_per_s": 75.9,
        "trades_per_s": 17.5,
        "mid_changes_per_s": 14.5,
        "ret_1s_bps_std": 0.145,
    },
}
"""Mainnet, 2025-10-09, 30 seconds; sizes in lots."""


def _book(at_us: int, *updates: tuple[Side, int, int], snapshot: bool = False) -> tuple[int, TrafficEvent]:
    return at_us, BookChange(market_index=1, updates=updates, snapshot=snapshot)


def test_the_figures_are_those_of_the_stream() -> None:
    """Rates divide by the seconds, quantiles interpolate, marks and later events do not count."""
    events: list[tuple[int, TrafficEvent]] = [
        _book(0, (Side.BID, 9_999, 1), (Side.ASK, 10_001, 1), snapshot=True),
        (5, Mark(market_index=1, mark_ticks=1, index_ticks=1)),
        (10, Print(market_index=1, price_ticks=10_001, lots=10, taker_side=Side.BID)),
        _book(10, (Side.ASK, 10_001, 0), (Side.ASK, 10_003, 1)),
        _book(1_500_000, (Side.BID, 9_998, 4)),
        (1_600_000, Print(market_index=1, price_ticks=9_999, lots=20, taker_side=Side.ASK)),
        _book(2_500_000, (Side.BID, 10_002, 1)),
        _book(3_900_000, (Side.BID, 10_005, 1)),
        _book(4_000_001, (Side.BID, 1, 1)),
    ]
    figures = statistics(events, 4.0)[1]
    assert figures["updates_per_s"] == 4 / 4
    assert figures["trades_per_s"] == 2 / 4
    assert figures["mid_changes_per_s"] == 3 / 4
    assert figures["spread_ticks_p50"] == 2.5
    assert figures["trade_lots_p50"] == 15
    assert figures["crossed"] == 1
    # Mids of 10001, 10001 and 10002.5 at seconds 1, 2 and 3: returns of 0 and 1.5 basis points.
    assert figures["ret_1s_bps_std"] == pytest.approx(0.75, rel=0.01)


def test_no_trades_and_no_book_give_zeros() -> None:
    """A stream without anything to measure has figures of 0, not an error."""
    events: list[tuple[int, TrafficEvent]] = [(0, Mark(market_index=1, mark_ticks=1, index_ticks=1))]
    assert set(statistics(events, 1.0)[1].values()) == {0.0}


@pytest.mark.parametrize(("seconds", "band"), [(60.0, 0.6), (300.0, 0.15)])
def test_the_synthetic_market_is_like_the_recording(seconds: float, band: float) -> None:
    """Every recorded figure of both markets is met within 15 percent over five minutes; nothing is crossed.

    One minute has a generous 60 percent: it holds some 250 trades of ETH, and their 95th percentile rests
    on a dozen.
    """
    measured = statistics(synthetic(1, MARKETS), seconds)
    assert sorted(measured) == [0, 1]
    for market, recorded in RECORDED.items():
        assert measured[market]["crossed"] == 0
        for name, value in recorded.items():
            assert measured[market][name] == pytest.approx(value, rel=band), f"market {market}: {name}"
