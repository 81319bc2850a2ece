from typing import Any

from tests.unit.simulator.paper_world import BID, MID, A, World, make_world
from tests.unit.simulator.rest_asking import asked, code_of, venue_of

from lighter_hedge.simulator.core.events import Mark
from lighter_hedge.simulator.core.records import Funding
from lighter_hedge.simulator.edge.rest.markets import Markets

HOUR_US = 3_600_000_000


def markets(world: World) -> Markets:
    return Markets(venue_of(world))


def span(world: World, **more: Any) -> dict[str, Any]:
    now_s = world.now_us // 1_000_000
    return {"market_id": 1, "start_timestamp": now_s - 86_400, "end_timestamp": now_s, "count_back": 10, **more}


def test_markets_are_all_or_one_and_none_is_spot() -> None:
    ours = markets(make_world())
    assert [row["market_id"] for row in ours.order_books(asked())["order_books"]] == [0, 1]
    assert [row["symbol"] for row in ours.order_books(asked(market_id=1))["order_books"]] == ["BTC"]
    details = ours.order_book_details(asked(market_id=255, filter="perp"))
    assert [row["price_decimals"] for row in details["order_book_details"]] == [2, 1]
    assert ours.order_book_details(asked(filter="spot"))["order_book_details"] == []
    assert code_of(lambda: ours.order_books(asked(filter="x"))) == 20001
    assert code_of(lambda: ours.order_books(asked(market_id=2048))) == 21602


def test_a_book_has_at_most_250_orders_of_a_side() -> None:
    ours = markets(make_world())
    assert ours.order_book_orders(asked(market_id=1, limit=250))["total_asks"] == 2
    assert ours.order_book_orders(asked(market_id=1, limit=1))["total_bids"] == 1
    for limit in (0, 251, ""):
        assert code_of(lambda limit=limit: ours.order_book_orders(asked(market_id=1, limit=limit))) == 20001  # type: ignore[misc]


def test_candles_come_from_trades() -> None:
    world = make_world()
    world.take(A, BID, 20, MID + 10)
    world.run(ms=60_000)
    world.take(A, BID, 100, MID + 20)
    ours = markets(world)
    found = ours.candles(asked(**span(world, resolution="1m")))
    assert (found["code"], found["r"]) == (200, "1m")
    first, last = found["c"]
    assert (first["o"], first["c"], first["v"], first["V"]) == (100001.0, 100001.0, 0.0002, 20.0002)
    assert (last["o"], last["h"], last["l"], last["c"], last["v"]) == (100001.0, 100002.0, 100001.0, 100002.0, 0.001)
    assert last["t"] - first["t"] == 60_000
    ended = ours.candles(asked(**span(world, resolution="1m", set_timestamp_to_end="true", count_back=1)))
    assert [row["t"] for row in ended["c"]] == [last["t"] + 60_000]
    assert ours.candles(asked(**span(world, resolution="1m", market_id=0)))["c"] == []


def test_candles_want_a_known_resolution_and_a_span() -> None:
    world = make_world()
    ours = markets(world)
    assert code_of(lambda: ours.candles(asked(**span(world, resolution="2m")))) == 20001
    assert code_of(lambda: ours.candles(asked(market_id=1, resolution="1m"))) == 20001
    assert code_of(lambda: ours.candles(asked(**span(world, resolution="1m", end_timestamp=1)))) == 20001
    assert code_of(lambda: ours.mark_price_candles(asked(**span(world, resolution="1w")))) == 20001


def test_mark_candles_count_their_samples() -> None:
    world = make_world()
    world.traffic(Mark(market_index=1, mark_ticks=MID + 7, index_ticks=MID))
    (row,) = markets(world).mark_price_candles(asked(**span(world, resolution="1h")))["c"]
    assert (row["o"], row["h"], row["c"], row["sc"]) == (100000.0, 100000.7, 100000.7, 2)


