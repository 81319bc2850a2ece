"""REST bodies about the exchange as a whole: statistics, assets, fees, oracles. Pure."""

from collections.abc import Iterable, Mapping

from lighter_hedge.domain.units import MarketSpec, quote_text
from lighter_hedge.simulator.core import markets as published
from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.candles import Candle
from lighter_hedge.simulator.core.pushes import MarketStats
from lighter_hedge.simulator.core.stakes import STAKES
from lighter_hedge.simulator.edge import wire
from lighter_hedge.simulator.edge.wire import Json
from lighter_hedge.simulator.edge.wire_rest import ok

NO_ADDRESS = "0x" + "0" * 40
FUNDING_HOURS = 8
"""``funding-rates`` tells rates for eight hours."""


def status(now_us: int) -> Json:
    """``/``."""
    return {"status": 200, "network_id": 1, "timestamp": now_us // 1_000_000}


def exchange_stats(stats: Iterable[MarketStats], markets: Mapping[int, MarketSpec]) -> Json:
    """``exchangeStats``: the day of every market."""
    rows = []
    for one in stats:
        live = wire.market_stats(one, markets)
        market = markets[one.market_index]
        rows.append(
            {
                "symbol": market.symbol,
                "last_trade_price": one.last_ticks / 10**market.price_decimals,
                "daily_trades_count": one.trade_count,
                "daily_base_token_volume": live["daily_base_token_volume"],
                "daily_quote_token_volume": live["daily_quote_token_volume"],
                "daily_price_change": live["daily_price_change"],
            }
        )
    return ok(
        total=len(rows),
        order_book_stats=rows,
        daily_usd_volume=sum(row["daily_quote_token_volume"] for row in rows),
        daily_trades_count=sum(row["daily_trades_count"] for row in rows),
    )


def exchange_metrics(kind: str, days: Iterable[Candle]) -> Json:
    """``exchangeMetrics``: volume in quote or number of trades for each day, and nothing of any other kind."""
    totals: dict[int, float] = {}
    for day in days:
        number = {"volume": day.quote / 1_000_000, "trade_count": day.samples}.get(kind)
        if number is not None:
            totals[day.at_ms] = totals.get(day.at_ms, 0) + number
    return ok(metrics=[{"timestamp": at_ms // 1000, "data": data} for at_ms, data in sorted(totals.items())])


def funding_rates(rates: Mapping[int, int], markets: Mapping[int, MarketSpec]) -> Json:
    """``funding-rates`` of this exchange alone: fractions for eight hours, of hourly rates in 1e-8."""
    return ok(
        funding_rates=[
            {
                "market_id": index,
                "exchange": "lighter",
                "symbol": markets[index].symbol,
                "rate": rate * FUNDING_HOURS / 100_000_000,
            }
            for index, rate in sorted(rates.items())
        ]
    )


def price_chart(market_index: int, market: MarketSpec, hours: Iterable[Candle]) -> Json:
    """One row of ``marketPriceCharts``."""
    return {"market_id": market_index, "prices": [market.price_text(one.close_ticks) for one in hours]}


def usdc() -> Json:
    """The one asset, a row of ``assetDetails``."""
    return {
        "asset_id": 3,
        "symbol": "USDC",
        "l1_decimals": 6,
        "decimals": 6,
        "min_transfer_amount": quote_text(1_000_000),
        "min_withdrawal_amount": quote_text(1_000_000),
        "margin_mode": "enabled",
        "index_price": quote_text(1_000_000),
        "l1_address": NO_ADDRESS,
        "global_supply_cap": quote_text(0),
        "user_supply_cap": quote_text(0),
        "total_supplied": quote_text(0),
        "liquidation_fee": quote_text(0),
        "liquidation_threshold": quote_text(0),
        "liquidation_factor": quote_text(0),
        "loan_to_value": quote_text(0),
        "price_decimals": 6,
        "multiplier": "1",
    }


def fee_tiers() -> Json:
    """``feeTiers``: fees in 1e-6 of the notional."""
    rows = [(tier, STAKES[0]) for tier in (Tier.STANDARD, Tier.PLUS)] + [(Tier.PREMIUM, stake) for stake in STAKES]
    return {
        "user_tiers": [
            {
                "name": tier.value,
                "level": level,
                "maker_fee_ticks": stake.less(tier.maker_fee),
                "taker_fee_ticks": stake.less(tier.taker_fee),
                "required_lit_stakes": stake.lit,
                "required_volume": 0,
            }
            for level, (tier, stake) in enumerate(rows)
        ],
        "bo_tiers": [],
        "staking_tiers": [],
    }


def token(market: MarketSpec) -> Json:
    """One row of ``tokenlist``."""
    return {
        "symbol": market.symbol,
        "name": market.symbol,
        "logo": "",
        "logo_extension": "svg",
        "description_key": "",
        "gecko_id": "",
        "paprika_id": "",
        "market": "PERPS",
        "asset_type": "CRYPTO",
        "categories": [],
        "is_allowed_mainnet": True,
        "is_asset_allowed_mainnet": True,
        "default_order_book_group_by": 1,
        "backend_symbol": market.symbol,
    }


def oracle(market: MarketSpec) -> Json:
    """One row of ``priceOracleInfo``: both prices come from the market's own traffic."""
    price = {
        "source": "paper",
        "using_median": False,
        "using_internal_price": True,
        "median_sources": [],
        "price_cap_bps": 0,
        "price_cap_reference_price": 0,
    }
    return {"symbol": market.symbol, "index": price, "mark": price}


def system_config() -> Json:
    """``systemConfig``: numbers of the venue that a paper exchange has no use for."""
    return ok(
        liquidity_pool_index=published.AMBIENT_ACCOUNT,
        staking_pool_index=0,
        funding_fee_rebate_account_index=0,
        liquidity_pool_cooldown_period=0,
        staking_pool_lockup_period=0,
        max_integrator_perps_maker_fee=0,
        max_integrator_perps_taker_fee=0,
        max_integrator_spot_maker_fee=0,
        max_integrator_spot_taker_fee=0,
        fee_collector_account_index=0,
    )
