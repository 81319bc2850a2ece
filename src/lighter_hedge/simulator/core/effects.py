"""What one operation touched, and how it is told. Pure.

After a fill the recordings show, in this order: orders, trades, positions, and last the transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lighter_hedge.simulator.core.orders import Order, Trade
from lighter_hedge.simulator.core.pushes import AccountTraded, OrdersChanged, PositionsChanged, Push, Traded
from lighter_hedge.simulator.core.state import State


@dataclass(slots=True, kw_only=True)
class Effects:
    """What one operation touched, in order."""

    orders: dict[int, Order] = field(default_factory=dict)
    trades: list[Trade] = field(default_factory=list)
    rested: list[Order] = field(default_factory=list)
    pending: list[Order] = field(default_factory=list)
    """Orders that now wait for their trigger."""
    canceled: list[tuple[Order, int]] = field(default_factory=list)
    """Orders that a transaction cancelled, with the lots that were left."""
    moved: dict[int, dict[int, None]] = field(default_factory=dict)
    """Accounts whose balance or positions changed without an order of theirs, and the markets to show."""
    event_info: str = ""

    def touch(self, order: Order) -> None:
        """Note an order whose state must be reported."""
        self.orders[order.order_index] = order

    def move(self, account_index: int, *market_indices: int) -> None:
        """Note an account whose balance or positions must be reported."""
        self.moved.setdefault(account_index, {}).update(dict.fromkeys(market_indices))


def announce(state: State, effects: Effects, at_us: int) -> list[Push]:
    """Record what was touched and say it, account by account."""
    pushes: list[Push] = []
    by_account: dict[int, list[Order]] = {}
    for order in effects.orders.values():
        by_account.setdefault(order.account_index, []).append(state.note_order(order, at_us))
    for account_index, orders in by_account.items():
        nonce = state.next_sequence()
        pushes.append(OrdersChanged(account_index=account_index, orders=tuple(orders), nonce=nonce))
        pushes += _account(state, effects, account_index)
    for account_index in effects.moved:
        if account_index not in by_account:
            pushes += _account(state, effects, account_index)
    for market_index in dict.fromkeys(trade.market_index for trade in effects.trades):
        trades = tuple(trade for trade in reversed(effects.trades) if trade.market_index == market_index)
        pushes.append(Traded(market_index=market_index, nonce=state.next_sequence(), trades=trades))
    return pushes


def _account(state: State, effects: Effects, account_index: int) -> list[Push]:
    trades = tuple(trade for trade in reversed(effects.trades) if trade.of(account_index))
    markets = dict.fromkeys(trade.market_index for trade in trades) | effects.moved.get(account_index, {})
    found: list[Push] = [AccountTraded(account_index=account_index, trades=trades)] if trades else []
    if trades or account_index in effects.moved:
        found.append(positions_changed(state, account_index, markets))
    return found


def positions_changed(state: State, account_index: int, markets: Iterable[int]) -> PositionsChanged:
    """An account's positions in these markets, and its balance, as they are now."""
    account = state.accounts[account_index]
    return PositionsChanged(
        account_index=account_index,
        positions=tuple(state.position_view(account, market) for market in markets),
        collateral=account.collateral,
        health=state.health(account),
    )
