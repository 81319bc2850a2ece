"""Bugs in the books: what has filled, what is missing, and whether the exchange agrees."""

from dataclasses import replace
from typing import Any

from tests.mutants.bug import Plant, bug

from lighter_hedge.domain import foreign, pair
from lighter_hedge.domain import ledger as ledger_module
from lighter_hedge.domain.core import Core
from lighter_hedge.domain.events import AccountRead, PositionReported
from lighter_hedge.domain.guard import SendGuard
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.ledger import Ledger, Order
from lighter_hedge.domain.maker import Maker
from lighter_hedge.domain.pair import Agreement, PositionCheck
from lighter_hedge.domain.reads import Reads
from lighter_hedge.domain.seen import Seen


def guard_off(plant: Plant) -> None:
    """The last look before the socket lets everything pass."""
    plant.set(SendGuard, "refuses", lambda *_: "")


@bug("domain.ledger.Order.filled", "E3", "once gate")
def sources_are_added(plant: Plant) -> None:
    """Filled is the sum of rows and trades, not the maximum."""
    plant.set(
        Order, "filled", property(lambda order: max(order.by_row + order.by_trades, order.by_peer, order.by_guess))
    )


@bug("domain.ledger.Ledger.apply_trade", "H4 H17", "once gate")
def repeated_trades_count(plant: Plant) -> None:
    """A trade that comes twice counts twice."""

    def make(real: Any) -> Any:
        def apply_trade(ledger: Any, trade: Any) -> Any:
            ledger._trades_seen = Seen(limit=1)
            return real(ledger, trade)

        return apply_trade

    plant.around(Ledger, "apply_trade", make)


@bug("domain.ledger.Ledger.apply_row", "H17", "assertion once gate")
def newest_row_counts(plant: Plant) -> None:
    """An order's row replaces what was known, also where it is older."""

    def make(real: Any) -> Any:
        def apply_row(ledger: Any, report: Any) -> Any:
            known = ledger.orders.get(report.coid)
            if known is not None and not known.closed:
                known.by_row = known.by_trades = known.by_peer = known.by_guess = 0
            return real(ledger, report)

        return apply_row

    plant.around(Ledger, "apply_row", make)


@bug("domain.ledger.Ledger._fits", "E9", "once gate nothing_lost assertion")
def row_counts_for_any_intent(plant: Plant) -> None:
    """A row counts by its client order index alone; and after a lost journal these begin at 1 again."""
    plant.set(Ledger, "_fits", staticmethod(lambda order, report: order.side is report.side))
    _forget_serials(plant)


def _forget_serials(plant: Plant) -> None:
    def make(real: Any) -> Any:
        def first_rows(core: Any, event: Any) -> None:
            serial, folded = core._serial, core.own.folded_serial
            real(core, event)
            core._serial, core.own.folded_serial = serial, folded

        return first_rows

    def make_rebase(real: Any) -> Any:
        def rebase(ledger: Any, position: int, since_ms: int = 0) -> None:
            real(ledger, position)
            ledger.folded_serial = ledger.highest_serial = 0

        return rebase

    plant.around(Core, "_first_rows", make)
    plant.around(Ledger, "rebase", make_rebase)


@bug("domain.core._first_rows", "E9", "once gate nothing_lost assertion converge")
def serials_begin_at_one_after_a_lost_journal(plant: Plant) -> None:
    """A start without a journal looks at nothing that the account has had before."""
    _forget_serials(plant)


@bug("domain.ledger.Order.filled", "H8 H9", "once gate")
def cancelled_means_unfilled(plant: Plant) -> None:
    """An order whose last word is "canceled" has filled nothing."""

    def filled(order: Any) -> int:
        known: int = max(order.by_row, order.by_trades, order.by_peer, order.by_guess)
        return 0 if order.status.startswith("canceled") else known

    plant.set(Order, "filled", property(filled))
    plant.around(Core, "_changed", _without_assertion)


def _without_assertion(real: Any) -> Any:
    def changed(core: Any, role: Any, order: Any, filled: int, now: Any, *, was_closed: bool) -> Any:
        return real(core, role, order, min(filled, order.filled), now, was_closed=was_closed)

    return changed


@bug("domain.ledger.Order.leaves", "H8 E3", "once gate assertion")
def nothing_is_in_flight(plant: Plant) -> None:
    """An order counts with what it has filled, not with what it may still fill."""
    plant.set(Ledger, "in_flight", property(lambda ledger: 0))
    plant.set(Hedger, "_maker_may_hedge", lambda hedger, side: 0)


@bug("domain.ledger.Ledger._fold", "H4", "once gate nothing_lost never_silent")
def folded_orders_are_forgotten(plant: Plant) -> None:
    """What the oldest orders filled drops out of the sum (the books keep few orders one by one here)."""
    plant.set(ledger_module, "ORDERS_MAX", 6)

    def make(real: Any) -> Any:
        def fold(ledger: Any) -> None:
            folded = ledger.folded
            real(ledger)
            ledger.folded = folded

        return fold

    plant.around(Ledger, "_fold", make)


