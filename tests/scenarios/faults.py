"""The faults that break other hedging bots, each as a story in a world, and the defence that each one tests.

A story plays and asserts. A defence is taken away by a patch: then the same story must fail.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.scenarios.stories import finished, patched, patched_function
from tests.simulation.checkers import check_once
from tests.simulation.memory_journal import MemoryJournal
from tests.simulation.sim_venue import SimVenue
from tests.simulation.world import DESK, World, settings

from lighter_hedge.domain.commands import Command
from lighter_hedge.domain.core import Core
from lighter_hedge.domain.events import (
    Answer,
    AnswerKind,
    Instant,
    OrderReport,
    SendAnswered,
    TradeReport,
    TxReported,
    TxStatus,
)
from lighter_hedge.domain.gate import Peer
from lighter_hedge.domain.lane import Lane
from lighter_hedge.domain.lane_words import Fate
from lighter_hedge.domain.ledger import Ledger, Order
from lighter_hedge.domain.seen import Seen
from lighter_hedge.domain.states import Announce, Role
from lighter_hedge.venue.errors import ReadFailed

Story = Callable[[], None]
Removal = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault, its story, and how to take its defence away."""

    name: str
    story: Story
    without_defence: Removal


# --- fill at once -----------------------------------------------------------------------------------------------


def fill_50_ms_after_booking() -> None:
    with World() as world:
        world.fault("fill_now", delay_ms=50)
        world.start_both()
        finished(world, 20)


@contextmanager
def blind_to_positions() -> Iterator[None]:
    """Takes the third source away, which would mend what the removed defence breaks, only later."""

    def nothing(core: Core, now: Instant) -> list[Command]:
        return []

    with patched(Core, "attribute_unseen_fills", nothing):
        yield


@contextmanager
def orders_registered_late() -> Iterator[None]:
    """As bots do that learn of an order from the answer to its placement."""
    apply_row, apply_trade = Ledger.apply_row, Ledger.apply_trade

    def known(ledger: Ledger, coid: int) -> bool:
        order = ledger.orders.get(coid)
        return order is not None and order.status != "being placed"

    def late_intend(ledger: Ledger, request: Any, wall_ms: int) -> Order:
        order = intend(ledger, request, wall_ms)
        order.status = "being placed"
        return order

    def late_expect(ledger: Ledger, announce: Announce) -> Order:
        order = expect(ledger, announce)
        order.status = "being placed"
        return order

    intend, expect = Ledger.intend, Ledger.expect

    def row(ledger: Ledger, report: OrderReport) -> Order | None:
        return apply_row(ledger, report) if known(ledger, report.coid) else None

    def trade(ledger: Ledger, report: TradeReport) -> Order | None:
        return apply_trade(ledger, report) if known(ledger, report.coid) else None

    with (
        patched(Ledger, "apply_row", row),
        patched(Ledger, "apply_trade", trade),
        patched(Ledger, "intend", late_intend),
        patched(Ledger, "expect", late_expect),
        blind_to_positions(),
    ):
        yield


# --- partial fills ----------------------------------------------------------------------------------------------


def two_partial_fills_300_ms_apart() -> None:
    """The order goes on resting: with the venue's own guard against self-trade, B hedges each part as it comes."""
    with World(settings(cancel_first=False, quantity=60)) as world:
        world.start_both()
        world.fault("part_fill", lots=25)
        world.run(0.3)
        world.fault("part_fill", lots=30)
        finished(world, 55)


@contextmanager
def only_the_first_fill_counts() -> Iterator[None]:
    """As bots do that drop an order from their books at its first fill."""
    apply_row, apply_trade = Ledger.apply_row, Ledger.apply_trade

    def row(ledger: Ledger, report: OrderReport) -> Order | None:
        order = ledger.orders.get(report.coid)
        return None if order is not None and order.filled else apply_row(ledger, report)

    def trade(ledger: Ledger, report: TradeReport) -> Order | None:
        order = ledger.orders.get(report.coid)
        return None if order is not None and order.filled else apply_trade(ledger, report)

    with blind_to_positions(), patched(Ledger, "apply_row", row), patched(Ledger, "apply_trade", trade):
        yield


def two_trades_in_one_frame() -> None:
    """B sees them on its own copy of A alone: Redis is gone at that moment."""
    with World() as world:
        world.start_both()
        world.hub.cut()
        world.fault("two_trades")
        world.fault("fill_now")
        finished(world, 20)


@contextmanager
def one_trade_per_order() -> Iterator[None]:
    """Trades told apart by their order, not by their trade id."""
    apply_trade = Ledger.apply_trade

    def trade(ledger: Ledger, report: TradeReport) -> Order | None:
        order = ledger.orders.get(report.coid)
        return None if order is not None and order.by_trades else apply_trade(ledger, report)

    with blind_to_positions(), patched(Ledger, "apply_trade", trade):
        yield


