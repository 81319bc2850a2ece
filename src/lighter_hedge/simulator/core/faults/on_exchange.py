"""What faults do inside the exchange: to transactions in the sequencer, to orders and to positions. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core import eventinfo
from lighter_hedge.simulator.core.effects import Effects
from lighter_hedge.simulator.core.engine import Engine
from lighter_hedge.simulator.core.faults.board import Fault, FaultBoard
from lighter_hedge.simulator.core.faults.kinds import SEQUENCER
from lighter_hedge.simulator.core.orders import Order, OrderStatus, TxRecord
from lighter_hedge.simulator.core.transactions import CreateOrder, TxBody

LATE_FILL_DELAY_MS = 200
FORCED_TRADES = {"liquidation": "liquidation", "adl": "deleverage"}
"""Kinds that trade for an account, unasked, and the type of their trades."""
FILLS = ("fill_now", "part_fill")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcedFill:
    """An order is to be filled."""

    order_index: int
    lots: int
    pieces: int
    also_dead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcedTrade:
    """The venue is to trade for an account."""

    account_index: int
    market_index: int
    lots: int
    """0 is all of the position."""
    kind: str


Forced: TypeAlias = ForcedFill | ForcedTrade


class ExchangeFaults:
    """Looks for armed faults where they can strike; what is to happen later is scheduled."""

    def __init__(self, engine: Engine, board: FaultBoard, schedule: Callable[[int, Forced], None]) -> None:
        self.engine = engine
        self.state = engine.state
        self.board = board
        self._schedule = schedule

    def armed(self, fault: Fault, at_us: int) -> None:
        """Let a new fault strike what is there already."""
        if fault.kind in FILLS:
            for open_orders in self.state.open_of.values():
                for order in list(open_orders.values()):
                    self.look_for_fill(order, at_us)
        elif fault.kind in FORCED_TRADES:
            for account in self.state.accounts.values():
                for position in account.positions.values():
                    self.look_for_trade(account.account_index, position.market_index, at_us)

    # --- transactions ---

    def delay_us(self, account_index: int, now_us: int) -> int:
        """How much later than usual an accepted transaction runs."""
        fault = self.board.strike("late_execution", now_us, account_index)
        return 0 if fault is None else fault.number("delay_ms") * 1000

    def returns(self, tx: TxRecord, at_us: int) -> bool:
        """Whether an accepted transaction fails without using its nonce."""
        return self.board.strike("accept_then_return", at_us, tx.account_index) is not None

    def refused(self, tx: TxRecord, at_us: int) -> Effects | None:
        """What is left of a transaction that the sequencer refuses."""
        fault = self.board.strike("accept_then_refuse", at_us, tx.account_index)
        if fault is None:
            return None
        text = fault.word("message", "refused by a fault")
        return Effects(event_info=eventinfo.refused_event(fault.number("code"), text))

    def end_of(self, tx: TxRecord, body: TxBody, at_us: int) -> OrderStatus | None:
        """How a new order ends at once, if it does."""
        if not isinstance(body, CreateOrder):
            return None
        fault = self.board.strike("accept_then_cancel", at_us, tx.account_index, body.market_index)
        if fault is not None:
            return OrderStatus(fault.word("becomes", OrderStatus.CANCELED.value))
        refusal = self.board.strike(
            "margin_refusal",
            at_us,
            tx.account_index,
            body.market_index,
            fits=lambda one: one.parameters.get("stage") == SEQUENCER,
        )
        return None if refusal is None else OrderStatus.CANCELED_MARGIN_NOT_ALLOWED

    # --- orders ---

    def race(self, order: Order, at_us: int) -> Effects | None:
        """What fills an order that is about to be cancelled."""
        fault = self.board.strike("cancel_race", at_us, order.account_index, order.market_index)
        return None if fault is None else self.engine.forced_fill(order, fault.number("lots"), 1, at_us)

    def look_for_fill(self, order: Order, at_us: int) -> None:
        """A resting order may be filled."""
        where = (at_us, order.account_index, order.market_index)
        for kind in FILLS:
            fault = self.board.strike(
                kind, *where, fits=lambda one: one.parameters.get("order_index", order.order_index) == order.order_index
            )
            if fault is None:
                continue
            two = kind == "fill_now" and self.board.strike("two_trades", *where) is not None
            fill = ForcedFill(order_index=order.order_index, lots=fault.number("lots"), pieces=2 if two else 1)
            self._schedule(at_us + fault.number("delay_ms") * 1000, fill)

    def look_for_late_fill(self, order: Order, leaves: int, at_us: int) -> None:
        """A cancelled order may be filled all the same."""
        fault = self.board.strike("late_fill", at_us, order.account_index, order.market_index)
        if fault is not None:
            lots = min(fault.number("lots", leaves), leaves)
            fill = ForcedFill(order_index=order.order_index, lots=lots, pieces=1, also_dead=True)
            self._schedule(at_us + fault.number("delay_ms", LATE_FILL_DELAY_MS) * 1000, fill)

    # --- positions ---

    def look_for_trade(self, account_index: int, market_index: int, at_us: int) -> None:
        """A position may be liquidated or deleveraged."""
        position = self.state.accounts[account_index].positions.get(market_index)
        if position is None or not position.lots:
            return
        for kind in FORCED_TRADES:
            fault = self.board.strike(kind, at_us, account_index, market_index)
            if fault is not None:
                trade = ForcedTrade(
                    account_index=account_index, market_index=market_index, lots=fault.number("lots"), kind=kind
                )
                self._schedule(at_us + fault.number("delay_ms") * 1000, trade)

    def run(self, forced: Forced, at_us: int) -> Effects | None:
        """Do what was scheduled, if there is still something to do it to."""
        if isinstance(forced, ForcedFill):
            order = self.state.orders.get(forced.order_index)
            if order is None or (not order.is_open and not forced.also_dead):
                return None
            return self.engine.forced_fill(order, forced.lots, forced.pieces, at_us)
        return self._trade(forced, at_us)

    def _trade(self, forced: ForcedTrade, at_us: int) -> Effects | None:
        account = self.state.accounts[forced.account_index]
        position = account.positions[forced.market_index]
        if not position.lots:
            return None
        effects = Effects()
        if forced.kind == "liquidation":
            self.engine.end_all(account.account_index, None, OrderStatus.CANCELED_LIQUIDATION, effects)
        lots = min(forced.lots or abs(position.lots), abs(position.lots))
        side = Side.of_sign(position.lots).opposite
        self.engine.forced_trade(account, forced.market_index, side, lots, FORCED_TRADES[forced.kind], effects, at_us)
        return effects
