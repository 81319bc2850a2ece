from dataclasses import replace

import lighter
from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, make_world

from lighter_hedge.simulator.core.candles import CandleSeries
from lighter_hedge.simulator.core.markets import BTC, MARKETS
from lighter_hedge.simulator.core.records import Funding, PositionFunding
from lighter_hedge.simulator.edge import wire, wire_history

HOUR_US = 3_600_000_000


def test_rows_of_rest_have_more_than_those_of_frames() -> None:
    world = make_world()
    resting = world.rest(A, BID, 20, MID, client=1)
    world.take(B, ASK, 20, MID)
    order = wire_history.order(resting, MARKETS)
    assert order.keys() - wire.order(resting, MARKETS).keys() == {"order_version", "market_symbol", "market_kind"}
    assert (order["market_symbol"], order["market_kind"], order["integrator_taker_fee"]) == ("BTC", "perps", "")
    done = world.exchange.state.trades_of[A][0]
    trade = wire_history.trade(done, MARKETS)
    assert trade.keys() - wire.trade(done, MARKETS).keys() == {"market_symbol", "market_kind"}


def test_a_block_is_found_by_its_commitment() -> None:
    for height in (0, 7, 12_345_678):
        assert wire_history.height_of(wire_history.commitment(height)) == height
        assert wire_history.height_of("0x" + wire_history.commitment(height)) == height
    for bad in ("", "7", "g" * 64, "-" + "0" * 63, "9" * 64):
        assert wire_history.height_of(bad) is None
    assert wire_history.block(7, [])["size"] == 0


def test_a_candle_is_told_in_numbers() -> None:
    series = CandleSeries()
    series.add(60_000_000, 1_000_005, lots=20, quote=20_000_100, trade_id=9)
    rows = series.read("1m", 0, 10**9, 9)
    (row,) = wire_history.candles("1m", rows, BTC, at_end=False)["c"]
    prices = dict.fromkeys(("o", "h", "l", "c"), 100_000.5)
    assert row == {"t": 60_000, **prices, "v": 0.0002, "V": 20.0001, "i": 9}
    assert wire_history.candles("1m", rows, BTC, at_end=True)["c"][0]["t"] == 120_000
    assert wire_history.mark_candles("1m", rows, BTC)["c"] == [{"t": 60_000, **prices, "sc": 1}]


def test_a_days_funding_is_the_sum_of_its_hours() -> None:
    rounds = [
        Funding(market_index=1, time_us=h * HOUR_US, rate=r * 100, value=r) for h, r in ((1, 12), (2, -30), (25, 5))
    ]
    hours = wire_history.fundings("1h", rounds, 0, 10**12, 2)["fundings"]
    assert [(row["timestamp"], row["rate"], row["direction"]) for row in hours] == [
        (7_200, "0.0030", "short"),
        (90_000, "0.0005", "long"),
    ]
    days = wire_history.fundings("1d", rounds, 0, 10**12, 9)["fundings"]
    assert [(row["timestamp"], row["value"], row["direction"]) for row in days] == [
        (0, "0.00001800", "short"),
        (86_400, "0.00000500", "long"),
    ]
    assert wire_history.fundings("1d", rounds, 1, 10**12, 9)["fundings"] == days[1:]


def test_a_payment_shows_the_side_and_the_size_that_it_was_for() -> None:
    one = PositionFunding(funding_id=3, market_index=1, time_us=HOUR_US, change=-7, rate=-1299, lots=-20)
    assert wire_history.position_funding(one, MARKETS) == {
        "timestamp": 3_600,
        "market_id": 1,
        "funding_id": 3,
        "change": "-0.000007",
        "discount": "0.000000",
        "rate": "-0.0012",
        "position_size": "0.00020",
        "position_side": "short",
    }


def test_profit_is_in_whole_units_of_the_quote() -> None:
    row = wire_history.profit(90_000, -1_500_000, 2_000_000, 250_000)
    assert (row["timestamp"], row["trade_pnl"], row["inflow"], row["volume"]) == (90, -1.5, 2.0, 0.25)


def test_a_liquidation_shows_its_trade() -> None:
    world = make_world()
    world.take(A, BID, 20, MID + 10)
    row = wire_history.liquidation(replace(world.exchange.state.trades_of[A][0], kind="liquidation"), MARKETS)
    assert (row["type"], row["trade"]["price"], row["trade"]["size"]) == ("partial", "100001.0", "0.00020")
    lighter.Liquidation.model_validate(row)
