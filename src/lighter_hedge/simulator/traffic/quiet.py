"""A market in which nothing happens by itself: a fixed book, refilled, and no trades. Pure.

For trials in which every fill is asked for (fault ``fill_now``): the book never moves and never grows old.
"""

from collections.abc import Iterable, Iterator
from itertools import count

from lighter_hedge.domain.units import MarketSpec, Side
from lighter_hedge.simulator.core.events import BookChange, Mark, TrafficEvent

PRICES = {"BTC": "100000", "ETH": "4000"}
PRICE_OTHERS = "100"
LEVELS = 5
GAP_TICKS = 10
"""Between neighbouring levels, and from the middle to the best."""
LEVEL_MINIMUMS = 100
"""Size of a level, in smallest orders of its market."""
INTERVAL_US = 500_000
"""Between two refills of the book; each market says its mark price then."""


def quiet(markets: Iterable[MarketSpec]) -> Iterator[tuple[int, TrafficEvent]]:
    """Endless quiet traffic of ``markets``, from time 0."""
    listed = [(market, _middle(market)) for market in markets]
    for step in count():
        for market, middle in listed:
            at_us = step * INTERVAL_US
            yield at_us, _book(market, middle, snapshot=step == 0)
            yield at_us, Mark(market_index=market.market_index, mark_ticks=middle, index_ticks=middle)


def _middle(market: MarketSpec) -> int:
    return market.ticks_of(PRICES.get(market.symbol, PRICE_OTHERS))


def _book(market: MarketSpec, middle: int, *, snapshot: bool) -> BookChange:
    lots = market.min_lots(middle) * LEVEL_MINIMUMS
    updates = tuple(
        (side, middle - side.sign * GAP_TICKS * level, lots)
        for level in range(1, LEVELS + 1)
        for side in (Side.BID, Side.ASK)
    )
    return BookChange(market_index=market.market_index, updates=updates, snapshot=snapshot)