def test_charts_are_the_closes_of_hours() -> None:
    world = make_world()
    world.take(A, BID, 20, MID + 10)
    charts = markets(world).market_price_charts(asked(market_ids="1"))
    assert (charts["resolution"], charts["price_charts"]) == ("1h", [{"market_id": 1, "prices": ["100001.0"]}])
    assert len(markets(world).market_price_charts(asked())["price_charts"]) == 2
    assert code_of(lambda: markets(world).market_price_charts(asked(market_ids="1,9"))) == 21602


def test_fundings_are_by_hour_or_by_day_and_rates_for_eight_hours() -> None:
    world = make_world()
    ours, state = markets(world), world.exchange.state
    assert [row["rate"] for row in ours.funding_rates(asked())["funding_rates"]] == [0, 0]
    midnight = world.now_us // (24 * HOUR_US) * 24 * HOUR_US
    for hour, rate in ((1, 12), (2, -20)):
        at_us = midnight + hour * HOUR_US
        state.fundings[1].append(Funding(market_index=1, time_us=at_us, rate=rate * 100, value=rate * 10))
    hours = ours.fundings(asked(**span(world, resolution="1h", start_timestamp=0, end_timestamp=5_000_000_000_000)))
    assert [(row["rate"], row["value"], row["direction"]) for row in hours["fundings"]] == [
        ("0.0012", "0.00012000", "long"),
        ("0.0020", "0.00020000", "short"),
    ]
    assert hours["fundings"][0]["timestamp"] == midnight // 1_000_000 + 3600
    days = ours.fundings(asked(**span(world, resolution="1d", start_timestamp=0, end_timestamp=5_000_000_000_000)))
    assert [(row["rate"], row["direction"]) for row in days["fundings"]] == [("0.0008", "short")]
    assert ours.funding_rates(asked())["funding_rates"][1]["rate"] == -0.00016


def test_statistics_of_the_day() -> None:
    world = make_world()
    world.take(A, BID, 20, MID + 10)
    ours = markets(world)
    stats = ours.exchange_stats(asked())
    assert (stats["total"], stats["daily_trades_count"], stats["daily_usd_volume"]) == (2, 1, 20.0002)
    volume = ours.exchange_metrics(asked(period="d", kind="volume"))["metrics"]
    assert [row["data"] for row in volume] == [20.0002]
    count = ours.exchange_metrics(asked(period="d", kind="trade_count", filter="byMarket", value="BTC"))
    assert [row["data"] for row in count["metrics"]] == [1]
    of_eth = ours.exchange_metrics(asked(period="d", kind="volume", filter="byMarket", value="ETH"))
    assert of_eth["metrics"] == []
    assert ours.exchange_metrics(asked(period="d", kind="unheard_of"))["metrics"] == []
    assert code_of(lambda: ours.exchange_metrics(asked(period="x", kind="volume"))) == 20001
    assert ours.execute_stats(asked(period="w")) == {"period": "w", "result": []}


def test_the_one_asset_and_what_the_exchange_says_of_itself() -> None:
    ours = markets(make_world())
    assert [row["symbol"] for row in ours.asset_details(asked())["asset_details"]] == ["USDC"]
    assert ours.asset_details(asked(asset_id=1))["asset_details"] == []
    assert ours.status(asked())["status"] == 200
    assert ours.info(asked())["contract_address"].startswith("0x")
    assert [row["symbol"] for row in ours.token_list(asked())["tokens"]] == ["ETH", "BTC"]
    assert [row["symbol"] for row in ours.price_oracle_info(asked(symbol="BTC"))["markets"]] == ["BTC"]
    assert ours.system_config(asked())["code"] == 200
    rows = ours.fee_tiers(asked())["user_tiers"]
    assert [row["name"] for row in rows] == ["standard", "plus", *["premium"] * 8]
    assert (rows[-1]["required_lit_stakes"], rows[-1]["taker_fee_ticks"]) == (500_000, 196)
