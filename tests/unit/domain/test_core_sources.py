"""What a core makes of each source, alone: no owner decides anything here."""

from itertools import pairwise
from typing import Any

import pytest
from tests.unit.domain.builders import (
    LAG_MS,
    PRICE,
    WALL_MS,
    announce,
    at,
    candidate,
    codes,
    coid,
    filled_row,
    fills,
    frame,
    memory,
    one,
    only,
    order,
    row,
    settings,
    trade,
)
from tests.unit.domain.talk import booted

from lighter_hedge.domain.commands import BaselineSet, Command, Exit, ReadAccount, ReadNonce, ReadOrders
from lighter_hedge.domain.core import HALTED_MS, MARKET_HALTED, TRADES_MS_MAX, Core
from lighter_hedge.domain.events import (
    AccountRead,
    Event,
    FeedClosed,
    MarketHeard,
    OrderReported,
    OrdersRead,
    PositionReported,
    TradeReported,
)
from lighter_hedge.domain.pair import Agreement
from lighter_hedge.domain.reads import AWAITED_RESERVE, READ_AGAIN_MS, READ_AGAIN_MS_MAX, READS_RESERVE
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import Side

A, B = Role.MAKER, Role.HEDGER
BASE = BaselineSet(maker=0, hedger=0)


def core_of(role: Role = B, *, recovered: bool = True, **remembers: Any) -> Core:
    """A side with its lane ready, so that what is read is asked for."""
    core = Core.create(role, settings(), memory(role, fresh=False, **({"baseline": BASE} | remembers)))
    core.lane = booted().lane
    core.recovered = recovered
    core.reads.orders_read = True
    return core


def hear(core: Core, event: Event, ms: int = 0) -> list[Command]:
    return core.step(event, at(ms), lambda request: False)


def read(role: Role, position: int, ms: int = 0, available: int = 0) -> AccountRead:
    return AccountRead(role=role, position=position, available=available, open_orders=0, asked_ms=at(ms).mono_ms)


def orders_asked(core: Core, ms: int) -> list[tuple[int, ...]]:
    return [asked.coids for asked in only(core.tick(at(ms)), ReadOrders)]


# --- a start -----------------------------------------------------------------------------------------------------


def test_nothing_is_taken_for_granted_before_it_has_been_heard() -> None:
    core = Core.create(B, settings(), memory())
    assert core.fresh
    assert not any((core.feed_open, core.recovered, core.rebase, core.peer_known, core.peer_busy))
    assert core.available is None
    assert core.reconciles, "until the other side is known to do it"
    assert not core.halted(at(0))
    assert core.next_coid() == coid(1)


def test_a_start_takes_over_cash_baseline_and_what_was_perhaps_sent() -> None:
    remembers = memory(
        fresh=False,
        baseline=BaselineSet(maker=0, hedger=0, at_ms=WALL_MS),
        folded_cash={A: 5},
        unsettled=(candidate(order(1)),),
    )
    core = Core.create(B, settings(), remembers)
    assert (core.maker.cash, core.hedger.cash) == (5, 0)
    assert {ledger.since_ms for ledger in core.ledgers.values()} == {WALL_MS}
    assert core.lane.restored == remembers.unsettled


def test_the_quotes_of_a_are_no_serials_of_b() -> None:
    assert Core.create(B, settings(), memory(announce=announce(9))).next_coid() == coid(1)


@pytest.mark.parametrize(("role", "share"), [(A, 40), (B, 20)])
def test_each_side_has_its_own_share_of_the_requests(role: Role, share: int) -> None:
    assert Core.create(role, settings(maker_share=40, hedger_share=20), memory(role)).budget.share == share


def test_another_instance_ends_this_one_with_the_code_that_no_supervisor_restarts() -> None:
    said = core_of().superseded()
    assert codes(said)[0] == "SUPERSEDED"
    assert one(said, Exit).code == 8