# --- unknown outcomes -------------------------------------------------------------------------------------------


def h6_answer_to_the_hedge_lost() -> None:
    with World() as world:
        world.start_both()
        world.fault("lose_answer", Role.HEDGER)
        world.b.venue.deaf |= {"account_all:102", "account_all_orders:102", "account_tx:102"}
        world.fault("fill_now")
        world.run(5)
        world.b.venue.deaf.clear()
        finished(world, 20)


@contextmanager
def silence_is_refusal() -> Iterator[None]:
    """As bots do that take a timeout for a failure and send a new order."""
    on_answer = Lane._on_answer

    def answered(lane: Lane, event: SendAnswered, now: Instant) -> list[Command]:
        if event.answer.kind is AnswerKind.UNKNOWN:
            lane.nonce += 1
            event = SendAnswered(tx_hash=event.tx_hash, answer=Answer(kind=AnswerKind.REJECTED))
        return on_answer(lane, event, now)

    with patched(Lane, "_on_answer", answered):
        yield


def h6_e2_order_history_20_s_late() -> None:
    """B's answer is lost and its private frames too; what it can read lags by 20 s: it must not hedge again."""
    with World(settings(read_lag_ms=20_500, hedge_confirm_timeout_ms=80_000, unhedged_ms_max=90_000)) as world:
        world.start(Role.HEDGER)
        world.start(Role.MAKER)
        world.until(lambda: bool(world.resting(Role.MAKER)), 60, "A to quote")
        world.fault("history_lag", Role.HEDGER, seconds=20, for_seconds=120)
        world.fault("lose_answer", Role.HEDGER)
        world.b.venue.deaf |= {"account_all:102", "account_all_orders:102", "account_tx:102"}
        world.fault("fill_now")
        world.until(lambda: world.position(Role.HEDGER) != 0, 5, "the hedge")
        world.until(lambda: not world.hedger.core.own.in_flight, 60, "B to know")
        world.b.venue.deaf.clear()
        finished(world, 20)


@contextmanager
def not_found_is_dead() -> Iterator[None]:
    """As bots do that take "not found" for "never happened"."""
    on_tx = Lane._on_tx

    def reported(lane: Lane, event: TxReported, now: Instant) -> list[Command]:
        held = lane._held.get(event.tx_hash)
        if event.status is TxStatus.NOT_FOUND and held is not None and held.sends and not lane._booting:
            return lane._finish(held, Fate.WITHOUT_EFFECT, now)
        return on_tx(lane, event, now)

    with patched(Lane, "_on_tx", reported):
        yield


# --- nobody there, nothing known --------------------------------------------------------------------------------


def hedger_not_running_when_a_starts() -> None:
    with World(settings(hedge_confirm_timeout_ms=20_000)) as world:
        world.start(Role.MAKER)
        world.fault("fill_now")
        world.run(35)
        assert world.orders(Role.MAKER) == []
        assert len(world.said(Role.MAKER, "WAITING")) >= 3
        assert len(world.said(Role.MAKER, "HEDGE_TIMEOUT")) == 1
        world.start(Role.HEDGER)
        finished(world, 20)


@contextmanager
def no_hedger_needed() -> Iterator[None]:
    """A quotes whether B is armed or not."""

    def armed(peer: Peer, announce: Announce) -> bool:
        return True

    with (
        patched(Peer, "armed_for", armed),
        patched_function("lighter_hedge.domain.gate", "hedger_reasons", lambda *_: []),
    ):
        yield


def account_reads_fail() -> None:
    """A holds a position, its journal is lost and the account cannot be read: that is unknown, not flat."""
    with World() as world:
        world.start_both()
        world.fault("fill_now")
        finished(world, 20)
        for role in Role:
            world.kill(role)
            world.processes[role].journal = MemoryJournal(DESK)
        broken = [world.fault("account_error", role) for role in Role]
        for role in Role:
            world.start(role)
        world.until(lambda: not world.resting(Role.MAKER), 10, "A's start to cancel its old quote")
        world.fault("fill_now", seconds=15)
        world.run(20)
        assert world.position(Role.MAKER) == 20
        assert world.resting(Role.MAKER) == []
        for fault in broken:
            world.clear_fault(fault)
        world.run(5)
        assert world.a.exit_code == world.b.exit_code == 7


@contextmanager
def failed_read_is_flat() -> Iterator[None]:
    """As bots do that take a failed account read for an empty account."""
    read_account = SimVenue.read_account

    async def read(venue: SimVenue, role: Role) -> tuple[int, int, int]:
        try:
            return await read_account(venue, role)
        except ReadFailed:
            return 0, 10_000_000_000, 0

    with patched(SimVenue, "read_account", read):
        yield


