"""The ambient book follows absolute sizes."""

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.events import BookChange
from lighter_hedge.simulator.traffic.ambient import AmbientBook


def _change(*updates: tuple[Side, int, int], snapshot: bool = False) -> BookChange:
    return BookChange(market_index=1, updates=updates, snapshot=snapshot)


def test_an_empty_book_has_no_prices() -> None:
    """Without levels there is no best price, spread or mid."""
    book = AmbientBook()
    assert (book.best(Side.BID), book.best(Side.ASK), book.spread, book.doubled_mid) == (
        None,
        None,
        None,
        None,
    )
    book.apply(_change((Side.BID, 99, 5)))
    assert (book.best(Side.BID), book.spread, book.doubled_mid) == (99, None, None)


def test_sizes_are_absolute_and_zero_deletes() -> None:
    """A level takes the size it is given; a size of 0 removes it, also when it is not there."""
    book = AmbientBook()
    book.apply(_change((Side.BID, 99, 5), (Side.BID, 98, 7), (Side.ASK, 103, 2), (Side.ASK, 101, 4)))
    assert (book.best(Side.BID), book.best(Side.ASK), book.spread, book.doubled_mid) == (99, 101, 2, 200)
    book.apply(_change((Side.BID, 99, 0), (Side.ASK, 101, 9), (Side.ASK, 102, 0)))
    assert list(book.levels()) == [(Side.BID, 98, 7), (Side.ASK, 101, 9), (Side.ASK, 103, 2)]
    assert (book.lots(Side.ASK, 101), book.lots(Side.ASK, 102)) == (9, 0)


def test_a_snapshot_replaces_the_book() -> None:
    """Levels that a snapshot does not name are gone."""
    book = AmbientBook()
    book.apply(_change((Side.BID, 99, 5), (Side.ASK, 101, 4)))
    book.apply(_change((Side.BID, 90, 1), (Side.ASK, 91, 1), snapshot=True))
    assert list(book.levels()) == [(Side.BID, 90, 1), (Side.ASK, 91, 1)]