def test_the_first_reading_of_orders_is_the_one_that_asked_for_all() -> None:
    core = core_of()
    core.reads.orders_read = False
    hear(core, OrdersRead(coids=(coid(40),), rows=(filled_row(40),), asked_ms=0))
    assert not core.reads.orders_read
    hear(core, OrdersRead(coids=(), rows=(filled_row(50),), asked_ms=0))
    assert core.reads.orders_read
    assert core.next_coid() == coid(51)


def test_a_lost_journal_leaves_serials_out_once() -> None:
    core = Core.create(B, settings(), memory())
    for _ in range(2):
        hear(core, OrdersRead(coids=(), rows=(filled_row(40),), asked_ms=0))
    assert core.next_coid() == coid(1_041)


# --- the market --------------------------------------------------------------------------------------------------


def test_a_refusal_for_a_halted_market_counts_for_a_while() -> None:
    assert MARKET_HALTED == 21605, "docs of the venue's codes: invalid market status"
    core = core_of()
    core.halt(at(0))
    assert core.halted(at(HALTED_MS - 1))
    assert not core.halted(at(HALTED_MS))


@pytest.mark.parametrize("event", [frame(at_ms=WALL_MS - 400), MarketHeard(mark=PRICE, at_ms=WALL_MS - 400)])
def test_stamped_frames_tell_how_far_the_clock_is(event: Event) -> None:
    core = core_of()
    hear(core, event)
    assert (core.skew.ms, core.skew.newest_ms) == (400, WALL_MS - 400)


def test_the_minimum_holds_at_the_worst_price_of_the_last_try() -> None:
    """20 bp, at the last try 200 times as far: 40 % below the price, where 10 dollars are 17 lots."""
    core = Core.create(B, settings(slippage_ladder_percent=(100, 20_000)), memory())
    assert core.min_lots(PRICE) == 17


# --- fills -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "event",
    [
        OrderReported(role=B, report=row(3, filled=40, filled_quote=40_000_000)),
        TradeReported(role=B, trade=trade(1, 3, lots=40)),
        OrdersRead(coids=(), rows=(row(3, filled=40, filled_quote=40_000_000),), asked_ms=0),
    ],
)
def test_the_first_word_of_an_order_is_news_of_all_it_has_filled(event: Event) -> None:
    core = core_of()
    hear(core, event)
    (change,) = core.take_changes()
    assert (change.role, change.lots, change.late) == (B, 40, False)
    assert core.hedger.position == -40


def test_the_first_word_of_the_other_side_is_news_of_all_it_has_filled() -> None:
    core = core_of()
    core.on_peer_fills((fills(3, filled=40, closed=False),), at(0))
    (change,) = core.take_changes()
    assert (change.role, change.lots, change.late) == (A, 40, False)


def test_each_later_word_is_news_of_the_rest_alone() -> None:
    core = core_of()
    for filled, closed in ((40, False), (60, False), (60, True), (90, True)):
        report = row(3, filled=filled, filled_quote=filled * 1_000_000, closed=closed)
        hear(core, OrderReported(role=B, report=report))
    assert [(one.lots, one.late) for one in core.take_changes()] == [(40, False), (20, False), (0, False), (30, True)]


def test_an_end_without_a_fill_is_no_late_fill() -> None:
    core = core_of()
    core.own.intend(order(1), 0)
    core.closed_without_effect(coid(1), "dead", at(0))
    assert [(one.lots, one.late) for one in core.take_changes()] == [(0, False)]


def test_what_the_books_know_already_and_a_tells_again_stands_there_once() -> None:
    """Only more than is known of an order that was never announced may be in the baseline too."""
    core = core_of()
    hear(core, TradeReported(role=A, trade=trade(1, 3, side=Side.BID, lots=40)))
    core.on_peer_fills((fills(3, filled=40),), at(0))
    assert not core.attributed
    core.on_peer_fills((fills(3, filled=50),), at(0))
    assert core.attributed


