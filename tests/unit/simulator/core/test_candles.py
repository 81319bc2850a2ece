"""The candle of now; the others are tested where they are read."""

from lighter_hedge.simulator.core.candles import CandleSeries

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
START_US = 1_800_000_000_000_000 // HOUR_US * HOUR_US


def test_the_current_candle_joins_the_minutes_of_its_span_and_no_other() -> None:
    series = CandleSeries()
    series.add(START_US - 1, 50, lots=9, trade_id=1)
    series.add(START_US, 100, lots=1, quote=10, trade_id=2)
    series.add(START_US + MINUTE_US, 90, lots=2, quote=20, trade_id=3)
    hour = series.current("1h", (START_US + 2 * MINUTE_US) // 1000)
    assert hour is not None
    assert (hour.at_ms, hour.open_ticks, hour.high_ticks, hour.low_ticks, hour.close_ticks) == (
        START_US // 1000,
        100,
        100,
        90,
        90,
    )
    assert (hour.lots, hour.quote, hour.last_id) == (3, 30, 3)


def test_a_span_without_a_price_has_no_candle() -> None:
    series = CandleSeries()
    assert series.current("1m", START_US // 1000) is None
    series.add(START_US, 100)
    assert series.current("1m", (START_US + MINUTE_US) // 1000) is None
    assert series.current("5m", (START_US + MINUTE_US) // 1000) is not None
