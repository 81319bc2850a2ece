"""Properties of the synthetic market that hold for every seed."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from lighter_hedge.domain.units import Lots, MarketSpec, Side
from lighter_hedge.simulator.core.events import BookChange, Mark, Print, TrafficEvent
from lighter_hedge.simulator.traffic import until
from lighter_hedge.simulator.traffic.ambient import AmbientBook
from lighter_hedge.simulator.traffic.synthetic import BTC, ETH, Quantiles, character_of, synthetic


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


SPEC_BTC = _spec(1, "BTC", 5, 1)
SPEC_ETH = _spec(0, "ETH", 4, 2)
SPEC_OTHER = _spec(24, "HYPE", 2, 4)
MARKETS = (SPEC_ETH, SPEC_BTC, SPEC_OTHER)
SECONDS = 15


def _stream(seed: int, markets: Sequence[MarketSpec] = MARKETS) -> list[tuple[int, TrafficEvent]]:
    return list(until(synthetic(seed, markets), SECONDS * 1_000_000))


@pytest.mark.parametrize("seed", range(5))
def test_time_never_runs_backwards_and_no_book_is_ever_crossed(seed: int) -> None:
    """Times do not decrease; every change leaves both sides, a positive spread and positive sizes."""
    books: dict[int, AmbientBook] = {}
    last_us = 0
    for at_us, event in _stream(seed):
        assert isinstance(at_us, int)
        assert at_us >= last_us
        last_us = at_us
        if isinstance(event, BookChange):
            book = books.setdefault(event.market_index, AmbientBook())
            assert event.snapshot == (not list(book.levels()))
            assert event.updates
            assert all(price > 0 and lots >= 0 for _side, price, lots in event.updates)
            book.apply(event)
            assert book.spread is not None
            assert book.spread > 0
    assert sorted(books) == [0, 1, 24]


def test_prints_are_explained_by_the_change_that_follows() -> None:
    """Trades walk from the touch, never beyond what rests there; the next change takes exactly that away."""
    book = AmbientBook()
    taken: dict[tuple[Side, int], int] = {}
    several_levels = prints = 0
    for at_us, event in _stream(3, [SPEC_BTC]):
        match event:
            case Print():
                prints += 1
                assert event.lots > 0
                side = event.taker_side.opposite
                taken[side, event.price_ticks] = taken.get((side, event.price_ticks), 0) + event.lots
                best = book.best(side)
                eaten = [price for _side, price in taken]
                assert best in eaten, f"the walk at {at_us} did not start at the touch"
                assert taken[side, event.price_ticks] <= book.lots(side, event.price_ticks)
            case BookChange():
                before = {key: book.lots(*key) for key in taken}
                book.apply(event)
                assert all(book.lots(*key) == before[key] - taken[key] for key in taken)
                several_levels += len(taken) > 1
                taken.clear()
            case Mark():
                assert not taken
    assert prints > 100
    assert several_levels > 5


def test_the_book_stays_deep() -> None:
    """Each side keeps some fifty levels, and a burst never empties it."""
    book = AmbientBook()
    depths: list[int] = []
    levels: list[tuple[Side, int, int]] = []
    for _at_us, event in _stream(4, [SPEC_BTC]):
        if isinstance(event, BookChange):
            book.apply(event)
            levels = list(book.levels())
            depths.append(min(sum(side is each for side, _, _ in levels) for each in Side))
    assert min(depths) >= 20
    assert sorted(depths)[len(depths) // 2] >= 40
    assert len(levels) <= 120


def test_no_burst_empties_a_side() -> None:
    """Where every burst would eat the whole book, a fixed number of levels is left, and the book recovers."""
    huge = replace(BTC, prints_per_burst=Quantiles(((0, 500), (1, 500))), print_size=Quantiles(((0, 10), (1, 10))))
    book = AmbientBook()
    prints = 0
    for _at_us, event in until(synthetic(1, [SPEC_BTC], {1: huge}), SECONDS * 1_000_000):
        if isinstance(event, BookChange):
            book.apply(event)
            assert book.spread is not None
            assert min(sum(side is each for side, _, _ in book.levels()) for each in Side) >= 20
        prints += isinstance(event, Print)
    assert prints > 200


def test_a_seed_is_a_stream() -> None:
    """The same seed draws the same stream, another seed another one."""
    assert _stream(11) == _stream(11)
    assert _stream(11) != _stream(12)


def test_a_market_does_not_depend_on_the_others() -> None:
    """BTC alone is drawn as BTC among others."""
    among = [timed for timed in _stream(5) if timed[1].market_index == 1]
    assert among == _stream(5, [SPEC_BTC])


def test_markets_start_with_a_snapshot_and_a_mark_near_their_price() -> None:
    """At time 0 each market has its book and its mark."""
    start = [event for at_us, event in _stream(1) if at_us == 0]
    assert [type(event) for event in start].count(BookChange) == len(MARKETS)
    marks = {event.market_index: event.mark_ticks for event in start if isinstance(event, Mark)}
    assert marks[1] == pytest.approx(1_210_000, abs=100)
    assert marks[0] == pytest.approx(433_000, abs=100)
    assert marks[24] == pytest.approx(1_000_000, abs=1_000)


def test_the_character_is_chosen_by_symbol_or_given() -> None:
    """Symbols pick the recorded character, and a caller may give another."""
    assert character_of(SPEC_BTC) is BTC
    assert character_of(SPEC_ETH) is ETH
    given = until(synthetic(1, [SPEC_BTC], {1: character_of(SPEC_OTHER)}), 1)
    marks = [event.mark_ticks for _at_us, event in given if isinstance(event, Mark)]
    assert marks == [pytest.approx(1_000, abs=5)]


def test_quantiles_interpolate_between_their_points() -> None:
    """The ends and the points are met, and between them the logarithm is linear."""
    table = Quantiles(((0, 1.0), (0.5, 4.0), (1, 64.0)))
    assert [table.at(share) for share in (0, 0.25, 0.5, 0.75, 1)] == pytest.approx([1, 2, 4, 16, 64])
    assert table.scaled(10).at(0.75) == pytest.approx(160)
