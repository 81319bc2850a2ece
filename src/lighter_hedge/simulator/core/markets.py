"""The markets of the paper exchange: ETH (0) and BTC (1), as recorded from ``orderBookDetails`` in 2026."""

from lighter_hedge.domain.units import Lots, MarketSpec

ETH = MarketSpec(
    market_index=0,
    symbol="ETH",
    size_decimals=4,
    price_decimals=2,
    min_base_lots=Lots(50),
    min_quote=10_000_000,
    initial_margin_fraction=500,
)
BTC = MarketSpec(
    market_index=1,
    symbol="BTC",
    size_decimals=5,
    price_decimals=1,
    min_base_lots=Lots(20),
    min_quote=10_000_000,
    initial_margin_fraction=500,
)
MARKETS = {ETH.market_index: ETH, BTC.market_index: BTC}

MIN_MARGIN_FRACTION = 200
"""Smallest initial margin an account may choose, in 1e-4: leverage 50."""
CLOSEOUT_FRACTION = 80
ORDER_QUOTE_LIMIT = "281474976.710655"
CREATED_AT = "1737098461100"
INSURANCE_FUND_ACCOUNT = 281474976710655
AMBIENT_ACCOUNT = 281474976710654
"""Account index that ambient counterparties carry in trades: the venue's own liquidity pool in the
recordings."""