def test_an_open_order_that_is_told_of_no_more_has_ended_once_a_newer_one_is_told() -> None:
    core = core_of()
    core.on_peer_fills((fills(3, filled=0, closed=False), fills(4, filled=40, closed=False)), at(0))
    core.on_peer_fills((), at(0))
    assert core.maker.in_flight == 160
    core.on_peer_fills((fills(5, filled=0),), at(0))
    assert core.maker.in_flight == 60, "what has filled in part may have filled more"
    hear(core, PositionReported(role=A, lots=core.maker.position))
    core.on_peer_fills((fills(5, filled=0),), at(0))
    assert core.maker.in_flight == 0, "the venue's position shows that it has not (1765636)"


def test_people_hear_of_a_fill_with_its_trades_or_after_a_moment() -> None:
    core = core_of()
    for serial in (1, 2):
        hear(core, OrderReported(role=B, report=row(serial, filled=40, filled_quote=40_000_000)))
    hear(core, TradeReported(role=B, trade=trade(2, 2, lots=40)))
    assert [told.coid for told in core.fills_to_tell(at(0))] == [coid(2)]
    assert core.fills_to_tell(at(TRADES_MS_MAX - 1)) == []
    assert [told.coid for told in core.fills_to_tell(at(TRADES_MS_MAX))] == [coid(1)]
    assert core.fills_to_tell(at(TRADES_MS_MAX)) == [], "once"


def test_nothing_is_told_of_an_order_that_the_books_have_folded() -> None:
    core = core_of()
    hear(core, OrderReported(role=B, report=row(1, filled=40, filled_quote=40_000_000)))
    del core.own.orders[coid(1)]
    assert core.fills_to_tell(at(TRADES_MS_MAX)) == []


def test_people_hear_from_each_side_of_its_own_fills_alone() -> None:
    core = core_of()
    core.own.intend(order(1), 0)
    hear(core, TradeReported(role=A, trade=trade(1, 1, side=Side.BID)))
    core.closed_without_effect(coid(1), "dead", at(0))
    assert core.fills_to_tell(at(TRADES_MS_MAX)) == []


# --- what is asked of the venue ----------------------------------------------------------------------------------


def test_an_order_that_executed_is_asked_for_until_its_end_is_known() -> None:
    core = core_of()
    core.own.intend(order(1), 0)
    core.executed(coid(1), at(0))
    assert orders_asked(core, READ_AGAIN_MS - 1) == []
    assert orders_asked(core, READ_AGAIN_MS) == [(coid(1),)]
    core.maker.expect(announce(1))
    hear(core, OrderReported(role=A, report=filled_row(1, side=Side.BID)), READ_AGAIN_MS)
    assert orders_asked(core, 2 * READ_AGAIN_MS) == [(coid(1),)], "A's order 1 has ended: another one"
    hear(core, OrderReported(role=B, report=filled_row(1)), 2 * READ_AGAIN_MS)
    assert orders_asked(core, 3 * READ_AGAIN_MS) == []
    assert not core._executed_ms
    core.watch(coid(1), at(0).mono_ms)
    assert orders_asked(core, 4 * READ_AGAIN_MS) == []


def test_the_row_of_a_partial_fill_is_asked_for_a_moment_after_its_trade() -> None:
    core = core_of()
    core.own.intend(order(1), 0)
    hear(core, TradeReported(role=B, trade=trade(1, lots=40)))
    assert orders_asked(core, READ_AGAIN_MS - 1) == []
    assert orders_asked(core, READ_AGAIN_MS) == [(coid(1),)]


@pytest.mark.parametrize("executed", [1, 2, 3])
def test_of_several_orders_without_rows_those_are_dead_that_have_executed(executed: int) -> None:
    core = core_of()
    for serial in (1, 2, 3):
        core.own.intend(order(serial), 0)
    core.executed(coid(executed), at(0))
    coids = tuple(coid(serial) for serial in (1, 2, 3))
    hear(core, OrdersRead(coids=coids, rows=(), asked_ms=at(LAG_MS).mono_ms), LAG_MS)
    assert [known.coid for known in core.own.orders.values() if known.closed] == [coid(executed)]


