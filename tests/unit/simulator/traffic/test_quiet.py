"""The market in which nothing happens by itself."""

from itertools import islice

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.events import BookChange, Mark, Print
from lighter_hedge.simulator.core.markets import BTC, ETH
from lighter_hedge.simulator.traffic.ambient import AmbientBook
from lighter_hedge.simulator.traffic.quiet import INTERVAL_US, quiet


def test_the_book_is_whole_at_once_and_the_same_for_ever() -> None:
    books = {BTC.market_index: AmbientBook(), ETH.market_index: AmbientBook()}
    seen: dict[int, list[list[tuple[Side, int, int]]]] = {0: [], 1: []}
    for _, event in islice(quiet([BTC, ETH]), 40):
        assert not isinstance(event, Print)
        if isinstance(event, BookChange):
            books[event.market_index].apply(event)
            seen[event.market_index].append(list(books[event.market_index].levels()))
    for index, market in ((BTC.market_index, BTC), (ETH.market_index, ETH)):
        assert all(levels == seen[index][0] for levels in seen[index])
        spread = books[index].spread
        assert spread is not None
        assert spread > 0
        assert all(lots >= market.min_lots(price) for _, price, lots in seen[index][0])


def test_each_market_says_its_mark_before_a_reader_takes_it_for_dead() -> None:
    marks = [at_us for at_us, event in islice(quiet([BTC]), 20) if isinstance(event, Mark)]
    assert marks == [step * INTERVAL_US for step in range(10)]
    assert INTERVAL_US < 2_000_000
