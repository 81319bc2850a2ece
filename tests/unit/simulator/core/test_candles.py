from lighter_hedge.simulator.core.candles import MINUTES_MAX, RESOLUTIONS_MS, CandleSeries, start_ms

MINUTE_US = 60_000_000
DAY_MS = RESOLUTIONS_MS["1d"]
FOR_EVER = (0, 10**18, 10**6)


def series(*prices: tuple[int, int]) -> CandleSeries:
    """A series of ``(minute, price)``, one lot for two millionths each."""
    made = CandleSeries()
    for number, (minute, price) in enumerate(prices, start=1):
        made.add(minute * MINUTE_US, price, lots=1, quote=2, trade_id=number)
    return made


def test_a_minute_has_its_first_last_highest_and_lowest_price() -> None:
    (one,) = series((7, 50), (7, 80), (7, 20), (7, 60)).read("1m", *FOR_EVER)
    assert (one.at_ms, one.open_ticks, one.high_ticks, one.low_ticks, one.close_ticks) == (420_000, 50, 80, 20, 60)
    assert (one.lots, one.quote, one.samples, one.last_id) == (4, 8, 4, 4)


def test_longer_spans_join_minutes_and_begin_on_their_own_grid() -> None:
    found = series((4, 10), (5, 30), (9, 5), (10, 7)).read("5m", *FOR_EVER)
    assert [(one.at_ms, one.open_ticks, one.high_ticks, one.low_ticks, one.close_ticks) for one in found] == [
        (0, 10, 10, 10, 10),
        (300_000, 30, 30, 5, 5),
        (600_000, 7, 7, 7, 7),
    ]


def test_the_last_ones_of_the_span_are_read_oldest_first() -> None:
    made = series(*((minute, minute) for minute in range(10)))
    assert [one.close_ticks for one in made.read("1m", 120_000, 300_000, 99)] == [2, 3, 4, 5]
    assert [one.close_ticks for one in made.read("1m", 0, 10**9, 2)] == [8, 9]
    assert made.read("1m", 0, 10**9, 0) == []


def test_a_minute_without_a_price_has_no_candle() -> None:
    assert [one.at_ms for one in series((1, 5), (3, 6)).read("1m", *FOR_EVER)] == [60_000, 180_000]


def test_a_price_that_comes_late_counts_in_the_last_minute() -> None:
    (one,) = series((3, 5), (2, 9)).read("1m", *FOR_EVER)
    assert (one.at_ms, one.high_ticks) == (180_000, 9)


def test_only_so_many_minutes_are_remembered() -> None:
    made = series(*((minute, 1) for minute in range(MINUTES_MAX + 5)))
    assert len(made.read("1m", *FOR_EVER)) == MINUTES_MAX


def test_a_week_begins_on_monday() -> None:
    assert start_ms(4 * DAY_MS, "1w") == 4 * DAY_MS
    assert start_ms(11 * DAY_MS - 1, "1w") == 4 * DAY_MS


def test_the_current_candle_joins_the_minutes_of_its_span_and_no_other() -> None:
    hour = series((59, 50), (60, 100), (61, 90)).current("1h", 62 * 60_000)
    assert hour is not None
    assert (hour.at_ms, hour.open_ticks, hour.high_ticks, hour.low_ticks, hour.close_ticks) == (
        3_600_000,
        100,
        100,
        90,
        90,
    )
    assert (hour.lots, hour.quote, hour.last_id) == (2, 4, 3)


def test_a_span_without_a_price_has_no_current_candle() -> None:
    assert series().current("1m", 0) is None
    assert series((7, 100)).current("1m", 8 * 60_000) is None
    assert series((7, 100)).current("5m", 8 * 60_000) is not None
