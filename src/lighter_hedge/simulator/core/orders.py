"""Records of the exchange: orders, trades and transactions, with the venue's own words for their states.

Pure data. ``Order`` and ``TxRecord`` change in place inside the exchange and leave it as copies.
"""

import copy
from dataclasses import dataclass
from enum import Enum, IntEnum

from lighter_hedge.domain.units import Side


class OrderType(IntEnum):
    """Order types that this exchange matches, with the venue's numbers. Not matched: TWAP (6, 7)."""

    LIMIT = 0
    MARKET = 1
    STOP_LOSS = 2
    STOP_LOSS_LIMIT = 3
    TAKE_PROFIT = 4
    TAKE_PROFIT_LIMIT = 5
    LIQUIDATION = 8
    """The venue's own: nobody can send it."""

    @property
    def word(self) -> str:
        """As in JSON, for example ``stop-loss-limit``."""
        return self.name.lower().replace("_", "-")

    @property
    def waits(self) -> bool:
        """Whether the order sleeps until the mark price reaches its trigger."""
        return 2 <= self <= 5

    @property
    def at_market(self) -> bool:
        """Whether the price bounds the average of all fills, not each one (docs, order types and matching)."""
        return self in (OrderType.MARKET, OrderType.STOP_LOSS, OrderType.TAKE_PROFIT)


class TimeInForce(IntEnum):
    """The venue's numbers for time in force."""

    IOC = 0
    GTT = 1
    POST_ONLY = 2

    @property
    def word(self) -> str:
        """As in JSON, for example ``post-only``."""
        return _TIME_IN_FORCE_WORDS[self]


_TIME_IN_FORCE_WORDS = {
    TimeInForce.IOC: "immediate-or-cancel",
    TimeInForce.GTT: "good-till-time",
    TimeInForce.POST_ONLY: "post-only",
}


class SelfTrade(IntEnum):
    """What an incoming order does when it meets an order that counts as its own."""

    EXPIRE_MAKER = 0
    EXPIRE_TAKER = 1
    EXPIRE_BOTH = 2
    REDUCE = 3
    """Both lose what would have traded."""


class SelfTradeEquality(IntEnum):
    """Which orders count as one's own."""

    ACCOUNT = 0
    MASTER_ACCOUNT = 1


class OrderStatus(Enum):
    """The venue's status words. There is no partially-filled and no rejected.

    When an order ends for its position or for an invalid balance is not documented: here by a fault alone.
    """

    PENDING = "pending"
    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    CANCELED_POST_ONLY = "canceled-post-only"
    CANCELED_REDUCE_ONLY = "canceled-reduce-only"
    CANCELED_POSITION_NOT_ALLOWED = "canceled-position-not-allowed"
    CANCELED_MARGIN_NOT_ALLOWED = "canceled-margin-not-allowed"
    CANCELED_TOO_MUCH_SLIPPAGE = "canceled-too-much-slippage"
    CANCELED_NOT_ENOUGH_LIQUIDITY = "canceled-not-enough-liquidity"
    CANCELED_SELF_TRADE = "canceled-self-trade"
    CANCELED_EXPIRED = "canceled-expired"
    CANCELED_OCO = "canceled-oco"
    CANCELED_CHILD = "canceled-child"
    CANCELED_LIQUIDATION = "canceled-liquidation"
    CANCELED_INVALID_BALANCE = "canceled-invalid-balance"

    @property
    def code(self) -> int:
        """The number that ``event_info`` shows."""
        return _STATUS_CODES[self]


_STATUS_CODES = {
    OrderStatus.PENDING: 1,
    OrderStatus.OPEN: 2,
    OrderStatus.FILLED: 3,
    OrderStatus.CANCELED: 4,
    OrderStatus.CANCELED_POST_ONLY: 5,
    OrderStatus.CANCELED_REDUCE_ONLY: 6,
    OrderStatus.CANCELED_POSITION_NOT_ALLOWED: 7,
    OrderStatus.CANCELED_MARGIN_NOT_ALLOWED: 8,
    OrderStatus.CANCELED_TOO_MUCH_SLIPPAGE: 9,
    OrderStatus.CANCELED_NOT_ENOUGH_LIQUIDITY: 10,
    OrderStatus.CANCELED_SELF_TRADE: 11,
    OrderStatus.CANCELED_EXPIRED: 12,
    OrderStatus.CANCELED_OCO: 13,
    OrderStatus.CANCELED_CHILD: 14,
    OrderStatus.CANCELED_LIQUIDATION: 15,
    OrderStatus.CANCELED_INVALID_BALANCE: 16,
}


