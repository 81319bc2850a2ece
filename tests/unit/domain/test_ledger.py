"""Fills are the maximum of the sources, whatever comes twice, late, or never."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.builders import DESK, WALL_MS, announce, coid, filled_row, fills, order, quote, row, trade

from lighter_hedge.domain.events import OrderReport, TradeReport
from lighter_hedge.domain.ledger import CREATED_SKEW_MS, ORDERS_MAX, TRADES_MAX, Ledger, Order
from lighter_hedge.domain.states import OrderFills, Role
from lighter_hedge.domain.units import Side

Source = OrderReport | TradeReport | OrderFills


def books() -> Ledger:
    return Ledger(role=Role.HEDGER, desk=DESK)


def tell(ledger: Ledger, source: Source) -> None:
    match source:
        case OrderReport():
            ledger.apply_row(source)
        case TradeReport():
            ledger.apply_trade(source)
        case OrderFills():
            ledger.apply_peer(source)


def truths(parts: list[int]) -> list[Source]:
    """All that rows, trades and the other side may truly say of an order of 100 that fills in these parts."""
    found: list[Source] = [row(created_ms=0)]
    filled = 0
    for number, lots in enumerate(parts, start=1):
        filled += lots
        done = filled == 100
        found.append(trade(number, lots=lots))
        found.append(row(filled=filled, filled_quote=filled * 1_000_000, closed=done))
        found.append(fills(side=Side.ASK, filled=filled, filled_quote=filled * 1_000_000, closed=done))
    return found


PARTS = st.lists(st.integers(1, 30), min_size=1, max_size=3)


@given(parts=PARTS, picks=st.lists(st.integers(0, 9), max_size=25), intended=st.booleans())
def test_no_order_loss_or_repetition_of_true_sources_counts_too_much(
    parts: list[int], picks: list[int], intended: bool
) -> None:
    ledger, told = books(), truths(parts)
    if intended:
        ledger.intend(order(), WALL_MS)
    for pick in picks:
        before = ledger.total
        tell(ledger, told[pick % len(told)])
        assert abs(ledger.total) <= sum(parts)
        assert abs(ledger.total) >= abs(before), "what was known stays known"


@given(parts=PARTS, seed=st.integers(0, 10_000))
def test_once_every_source_has_spoken_the_fill_is_exact(parts: list[int], seed: int) -> None:
    told = truths(parts) * 2
    random.Random(seed).shuffle(told)
    ledger = books()
    for source in told:
        tell(ledger, source)
    known = ledger.orders[coid(1)]
    assert (known.filled, known.quote) == (sum(parts), sum(parts) * 1_000_000)
    assert ledger.total == -sum(parts)


@given(by_row=st.integers(0, 100), by_trades=st.integers(1, 100), by_peer=st.integers(0, 100))
def test_an_orders_fill_is_the_maximum_never_the_sum(by_row: int, by_trades: int, by_peer: int) -> None:
    ledger = books()
    ledger.intend(order(), WALL_MS)
    for source in (
        row(filled=by_row, filled_quote=by_row),
        trade(lots=by_trades, quote=by_trades),
        fills(side=Side.ASK, filled=by_peer, filled_quote=by_peer, closed=False),
    ):
        tell(ledger, source)
    known = ledger.orders[coid(1)]
    assert known.filled == max(by_row, by_trades, by_peer)
    assert known.quote == known.filled, "and its quote is that of the source that saw the most"


def test_a_terminal_row_before_any_trade_and_the_trades_after_it_count_once() -> None:
    """Interleaving E3."""
    ledger = books()
    ledger.intend(order(lots=10), WALL_MS)
    ledger.apply_row(row(lots=10, filled=6, closed=True, status="canceled"))
    ledger.apply_trade(trade(1, lots=4))
    ledger.apply_trade(trade(2, lots=2))
    assert ledger.total == -6
    assert ledger.in_flight == 0


def test_an_intended_order_is_in_flight_until_it_is_closed() -> None:
    ledger = books()
    ledger.intend(order(), WALL_MS)
    assert (ledger.in_flight, ledger.total) == (-100, 0)
    ledger.apply_trade(trade(lots=30))
    assert (ledger.in_flight, ledger.total) == (-70, -30)
    assert ledger.open_orders == [ledger.orders[coid(1)]]
    ledger.apply_row(row(filled=30, closed=True, status="canceled"))
    assert (ledger.in_flight, ledger.total) == (0, -30)
    assert not ledger.open_orders


def test_a_full_fill_closes_an_order_whose_size_is_known() -> None:
    ledger = books()
    ledger.intend(order(), WALL_MS)
    ledger.apply_trade(trade(lots=100))
    assert ledger.orders[coid(1)].closed


def test_an_order_known_from_a_trade_alone_stays_open_until_a_row_tells_its_size() -> None:
    ledger = books()
    ledger.apply_trade(trade(lots=30))
    assert not ledger.orders[coid(1)].closed
    ledger.apply_row(row(filled=30))
    assert not ledger.orders[coid(1)].closed
    ledger.apply_row(row(filled=30, closed=True))
    assert ledger.orders[coid(1)].closed


def test_the_size_of_an_order_known_from_a_trade_alone_grows_with_its_row() -> None:
    ledger = books()
    ledger.apply_trade(trade(lots=30))
    ledger.apply_row(row(lots=100, filled=30))
    assert ledger.orders[coid(1)].leaves == 70, "70 lots of it may still fill"


def test_a_fill_after_the_end_still_counts() -> None:
    ledger = books()
    ledger.intend(order(), WALL_MS)
    ledger.close(coid(1), "without effect")
    ledger.apply_trade(trade(lots=30))
    assert ledger.total == -30


def test_an_older_row_takes_nothing_back() -> None:
    ledger = books()
    ledger.apply_row(row(filled=30, filled_quote=30))
    ledger.apply_row(row(filled=10, filled_quote=10))
    ledger.apply_peer(fills(side=Side.ASK, filled=20, closed=False))
    ledger.apply_peer(fills(side=Side.ASK, filled=10, closed=False))
    assert ledger.total == -30


@pytest.mark.parametrize(
    "wrong",
    [{"side": Side.BID}, {"lots": 99}, {"created_ms": WALL_MS - CREATED_SKEW_MS - 1}],
    ids=["side", "size", "time"],
)
def test_a_row_that_does_not_fit_the_intent_does_not_count(wrong: dict[str, object]) -> None:
    """Interleaving E9: after a lost journal an old order may carry the same index."""
    ledger = books()
    ledger.intend(order(), WALL_MS)
    stranger = replace(row(filled=99, closed=True), **wrong)  # type: ignore[arg-type]
    assert ledger.apply_row(stranger) is None
    assert (ledger.total, ledger.in_flight) == (0, -100)


@pytest.mark.parametrize("kind", ["liquidation", "deleverage", "market-settlement"])
def test_a_trade_that_is_no_trade_of_ours_is_foreign(kind: str) -> None:
    ledger = books()
    assert ledger.apply_trade(trade(1, kind=kind)) is None
    assert ledger.apply_trade(trade(2, coid=12345)) is None
    assert [one.trade_id for one in ledger.foreign] == [1, 2]
    assert ledger.total == 0


def test_a_trade_of_the_other_side_of_our_order_is_foreign() -> None:
    ledger = books()
    ledger.intend(order(), WALL_MS)
    assert ledger.apply_trade(trade(side=Side.BID)) is None
    assert len(ledger.foreign) == 1
    assert ledger.total == 0


def test_rows_and_states_of_other_desks_do_not_count() -> None:
    ledger = books()
    assert ledger.apply_row(row(coid=12345)) is None
    assert ledger.apply_peer(fills(coid=12345)) is None
    assert not ledger.orders


def test_an_announced_order_is_expected_with_its_size() -> None:
    ledger = books()
    expected = ledger.expect(announce(attempt=2))
    assert (expected.lots, expected.round, expected.attempt, expected.expected) == (100, 1, 2, True)
    assert ledger.in_flight == 100
    ledger.apply_trade(trade(side=Side.BID))
    assert expected.closed


def test_a_fill_known_before_its_announce_closes_with_it() -> None:
    ledger = books()
    ledger.apply_trade(trade(side=Side.BID))
    assert ledger.expect(announce()).closed


def test_an_unseen_fill_is_attributed_within_what_may_still_fill() -> None:
    ledger = books()
    ledger.expect(announce())
    ledger.apply_trade(trade(side=Side.BID, lots=30))
    ledger.attribute(coid(1), 20, 20)
    assert ledger.total == 50
    assert ledger.orders[coid(1)].quote == trade(side=Side.BID, lots=30).quote + 20
    assert not ledger.orders[coid(1)].closed
    ledger.apply_trade(trade(2, side=Side.BID, lots=20))
    assert ledger.total == 50, "its trade comes after all, and is not counted again"
    with pytest.raises(AssertionError):
        ledger.attribute(coid(1), 51, 0)


def guessed(*, known: int = 0, lots: int = 100) -> Ledger:
    """Books in which so much of the announced order was told, and so much more was attributed to it."""
    ledger = books()
    ledger.expect(announce())
    if known:
        ledger.apply_trade(trade(1, side=Side.BID, lots=known))
    ledger.attribute(coid(1), lots, lots * 9)
    return ledger


@pytest.mark.parametrize(("known", "lots"), [(0, 100), (0, 1), (30, 70), (30, 1)])
def test_a_guess_is_taken_back_once_so_much_was_told_of_another_order(known: int, lots: int) -> None:
    ledger = guessed(known=known, lots=lots)
    order = ledger.orders[coid(1)]
    assert order.guessed == lots
    assert order.quote == (trade(side=Side.BID, lots=known).quote if known else 0) + lots * 9
    assert ledger.take_back(lots) is None, "nobody has told of another"
    ledger.apply_peer(fills(2, side=Side.BID, filled=lots - 1, closed=False))
    assert ledger.take_back(lots) is None, "nor of so much"
    ledger.apply_peer(fills(2, side=Side.BID, filled=lots))
    assert [ledger.take_back(wrong) for wrong in (lots - 1, lots + 1, -lots)] == [None] * 3
    assert ledger.total == known + 2 * lots
    assert ledger.take_back(lots) is order
    assert (ledger.total, ledger.in_flight) == (known + lots, 100 - known)
    assert (order.guessed, order.filled, order.by_guess, order.quote_by_guess) == (0, known, 0, 0)
    assert not order.closed, "its side tells of its end again"
    assert ledger.take_back(lots) is ledger.take_back(0) is None


def test_what_was_told_the_other_way_takes_no_guess_back() -> None:
    ledger = guessed()
    ledger.apply_peer(fills(2, side=Side.ASK, filled=100))
    assert ledger.take_back(100) is None


def test_a_sold_guess_is_taken_back_too() -> None:
    ledger = books()
    ledger.base = 40
    ledger.expect(announce(side=Side.ASK))
    ledger.attribute(coid(1), 100, 0)
    ledger.apply_peer(fills(2, side=Side.ASK, filled=100))
    assert ledger.take_back(100) is None
    assert ledger.take_back(-100) is ledger.orders[coid(1)]
    assert ledger.position == -60


@pytest.mark.parametrize("source", ["row", "trade", "peer"])
@pytest.mark.parametrize("told", [40, 100])
def test_what_any_source_has_told_of_a_guess_stays(source: str, told: int) -> None:
    ledger = guessed()
    match source:
        case "row":
            ledger.apply_row(row(1, side=Side.BID, filled=told))
        case "trade":
            ledger.apply_trade(trade(1, side=Side.BID, lots=told))
        case _:
            ledger.apply_peer(fills(1, side=Side.BID, filled=told, filled_quote=7, closed=True))
    ledger.apply_peer(fills(2, side=Side.BID, filled=100))
    assert ledger.total == 200
    assert (ledger.take_back(100) is None, ledger.orders[coid(1)].guessed) == (True, 100 - told)
    assert (ledger.take_back(100 - told) is None) is (told == 100)
    assert (ledger.orders[coid(1)].filled, ledger.total) == (told, 100 + told)
    if source == "peer":
        assert ledger.orders[coid(1)].quote == 7


def test_a_withdrawn_order_was_never_in_flight() -> None:
    ledger = books()
    ledger.intend(order(), WALL_MS)
    ledger.withdraw(coid(1))
    ledger.withdraw(coid(1))
    assert ledger.in_flight == 0


def test_closing_what_is_closed_or_unknown_changes_nothing() -> None:
    ledger = books()
    ledger.close(coid(1), "dead")
    ledger.apply_row(row(closed=True, status="canceled"))
    ledger.close(coid(1), "dead")
    assert ledger.orders[coid(1)].status == "canceled"


def test_old_closed_orders_are_folded_and_never_counted_again() -> None:
    ledger = books()
    for serial in range(1, ORDERS_MAX + 11):
        ledger.apply_row(row(serial, filled=2, filled_quote=3, closed=True))
    assert len(ledger.orders) == ORDERS_MAX
    assert (ledger.folded, ledger.total) == (-20, -2 * ORDERS_MAX - 20)
    assert ledger.cash == 3 * (ORDERS_MAX + 10), "what was sold for, folded or not"
    for serial in (3, ledger.folded_serial):
        assert ledger.apply_row(row(serial, filled=2, closed=True)) is None
        assert ledger.apply_trade(trade(990 + serial, serial)) is None
    assert ledger.folded_serial == 10
    assert not ledger.foreign
    assert ledger.total == -2 * ORDERS_MAX - 20


def test_an_open_order_is_never_folded() -> None:
    ledger = books()
    for serial in range(1, ORDERS_MAX + 11):
        ledger.apply_row(row(serial, closed=serial > 1))
    assert len(ledger.orders) == ORDERS_MAX + 10


def test_the_memory_of_trades_is_bounded() -> None:
    ledger = books()
    for number in range(TRADES_MAX + 10):
        ledger.apply_trade(trade(number, lots=1))
    assert len(ledger._trades_seen) == TRADES_MAX
    assert ledger.total == -TRADES_MAX - 10


def test_an_order_known_from_a_trade_alone_is_that_and_nothing_more() -> None:
    ledger = books()
    assert ledger.highest_serial == 0
    known = ledger.apply_trade(trade(lots=30, order_index=9))
    assert known == Order(
        coid=coid(1),
        side=Side.ASK,
        lots=30,
        round=0,
        attempt=0,
        price=0,
        order_index=9,
        by_row=0,
        by_trades=30,
        by_peer=0,
        by_guess=0,
        guessed_position=0,
        quote_by_row=0,
        quote_by_trades=trade(lots=30).quote,
        quote_by_peer=0,
        quote_by_guess=0,
        trade_ids=[1],
        closed=False,
        status="",
        intended_ms=0,
        expected=False,
    )
    ledger.apply_trade(trade(2, lots=20, order_index=10))
    assert (known.lots, known.leaves, known.order_index) == (50, 0, 9), "its size is at least what it has filled"


def test_a_trade_brings_the_price_of_an_order_that_rested_and_of_no_other() -> None:
    ledger = books()
    taken = ledger.apply_trade(trade(1, 1))
    assert taken is not None
    assert taken.price == 0
    made = ledger.apply_trade(trade(2, 2, maker=True, price=77))
    assert made is not None
    assert made.price == 77
    ledger.apply_trade(trade(3, 2, maker=True, price=78))
    assert made.price == 77


def test_a_row_brings_price_and_index_and_an_intent_keeps_its_own_price() -> None:
    ledger = books()
    told = ledger.apply_row(row(1, price=77, order_index=9))
    assert told is not None
    assert (told.price, told.order_index) == (77, 9)
    ledger.intend(order(2, price=66), WALL_MS)
    meant = ledger.apply_row(row(2, price=77))
    assert meant is not None
    assert meant.price == 66


def test_the_newer_of_two_equal_fills_tells_the_quote() -> None:
    ledger = books()
    for quote_said in (0, 30):
        ledger.apply_row(row(1, filled=30, filled_quote=quote_said))
        known = ledger.apply_peer(fills(2, side=Side.ASK, filled=30, filled_quote=quote_said, closed=False))
        assert known is not None
        assert (ledger.orders[coid(1)].quote, known.quote) == (quote_said, quote_said)


def test_the_size_of_an_order_known_from_a_trade_alone_grows_with_a_state_and_an_announce() -> None:
    ledger = books()
    for serial in (1, 2):
        ledger.apply_trade(trade(serial, serial, side=Side.BID, lots=30))
    ledger.apply_peer(fills(1, lots=100, filled=30, closed=False))
    ledger.expect(announce(2, lots=100))
    assert [known.leaves for known in ledger.orders.values()] == [70, 70]


def test_a_row_as_old_as_clocks_may_differ_still_counts() -> None:
    ledger = books()
    ledger.intend(order(), WALL_MS)
    assert ledger.apply_row(row(filled=30, created_ms=WALL_MS - CREATED_SKEW_MS)) is not None


def test_the_newest_orders_are_told_oldest_first() -> None:
    ledger = books()
    for serial in (1, 2, 3, 4):
        ledger.apply_peer(fills(serial))
    assert [one.coid for one in ledger.newest(3)] == [coid(2), coid(3), coid(4)]


def test_what_may_still_fill_is_told_however_old_it_is() -> None:
    ledger = books()
    for serial in (1, 2, 3, 4):
        ledger.apply_peer(fills(serial, filled=0, closed=serial != 2))
    assert [one.coid for one in ledger.newest(1)] == [coid(2), coid(4)]
    ledger.close(coid(2), "canceled")
    assert [one.coid for one in ledger.newest(1)] == [coid(4)]


def test_a_restored_ledger_goes_on_where_it_was() -> None:
    ledger = books()
    ledger.base = 7
    ledger.restore([fills(1, side=Side.ASK), fills(2, side=Side.ASK, filled=40, closed=False)])
    assert (ledger.position, ledger.in_flight) == (7 - 140, -60)
    assert ledger.highest_serial == 2
    assert ledger.newest(1) == (fills(2, side=Side.ASK, filled=40, closed=False),)


def test_a_rounds_fills_are_those_of_all_its_attempts() -> None:
    ledger = books()
    ledger.intend(quote(1), WALL_MS)
    ledger.intend(quote(2, round=2), WALL_MS)
    ledger.intend(quote(3, round=2), WALL_MS)
    for serial in (1, 2, 3):
        ledger.apply_trade(trade(serial, serial, side=Side.BID, lots=10))
    assert [ledger.round_filled(number) for number in (1, 2, 3)] == [10, 20, 0]


def test_a_rebased_ledger_counts_from_the_new_position_on() -> None:
    ledger = books()
    ledger.apply_row(row(3, filled=40))
    ledger.rebase(-40)
    assert (ledger.position, ledger.total, ledger.in_flight) == (-40, 0, 0)
    assert ledger.apply_row(row(3, filled=50)) is None, "an order from before is in the position"


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["intend", "expect", "row", "trade", "peer", "attribute", "take back", "withdraw", "close"]),
        st.integers(1, 70),
        st.integers(1, 100),
    ),
    max_size=80,
)


@given(operations=OPERATIONS)
def test_the_sums_are_always_those_of_the_orders(operations: list[tuple[str, int, int]]) -> None:
    """They are remembered between changes: no change may leave an old sum behind."""
    ledger = books()
    for number, (what, serial, lots) in enumerate(operations):
        known = ledger.orders.get(coid(serial))
        match what:
            case "intend" if known is None and ledger.counts(coid(serial)):
                ledger.intend(order(serial), WALL_MS)
            case "expect" if known is None and ledger.counts(coid(serial)):
                ledger.expect(announce(serial, side=Side.ASK))
            case "row":
                ledger.apply_row(row(serial, filled=lots, closed=lots % 2 == 0))
            case "trade":
                ledger.apply_trade(trade(number, serial, lots=lots % 5 + 1))
            case "peer":
                ledger.apply_peer(fills(serial, side=Side.ASK, filled=lots, closed=lots % 2 == 0))
            case "attribute" if known is not None and known.leaves:
                ledger.attribute(coid(serial), 1, 1)
            case "take back" if known is not None:
                ledger.take_back(known.side.sign * known.guessed)
            case "withdraw" if known is not None and not known.filled:
                ledger.withdraw(coid(serial))
            case "close":
                ledger.close(coid(serial), "dead")
            case _:
                pass
        orders = ledger.orders.values()
        assert ledger.total == ledger.folded - sum(one.filled for one in orders)
        assert ledger.in_flight == -sum(one.leaves for one in orders)
        assert ledger.open_orders == [one for one in orders if not one.closed]


def test_what_is_dated_before_the_baseline_is_in_it() -> None:
    """A snapshot may repeat trades and rows of long ago after a reconnect."""
    books = Ledger(role=Role.HEDGER, desk=DESK)
    books.rebase(-20, since_ms=WALL_MS)
    assert books.apply_trade(trade(1, 7, at_ms=WALL_MS - 1)) is None
    assert books.apply_row(filled_row(8, created_ms=WALL_MS - 2_000)) is None
    assert books.position == -20
    assert books.apply_row(filled_row(9, created_ms=WALL_MS - 1_000)) is not None, "stamps may be whole seconds"
    assert books.apply_trade(trade(2, 10, at_ms=WALL_MS)) is not None


def test_what_filled_in_the_round_is_told_however_old_it_is() -> None:
    made = books()
    for serial in range(1, 12):
        number, filled = 1 if serial == 1 else 2, 5 if serial in (1, 2, 6, 11) else 0
        made.apply_peer(fills(serial, round=number, filled=filled, closed=True))
    assert [one.coid for one in made.newest(3)] == [coid(9), coid(10), coid(11)]
    assert [one.coid for one in made.newest(3, 2)] == [coid(2), coid(6), coid(9), coid(10), coid(11)]
