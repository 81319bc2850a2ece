"""Accounts: collateral, positions, API keys, fees and margin. Pure integers; quote amounts in millionths.

Every fill keeps ``collateral - sign * entry_quote`` of an account changed by exactly the traded quote and the
fee, so that over all accounts together nothing is made or lost: rounding stays inside ``entry_quote``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from lighter_hedge.domain.units import MarketSpec, Side
from lighter_hedge.simulator.core.markets import CLOSEOUT_FRACTION
from lighter_hedge.simulator.core.orders import Order
from lighter_hedge.simulator.core.stakes import NO_STAKE, Stake, stake_of

FEE_SCALE = 1_000_000
MARGIN_SCALE = 10_000


class Tier(Enum):
    """Tier of a wallet; decides fees, latencies and rate limits."""

    STANDARD = "standard"
    PREMIUM = "premium"
    PLUS = "plus"
    BUILDER = "builder"
    """Reads more; in all else standard."""
    UNLIMITED = "unlimited"
    """Not of the venue: no fees, no latency, no limits."""

    @property
    def maker_fee(self) -> int:
        """In 1e-6 of the notional (fact sheet, section 5, fees), without staked LIT."""
        return _FEES.get(self.value, (0, 0))[0]

    @property
    def taker_fee(self) -> int:
        """In 1e-6 of the notional, without staked LIT."""
        return _FEES.get(self.value, (0, 0))[1]


_FEES = {"premium": (40, 280), "plus": (50, 50)}


@dataclass(slots=True, kw_only=True)
class ApiKey:
    """One API key of an account."""

    api_key_index: int
    public_key: str
    """80 hex digits without 0x."""
    nonce: int = 0
    """The nonce that the next transaction must carry."""
    last_due_us: int = 0
    """When the last accepted transaction of this key executes: later ones wait for it."""


@dataclass(slots=True, kw_only=True)
class ApiToken:
    """A read-only token that an account has made."""

    token_id: int
    text: str
    name: str
    expiry_s: int
    sub_account_access: bool
    scopes: str
    revoked: bool = False


@dataclass(slots=True, kw_only=True)
class Position:
    """Position of one account in one market."""

    market_index: int
    lots: int = 0
    """Signed."""
    entry_quote: int = 0
    """Cost of the open lots, never negative."""
    realized_pnl: int = 0
    margin_fraction: int = 500
    """Initial margin that this account has chosen for the market, in 1e-4."""
    is_isolated: bool = False
    """Whether the position stands on its own margin alone."""
    allocated: int = 0
    """Margin set aside for an isolated position, in millionths; not part of the collateral."""
    funding_paid: int = 0
    """In all, in millionths; negative where more was received."""


@dataclass(slots=True, kw_only=True)
class Account:
    """One account of a wallet."""

    account_index: int
    name: str
    l1_address: str
    tier: Tier
    collateral: int
    keys: dict[int, ApiKey] = field(default_factory=dict)
    positions: dict[int, Position] = field(default_factory=dict)
    account_type: int = 0
    created_us: int = 0
    cancel_all_us: int = 0
    """When the scheduled cancel-all fires; 0 is never."""
    order_count: int = 0
    trade_count: int = 0
    volume: int = 0
    """Traded quote in all, in millionths."""
    quota_used: int = 0
    """Transactions that used volume quota."""
    quota_free_us: int = 0
    """When the last free transaction was, that used none."""
    tier_changed_us: int = 0
    staked_lit: int = 0
    """Whole LIT; counts for a premium wallet alone."""
    tokens: list[ApiToken] = field(default_factory=list)
    maker_only_keys: list[int] = field(default_factory=list)
    color: str = ""
    """What the account's owner has chosen to show it by."""

    @property
    def stake(self) -> Stake:
        """What the account's stake brings it."""
        return stake_of(self.staked_lit) if self.staked_lit and self.tier is Tier.PREMIUM else NO_STAKE

    @property
    def maker_fee(self) -> int:
        """In 1e-6 of the notional."""
        return self.stake.less(self.tier.maker_fee)

    @property
    def taker_fee(self) -> int:
        """In 1e-6 of the notional."""
        return self.stake.less(self.tier.taker_fee)

    def position(self, market: MarketSpec) -> Position:
        """The position in a market, flat if there was none."""
        found = self.positions.get(market.market_index)
        if found is None:
            found = Position(market_index=market.market_index, margin_fraction=market.initial_margin_fraction)
            self.positions[market.market_index] = found
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class FillEffect:
    """What a fill met and did."""

    lots_before: int
    entry_quote_before: int
    realized_pnl: int
    sign_changed: bool
    fee: int


