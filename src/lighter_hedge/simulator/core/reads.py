"""What REST reads see. Pure. ``cutoff_us`` hides what is newer: the read lag of the venue's history."""

from lighter_hedge.simulator.core.orders import TX_PENDING, Order, Trade, TxRecord
from lighter_hedge.simulator.core.state import State


def as_of(state: State, order_index: int, cutoff_us: int) -> Order | None:
    """The order as it was at the cutoff, or None if it did not yet exist."""
    for version in reversed(state.versions.get(order_index, [])):
        if version.updated_us <= cutoff_us:
            return version
    return None


def orders(state: State, account_index: int, cutoff_us: int, market_index: int | None) -> list[Order]:
    """All orders of an account, newest first."""
    found = (as_of(state, index, cutoff_us) for index in reversed(state.orders_of.get(account_index, [])))
    return [
        order for order in found if order is not None and (market_index is None or order.market_index == market_index)
    ]


def by_client_indexes(state: State, account_index: int, cutoff_us: int, client_order_indexes: set[int]) -> list[Order]:
    """Orders with the given client order indexes, newest first."""
    return [
        order
        for order in orders(state, account_index, cutoff_us, None)
        if order.client_order_index in client_order_indexes
    ]


def trades(state: State, account_index: int, cutoff_us: int, market_index: int | None) -> list[Trade]:
    """Trades of an account, newest first."""
    return [
        trade
        for trade in reversed(state.trades_of.get(account_index, []))
        if trade.time_us <= cutoff_us and (market_index is None or trade.market_index == market_index)
    ]


def transaction(tx: TxRecord, cutoff_us: int) -> TxRecord | None:
    """The transaction as it was at the cutoff."""
    if tx.queued_us > cutoff_us:
        return None
    if tx.executed_us <= cutoff_us:
        return tx
    shown = tx.copied()
    shown.status, shown.executed_us, shown.height, shown.event_info = TX_PENDING, 0, 0, ""
    return shown
