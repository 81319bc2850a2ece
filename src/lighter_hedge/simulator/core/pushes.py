"""Facts that the exchange tells its subscribers. ``edge/channels.py`` says on which channels, as which frames.

One fact may become frames of several channels; their order within and between facts is the order on the wire.
"""

from dataclasses import dataclass
from typing import TypeAlias

from lighter_hedge.simulator.core.accounts import Health
from lighter_hedge.simulator.core.orders import Order, Trade, TxRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class BookChanged:
    """A batch of levels, or the whole book; sizes are absolute, 0 deletes."""

    market_index: int
    begin_nonce: int
    nonce: int
    offset: int
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]
    at_us: int
    """When the book last changed; 0 is never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BestChanged:
    """Best prices and sizes; ``None`` is an empty side."""

    market_index: int
    nonce: int
    bid: tuple[int, int] | None
    ask: tuple[int, int] | None
    at_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Traded:
    """Public trades of one moment, liquidations among them, newest first."""

    market_index: int
    nonce: int
    trades: tuple[Trade, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketStats:
    """State of a market. Prices in ticks, volumes in lots and quote millionths."""

    market_index: int
    mark_ticks: int
    index_ticks: int
    last_ticks: int
    bid_ticks: int
    ask_ticks: int
    low_ticks: int
    high_ticks: int
    open_ticks: int
    volume_lots: int
    volume_quote: int
    trade_count: int
    at_us: int
    current_rate: int = 0
    """The running hour's funding rate, as an estimate; in 1e-8."""
    funding_rate: int = 0
    """The last one that was paid; in 1e-8, positive means that longs pay."""
    funded_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersChanged:
    """New states of an account's orders."""

    account_index: int
    orders: tuple[Order, ...]
    nonce: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTraded:
    """Trades of an account: ``account_all`` (trades only), then ``account_all_trades``."""

    account_index: int
    trades: tuple[Trade, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionView:
    """One position with all that its JSON shows."""

    market_index: int
    lots: int
    entry_quote: int
    mark_ticks: int
    unrealized_pnl: int
    realized_pnl: int
    margin_fraction: int
    open_order_count: int
    liquidation_ticks: int
    pending_order_count: int = 0
    is_isolated: bool = False
    allocated: int = 0
    funding_paid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionsChanged:
    """``user_stats``, then ``account_all`` (positions only), then ``account_all_positions``."""

    account_index: int
    positions: tuple[PositionView, ...]
    collateral: int
    health: Health


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingPaid:
    """Funding of one position at one hour: ``account_all`` (funding only)."""

    account_index: int
    market_index: int
    funding_id: int
    rate: int
    """For the hour, in 1e-8 of the notional; positive is paid by longs."""
    change: int
    """In millionths; what came to the account."""
    lots: int
    """Signed position at that moment."""
    at_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TxExecuted:
    """``account_tx``: a transaction has run."""

    account_index: int
    tx: TxRecord


Push: TypeAlias = (
    BookChanged
    | BestChanged
    | Traded
    | MarketStats
    | OrdersChanged
    | AccountTraded
    | PositionsChanged
    | FundingPaid
    | TxExecuted
)
