"""What transactions, traffic and faults do to books, orders and positions. Pure: time comes with each call.

Each operation collects what it touched in ``Effects``; ``announce`` turns that into pushes, in the order that
the recordings show after a fill: orders, trades, positions, and last the transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core import eventinfo
from lighter_hedge.simulator.core.accounts import Account, apply_fill, has_margin
from lighter_hedge.simulator.core.matching import Execution
from lighter_hedge.simulator.core.orders import (
    Order,
    OrderStatus,
    OrderType,
    TimeInForce,
    Trade,
    TradeSide,
    TxRecord,
)
from lighter_hedge.simulator.core.pushes import (
    AccountTraded,
    OrdersChanged,
    PositionsChanged,
    Push,
    Traded,
)
from lighter_hedge.simulator.core.state import State
from lighter_hedge.simulator.core.transactions import (
    VENUE_INDEX_MIN,
    CancelAll,
    CancelOrder,
    CreateOrder,
    ModifyOrder,
    UpdateLeverage,
)

EXPIRY_MIN_MS = 5 * 60 * 1000
"""A resting order that expires sooner is dropped in silence (fact sheet, section 6, #87)."""


@dataclass(slots=True, kw_only=True)
class Effects:
    """What one operation touched, in order."""

    orders: dict[int, Order] = field(default_factory=dict)
    trades: list[Trade] = field(default_factory=list)
    rested: list[Order] = field(default_factory=list)
    canceled: list[tuple[Order, int]] = field(default_factory=list)
    """Orders that a transaction cancelled, with the lots that were left."""
    event_info: str = ""

    def touch(self, order: Order) -> None:
        """Note an order whose state must be reported."""
        self.orders[order.order_index] = order


class Engine:
    """Executes against the state."""

    def __init__(self, state: State) -> None:
        self.state = state

    def create(self, tx: TxRecord, body: CreateOrder, at_us: int) -> Effects:
        """Execute a CreateOrder."""
        effects = Effects()
        order = self._new_order(tx, body, at_us)
        refused = self._refused(order, body, at_us)
        if refused is not None:
            effects.event_info = eventinfo.refused_event(*refused)
            return effects
        order.order_index = self.state.next_order_index(order.market_index, order.side)
        account = self.state.accounts[order.account_index]
        account.order_count += 1
        effects.touch(order)
        book = self.state.books[order.market_index]
        makers: list[Order] = []
        if not self._has_margin(account, order):
            order.status = OrderStatus.CANCELED_MARGIN_NOT_ALLOWED
        elif order.time_in_force is TimeInForce.POST_ONLY and book.crosses(order.side, order.price_ticks):
            order.status = OrderStatus.CANCELED_POST_ONLY
        else:
            makers = self._match(order, effects, at_us)
        maker = makers[-1] if makers else None
        trade = effects.trades[-1] if effects.trades else None
        effects.event_info = eventinfo.order_event(order.market_index, order, trade, maker)
        self.state.note_account(account)
        return effects

    def _new_order(self, tx: TxRecord, body: CreateOrder, at_us: int) -> Order:
        size = body.size_lots
        if body.reduce_only:
            position = self._position_lots(tx.account_index, body.market_index)
            reducible = max(0, -position * body.side.sign)
            size = min(size, reducible) if size else reducible
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
            size_lots=size,
            expiry_ms=body.expiry_ms,
            tx_hash=tx.tx_hash,
            created_us=at_us,
            updated_us=at_us,
            sequence=self.state.next_sequence(),
            self_trade=body.self_trade,
            equality=body.equality,
        )

    def _refused(self, order: Order, body: CreateOrder, at_us: int) -> tuple[int, str] | None:
        if order.client_order_index and self.open_by_client(order.account_index, order.client_order_index):
            return eventinfo.CLIENT_INDEX_EXISTS
        if body.time_in_force is not TimeInForce.IOC and body.expiry_ms < at_us // 1000 + EXPIRY_MIN_MS:
            return eventinfo.EXPIRY_TOO_SOON
        if order.size_lots == 0:
            return 21740, "invalid reduce only direction"
        return None

    def _match(self, order: Order, effects: Effects, at_us: int) -> list[Order]:
        book = self.state.books[order.market_index]
        if order.time_in_force is TimeInForce.POST_ONLY:
            book.rest(order)
            effects.rested.append(order)
            return []
        walk = book.take(order, order.price_ticks)
        self._book_executions(order.market_index, walk.executions, effects, at_us)
        for maker in walk.expired_makers:
            effects.touch(maker)
        if order.filled_lots == order.size_lots:
            order.status = OrderStatus.FILLED
        elif walk.taker_expired:
            order.status = OrderStatus.CANCELED_SELF_TRADE
        elif order.time_in_force is TimeInForce.GTT:
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

    def _position_lots(self, account_index: int, market_index: int) -> int:
        account = self.state.accounts[account_index]
        return account.position(self.state.markets[market_index]).lots

    def open_by_client(self, account_index: int, client_order_index: int) -> Order | None:
        """The open order with this client order index, in any market."""
        for order in self.state.open_of[account_index].values():
            if order.client_order_index == client_order_index:
                return order
        return None

    def find_open(self, account_index: int, market_index: int, index: int) -> Order | None:
        """The open order that a cancel or modify means: by venue index, or below 2**48 by client index."""
        if index >= VENUE_INDEX_MIN:
            order = self.state.open_of[account_index].get(index)
        else:
            order = self.open_by_client(account_index, index)
        return order if order is not None and order.market_index == market_index else None

    def cancel(self, tx: TxRecord, body: CancelOrder, at_us: int) -> Effects:
        """Execute a CancelOrder; a dead order is an acknowledged no-op."""
        effects = Effects()
        order = self.find_open(tx.account_index, body.market_index, body.index)
        if order is not None:
            self.end(order, OrderStatus.CANCELED, effects)
        effects.event_info = eventinfo.cancel_event(tx.account_index, order, body.index)
        return effects

    def cancel_all(self, account_index: int, body: CancelAll) -> Effects:
        """Cancel the account's open orders, of one market or of all."""
        effects = Effects(event_info=eventinfo.plain_event())
        for order in list(self.state.open_of[account_index].values()):
            if body.market_index is None or order.market_index == body.market_index:
                self.end(order, OrderStatus.CANCELED, effects)
        return effects

    def end(self, order: Order, status: OrderStatus, effects: Effects) -> None:
        """Take a resting order out of the book."""
        if status is OrderStatus.CANCELED:
            effects.canceled.append((order, order.leaves_lots))
        self.state.books[order.market_index].remove(order)
        order.status = status
        effects.touch(order)

    def modify(self, tx: TxRecord, body: ModifyOrder, at_us: int) -> Effects:
        """Execute a ModifyOrder: new total size and price, at the end of the queue of its price."""
        effects = Effects()
        order = self.find_open(tx.account_index, body.market_index, body.index)
        old = None if order is None else order.copied()
        if order is not None:
            book = self.state.books[order.market_index]
            book.remove(order)
            order.size_lots, order.price_ticks = body.size_lots, body.price_ticks
            order.sequence = self.state.next_sequence()
            order.version += 1
            effects.touch(order)
            if order.size_lots <= order.filled_lots:
                order.size_lots = order.filled_lots
                order.status = OrderStatus.FILLED
            elif order.time_in_force is TimeInForce.POST_ONLY and book.crosses(order.side, order.price_ticks):
                order.status = OrderStatus.CANCELED_POST_ONLY
            elif not self._has_margin(self.state.accounts[order.account_index], order):
                order.status = OrderStatus.CANCELED_MARGIN_NOT_ALLOWED
            else:
                self._match(order, effects, at_us)
        effects.event_info = eventinfo.modify_event(body.market_index, old, order)
        return effects

    def update_leverage(self, tx: TxRecord, body: UpdateLeverage) -> Effects:
        """Execute an UpdateLeverage: the account's initial margin fraction of a market."""
        account = self.state.accounts[tx.account_index]
        account.position(self.state.markets[body.market_index]).margin_fraction = body.margin_fraction
        self.state.note_account(account)
        return Effects(event_info=eventinfo.plain_event())

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
            self._book_executions(order.market_index, [execution], effects, at_us)
        return effects

    def traffic_executions(self, market_index: int, executions: list[Execution], at_us: int) -> Effects:
        """Account for what the traffic filled."""
        effects = Effects()
        self._book_executions(market_index, executions, effects, at_us)
        return effects

    def forced_trade(
        self, account_index: int, market_index: int, side: Side, lots: int, kind: str, at_us: int
    ) -> Trade:
        """The venue trades for an account, unasked, at the mark price: a liquidation, a deleveraging."""
        price = self.state.mark(market_index)
        market, account = self.state.markets[market_index], self.state.accounts[account_index]
        quote = market.quote(lots, price)
        effect = apply_fill(account, market, side, lots, quote, 0)
        self.state.note_account(account)
        taker = TradeSide(
            account_index=account_index,
            order_index=self.state.next_order_index(market_index, side),
            client_order_index=0,
            lots_before=effect.lots_before,
            entry_quote_before=effect.entry_quote_before,
            margin_fraction=account.position(market).margin_fraction,
            sign_changed=effect.sign_changed,
            realized_pnl=effect.realized_pnl,
        )
        trade = Trade(
            trade_id=self.state.next_trade_id(),
            market_index=market_index,
            price_ticks=price,
            lots=lots,
            quote=quote,
            maker=self._ambient_side(market_index, side.opposite),
            taker=taker,
            is_maker_ask=side is Side.BID,
            time_us=at_us,
            height=self.state.height(at_us),
            kind=kind,
        )
        self.state.note_trade(trade)
        return trade

    def ambient_trade(self, market_index: int, price: int, lots: int, taker_side: Side, at_us: int) -> Trade:
        """A public trade between others."""
        trade = Trade(
            trade_id=self.state.next_trade_id(),
            market_index=market_index,
            price_ticks=price,
            lots=lots,
            quote=self.state.markets[market_index].quote(lots, price),
            maker=self._ambient_side(market_index, taker_side.opposite),
            taker=self._ambient_side(market_index, taker_side),
            is_maker_ask=taker_side is Side.BID,
            time_us=at_us,
            height=self.state.height(at_us),
        )
        self.state.note_trade(trade)
        return trade

    def _ambient_side(self, market_index: int, side: Side) -> TradeSide:
        return TradeSide(
            account_index=self.state.ambient.account_index,
            order_index=self.state.next_order_index(market_index, side),
            client_order_index=0,
            margin_fraction=self.state.markets[market_index].initial_margin_fraction,
        )

    def _book_executions(self, market_index: int, executions: list[Execution], effects: Effects, at_us: int) -> None:
        for execution in executions:
            effects.trades.append(self._settle(market_index, execution, at_us))
            for order in (execution.maker, execution.taker):
                if order is not None:
                    if order.filled_lots == order.size_lots:
                        order.status = OrderStatus.FILLED
                    effects.touch(order)
        for account_index in {index for trade in effects.trades for index in self._parties(trade)}:
            self._trim_reduce_only(account_index, market_index, effects)

    def _parties(self, trade: Trade) -> list[int]:
        indices = dict.fromkeys((trade.taker.account_index, trade.maker.account_index))
        return [index for index in indices if index in self.state.accounts]

    def _settle(self, market_index: int, execution: Execution, at_us: int) -> Trade:
        quote = self.state.markets[market_index].quote(execution.lots, execution.price_ticks)
        taker_side = execution.taker_side
        maker = self._settle_side(market_index, execution.maker, taker_side.opposite, execution.lots, quote, True)
        taker = self._settle_side(market_index, execution.taker, taker_side, execution.lots, quote, False)
        trade = Trade(
            trade_id=self.state.next_trade_id(),
            market_index=market_index,
            price_ticks=execution.price_ticks,
            lots=execution.lots,
            quote=quote,
            maker=maker,
            taker=taker,
            is_maker_ask=taker_side is Side.BID,
            time_us=at_us,
            height=self.state.height(at_us),
        )
        self.state.note_trade(trade)
        return trade

    def _settle_side(
        self, market_index: int, order: Order | None, side: Side, lots: int, quote: int, is_maker: bool
    ) -> TradeSide:
        market = self.state.markets[market_index]
        account = self.state.ambient if order is None else self.state.accounts[order.account_index]
        fee = 0 if order is None else (account.tier.maker_fee if is_maker else account.tier.taker_fee)
        effect = apply_fill(account, market, side, lots, quote, fee)
        self.state.note_account(account)
        if order is not None:
            order.filled_quote += quote
        ambient_index = self.state.next_order_index(market_index, side) if order is None else 0
        return TradeSide(
            account_index=account.account_index,
            order_index=ambient_index if order is None else order.order_index,
            client_order_index=0 if order is None else order.client_order_index,
            fee=fee,
            lots_before=effect.lots_before,
            entry_quote_before=effect.entry_quote_before,
            margin_fraction=account.position(market).margin_fraction,
            sign_changed=effect.sign_changed,
            realized_pnl=effect.realized_pnl,
        )

    def _trim_reduce_only(self, account_index: int, market_index: int, effects: Effects) -> None:
        """A resting reduce-only order never outlives or exceeds what it may reduce."""
        position = self._position_lots(account_index, market_index)
        for order in list(self.state.open_of[account_index].values()):
            if not order.reduce_only or order.market_index != market_index or not order.is_open:
                continue
            reducible = max(0, -position * order.side.sign)
            if reducible == 0:
                self.end(order, OrderStatus.CANCELED_REDUCE_ONLY, effects)
            elif order.leaves_lots > reducible:
                order.size_lots = order.filled_lots + reducible
                effects.touch(order)

    def announce(self, effects: Effects, at_us: int) -> list[Push]:
        """Record what was touched and say it, account by account."""
        pushes: list[Push] = []
        by_account: dict[int, list[Order]] = {}
        for order in effects.orders.values():
            by_account.setdefault(order.account_index, []).append(self.state.note_order(order, at_us))
        for account_index, orders in by_account.items():
            nonce = self.state.next_sequence()
            pushes.append(OrdersChanged(account_index=account_index, orders=tuple(orders), nonce=nonce))
            trades = tuple(trade for trade in reversed(effects.trades) if trade.of(account_index))
            if trades:
                pushes.append(AccountTraded(account_index=account_index, trades=trades))
                pushes.append(self._positions(account_index, trades))
        for market_index in dict.fromkeys(trade.market_index for trade in effects.trades):
            trades = tuple(trade for trade in reversed(effects.trades) if trade.market_index == market_index)
            pushes.append(Traded(market_index=market_index, nonce=self.state.next_sequence(), trades=trades))
        return pushes

    def announce_forced(self, trade: Trade, account_index: int) -> list[Push]:
        """Say what ``forced_trade`` did."""
        return [
            AccountTraded(account_index=account_index, trades=(trade,)),
            self._positions(account_index, (trade,)),
            Traded(market_index=trade.market_index, nonce=self.state.next_sequence(), trades=(trade,)),
        ]

    def _positions(self, account_index: int, trades: tuple[Trade, ...]) -> PositionsChanged:
        return self.positions(account_index, dict.fromkeys(trade.market_index for trade in trades))

    def positions(self, account_index: int, markets: Iterable[int]) -> PositionsChanged:
        """An account's positions in these markets, and its balance, as they are now."""
        account = self.state.accounts[account_index]
        return PositionsChanged(
            account_index=account_index,
            positions=tuple(self.state.position_view(account, market) for market in markets),
            collateral=account.collateral,
            health=self.state.health(account),
        )


def is_taker(body: CreateOrder) -> bool:
    """Whether the taker latency applies: immediate-or-cancel and market orders."""
    return body.time_in_force is TimeInForce.IOC or body.order_type is OrderType.MARKET
