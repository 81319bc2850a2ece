"""Make the small tapes beside this file: ten seconds of synthetic traffic, in both forms.

Run ``python tests/data/make_tapes.py``. The tapes are data, not a promise: they need not be made anew when
the synthetic market changes.
"""

from pathlib import Path

from lighter_hedge.domain.units import Lots, MarketSpec
from lighter_hedge.simulator.traffic import TapeForm, synthetic, until, write_tape

SEED = 7
SECONDS = 10
START_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z: the venue's times are epoch milliseconds."""

MARKETS = (
    MarketSpec(
        market_index=0,
        symbol="ETH",
        size_decimals=4,
        price_decimals=2,
        min_base_lots=Lots(50),
        min_quote=10_000_000,
        initial_margin_fraction=500,
    ),
    MarketSpec(
        market_index=1,
        symbol="BTC",
        size_decimals=5,
        price_decimals=1,
        min_base_lots=Lots(20),
        min_quote=10_000_000,
        initial_margin_fraction=500,
    ),
)

if __name__ == "__main__":
    folder = Path(__file__).parent
    for form, name in (
        (TapeForm.NEUTRAL, "synthetic_btc_eth_10s.jsonl.gz"),
        (TapeForm.FRAMES, "synthetic_btc_eth_10s_frames.jsonl.gz"),
    ):
        traffic = until(synthetic(SEED, MARKETS), SECONDS * 1_000_000)
        write_tape(traffic, folder / name, form, MARKETS, start_ms=START_MS)
