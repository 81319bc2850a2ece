"""What the history holds: rows as people read them. Money is in millionths of a dollar, sizes in lots, prices in ticks.

Everything here can be made again from what the venue knows, except ``EventRow`` and ``TimingRow``.
"""

from dataclasses import dataclass, field
from typing import Final

from lighter_hedge.domain.states import Role

HISTORY_FILE: Final = "history.sqlite"
"""In the folder of the journals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeRow:
    """One execution of one account, unique by (account, trade id)."""

    role: Role
    trade_id: int
    at_ms: int
    """The venue's time, Unix milliseconds."""
    coid: int
    """Client order index; 0 where the venue does not say."""
    order_index: int
    lots: int
    """Signed: what the account bought."""
    price: int
    quote: int
    """Millionths of a dollar, without sign."""
    fee: int
    """Millionths of a dollar that the account paid; negative for a rebate."""
    maker: bool
    kind: str
    """``trade``, ``liquidation``, ``deleverage`` or ``market-settlement``."""
    counterparty: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """One order of one account."""

    role: Role
    coid: int
    round: int
    """0 where nobody says: then the order of time decides."""
    lots: int
    """Signed."""
    filled: int
    """Without sign."""
    filled_quote: int
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingRow:
    """One funding payment of one account."""

    role: Role
    funding_id: int
    at_ms: int
    amount: int
    """Millionths of a dollar; positive where the account received."""
    lots: int
    """Signed position that it was for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """An account as the venue last showed it."""

    role: Role
    at_ms: int
    lots: int
    """Signed position."""
    entry: str
    """Average entry price as the venue writes it."""
    mark: int
    """Ticks; 0 while not known."""
    unrealized: int
    collateral: int
    available: int
    liquidation: str
    """Price at which the account is liquidated, as the venue writes it; empty for none."""
    open_orders: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a set of trades came to: the parts, each for itself, and their sum. Millionths of a dollar."""

    volume: int = 0
    """Of A and B together."""
    cash: int = 0
    """Sold less bought, at the prices of the trades."""
    fees: int = 0
    funding: int = 0
    slippage: int = 0
    """What B's fills cost beyond A's fill prices."""
    open_value: int = 0
    """Signed worth of what is still held, at the mark price."""

    @property
    def pnl(self) -> int:
        """Cash flow + funding − fees + worth of what is still held."""
        return self.cash + self.funding - self.fees + self.open_value

    @property
    def per_10k(self) -> int:
        """Cost per 10,000 dollars of volume (磨损), millionths: negative PnL is a positive cost."""
        return -self.pnl * 10_000_000_000 // self.volume if self.volume else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundRow:
    """One round: a quote of A and the hedges of what it filled."""

    round: int
    leg: str
    """``open`` or ``close``; ``""`` where nobody said."""
    began_ms: int
    """First fill of A, or the quote's own time."""
    ended_ms: int
    """Last fill of either side."""
    maker_lots: int
    """Signed."""
    hedger_lots: int
    result: str
    """``hedged``, ``residual``, ``unhedged``, ``open``, ``cleared``."""
    costs: Costs
    latency_us: int | None
    """From A's fill in to B's hedge leaving, the slowest of the round; None where nobody measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingRow:
    """Stages of one hedge: stage to microseconds after A's fill came in (or after B heard of it, where A is silent)."""

    round: int
    coid: int
    at_ms: int
    lots: int
    armed: bool
    stages: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One line of a log."""

    id: int
    at_ms: int
    source: str
    level: str
    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundDetail:
    """Everything about one round."""

    row: RoundRow
    orders: tuple[OrderRow, ...]
    trades: tuple[TradeRow, ...]
    timings: tuple[TimingRow, ...]
    events: tuple[EventRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over a span of time."""

    since_ms: int
    until_ms: int
    rounds: int
    rounds_failed: int
    costs: Costs
    by_account: dict[Role, Costs]
    errors: int
    warnings: int
    latency_us: tuple[int, int] | None
    """p50 and p95 from A's fill in to B's hedge leaving."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One step of the charts: positions after a trade, and the cumulative cost so far."""

    at_ms: int
    maker_lots: int
    hedger_lots: int
    cost: int
    """Millionths of a dollar since the beginning of the series."""
