"""Recorded numbers in ticks and lots; the rounding of whole tapes is in ``test_tape.py``."""

import pytest
from tests.unit.simulator.paper_world import ASK, BID

from lighter_hedge.simulator.core.events import BookChange, Mark, Print
from lighter_hedge.simulator.core.markets import BTC
from lighter_hedge.simulator.traffic.rounding import Rounding
from lighter_hedge.simulator.traffic.tape_lines import BookLine, StatsLine, TradeLine


def test_lines_become_events_of_the_market() -> None:
    """Whatever index or symbol the recording has, the event has the market's; more decimals round outward."""
    rounding = Rounding(BTC)
    levels = [(BID, "100.19", "0.000019"), (ASK, "100.21", "1")]
    assert rounding.book(
        BookLine(market="BTC-USD", venue_ms=1, sequence=1, snapshot=True, levels=levels)
    ) == BookChange(market_index=1, updates=((BID, 1_001, 1), (ASK, 1_003, 100_000)), snapshot=True)
    trade = TradeLine(market=7, venue_ms=1, trade_id=1, price="100.21", size="0.00002", taker_side=BID)
    assert rounding.trade(trade) == Print(market_index=1, price_ticks=1_003, lots=2, taker_side=BID)
    stats = StatsLine(market=7, receive_ms=1, mark_price="100.25", index_price="99")
    assert rounding.mark(stats) == Mark(market_index=1, mark_ticks=1_002, index_ticks=990)


def test_what_rounds_to_nothing_is_no_trade() -> None:
    trade = TradeLine(market=1, venue_ms=1, trade_id=1, price="100", size="0.000009", taker_side=BID)
    assert Rounding(BTC).trade(trade) is None


def test_no_number_is_an_error() -> None:
    stats = StatsLine(market=1, receive_ms=1, mark_price="1e5", index_price="1")
    with pytest.raises(ValueError, match="plain decimal"):
        Rounding(BTC).mark(stats)
