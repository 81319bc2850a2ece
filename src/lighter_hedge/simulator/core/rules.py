"""What may differ between venues, tiers and tests: latencies, minimums, limits. Pure.

Every value here is of the venue's documents, not measured: keep it a parameter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lighter_hedge.simulator.core.accounts import Tier

CHAIN_ID = 304


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long the sequencer holds a transaction back, in microseconds."""

    taker_us: int = 0
    maker_us: int = 0
    cancel_us: int = 0

    def scaled(self, factor: float) -> "Latency":
        """The same, all multiplied by ``factor``."""
        return Latency(
            taker_us=int(self.taker_us * factor),
            maker_us=int(self.maker_us * factor),
            cancel_us=int(self.cancel_us * factor),
        )


DEFAULT_LATENCIES: dict[Tier, Latency] = {
    # January 2026 values; they have moved since, see the fact sheet, section 5.
    Tier.STANDARD: Latency(taker_us=300_000, maker_us=200_000, cancel_us=100_000),
    Tier.PREMIUM: Latency(taker_us=150_000),
    Tier.UNLIMITED: Latency(),
}


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
