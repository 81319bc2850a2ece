"""What transactions, traffic and faults do to books and orders. Pure: time comes with each call.

Each operation collects what it touched in ``Effects``. ``follow`` ends each: linked orders wake or die with theirs.
"""

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core import eventinfo, groups
from lighter_hedge.simulator.core.accounts import Account, has_margin
from lighter_hedge.simulator.core.effects import Effects
from lighter_hedge.simulator.core.matching import Execution
from lighter_hedge.simulator.core.orders import (
    Order,
    OrderStatus,
    OrderType,
    TimeInForce,
    TriggerStatus,
    TxRecord,
)
from lighter_hedge.simulator.core.settlement import Settlement
from lighter_hedge.simulator.core.state import State
from lighter_hedge.simulator.core.transactions import (
    VENUE_INDEX_MIN,
    CancelAll,
    CancelOrder,
    CreateGroup,
    CreateOrder,
    ModifyOrder,
)
from lighter_hedge.simulator.core.triggers import fires

EXPIRY_MIN_MS = 5 * 60 * 1000
"""A resting order that expires sooner is dropped in silence (fact sheet, section 6, #87)."""


class Engine:
    """Executes against the state."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.settlement = Settlement(state)

    # --- new orders ---

    def create(self, tx: TxRecord, body: CreateOrder, at_us: int, ends: OrderStatus | None = None) -> Effects:
        """Execute a CreateOrder; ``ends`` is how a fault ends it at once.

        A duplicate of an open client order index, or a reduce-only order with nothing to reduce, leaves no order and
        no frame: only the transaction tells (recorded on testnet; fact sheet, section 5).
        """
        effects = Effects()
        order = self._new_order(tx, body, at_us)
        refused = self._refused(order, at_us)
        if refused is not None:
            effects.event_info = eventinfo.refused_event(*refused)
            return effects
        self._register(order, effects)
        makers: list[Order] = []
        if ends is not None:
            order.status = ends
        elif order.order_type.waits:
            self._wait(order, effects, at_us)
        else:
            makers = self._enter(order, effects, at_us)
        maker = makers[-1] if makers else None
        trade = effects.trades[-1] if effects.trades else None
        effects.event_info = eventinfo.order_event(order.market_index, order, trade, maker)
        return effects

    def create_group(self, tx: TxRecord, body: CreateGroup, at_us: int) -> Effects:
        """Execute a CreateGroupedOrders: all legs or none."""
        effects = Effects()
        legs = [self._new_order(tx, leg, at_us) for leg in body.orders]
        clients = [leg.client_order_index for leg in legs if leg.client_order_index]
        refused = None if len(set(clients)) == len(clients) else eventinfo.CLIENT_INDEX_EXISTS
        for leg in legs:
            refused = refused or self._refused(leg, at_us)
        if refused is not None:
            effects.event_info = eventinfo.refused_event(*refused)
            return effects
        for leg in legs:
            self._register(leg, effects)
        groups.link(body.grouping, legs)
        for leg in legs:
            if leg.trigger_status is TriggerStatus.PARENT_ORDER:
                leg.status = OrderStatus.PENDING
                effects.pending.append(leg)
            elif leg.order_type.waits:
                self._wait(leg, effects, at_us)
            else:
                self._enter(leg, effects, at_us)
        trade = effects.trades[-1] if effects.trades else None
        effects.event_info = eventinfo.order_event(legs[0].market_index, legs[0], trade, None)
        return effects

    def _new_order(self, tx: TxRecord, body: CreateOrder, at_us: int) -> Order:
        return Order(
            order_index=0,
            client_order_index=body.client_order_index,
            account_index=tx.account_index,
            wallet=tx.l1_address,
            market_index=body.market_index,
            side=body.side,
            order_type=body.order_type,
            time_in_force=body.time_in_force,
            reduce_only=body.reduce_only,
            price_ticks=body.price_ticks,
            size_lots=self._trimmed(tx.account_index, body),
            expiry_ms=body.expiry_ms,
            tx_hash=tx.tx_hash,
            created_us=at_us,
            updated_us=at_us,
            sequence=self.state.next_sequence(),
            self_trade=body.self_trade,
            equality=body.equality,
            trigger_ticks=body.trigger_ticks,
        )

    def _trimmed(self, account_index: int, body: CreateOrder) -> int:
        """Size of a new order: a reduce-only one that acts at once is trimmed to what it may reduce."""
        if not body.reduce_only or body.order_type.waits:
            return body.size_lots
        reducible = self._reducible(account_index, body.market_index, body.side)
        return min(body.size_lots, reducible) if body.size_lots else reducible

    def _reducible(self, account_index: int, market_index: int, side: Side) -> int:
        account = self.state.accounts[account_index]
        return max(0, -account.position(self.state.markets[market_index]).lots * side.sign)

    def _refused(self, order: Order, at_us: int) -> tuple[int, str] | None:
        if order.client_order_index and self.open_by_client(order.account_index, order.client_order_index):
            return eventinfo.CLIENT_INDEX_EXISTS
        if order.expiry_ms and order.expiry_ms < at_us // 1000 + EXPIRY_MIN_MS:
            return eventinfo.EXPIRY_TOO_SOON
        if order.size_lots == 0 and not order.order_type.waits:
            return eventinfo.NOTHING_TO_REDUCE
        return None

    def _register(self, order: Order, effects: Effects) -> None:
        order.order_index = self.state.next_order_index(order.market_index, order.side)
        account = self.state.accounts[order.account_index]
        account.order_count += 1
        self.state.note_account(account)
        effects.touch(order)

    def _enter(self, order: Order, effects: Effects, at_us: int) -> list[Order]:
        """Let an order act: rest, take, or end at once. Return the orders that it met."""
        book = self.state.books[order.market_index]
        if not self._has_margin(self.state.accounts[order.account_index], order):
            order.status = OrderStatus.CANCELED_MARGIN_NOT_ALLOWED
        elif order.time_in_force is TimeInForce.POST_ONLY and book.crosses(order.side, order.price_ticks):
            order.status = OrderStatus.CANCELED_POST_ONLY
        else:
            return self.match(order, effects, at_us)
        return []

    def match(self, order: Order, effects: Effects, at_us: int) -> list[Order]:
        """Match an order that nothing forbids, and let its remainder rest or end. Return the orders that it met."""
        book = self.state.books[order.market_index]
        if order.time_in_force is TimeInForce.POST_ONLY:
            book.rest(order)
            effects.rested.append(order)
            return []
        walk = book.take(order, order.price_ticks)
        self.book_executions(order.market_index, walk.executions, effects, at_us)
        for maker in walk.touched_makers:
            effects.touch(maker)
        if order.filled_lots == order.size_lots:
            order.status = OrderStatus.FILLED
        elif walk.taker_expired or walk.leaves_lots == 0:
            order.status = OrderStatus.CANCELED_SELF_TRADE
        elif order.time_in_force is TimeInForce.GTT:
            order.size_lots = order.filled_lots + walk.leaves_lots
            book.rest(order)
            effects.rested.append(order)
        elif walk.book_exhausted:
            order.status = OrderStatus.CANCELED_NOT_ENOUGH_LIQUIDITY
        else:
            order.status = OrderStatus.CANCELED_TOO_MUCH_SLIPPAGE
        return [execution.maker for execution in walk.executions if execution.maker is not None]

    def _has_margin(self, account: Account, order: Order) -> bool:
        open_orders = list(self.state.open_of[account.account_index].values())
        return has_margin(account, order, open_orders, self.state.markets, self.state.marks())

    # --- orders that wait ---

    def _wait(self, order: Order, effects: Effects, at_us: int) -> None:
        order.status, order.trigger_status = OrderStatus.PENDING, TriggerStatus.MARK_PRICE
        effects.touch(order)
        effects.pending.append(order)
        if fires(order, self.state.mark(order.market_index)):
            self._fire(order, effects, at_us)

    def fire_due(self, market_index: int, at_us: int, effects: Effects) -> None:
        """Wake the orders of a market whose trigger the mark price has reached."""
        mark = self.state.mark(market_index)
        for order in list(self.state.pending[market_index].values()):
            if order.status is OrderStatus.PENDING and fires(order, mark):
                self._fire(order, effects, at_us)
                self.follow(effects, at_us)

    def _fire(self, order: Order, effects: Effects, at_us: int) -> None:
        """Turn a waiting order into a limit or market order; reduce-only is trimmed to the position now."""
        order.status, order.trigger_status, order.triggered_us = OrderStatus.OPEN, TriggerStatus.READY, at_us
        order.sequence = self.state.next_sequence()
        effects.touch(order)
        if order.reduce_only:
            reducible = self._reducible(order.account_index, order.market_index, order.side)
            order.size_lots = min(order.size_lots, reducible) if order.size_lots else reducible
        if order.size_lots == 0:
            order.status = OrderStatus.CANCELED_REDUCE_ONLY
        else:
            self._enter(order, effects, at_us)

    def follow(self, effects: Effects, at_us: int) -> None:
        """Let orders that hang on touched ones wake or die."""
        changed = True
        while changed:
            changed = False
            for order in [order for order in effects.orders.values() if order.to_trigger or order.to_cancel]:
                for child in groups.children_to_settle(order, self._known(effects, *order.to_trigger)):
                    changed = True
                    if order.filled_lots:
                        child.size_lots = child.size_lots or order.filled_lots
                        self._wait(child, effects, at_us)
                    else:
                        self.end(child, OrderStatus.CANCELED_CHILD, effects)
                for other in groups.to_cancel(order, self._known(effects, order.to_cancel)):
                    changed = True
                    self.end(other, OrderStatus.CANCELED_OCO, effects)

    def _known(self, effects: Effects, *order_indices: int) -> list[Order]:
        found = [effects.orders.get(index) or self.state.orders.get(index) for index in order_indices]
        return [order for order in found if order is not None]

    # --- orders that are there ---

    def open_by_client(self, account_index: int, client_order_index: int) -> Order | None:
        """The living order with this client order index, in any market."""
        for order in self.state.open_of[account_index].values():
            if order.client_order_index == client_order_index:
                return order
        return None

    def find_open(self, account_index: int, market_index: int, index: int) -> Order | None:
        """The living order that a cancel or modify means: by venue index, or below 2**48 by client index."""
        if index >= VENUE_INDEX_MIN:
            order = self.state.open_of[account_index].get(index)
        else:
            order = self.open_by_client(account_index, index)
        return order if order is not None and order.market_index == market_index else None

    def cancel(self, tx: TxRecord, body: CancelOrder) -> Effects:
        """Execute a CancelOrder; a dead order is an acknowledged no-op."""
        effects = Effects()
        order = self.find_open(tx.account_index, body.market_index, body.index)
        if order is not None:
            self.end(order, OrderStatus.CANCELED, effects)
        was_known = order is not None or self._ever_had(tx.account_index, body.index)
        effects.event_info = eventinfo.cancel_event(tx.account_index, order, body.index, was_known=was_known)
        return effects

    def _ever_had(self, account_index: int, index: int) -> bool:
        if index >= VENUE_INDEX_MIN:
            order = self.state.orders.get(index)
            return order is not None and order.account_index == account_index
        indices = self.state.orders_of[account_index]
        return any(self.state.orders[one].client_order_index == index for one in reversed(indices))

    def cancel_all(self, account_index: int, body: CancelAll) -> Effects:
        """Cancel the account's living orders, of one market or of all: one frame holds them."""
        effects = Effects(event_info=eventinfo.plain_event())
        self.end_all(account_index, body.market_index, OrderStatus.CANCELED, effects)
        return effects

    def end_all(self, account_index: int, market_index: int | None, status: OrderStatus, effects: Effects) -> None:
        """End the account's living orders, of one market or of all."""
        for order in list(self.state.open_of[account_index].values()):
            if order.is_alive and market_index in (None, order.market_index):
                self.end(order, status, effects)

    def end(self, order: Order, status: OrderStatus, effects: Effects) -> None:
        """Take a living order out of the book, or out of waiting."""
        if status is OrderStatus.CANCELED:
            effects.canceled.append((order, order.leaves_lots))
        if order.is_open:
            self.state.books[order.market_index].remove(order)
        order.status = status
        effects.touch(order)

    def modify(self, tx: TxRecord, body: ModifyOrder, at_us: int) -> Effects:
        """Execute a ModifyOrder: new total size and price, at the end of the queue of its price.

        The venue documents neither whether the size is the total nor what becomes of the place in the queue (fact
        sheet, section 1.4): inferred.
        """
        effects = Effects()
        order = self.find_open(tx.account_index, body.market_index, body.index)
        old = None if order is None else order.copied()
        if order is not None:
            if order.is_open:
                self.state.books[order.market_index].remove(order)
            order.size_lots, order.price_ticks = body.size_lots, body.price_ticks
            order.sequence = self.state.next_sequence()
            order.version += 1
            effects.touch(order)
            if order.status is OrderStatus.PENDING:
                self._modify_waiting(order, body, effects, at_us)
            else:
                self._modify_open(order, effects, at_us)
        effects.event_info = eventinfo.modify_event(body.market_index, old, order)
        return effects

    def _modify_waiting(self, order: Order, body: ModifyOrder, effects: Effects, at_us: int) -> None:
        order.trigger_ticks = body.trigger_ticks or order.trigger_ticks
        if fires(order, self.state.mark(order.market_index)):
            self._fire(order, effects, at_us)

    def _modify_open(self, order: Order, effects: Effects, at_us: int) -> None:
        if order.reduce_only:
            reducible = self._reducible(order.account_index, order.market_index, order.side)
            order.size_lots = min(order.size_lots, order.filled_lots + reducible)
        if order.size_lots <= order.filled_lots:
            order.size_lots = order.filled_lots
            order.status = OrderStatus.FILLED
        else:
            self._enter(order, effects, at_us)

    # --- what others do ---

    def liquidate(self, account: Account, market_index: int, lots: int, price: int, at_us: int) -> Effects:
        """Send an immediate-or-cancel order on behalf of an account, against its position."""
        position = account.position(self.state.markets[market_index])
        side = Side.of_sign(position.lots).opposite
        effects = Effects()
        order = Order(
            order_index=0,
            client_order_index=0,
            account_index=account.account_index,
            wallet=account.l1_address,
            market_index=market_index,
            side=side,
            order_type=OrderType.LIQUIDATION,
            time_in_force=TimeInForce.IOC,
            reduce_only=True,
            price_ticks=price,
            size_lots=lots,
            expiry_ms=0,
            tx_hash="",
            created_us=at_us,
            updated_us=at_us,
            sequence=self.state.next_sequence(),
        )
        self._register(order, effects)
        self.match(order, effects, at_us)
        return effects

    def forced_trade(
        self, account: Account, market_index: int, side: Side, lots: int, kind: str, effects: Effects, at_us: int
    ) -> None:
        """Trade for an account, unasked, with the ambient account at the mark price."""
        price = self.state.mark(market_index)
        trade = self.settlement.forced(account, self.state.ambient, market_index, side, lots, price, kind, at_us)
        effects.trades.append(trade)
        effects.move(account.account_index, market_index)
        self.trim_reduce_only(account.account_index, market_index, effects)

    def forced_fill(self, order: Order, lots: int, pieces: int, at_us: int) -> Effects:
        """Fill an order from an ambient taker at its own price, dead or alive, in one or two trades."""
        effects = Effects()
        lots = min(lots or order.size_lots, order.size_lots - order.filled_lots)
        parts = [lots] if pieces == 1 or lots < 2 else [lots // 2, lots - lots // 2]
        for part in parts:
            if part == 0:
                continue
            if order.is_open:
                execution = self.state.books[order.market_index].fill_resting(order, part)
            else:
                order.filled_lots += part
                execution = Execution(
                    maker=order,
                    taker=None,
                    price_ticks=order.price_ticks,
                    lots=part,
                    taker_side=order.side.opposite,
                )
            self.book_executions(order.market_index, [execution], effects, at_us)
        return effects

    def book_executions(self, market_index: int, executions: list[Execution], effects: Effects, at_us: int) -> None:
        """Account for what was filled; reduce-only orders shrink with the positions that it changed."""
        before = len(effects.trades)
        self.settlement.book(market_index, executions, effects, at_us)
        for account_index in self.settlement.parties(effects.trades[before:]):
            self.trim_reduce_only(account_index, market_index, effects)

    def trim_reduce_only(self, account_index: int, market_index: int, effects: Effects) -> None:
        """A resting reduce-only order never outlives or exceeds what it may reduce; one that rests only now neither."""
        rested = {order.order_index: order for order in effects.rested if order.account_index == account_index}
        for order in [*{**self.state.open_of[account_index], **rested}.values()]:
            if not order.reduce_only or order.market_index != market_index or not order.is_open:
                continue
            reducible = self._reducible(account_index, market_index, order.side)
            if reducible == 0:
                self.end(order, OrderStatus.CANCELED_REDUCE_ONLY, effects)
            elif order.leaves_lots > reducible:
                order.size_lots = order.filled_lots + reducible
                effects.touch(order)
