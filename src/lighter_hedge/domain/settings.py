"""The numbers that the machines decide by: milliseconds, lots, ticks and hundredths of a basis point."""

from dataclasses import dataclass
from enum import Enum

from lighter_hedge.domain.states import DeskId
from lighter_hedge.domain.units import MarketSpec


class Direction(Enum):
    """Which way A opens."""

    LONG = "long"
    SHORT = "short"
    ALTERNATE = "alternate"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSettings:
    """What one desk is told, in the units of its market."""

    desk: DeskId
    market: MarketSpec
    quantity: int
    """Lots of an opening quote."""
    depth: int = 1
    direction: Direction = Direction.LONG
    retry_times: int = 3
    retry_spacing_ms: tuple[int, ...] = (0, 500, 2000)
    """Wait before each try; the last one repeats."""
    hedge_confirm_timeout_ms: int = 60_000
    status_interval_ms: int = 10_000
    maker_order_timeout_ms: int = 30_000
    requote_bps_e2: int = 50
    """Distance from its level that moves a quote, hundredths of a basis point."""
    requote_ms_min: int = 5_000
    slippage_bps_e2_max: int = 2_000
    slippage_ladder_percent: tuple[int, ...] = (100, 200, 400)
    """What each try multiplies the slippage by."""
    unhedged_ms_max: int = 90_000
    book_age_ms_max: int = 2_000
    orders_per_minute_max: int = 20
    """Opening quotes."""
    orders_per_round_max: int = 50
    """Orders of one process, whatever they are for."""
    notional_hour_quote_max: int = 1_000_000_000_000
    """Quote amount of A's fills within an hour, millionths; then the desk drains."""
    daily_loss_quote_max: int = 100_000_000
    """Millionths; then the desk drains."""
    residual_quote_max: int = 50_000_000
    """A residual worth more is reported, millionths."""
    price_collar_bps_e2: int = 30_000
    """How far a price may lie from the mark price, hundredths of a basis point."""
    maker_share: int = 0
    """Requests a minute that A may use; 0 where the venue does not limit it."""
    hedger_share: int = 0
    flatten: bool = False
    """Whether A closes what B could not hedge."""
    force_close_ms: int = 30_000
    """How long such an exposure lasts before A wants to close it."""
    reconcile_ms: int = 30_000
    arm_ms_max: int = 2_000
    heartbeat_ms: int = 1_000
    heartbeat_ms_max: int = 3_000
    read_lag_ms: int = 10_000
    cancel_first: bool = True
    """Treat the accounts as two wallets: A cancels its rest before B hedges a partial fill."""
    takers_need_minimum: bool = True
    """Whether the venue's minimum sizes bind the hedges too."""
    throttle_ms: int = 60_000
    """How long A quotes nothing after the venue said "too many requests"."""
    stop_ms_max: int = 15_000
    """How long a stopping side waits for its orders to end."""

    def __post_init__(self) -> None:
        assert self.depth >= 1
        assert self.quantity >= self.market.min_base_lots
        assert self.retry_times >= 1
        assert len(self.slippage_ladder_percent) >= 1
        assert self.unhedged_ms_max > self.hedge_confirm_timeout_ms
