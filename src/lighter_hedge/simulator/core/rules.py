"""What may differ between venues, tiers and tests: latencies, minimums, limits. Pure.

Every value here is of the venue's documents, not measured: keep it a parameter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.orders import TimeInForce
from lighter_hedge.simulator.core.stakes import Stake
from lighter_hedge.simulator.core.transactions import (
    CancelAll,
    CancelOrder,
    CreateGroup,
    CreateOrder,
    ModifyOrder,
    TxBody,
)

CHAIN_ID = 304


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long the sequencer holds a transaction back, in microseconds."""

    taker_us: int = 0
    maker_us: int = 0
    cancel_us: int = 0

    def of(self, body: TxBody) -> int:
        """How long a transaction is held back."""
        match body:
            case CreateOrder():
                return self.taker_us if is_taker(body) else self.maker_us
            case CreateGroup():
                return self.taker_us if is_taker(body.orders[0]) else self.maker_us
            case CancelOrder() | CancelAll() | ModifyOrder():
                return self.cancel_us
            case _:
                return 0

    def staked(self, stake: Stake) -> "Latency":
        """The same for a wallet with this stake: takers wait less."""
        return replace(self, taker_us=stake.less(self.taker_us)) if stake.discount else self

    def scaled(self, factor: float) -> "Latency":
        """The same, all multiplied by ``factor``."""
        return Latency(
            taker_us=int(self.taker_us * factor),
            maker_us=int(self.maker_us * factor),
            cancel_us=int(self.cancel_us * factor),
        )


_JANUARY = {
    Tier.STANDARD: Latency(taker_us=300_000, maker_us=200_000, cancel_us=100_000),
    Tier.PREMIUM: Latency(taker_us=150_000),
    Tier.PLUS: Latency(taker_us=300_000, maker_us=200_000),
    Tier.BUILDER: Latency(taker_us=300_000, maker_us=200_000, cancel_us=100_000),
    Tier.UNLIMITED: Latency(),
}
LATENCIES: dict[str, dict[Tier, Latency]] = {
    "2026-01": _JANUARY,
    "2026-07": {
        **_JANUARY,
        Tier.STANDARD: Latency(taker_us=300_000, maker_us=200_000, cancel_us=200_000),
        Tier.BUILDER: Latency(taker_us=300_000, maker_us=200_000, cancel_us=200_000),
        Tier.PREMIUM: Latency(taker_us=200_000),
    },
    "2026-09": {
        **_JANUARY,
        Tier.STANDARD: Latency(taker_us=300_000, cancel_us=300_000),
        Tier.BUILDER: Latency(taker_us=300_000, cancel_us=300_000),
        Tier.PREMIUM: Latency(taker_us=200_000),
    },
}
"""What the venue's documents said in which month (fact sheet, section 5, latency bump). September says nothing of
premium: July's stands; plus is known of July alone."""
DEFAULT_LATENCIES: dict[Tier, Latency] = LATENCIES["2026-01"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How many orders and accounts a tier may have; of orders, in all and of one market."""

    open_account: int
    open_market: int
    pending_account: int
    pending_market: int
    sub_accounts: int


_STANDARD_CAPS = Caps(open_account=250, open_market=30, pending_account=50, pending_market=10, sub_accounts=4)
CAPS: dict[Tier, Caps] = {
    Tier.STANDARD: _STANDARD_CAPS,
    Tier.BUILDER: _STANDARD_CAPS,
    Tier.PREMIUM: Caps(open_account=1500, open_market=1000, pending_account=50, pending_market=10, sub_accounts=8),
    Tier.PLUS: Caps(open_account=750, open_market=250, pending_account=50, pending_market=10, sub_accounts=8),
}
"""Fact sheet, section 5, rate limits and accounts. Pending orders are documented for standard alone, sub-accounts not
for plus: taken as of the nearest tier. A tier that is not here has no caps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeSettings:
    """What may differ from venue to venue and from test to test."""

    chain_id: int = CHAIN_ID
    latencies: Mapping[Tier, Latency] = field(default_factory=lambda: dict(DEFAULT_LATENCIES))
    book_interval_us: int = 50_000
    """Time between book batches; 0 publishes each change."""
    minimums_bind_takers: bool = True
    """Whether the minimum sizes hold for immediate-or-cancel and market orders too; reduce-only is always
    exempt."""
    price_band_percent: int = 5
    """Limit orders further than this beyond mark and touch are refused (21733); 0 switches it off."""
    far_percent: int = 0
    """Limit orders further than this from the mark, on the side where they rest, are refused (21734); 0 switches it
    off: the code is documented, its width is not."""
    trigger_band_percent: int = 0
    """Prices of stop-loss and take-profit orders further than this beyond their trigger are refused (21735); 0
    switches it off, for the same reason."""
    cancel_all_delay_us: int = 0
    """How long after its time a scheduled cancel-all fires; in between, other transactions get 21122."""
    quota_start: int = 1_000
    """Volume quota of a new premium wallet (fact sheet, section 5)."""
    caps: Mapping[Tier, Caps] = field(default_factory=lambda: dict(CAPS))
    liquidates: bool = True
    """Whether accounts below their maintenance margin are liquidated."""
    insurance_fund: int = 1_000_000_000_000
    """What the insurance fund may lose on liquidations, in millionths; beyond it accounts are deleveraged."""
    funding_interval_us: int = 3_600_000_000
    fault_seed: int = 0
    """Of the dice of faults that strike with a probability."""


def is_taker(body: CreateOrder) -> bool:
    """Whether the taker latency applies: immediate-or-cancel and market orders that do not wait."""
    return body.time_in_force is TimeInForce.IOC and not body.order_type.waits