def test_with_few_requests_left_no_account_is_read_but_for_a_person() -> None:
    core = core_of()
    core.budget.share = READS_RESERVE
    assert len(only(core.tick(at(0)), ReadAccount)) == 2
    core = core_of()
    core.budget.share = READS_RESERVE
    core.budget.count([ReadNonce()], at(0))
    assert only(core.tick(at(0)), ReadAccount) == []
    core.reads.pressing = True
    assert len(only(core.tick(at(0)), ReadAccount)) == 2
    core.reads.now(Role.MAKER)
    core.budget.count([ReadNonce()] * READS_RESERVE, at(2))
    assert only(core.tick(at(2)), ReadAccount) == []


def test_a_read_that_is_awaited_may_have_some_of_the_last_requests() -> None:
    """1744730: A asked for both accounts after a timeout, and did not read them for half a minute."""
    core = core_of()
    core.budget.share = AWAITED_RESERVE
    assert only(core.tick(at(0)), ReadAccount) == []
    core.reads.now(Role.HEDGER)
    assert only(core.tick(at(1)), ReadAccount) != []
    core.budget.count([ReadNonce()], at(1))
    assert only(core.tick(at(LAG_MS)), ReadAccount) == []


def test_a_recovery_reads_the_accounts_with_few_requests_left() -> None:
    core = core_of()
    core.budget.share = READS_RESERVE
    core.budget.count([ReadNonce()], at(0))
    core.recovered = False
    assert len(only(core.tick(at(0)), ReadAccount)) == 2


def test_an_account_is_read_less_and_less_often_while_its_books_differ() -> None:
    def waits(position: int, *, recovered: bool = True) -> list[int]:
        """Between reads, where each answer makes the next one due at once."""
        core = core_of(recovered=recovered)
        asked = []
        for ms in range(0, 30_000, 500):
            if ReadAccount(role=B) in core.tick(at(ms)):
                asked.append(ms)
                hear(core, read(B, position, ms), ms)
                core.reads.again(B)
        return [later - earlier for earlier, later in pairwise(asked)]

    assert set(waits(0)) == {READ_AGAIN_MS}
    assert max(waits(5)) == READ_AGAIN_MS_MAX
    assert max(waits(0, recovered=False)) == READ_AGAIN_MS_MAX


def test_an_account_is_told_of_by_its_own_reads() -> None:
    core = core_of()
    hear(core, read(A, 0, available=7))
    assert core.available is None
    hear(core, read(B, 0, available=8))
    assert core.available == 8


# --- books and positions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "in_flight", "peer_busy", "proven"),
    [
        (B, False, False, True),
        (B, True, False, False),
        (B, False, True, True),
        (A, False, False, True),
        (A, True, False, False),
        (A, False, True, False),
    ],
)
def test_two_reads_prove_a_difference_only_while_nothing_can_fill(
    role: Role, *, in_flight: bool, peer_busy: bool, proven: bool
) -> None:
    core = core_of()
    core.peer_busy, core.peer_told_ms = peer_busy, at(0).mono_ms
    if in_flight:
        core.ledgers[role].intend(order(1), 0)
    for ms in (0, LAG_MS):
        hear(core, read(role, 5, ms), ms)
    assert (core.checks[role].agreement() is Agreement.PROVEN) is proven


@pytest.mark.parametrize(("role", "proven"), [(B, True), (A, False)])
def test_reads_of_the_other_account_prove_nothing_while_its_side_is_not_heard(role: Role, *, proven: bool) -> None:
    core = core_of()
    core.peer_told_ms = at(LAG_MS - 1).mono_ms
    for ms in (LAG_MS, 2 * LAG_MS):
        hear(core, read(role, 5, ms), ms)
    assert (core.checks[role].agreement() is Agreement.PROVEN) is proven
    core.peer_told_ms = at(LAG_MS).mono_ms
    hear(core, read(role, 5, 3 * LAG_MS), 3 * LAG_MS)
    assert core.checks[role].agreement() is Agreement.PROVEN