# --- cancels ----------------------------------------------------------------------------------------------------


def h1_partial_fill_then_cancel_races_another_fill() -> None:
    """A's cancel is acknowledged, and the rest of the quote has filled all the same."""
    with World(settings(quantity=60), same_wallet=False) as world:
        world.start_both()
        world.fault("cancel_race")
        world.fault("part_fill", lots=25)
        finished(world, 60)


@contextmanager
def cancel_ack_is_trusted() -> Iterator[None]:
    """As bots do that take an acknowledged cancel for the end of the order."""
    apply_row, apply_trade = Ledger.apply_row, Ledger.apply_trade
    ended: set[int] = set()

    def submit(lane: Lane, request: Any) -> list[Command]:
        coid = getattr(request, "coid", 0)
        if type(request).__name__ == "CancelRequest":
            ended.add(coid)
        return original_submit(lane, request)

    original_submit = Lane.submit

    def row(ledger: Ledger, report: OrderReport) -> Order | None:
        order = ledger.orders.get(report.coid)
        if order is not None and report.coid in ended:
            ledger.close(report.coid, "canceled")
            return order
        return apply_row(ledger, report)

    def trade(ledger: Ledger, report: TradeReport) -> Order | None:
        return None if report.coid in ended else apply_trade(ledger, report)

    with (
        patched(Lane, "submit", submit),
        patched(Ledger, "apply_row", row),
        patched(Ledger, "apply_trade", trade),
    ):
        yield


def h2_late_fill_of_a_cancelled_order() -> None:
    """The venue breaks its own word: hedged all the same, and the desk pauses for a person."""
    with World(settings(maker_order_timeout_ms=3_000)) as world:
        world.fault("late_fill", delay_ms=150)
        world.start_both()
        finished(world, 20)


@contextmanager
def closed_orders_are_forgotten() -> Iterator[None]:
    """As bots do that stop listening to an order once it has ended."""
    apply_row, apply_trade, apply_peer = Ledger.apply_row, Ledger.apply_trade, Ledger.apply_peer

    def forgotten(ledger: Ledger, coid: int) -> bool:
        order = ledger.orders.get(coid)
        return order is not None and order.closed

    def row(ledger: Ledger, report: OrderReport) -> Order | None:
        return None if forgotten(ledger, report.coid) else apply_row(ledger, report)

    def trade(ledger: Ledger, report: TradeReport) -> Order | None:
        return None if forgotten(ledger, report.coid) else apply_trade(ledger, report)

    def peer(ledger: Ledger, fills: Any) -> Order | None:
        return None if forgotten(ledger, fills.coid) else apply_peer(ledger, fills)

    with (
        patched(Ledger, "apply_row", row),
        patched(Ledger, "apply_trade", trade),
        patched(Ledger, "apply_peer", peer),
        blind_to_positions(),
    ):
        yield


# --- repeated frames --------------------------------------------------------------------------------------------


def h4_duplicate_frames_after_a_reconnect() -> None:
    with World(settings(cancel_first=False, quantity=60)) as world:
        world.start_both()
        for role in Role:
            world.fault("duplicate_frames", role, seconds=20)
        world.fault("part_fill", lots=25)
        world.run(1)
        for role in Role:
            world.fault("disconnect", role)
        world.run(2)
        world.fault("fill_now", seconds=10)
        world.until(lambda: world.hedged() and len(world.trades(Role.MAKER)) >= 2, 30, "the hedge")
        world.run(3)
        check_once(world)


@contextmanager
def trades_are_not_told_apart() -> Iterator[None]:
    """Every frame counts, also one that was heard before."""
    apply_trade = Ledger.apply_trade

    def trade(ledger: Ledger, report: TradeReport) -> Order | None:
        ledger._trades_seen = Seen(1)
        return apply_trade(ledger, report)

    with blind_to_positions(), patched(Ledger, "apply_trade", trade):
        yield


FAULTS = [
    Fault(name=story.__name__, story=story, without_defence=removal)
    for story, removal in (
        (fill_50_ms_after_booking, orders_registered_late),
        (two_partial_fills_300_ms_apart, only_the_first_fill_counts),
        (two_trades_in_one_frame, one_trade_per_order),
        (h6_answer_to_the_hedge_lost, silence_is_refusal),
        (h6_e2_order_history_20_s_late, not_found_is_dead),
        (hedger_not_running_when_a_starts, no_hedger_needed),
        (account_reads_fail, failed_read_is_flat),
        (h1_partial_fill_then_cancel_races_another_fill, cancel_ack_is_trusted),
        (h2_late_fill_of_a_cancelled_order, closed_orders_are_forgotten),
        (h4_duplicate_frames_after_a_reconnect, trades_are_not_told_apart),
    )
]
