"""The books of one account: what is true is counted once, whoever says it, how often, and in which order."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from tests.properties.profile import examples
from tests.unit.domain.builders import DESK, WALL_MS, coid, fills, order, row, trade

from lighter_hedge.domain.events import OrderReport, TradeReport
from lighter_hedge.domain.ledger import ORDERS_MAX, Ledger
from lighter_hedge.domain.states import OrderFills, Role
from lighter_hedge.domain.units import Side

Source = OrderReport | TradeReport | OrderFills


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """One order at the venue: what it traded, and whether it has ended."""

    serial: int
    side: Side
    parts: tuple[int, ...]
    closed: bool

    @property
    def filled(self) -> int:
        return sum(self.parts)


@st.composite
def truths(draw: st.DrawFn) -> list[Truth]:
    count = draw(st.integers(1, 4))
    return [
        Truth(
            serial=serial,
            side=draw(st.sampled_from(Side)),
            parts=tuple(draw(st.lists(st.integers(1, 30), max_size=3))),
            closed=draw(st.booleans()),
        )
        for serial in range(1, count + 1)
    ]


def sources(truth: Truth) -> list[Source]:
    """All that rows, trades and the other side say of an order of 100 lots, in the order in which it happened."""
    serial, side, filled = truth.serial, truth.side, 0
    found: list[Source] = [row(serial, side=side, created_ms=0)]
    for number, lots in enumerate(truth.parts):
        filled += lots
        found.append(trade(100 * serial + number, serial, side=side, lots=lots, quote=lots))
        found.append(row(serial, side=side, filled=filled, filled_quote=filled, created_ms=0))
        found.append(fills(serial, side=side, filled=filled, filled_quote=filled, closed=False))
    if truth.closed:
        found.append(row(serial, side=side, filled=filled, filled_quote=filled, closed=True, status="canceled"))
        found.append(fills(serial, side=side, filled=filled, filled_quote=filled, closed=True))
    return found


def books(told: Sequence[Source], intended: Sequence[Truth] = ()) -> Ledger:
    ledger = Ledger(role=Role.HEDGER, desk=DESK)
    for truth in intended:
        ledger.intend(order(truth.serial, side=truth.side), WALL_MS)
    for source in told:
        tell(ledger, source)
    return ledger


def tell(ledger: Ledger, source: Source) -> None:
    match source:
        case OrderReport():
            ledger.apply_row(source)
        case TradeReport():
            ledger.apply_trade(source)
        case OrderFills():
            ledger.apply_peer(source)


SIZES = st.lists(st.tuples(st.sampled_from(Side), st.integers(0, 100)), min_size=1, max_size=3)


def seen(ledger: Ledger) -> dict[int, tuple[int, int, bool, int]]:
    return {c: (o.filled, o.quote, o.closed, o.leaves) for c, o in sorted(ledger.orders.items())}


def truth_of(world: Sequence[Truth]) -> int:
    return sum(one.side.sign * one.filled for one in world)


@examples
@given(world=truths(), seed=st.integers(0, 10**6), times=st.integers(1, 3), intended=st.booleans())
def test_any_order_and_any_repetition_give_the_same_books(
    world: list[Truth], seed: int, times: int, intended: bool
) -> None:
    straight = [source for one in world for source in sources(one)]
    shuffled = straight * times
    random.Random(seed).shuffle(shuffled)
    mine = world if intended else []
    assert seen(books(shuffled, mine)) == seen(books(straight, mine))
    assert books(shuffled, mine).total == truth_of(world)


@examples
@given(world=truths(), seed=st.integers(0, 10**6), share=st.floats(0, 1))
def test_any_part_of_the_truth_counts_no_more_than_the_truth(world: list[Truth], seed: int, share: float) -> None:
    chance = random.Random(seed)
    told = [source for one in world for source in sources(one) if chance.random() < share]
    chance.shuffle(told)
    ledger = books(told, world)
    for one in world:
        known = ledger.orders[coid(one.serial)]
        assert known.filled <= one.filled
        assert known.filled + known.leaves >= one.filled or known.closed
        assert 0 <= known.leaves <= 100


@examples
@given(world=truths(), seed=st.integers(0, 10**6))
def test_what_was_known_stays_known(world: list[Truth], seed: int) -> None:
    told = [source for one in world for source in sources(one)]
    random.Random(seed).shuffle(told)
    ledger = books([], world)
    before = {one.serial: 0 for one in world}
    for source in told:
        tell(ledger, source)
        now = {one.serial: ledger.orders[coid(one.serial)].filled for one in world}
        assert all(now[serial] >= before[serial] for serial in now)
        before = now


@examples
@given(world=truths(), seed=st.integers(0, 10**6), cut=st.floats(0, 1))
def test_two_that_tell_each_other_agree_whoever_speaks_first(world: list[Truth], seed: int, cut: float) -> None:
    """Merging is commutative and idempotent."""
    told = [source for one in world for source in sources(one)]
    random.Random(seed).shuffle(told)
    place = round(cut * len(told))
    left, right = told[:place], told[place:]
    one, other = books(left, world), books(right, world)
    said = (*one.newest(99), *other.newest(99), *one.newest(99))
    for ledger in (one, other):
        for known in said:
            ledger.apply_peer(known)
    assert [(o.filled, o.closed) for o in one.orders.values()] == [(o.filled, o.closed) for o in other.orders.values()]
    before = seen(one)
    for known in other.newest(99):
        one.apply_peer(known)
    assert seen(one) == before
    assert one.total == other.total


@examples
@given(
    sizes=st.lists(st.tuples(st.sampled_from(Side), st.integers(0, 100)), min_size=1, max_size=3),
    start=st.integers(-9, 9),
)
def test_folding_changes_no_sum(sizes: list[tuple[Side, int]], start: int) -> None:
    ledger, total = Ledger(role=Role.MAKER, desk=DESK, base=start), 0
    for serial in range(1, ORDERS_MAX + 20):
        side, filled = sizes[serial % len(sizes)]
        ledger.apply_peer(fills(serial, side=side, filled=filled, closed=True))
        total += side.sign * filled
        assert ledger.total == total
        assert ledger.position == start + total
        assert len(ledger.orders) <= ORDERS_MAX
    for serial in range(1, 30):
        side, filled = sizes[serial % len(sizes)]
        ledger.apply_peer(fills(serial, side=side, filled=filled, closed=True))
    assert ledger.total == total, "what is folded does not come back"


@examples
@given(world=truths(), number=st.integers(16 << 27, 20 << 27), kind=st.sampled_from(["trade", "liquidation"]))
def test_what_is_not_ours_is_named_and_never_counted(world: list[Truth], number: int, kind: str) -> None:
    ledger = books([source for one in world for source in sources(one)], world)
    before = seen(ledger), ledger.total, ledger.in_flight
    foreign = trade(7_777, coid=number, kind=kind)
    assert ledger.apply_trade(foreign) is None
    assert ledger.foreign == [foreign]
    assert (seen(ledger), ledger.total, ledger.in_flight) == before


@examples
@given(world=truths())
def test_what_a_journal_restores_is_what_was_known(world: list[Truth]) -> None:
    ledger = books([source for one in world for source in sources(one)], world)
    again = Ledger(role=Role.HEDGER, desk=DESK)
    again.restore(ledger.newest(99))
    assert (again.total, again.in_flight) == (ledger.total, ledger.in_flight)
    assert again.highest_serial == ledger.highest_serial
    assert again.newest(99) == ledger.newest(99)