class TriggerStatus(Enum):
    """What an order still waits for, in the venue's words."""

    NA = "na"
    READY = "ready"
    """Its trigger has fired."""
    MARK_PRICE = "mark-price"
    PARENT_ORDER = "parent-order"

    @property
    def code(self) -> int:
        """The number that ``event_info`` shows; inferred from the order of the words, ``twap`` being 3."""
        return {"na": 0, "ready": 1, "mark-price": 2, "parent-order": 4}[self.value]


@dataclass(slots=True, kw_only=True)
class Order:
    """One order of a real account. Sizes in lots, prices in ticks, times in microseconds."""

    order_index: int
    client_order_index: int
    account_index: int
    wallet: str
    market_index: int
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    reduce_only: bool
    price_ticks: int
    size_lots: int
    expiry_ms: int
    tx_hash: str
    created_us: int
    updated_us: int
    sequence: int
    """Place in the queue at its price; also the venue's ``nonce`` of the order."""
    filled_lots: int = 0
    filled_quote: int = 0
    queue_ahead: int = 0
    """Ambient lots at this price that were there first."""
    status: OrderStatus = OrderStatus.OPEN
    self_trade: SelfTrade = SelfTrade.EXPIRE_MAKER
    equality: SelfTradeEquality = SelfTradeEquality.ACCOUNT
    height: int = 0
    version: int = 0
    trigger_ticks: int = 0
    trigger_status: TriggerStatus = TriggerStatus.NA
    triggered_us: int = 0
    parent_index: int = 0
    """Order index of the order whose fills wake this one."""
    to_trigger: tuple[int, ...] = ()
    """Order indices that wake when this one is filled."""
    to_cancel: int = 0
    """Order index that dies when this one fires or is filled."""

    @property
    def leaves_lots(self) -> int:
        """Lots that may still be filled; 0 once the order is dead."""
        alive = self.status is OrderStatus.OPEN or self.status is OrderStatus.PENDING
        return self.size_lots - self.filled_lots if alive else 0

    @property
    def is_open(self) -> bool:
        """Whether the order rests in the book, or is being matched."""
        return self.status is OrderStatus.OPEN

    @property
    def is_alive(self) -> bool:
        """Whether the order may still be filled: open, or pending its trigger."""
        return self.status is OrderStatus.OPEN or self.status is OrderStatus.PENDING

    def copied(self) -> "Order":
        """The order as it is now, unaffected by what comes later."""
        return copy.copy(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeSide:
    """One party of a trade and its position just before."""

    account_index: int
    order_index: int
    client_order_index: int
    fee: int = 0
    """In 1e-6 of the notional; 0 is left out on the wire."""
    lots_before: int = 0
    entry_quote_before: int = 0
    margin_fraction: int = 0
    sign_changed: bool = False
    realized_pnl: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One execution. ``ambient`` parties carry the index of the ambient account."""

    trade_id: int
    market_index: int
    price_ticks: int
    lots: int
    quote: int
    maker: TradeSide
    taker: TradeSide
    is_maker_ask: bool
    time_us: int
    height: int
    kind: str = "trade"
    """``trade``, ``liquidation``, ``deleverage`` or ``market-settlement``."""

    @property
    def is_forced(self) -> bool:
        """Whether the venue itself has made the trade, not an order that somebody sent."""
        return self.kind != "trade"

    @property
    def ask(self) -> TradeSide:
        """The seller."""
        return self.maker if self.is_maker_ask else self.taker

    @property
    def bid(self) -> TradeSide:
        """The buyer."""
        return self.taker if self.is_maker_ask else self.maker

    def of(self, account_index: int) -> bool:
        """Whether the account is a party of this trade."""
        return account_index in (self.maker.account_index, self.taker.account_index)


TX_FAILED = 0
TX_PENDING = 1
TX_EXECUTED = 2


@dataclass(slots=True, kw_only=True)
class TxRecord:
    """One accepted transaction, from acceptance to execution. Times in microseconds."""

    tx_hash: str
    tx_type: int
    info: str
    """The signed JSON text as it was sent."""
    account_index: int
    api_key_index: int
    l1_address: str
    nonce: int
    expire_at_ms: int
    queued_us: int
    due_us: int
    sequence_index: int
    status: int = TX_PENDING
    executed_us: int = 0
    height: int = 0
    event_info: str = ""

    def copied(self) -> "TxRecord":
        """The record as it is now."""
        return copy.copy(self)
