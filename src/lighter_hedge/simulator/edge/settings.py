"""Settings of a paper exchange, as the command line gives them."""

from dataclasses import dataclass, field
from pathlib import Path

from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.markets import MARKETS
from lighter_hedge.simulator.core.rules import CHAIN_ID, DEFAULT_LATENCIES, Latency
from lighter_hedge.simulator.edge.stream_limits import StreamLimits

TRAFFICS = ("synthetic", "quiet", "tape", "live", "none")
TX_HASHES = ("true", "fast")
WALLETS = ("shared", "separate")


class PaperError(Exception):
    """The paper exchange cannot start; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperSettings:
    """How a paper exchange runs."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 takes any free port."""
    tier: Tier = Tier.STANDARD
    wallets: str = "shared"
    """``shared``: two sub-accounts of one wallet; ``separate``: masters of two wallets."""
    collateral: int = 10_000
    """Of each account, in whole USDC."""
    traffic: str = "synthetic"
    """``quiet``: a fixed book without trades; ``none``: not even a book."""
    staked_lit: int = 0
    """Of a premium wallet, in whole LIT."""
    tape: Path | None = None
    live: str | None = None
    """Base URL of the venue whose public feed is mirrored."""
    live_markets: tuple[str, ...] = ()
    """Symbols to mirror; none names all markets of this exchange."""
    seed: int = 1
    book_interval_ms: int = 50
    """0 publishes each change of a book."""
    tx_hash: str = "true"
    """``true`` computes the venue's own hash (1-3 ms each), ``fast`` a cheap one."""
    verify_signatures: bool = False
    """Whether signatures of transactions and auth tokens are checked (about 2 ms each)."""
    state_dir: Path | None = None
    """Where the exchange keeps itself; ``None`` keeps nothing."""
    fsync: bool = False
    """Whether saved state also survives the loss of power, not only of the process."""
    credentials: Path | None = None
    latency: Latency | None = None
    """Replaces the tier's latencies."""
    latency_scale: float = 1.0
    minimums_bind_takers: bool = True
    chain_id: int = CHAIN_ID
    ping_seconds: float = 60.0
    """A client silent for this long is pinged; silent twice as long, it is dropped with 1008."""
    outbox_length_max: int = 4_000_000
    """Characters of frames that may wait for one reader before it is dropped."""
    stream_limits: StreamLimits = field(default_factory=StreamLimits)
    faults: Path | None = None
    """A plan of faults."""
    fault_seed: int | None = None
    """Draws faults without end, and throws the dice of all."""
    shutdown_ms: int = 100
    """How long before its end the exchange tells its WebSocket clients of it."""
    accounts: tuple[str, ...] = field(default=("a", "b"))

    def __post_init__(self) -> None:
        """Check what types cannot.

        Raises:
            PaperError: a value is not one of those allowed.
        """
        for name, value, allowed in (
            ("traffic", self.traffic, TRAFFICS),
            ("tx_hash", self.tx_hash, TX_HASHES),
            ("wallets", self.wallets, WALLETS),
        ):
            if value not in allowed:
                raise PaperError(f"{name} {value!r} is unknown: use one of {', '.join(allowed)}")
        if self.traffic == "tape" and self.tape is None:
            raise PaperError("traffic 'tape' needs the path of a tape")
        self._check_live()
        if self.verify_signatures and self.tx_hash != "true":
            raise PaperError("verify_signatures needs the true tx_hash, which is what is signed")
        if self.staked_lit < 0 or (self.staked_lit and self.tier is not Tier.PREMIUM):
            raise PaperError("staked LIT counts for a premium wallet alone: give --tier premium with --staked-lit")
        if self.book_interval_ms < 0 or self.latency_scale < 0:
            raise PaperError("book_interval_ms and latency_scale must not be negative")

    def _check_live(self) -> None:
        if (self.traffic == "live") != (self.live is not None):
            raise PaperError("traffic 'live' and --live go together: --live https://mainnet.zklighter.elliot.ai")
        ours = [market.symbol for market in MARKETS.values()]
        for symbol in self.live_markets:
            if symbol not in ours:
                raise PaperError(f"live market {symbol!r} is not one of this exchange: use {', '.join(ours)}")

    @property
    def effective_latency(self) -> Latency:
        """Latencies of the accounts' tier after override and scale."""
        base = self.latency if self.latency is not None else DEFAULT_LATENCIES[self.tier]
        return base.scaled(self.latency_scale)