def test_books_are_unclear_until_the_venue_has_agreed_since_the_recovery() -> None:
    core = core_of(recovered=False)
    for role in Role:
        hear(core, PositionReported(role=role, lots=0))
    core.recovered = True
    core.checks[A].heard(5, core.maker, 0)
    assert core.unclear, "what agreed before the read lag was over proves nothing"
    hear(core, PositionReported(role=A, lots=0))
    assert core.unclear, "no account was read"
    hear(core, read(B, 0, 0))
    hear(core, read(A, 5, 0))
    hear(core, PositionReported(role=A, lots=0))
    assert core.unclear, "an old frame may say what old books say (1772273)"
    hear(core, read(A, 0, 0))
    assert not core.unclear
    hear(core, PositionReported(role=A, lots=5))
    assert not core.unclear, "fills come first by words and frames, and the position a moment later"


def test_books_that_change_before_the_recovery_have_agreed_with_no_read() -> None:
    core = core_of(recovered=False)
    for role in Role:
        hear(core, read(role, 0, 0))
    core.maker.base = 5
    core.recovered = True
    hear(core, PositionReported(role=A, lots=5))
    assert core.unclear
    hear(core, PositionReported(role=A, lots=0))
    core.maker.base = 0
    core.checks[A].refresh(core.maker, 0)
    hear(core, PositionReported(role=B, lots=0))
    assert not core.unclear


def test_a_read_that_the_stream_contradicts_agrees_with_nothing() -> None:
    core = core_of(recovered=False)
    for role in Role:
        hear(core, read(role, 0, 0))
    core.recovered = True
    hear(core, PositionReported(role=A, lots=5))
    assert core.unclear
    hear(core, PositionReported(role=A, lots=0))
    assert not core.unclear


def test_books_that_were_counted_anew_are_compared_at_the_next_tick() -> None:
    core = core_of()
    hear(core, PositionReported(role=A, lots=5))
    core.maker.rebase(5)
    core.tick(at(0))
    assert core.checks[A].agreement() is Agreement.AGREES


@pytest.mark.parametrize(("known", "foreign", "position"), [(0, 0, 1), (0, 7, 8), (30, 0, 31), (30, -7, 24)])
def test_of_an_unseen_fill_the_part_is_attributed_that_the_books_lack(known: int, foreign: int, position: int) -> None:
    core = core_of()
    core.maker.expect(announce())
    if known:
        hear(core, TradeReported(role=A, trade=trade(1, side=Side.BID, lots=known)))
    if foreign:
        side = Side.BID if foreign > 0 else Side.ASK
        hear(core, TradeReported(role=A, trade=trade(2, side=side, lots=abs(foreign), coid=5)))
    core.take_changes()
    if known:
        hear(core, read(A, position, LAG_MS - 1), LAG_MS)
        assert core.attribute_unseen_fills(at(LAG_MS), silent=True) == [], "what has changed may not be readable yet"
    hear(core, read(A, position, LAG_MS), LAG_MS)
    assert core.attribute_unseen_fills(at(LAG_MS), silent=True) != []
    (change,) = core.take_changes()
    assert (change.role, change.lots, change.late) == (A, 1, False)


def test_without_a_read_nothing_is_attributed() -> None:
    core = core_of()
    core.maker.expect(announce(side=Side.ASK))
    assert core.attribute_unseen_fills(at(0), silent=True) == []


def test_a_book_is_old_once_the_stream_is_lost() -> None:
    core = core_of()
    core.feed_open = True
    hear(core, frame())
    assert not core.book.stale(at(0).mono_ms, 1_000)
    hear(core, FeedClosed(reason="gone"))
    assert core.book.stale(at(0).mono_ms, 1_000)
