from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.builders import ASK, BID, frame

from lighter_hedge.domain.book import Book, Resting
from lighter_hedge.domain.events import BookReported
from lighter_hedge.domain.units import Side

LEVEL = st.tuples(st.integers(1, 12), st.integers(0, 3))
DELTAS = st.lists(st.tuples(st.lists(LEVEL, max_size=4), st.lists(LEVEL, max_size=4)), max_size=8)


def delta(number: int, bids: tuple[tuple[int, int], ...] = (), asks: tuple[tuple[int, int], ...] = ()) -> BookReported:
    return BookReported(snapshot=False, nonce=number + 1, begin_nonce=number, bids=bids, asks=asks)


@given(deltas=DELTAS)
def test_any_chain_of_deltas_is_what_a_dictionary_would_hold(
    deltas: list[tuple[list[tuple[int, int]], list[tuple[int, int]]]],
) -> None:
    book = Book()
    assert book.apply(frame(bids=(), asks=()), 0)
    model: dict[Side, dict[int, int]] = {side: {} for side in Side}
    for number, (bids, asks) in enumerate(deltas, start=1):
        assert book.apply(delta(number, tuple(bids), tuple(asks)), number)
        for side, levels in ((Side.BID, bids), (Side.ASK, asks)):
            model[side].update(dict(levels))
    for side in Side:
        alive = sorted((price for price, lots in model[side].items() if lots), reverse=side is Side.BID)
        found = [book.level(side, depth) for depth in range(1, len(alive) + 2)]
        assert found == [*alive, None]


@given(gap=st.integers(-50, 50).filter(lambda gap: gap != 0))
def test_any_gap_breaks_the_book_until_a_snapshot(gap: int) -> None:
    book = Book()
    book.apply(frame(nonce=100), 0)
    broken = delta(100 + gap)
    assert not book.apply(broken, 1), "the first asks for a snapshot"
    assert book.apply(delta(100), 2), "a second one does not ask again"
    assert book.stale(2, 1_000)
    assert book.apply(frame(nonce=200), 3)
    assert not book.stale(3, 1_000)


def test_a_snapshot_replaces_everything() -> None:
    book = Book()
    book.apply(frame(), 0)
    book.apply(frame(bids=((5, 1),), asks=((6, 1),)), 1)
    assert (book.best(Side.BID), book.best(Side.ASK)) == (5, 6)
    assert book.level(Side.BID, 2) is None


def test_a_level_of_the_snapshot_before_is_there_again_if_the_new_one_has_it() -> None:
    book = Book()
    for number in (0, 1):
        assert book.apply(frame(bids=((5, 1),), asks=((6, 1),)), number)
        assert (book.best(Side.BID), book.best(Side.ASK)) == (5, 6)


def test_a_book_without_a_snapshot_takes_no_change_and_one_heard_at_zero_is_fresh() -> None:
    book = Book()
    assert book.broken
    assert book.apply(delta(-1, bids=((5, 1),)), 0), "it need not ask: the snapshot is on its way"
    assert book.best(Side.BID) is None
    book.apply(frame(), 0)
    assert not book.stale(0, 2_000)


def test_a_feed_gone_mad_is_noticed() -> None:
    book = Book()
    most = tuple((price, 1) for price in range(1, 20_001))
    book.apply(frame(bids=most, asks=()), 0)
    with pytest.raises(AssertionError):
        book.apply(delta(1, bids=((20_001, 1),)), 1)


def test_levels_are_counted_without_our_own_order() -> None:
    book = Book()
    book.apply(frame(bids=((BID, 100), (BID - 10, 100)), asks=((ASK, 100),)), 0)
    own = Resting(side=Side.BID, price=BID, lots=100)
    assert book.best(Side.BID, own) == BID - 10
    assert book.best(Side.ASK, own) == ASK
    assert book.best(Side.BID, replace(own, lots=40)) == BID, "others stand there too"


@pytest.mark.parametrize(("age_ms", "stale"), [(2_000, False), (2_001, True)])
def test_a_book_gets_stale_with_age_and_any_frame_of_the_market_refreshes_it(age_ms: int, stale: bool) -> None:
    book = Book()
    assert book.stale(0, 2_000)
    book.apply(frame(), 100)
    assert book.stale(100 + age_ms, 2_000) is stale
    book.heard(0, 100 + age_ms)
    assert not book.stale(100 + age_ms, 2_000)
    assert book.mark == 0
    book.heard(7, 100 + age_ms)
    assert book.mark == 7


def test_a_lost_connection_makes_the_book_stale_at_once() -> None:
    book = Book()
    book.apply(frame(), 0)
    book.lose()
    assert book.stale(0, 2_000)


def test_deleting_a_level_that_is_not_there_is_nothing() -> None:
    book = Book()
    book.apply(frame(bids=((5, 1),), asks=()), 0)
    book.apply(delta(1, bids=((4, 0), (5, 2))), 1)
    assert book.level(Side.BID, 1) == 5
    assert book.level(Side.BID, 2) is None
