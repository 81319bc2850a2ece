"""What is quoted, and what is hedged of it: whatever the book, the fills and the order in which they come."""

from hypothesis import given
from hypothesis import strategies as st
from tests.properties.profile import examples
from tests.unit.domain.builders import DESK, WALL_MS, coid, fills, frame, order, settings, trade

from lighter_hedge.domain.book import Book, Resting
from lighter_hedge.domain.ledger import Ledger
from lighter_hedge.domain.pair import missing, net, residual
from lighter_hedge.domain.quoting import BPS_E2, drifted, hedge_cap, next_quote, quote_price
from lighter_hedge.domain.settings import Direction
from lighter_hedge.domain.states import Leg, Role
from lighter_hedge.domain.units import Side

SIDES = st.sampled_from(Side)
LEVELS = st.dictionaries(st.integers(1, 60), st.integers(1, 50), max_size=8)
PRICES = st.integers(1, 10**12)
SLIPPAGE = st.integers(0, BPS_E2)
LADDER = st.integers(100, 10_000)


def book_of(bids: dict[int, int], asks: dict[int, int]) -> Book:
    book = Book()
    book.apply(frame(bids=list(bids.items()), asks=list(asks.items())), 0)
    return book


@st.composite
def books(draw: st.DrawFn) -> tuple[Book, dict[int, int], dict[int, int]]:
    bids, asks = draw(LEVELS), draw(LEVELS)
    return book_of(bids, asks), bids, asks


@examples
@given(seen=books(), side=SIDES, depth=st.integers(1, 6), price=st.integers(1, 60), lots=st.integers(1, 60))
def test_a_quote_neither_crosses_nor_lies_above_its_level(
    seen: tuple[Book, dict[int, int], dict[int, int]], side: Side, depth: int, price: int, lots: int
) -> None:
    book, *_ = seen
    own = Resting(side=side, price=price, lots=lots)
    found = quote_price(book, side, depth, own)
    level, touch = book.level(side, depth, own), book.best(side.opposite, own)
    if found is None:
        assert level is None or touch is None or (side is Side.BID and touch == 1)
        return
    assert level is not None
    assert touch is not None
    assert found > 0
    assert (touch - found) * side.sign >= 1, "it would take"
    assert (level - found) * side.sign >= 0, "it is no more eager than its level"
    assert found in (level, touch - side.sign), "and no less than it must be"


@examples
@given(seen=books(), side=SIDES, depth=st.integers(1, 6), price=st.integers(1, 60), lots=st.integers(1, 60))
def test_a_quote_does_not_see_itself(
    seen: tuple[Book, dict[int, int], dict[int, int]], side: Side, depth: int, price: int, lots: int
) -> None:
    _, bids, asks = seen
    mine = dict(bids if side is Side.BID else asks)
    mine[price] = mine.get(price, 0) + lots
    with_own = book_of(mine, asks) if side is Side.BID else book_of(bids, mine)
    own = Resting(side=side, price=price, lots=lots)
    assert quote_price(with_own, side, depth, own) == quote_price(book_of(bids, asks), side, depth)


@examples
@given(reference=PRICES, side=SIDES, slippage=SLIPPAGE, ladder=LADDER, more=st.integers(0, 10_000))
def test_a_later_try_reaches_further_and_never_less_far(
    reference: int, side: Side, slippage: int, ladder: int, more: int
) -> None:
    near, far = (hedge_cap(reference, side, slippage, percent) for percent in (ladder, ladder + more))
    wider = hedge_cap(reference, side, slippage + more, ladder)
    assert (far - near) * side.sign >= 0
    assert (wider - near) * side.sign >= 0
    assert min(near, far, wider) >= 1


@examples
@given(reference=PRICES, side=SIDES, slippage=SLIPPAGE, ladder=LADDER)
def test_a_cap_is_within_the_slippage_and_within_one_tick_of_it(
    reference: int, side: Side, slippage: int, ladder: int
) -> None:
    reach = (hedge_cap(reference, side, slippage, ladder) - reference) * side.sign
    allowed = reference * slippage * ladder
    assert 0 <= reach * BPS_E2 * 100 <= allowed
    assert (reach + 1) * BPS_E2 * 100 > allowed or reference - reach == 1


@examples
@given(price=PRICES, level=PRICES, limit=st.integers(0, BPS_E2), more=st.integers(0, BPS_E2))
def test_a_wider_limit_never_moves_more_quotes(price: int, level: int, limit: int, more: int) -> None:
    assert drifted(price, level, limit) or not drifted(price, level, limit + more)
    assert not drifted(price, price, limit)
    if 2 * price > level:
        assert drifted(price, level, limit) == drifted(price, 2 * price - level, limit), "either way alike"


@examples
@given(
    position=st.integers(-500, 500),
    minimum=st.integers(1, 40),
    opened=st.none() | SIDES,
    again=st.booleans(),
    direction=st.sampled_from(Direction),
)
def test_what_is_held_is_closed_before_anything_is_opened(
    position: int, minimum: int, opened: Side | None, again: bool, direction: Direction
) -> None:
    chosen = settings(direction=direction)
    side, lots, leg = next_quote(chosen, position, minimum, opened, same_round=again)
    if residual(position, minimum):
        assert (leg, lots) == (Leg.OPEN, chosen.quantity)
        if direction is Direction.ALTERNATE and opened is not None:
            assert (side is opened) == again
    else:
        assert leg is Leg.CLOSE
        assert position + side.sign * lots == 0, "it closes exactly what is held"


# --- hedging --------------------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(st.sampled_from(["A fills", "B sends", "B fills", "B ends"]), st.integers(1, 40)), max_size=40
)


@examples
@given(steps=STEPS, side=SIDES, minimum=st.integers(1, 30), carried=st.integers(-5, 5))
def test_hedges_of_what_is_missing_never_overshoot(
    steps: list[tuple[str, int]], side: Side, minimum: int, carried: int
) -> None:
    """Whatever of each hedge fills, and however late: A and B together never leave zero on the other side."""
    maker, hedger = Ledger(role=Role.MAKER, desk=DESK), Ledger(role=Role.HEDGER, desk=DESK)
    maker.base = carried * side.sign if carried > 0 else 0
    a_filled = serial = trades = 0
    for what, number in steps:
        open_now = hedger.open_orders
        match what:
            case "A fills":
                a_filled += number
                maker.apply_peer(fills(side=side, lots=1_000, filled=a_filled, closed=False))
            case "B sends":
                wanted = missing(maker, hedger)
                if not residual(wanted, minimum):
                    serial += 1
                    request = order(serial, side=Side.of_sign(wanted), lots=abs(wanted))
                    hedger.intend(request, WALL_MS)
            case "B fills" if open_now:
                one, trades = open_now[number % len(open_now)], trades + 1
                lots = min(number, one.leaves)
                hedger.apply_trade(trade(trades, coid=one.coid, side=one.side, lots=lots))
            case "B ends" if open_now:
                hedger.close(open_now[number % len(open_now)].coid, "canceled")
            case _:
                continue
        exposed = net(maker, hedger) * side.sign
        assert 0 <= exposed <= a_filled + max(carried, 0)
        assert (net(maker, hedger) + hedger.in_flight) * side.sign >= 0, "not even if all of it fills"
    assert serial == 0 or coid(serial) in hedger.orders
