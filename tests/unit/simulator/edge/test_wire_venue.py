import lighter
from tests.unit.simulator.paper_world import BID, MID, START_US, A, make_world

from lighter_hedge.simulator.core.candles import CandleSeries
from lighter_hedge.simulator.core.markets import BTC, MARKETS
from lighter_hedge.simulator.edge import wire_venue


def test_the_status_is_in_seconds_and_has_no_code() -> None:
    assert wire_venue.status(START_US) == {"status": 200, "network_id": 1, "timestamp": START_US // 1_000_000}


def test_the_day_of_the_exchange_is_the_sum_of_its_markets() -> None:
    world = make_world()
    world.take(A, BID, 20, MID + 10)
    stats = [world.exchange.state.stats(index, world.now_us) for index in (0, 1)]
    body = wire_venue.exchange_stats(stats, MARKETS)
    assert [(row["symbol"], row["last_trade_price"]) for row in body["order_book_stats"]] == [
        ("ETH", 0),
        ("BTC", 100_001.0),
    ]
    assert (body["total"], body["daily_usd_volume"], body["daily_trades_count"]) == (2, 20.0002, 1)


def test_metrics_add_up_markets_day_by_day() -> None:
    series = CandleSeries()
    for day, quote in ((0, 5_000_000), (0, 1_000_000), (1, 2_000_000)):
        series.add(day * 86_400_000_000, 1, quote=quote)
    days = series.read("1d", 0, 10**9, 9)
    both = wire_venue.exchange_metrics("volume", [*days, *days])["metrics"]
    assert both == [{"timestamp": 0, "data": 12.0}, {"timestamp": 86_400, "data": 4.0}]
    assert [row["data"] for row in wire_venue.exchange_metrics("trade_count", days)["metrics"]] == [2, 1]
    assert wire_venue.exchange_metrics("other", days)["metrics"] == []


def test_rates_are_fractions_for_eight_hours() -> None:
    (row,) = wire_venue.funding_rates({1: 1200}, MARKETS)["funding_rates"]
    assert row == {"market_id": 1, "exchange": "lighter", "symbol": "BTC", "rate": 9.6e-05}


def test_what_the_exchange_says_of_itself_is_as_the_sdk_declares_it() -> None:
    lighter.Asset.model_validate(wire_venue.usdc())
    lighter.FeeTiers.model_validate(wire_venue.fee_tiers())
    lighter.Token.model_validate(wire_venue.token(BTC))
    lighter.PriceOracleMarket.model_validate(wire_venue.oracle(BTC))
    lighter.SystemConfig.model_validate(wire_venue.system_config())
    chart = wire_venue.price_chart(1, BTC, [])
    assert chart == {"market_id": 1, "prices": []}