@bug("domain.core._on_account", "H31 H5 E25", "once gate")
def position_is_the_truth(plant: Plant) -> None:
    """Whatever position is heard or read is taken for what has filled, late or not."""

    def make(real: Any) -> Any:
        def step(core: Any, event: Any, now: Any, wanted: Any) -> Any:
            commands = real(core, event, now, wanted)
            lots = None
            if isinstance(event, PositionReported):
                lots = event.lots
            elif isinstance(event, AccountRead):
                lots = event.position
            if lots is not None and core.recovered:
                ledger = core.ledgers[event.role]
                ledger.base += lots - ledger.position
            return commands

        return step

    plant.around(Core, "step", make)


@bug("domain.core._on_account", "H5", "false_pause once gate")
def failed_read_is_flat(plant: Plant) -> None:
    """An account that cannot be read counts as flat."""

    def make(real: Any) -> Any:
        def on_account(core: Any, event: Any, now: Any) -> None:
            flat = event.position is None
            real(core, _with_position(event, 0) if flat else event, now)

        return on_account

    plant.around(Core, "_on_account", make)


def _with_position(event: Any, position: int) -> Any:
    return replace(event, position=position)


@bug("domain.pair.PositionCheck.read", "E25", "false_pause")
def one_read_proves_a_difference(plant: Plant) -> None:
    """One account read that differs from the books pauses the desk."""

    def read(check: Any, position: int, ledger: Any, *, mono_ms: int, **_: Any) -> None:
        check.heard(position, ledger, mono_ms)
        check._proven = check.differs_since_ms is not None

    plant.set(PositionCheck, "read", read)


@bug("domain.pair.PositionCheck.agreement", "H30 H31", "foreign_named gate")
def exchange_always_agrees(plant: Plant) -> None:
    """The books are right, whatever the exchange shows."""
    plant.set(PositionCheck, "agreement", lambda check: Agreement.AGREES)
    plant.everywhere(foreign.differences, lambda core, now=None: [])


@bug("domain.foreign.take_foreign", "H30 H31", "foreign_named once gate")
def foreign_trades_are_absorbed(plant: Plant) -> None:
    """A trade that is not the desk's moves the books, and nobody says so."""

    def make(real: Any) -> Any:
        def apply_trade(ledger: Any, trade: Any) -> Any:
            found = real(ledger, trade)
            for other in ledger.foreign:
                ledger.base += other.side.sign * other.lots
            ledger.foreign.clear()
            return found

        return apply_trade

    plant.around(Ledger, "apply_trade", make)


@bug("domain.pair.missing", "H13 E7", "resume_works gate nothing_lost prompt")
def residual_is_dropped(plant: Plant) -> None:
    """What was too little to hedge is not carried into the next hedge."""

    def missing(maker: Any, hedger: Any) -> Any:
        wanted = -pair.net(maker, hedger) - hedger.in_flight
        orders = [order for order in maker.orders.values() if order.filled]
        if not orders:
            return wanted
        last = orders[-1].round
        of_round = -sum(o.side.sign * o.filled for o in orders if o.round == last)
        of_round -= sum(o.side.sign * (o.filled + o.leaves) for o in hedger.orders.values() if o.round == last)
        return of_round if of_round * wanted > 0 and abs(of_round) < abs(wanted) else wanted

    plant.everywhere(pair.missing, missing)


@bug("domain.pair.residual", "H13 E8", "needless_pause converge go_on drain")
def residual_is_an_exposure(plant: Plant) -> None:
    """Less than the exchange takes must be hedged before anything goes on."""
    plant.everywhere(pair.residual, lambda lots, min_lots: lots == 0)


@bug("domain.core.Core.unclear", "H23", "once armed gate")
def books_of_a_backup_are_believed(plant: Plant) -> None:
    """B arms and hedges by books that have not agreed with the exchange since its start."""
    plant.set(Core, "unclear", property(lambda core: False))


@bug("domain.maker._on_hedger", "E9", "once gate nothing_lost")
def old_fills_count_again_after_a_lost_journal(plant: Plant) -> None:
    """A new baseline holds what filled before, and the other side's old fills are counted on top."""

    def make(real: Any) -> Any:
        def on_state(machine: Any, state: Any, now: Any) -> Any:
            folded = {role: ledger.folded_serial for role, ledger in machine.core.ledgers.items()}
            fresh = machine.core.fresh
            commands = real(machine, state, now)
            if fresh:
                for role, serial in folded.items():
                    machine.core.ledgers[role].folded_serial = serial
            return commands

        return on_state

    plant.around(Maker, "_on_hedger", make)
    plant.around(Hedger, "_on_maker", make)
    _forget_serials(plant)


@bug("domain.reads.Reads.watch", "H5 E2 E17", "converge resume_works prompt")
def exchange_is_not_asked_for_an_end(plant: Plant) -> None:
    """The end of an order is waited for, and where no frame tells of it nobody asks."""
    plant.set(Reads, "watch", lambda reads, coid, mono_ms: None)
    plant.set(Reads, "watch_now", lambda reads, coid: None)
