import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.builders import ASK, BID, PRICE, frame, settings

from lighter_hedge.domain.book import Book, Resting
from lighter_hedge.domain.quoting import drifted, hedge_cap, next_quote, quote_price
from lighter_hedge.domain.settings import Direction
from lighter_hedge.domain.states import Leg
from lighter_hedge.domain.units import Side

SIDES = st.sampled_from(Side)
PRICES = st.lists(st.integers(1, 30), max_size=6, unique=True)


def book_of(bids: list[int], asks: list[int]) -> Book:
    book = Book()
    book.apply(frame(bids=[(price, 5) for price in bids], asks=[(price, 5) for price in asks]), 0)
    return book


@given(bids=PRICES, asks=PRICES, side=SIDES, depth=st.integers(1, 4))
def test_a_quote_never_crosses(bids: list[int], asks: list[int], side: Side, depth: int) -> None:
    """Even in a crossed book, as between two frames."""
    book = book_of(bids, asks)
    price = quote_price(book, side, depth)
    touch = book.best(side.opposite)
    if price is not None:
        assert touch is not None
        assert price > 0
        assert (touch - price) * side.sign > 0


@given(reference=st.integers(1, 10**9), side=SIDES, slippage=st.integers(0, 10**7), ladder=st.integers(100, 1_000))
def test_a_cap_is_never_better_than_its_reference_and_never_beyond_the_slippage(
    reference: int, side: Side, slippage: int, ladder: int
) -> None:
    cap = hedge_cap(reference, side, slippage, ladder)
    assert cap > 0
    reach = (cap - reference) * side.sign
    assert reach >= 0
    assert reach * 100 * 1_000_000 <= reference * slippage * ladder


def test_a_quote_stands_at_its_level() -> None:
    book = book_of([10, 8, 5], [20, 22])
    assert [quote_price(book, Side.BID, depth) for depth in (1, 2, 3, 4)] == [10, 8, 5, None]
    assert [quote_price(book, Side.ASK, depth) for depth in (1, 2, 3)] == [20, 22, None]


def test_a_quote_in_a_crossed_book_stands_one_tick_from_the_other_side() -> None:
    book = book_of([12], [11])
    assert (quote_price(book, Side.BID, 1), quote_price(book, Side.ASK, 1)) == (10, 13)
    assert quote_price(book_of([1], [5]), Side.BID, 1) == 1, "one tick is a price"


def test_a_quote_does_not_chase_itself() -> None:
    book = book_of([10, 8], [20])
    assert quote_price(book, Side.BID, 1, Resting(side=Side.BID, price=10, lots=5)) == 8


def test_a_book_without_another_side_gives_no_price() -> None:
    assert quote_price(book_of([10], []), Side.BID, 1) is None
    assert quote_price(book_of([10], [1]), Side.BID, 1) is None, "nothing below one tick"


@pytest.mark.parametrize(
    ("direction", "opened", "same", "side"),
    [
        (Direction.LONG, Side.ASK, False, Side.BID),
        (Direction.SHORT, Side.BID, False, Side.ASK),
        (Direction.ALTERNATE, None, False, Side.BID),
        (Direction.ALTERNATE, Side.BID, False, Side.ASK),
        (Direction.ALTERNATE, Side.BID, True, Side.BID),
    ],
)
def test_a_flat_account_opens_its_way(direction: Direction, opened: Side | None, same: bool, side: Side) -> None:
    quote = next_quote(settings(direction=direction), 9, 10, opened, same_round=same)
    assert quote == (side, 100, Leg.OPEN)


@pytest.mark.parametrize(("position", "side"), [(105, Side.ASK), (-105, Side.BID)])
def test_a_held_position_is_closed_whole(position: int, side: Side) -> None:
    assert next_quote(settings(), position, 10, None, same_round=False) == (side, 105, Leg.CLOSE)


@pytest.mark.parametrize(
    ("level", "far"), [(PRICE, False), (PRICE + 50, False), (PRICE + 51, True), (PRICE - 51, True)]
)
def test_a_quote_drifts_beyond_its_limit_alone(level: int, far: bool) -> None:
    assert drifted(PRICE, level, 50) is far


def test_the_ladder_widens_the_cap() -> None:
    assert hedge_cap(PRICE, Side.ASK, 2_000, 100) == PRICE - 2_000
    assert hedge_cap(PRICE, Side.BID, 2_000, 400) == PRICE + 8_000
    assert hedge_cap(1, Side.ASK, 2_000_000, 100) == 1
    assert ASK > BID
