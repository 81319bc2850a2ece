"""What of an exchange is saved, beside its accounts, orders, trades and transactions. Pure."""

from dataclasses import dataclass, field

from lighter_hedge.simulator.core.accounts import Account
from lighter_hedge.simulator.core.orders import Order, Trade, TxRecord

RESTART_GAP = 1_000_000
"""Numbers skipped at a restart: public events use numbers without being saved."""


@dataclass(slots=True, kw_only=True)
class Counters:
    """Numbers that must never be given out twice, also over a restart."""

    sequence: int = 17_000_000_000
    """The venue's own running number: ``nonce`` of books, orders and transactions."""
    trade_id: int = 26_000_000_000
    asks: dict[int, int] = field(default_factory=dict)
    bids: dict[int, int] = field(default_factory=dict)

    def skip(self, gap: int) -> None:
        """Leave out numbers that were given to public events after the last save."""
        self.sequence += gap
        self.trade_id += gap
        self.asks = {market: index + gap for market, index in self.asks.items()}
        self.bids = {market: index - gap for market, index in self.bids.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """One hour's funding of a market."""

    market_index: int
    rate: int
    """In 1e-8 of the notional."""
    value: int
    """What one unit of the base asset paid, in millionths."""
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionFunding:
    """What one position paid or received at one hour."""

    funding_id: int
    market_index: int
    rate: int
    change: int
    """In millionths; what came to the account."""
    lots: int
    """Signed."""
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFunding:
    """A funding payment, and whose it is."""

    account_index: int
    payment: PositionFunding


KEPT_OF_MARKET = (
    "mark_ticks",
    "index_ticks",
    "last_ticks",
    "open_ticks",
    "low_ticks",
    "high_ticks",
    "volume_lots",
    "volume_quote",
    "trade_count",
    "halted",
    "force_reduce_only",
    "premium_sum",
    "premium_count",
    "premium_minute",
    "funding_rate",
    "funded_us",
)
"""What of a market is saved: every minute, and when it is paid for or set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What belongs to no client: the ambient account, the insurance fund, and the markets by ``KEPT_OF_MARKET``."""

    ambient: Account
    insurance: int
    markets: dict[int, dict[str, int]]


@dataclass(slots=True, kw_only=True)
class Changes:
    """Records that differ from what was last saved."""

    accounts: list[Account]
    orders: list[Order]
    trades: list[Trade]
    txs: list[TxRecord]
    fundings: list[Funding] = field(default_factory=list)
    account_fundings: list[AccountFunding] = field(default_factory=list)
    counters: Counters
    house: House | None = None
    """Unless it is as it was."""
    forgotten: list[tuple[str, str]] = field(default_factory=list)
    """Kind and id of records that are no longer remembered."""

    @property
    def empty(self) -> bool:
        """Whether nothing needs saving."""
        changed = self.accounts or self.orders or self.trades or self.txs or self.forgotten
        return not (changed or self.fundings or self.account_fundings or self.house)