def apply_fill(account: Account, market: MarketSpec, side: Side, lots: int, quote: int, fee: int) -> FillEffect:
    """Book one fill of ``lots`` for ``quote`` millionths, at a fee rate in 1e-6 of the notional."""
    assert lots > 0
    assert quote >= 0
    position = account.position(market)
    before, entry_before = position.lots, position.entry_quote
    closed = min(lots, abs(before)) if before * side.sign < 0 else 0
    realized = 0
    if closed:
        closed_quote = quote * closed // lots
        closed_entry = entry_before if closed == abs(before) else entry_before * closed // abs(before)
        realized = (closed_entry - closed_quote) * side.sign
        position.entry_quote -= closed_entry
        quote_opened = quote - closed_quote
    else:
        quote_opened = quote
    if position.is_isolated:
        released = position.allocated if closed == abs(before) else position.allocated * closed // abs(before)
        margin = quote_opened * position.margin_fraction // MARGIN_SCALE - released
        position.allocated += margin
        account.collateral -= margin
    if lots > closed:
        position.entry_quote += quote_opened
    else:
        assert quote_opened == 0
    position.lots = before + side.sign * lots
    paid = quote * fee // FEE_SCALE
    position.realized_pnl += realized
    account.collateral += realized - paid
    account.trade_count += 1
    account.volume += quote
    return FillEffect(
        lots_before=before,
        entry_quote_before=entry_before,
        realized_pnl=realized,
        sign_changed=_sign(before) != _sign(position.lots) and position.lots != 0,
        fee=paid,
    )


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Margin state of an account's cross margin, or of one isolated position, in millionths."""

    portfolio_value: int
    initial_requirement: int
    maintenance_requirement: int
    notional: int
    closeout_requirement: int = 0
    isolated_value: int = 0
    """Margin and profit of the isolated positions, which stand apart."""

    @property
    def available(self) -> int:
        """Value that new positions may use; never negative."""
        return max(0, self.portfolio_value - self.initial_requirement)


MAINTENANCE_FRACTION = 120
"""Maintenance margin of both markets, in 1e-4 (recorded orderBookDetails, 2026-05-05)."""


def unrealized_pnl(position: Position, market: MarketSpec, mark_ticks: int) -> int:
    """Profit of the open lots at the mark price."""
    value = market.quote(position.lots, mark_ticks)
    return (value - position.entry_quote) * _sign(position.lots)


def health(account: Account, markets: Mapping[int, MarketSpec], marks: Mapping[int, int]) -> Health:
    """Margin state of the cross margin at the given mark prices in ticks."""
    value, initial, maintenance, closeout, notional, isolated = account.collateral, 0, 0, 0, 0, 0
    for position in account.positions.values():
        if position.lots == 0:
            continue
        market = markets[position.market_index]
        mark = marks.get(position.market_index, 0)
        if position.is_isolated:
            isolated += position.allocated + unrealized_pnl(position, market, mark)
            continue
        size = market.quote(position.lots, mark)
        value += unrealized_pnl(position, market, mark)
        initial += size * position.margin_fraction // MARGIN_SCALE
        maintenance += size * MAINTENANCE_FRACTION // MARGIN_SCALE
        closeout += size * CLOSEOUT_FRACTION // MARGIN_SCALE
        notional += size
    return Health(
        portfolio_value=value,
        initial_requirement=initial,
        maintenance_requirement=maintenance,
        notional=notional,
        closeout_requirement=closeout,
        isolated_value=isolated,
    )


def isolated_health(position: Position, market: MarketSpec, mark_ticks: int) -> Health:
    """Margin state of one isolated position."""
    size = market.quote(position.lots, mark_ticks)
    return Health(
        portfolio_value=position.allocated + unrealized_pnl(position, market, mark_ticks),
        initial_requirement=size * position.margin_fraction // MARGIN_SCALE,
        maintenance_requirement=size * MAINTENANCE_FRACTION // MARGIN_SCALE,
        notional=size,
        closeout_requirement=size * CLOSEOUT_FRACTION // MARGIN_SCALE,
    )


def has_isolated_margin(now: Health, removed: int) -> bool:
    """Whether an isolated position still has its initial margin without ``removed`` millionths."""
    return now.portfolio_value - removed >= now.initial_requirement


def has_margin(
    account: Account,
    order: Order,
    open_orders: list[Order],
    markets: Mapping[int, MarketSpec],
    marks: Mapping[int, int],
) -> bool:
    """Whether the account may hold what ``order`` could bring, beside its other orders of the market.

    An order that cannot make the position larger than it is needs no margin.
    """
    market = markets[order.market_index]
    position = account.position(market)
    same_side = sum(
        other.leaves_lots
        for other in open_orders
        if other.market_index == order.market_index
        and other.side is order.side
        and other is not order
        and other.is_open
    )
    after = position.lots + order.side.sign * (same_side + order.leaves_lots)
    if order.reduce_only or abs(after) <= abs(position.lots):
        return True
    mark = marks.get(order.market_index) or order.price_ticks
    now = health(account, markets, marks)
    grown = market.quote(after, mark) - market.quote(position.lots, mark)
    needed = grown * position.margin_fraction // MARGIN_SCALE
    return needed <= now.portfolio_value - now.initial_requirement
