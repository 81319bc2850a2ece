"""REST bodies of what has been: orders, trades, blocks, candles, funding and profit. Pure.

Rows of orders and trades are those of the WebSocket with what SDK 1.1.8 has declared since the recordings. Of a
trade, what is zero or false is left out, as recorded from REST in May 2026.
"""

from collections.abc import Iterable

from lighter_hedge.domain.units import MarketSpec, decimal_text, quote_text
from lighter_hedge.simulator.core.candles import RESOLUTIONS_MS, Candle, start_ms
from lighter_hedge.simulator.core.orders import Order, Trade, TxRecord
from lighter_hedge.simulator.core.records import Funding, PositionFunding
from lighter_hedge.simulator.edge import wire
from lighter_hedge.simulator.edge.numerals import whole_number
from lighter_hedge.simulator.edge.wire import Json, Markets
from lighter_hedge.simulator.edge.wire_rest import ok

MARKET_KIND = "perps"
NO_INTEGRATOR = dict.fromkeys(("integrator_fee_collector_index", "integrator_taker_fee", "integrator_maker_fee"), "")
"""Recorded from REST on 2026-08-01; frames say "0" of the same."""
COMMITMENT_LENGTH = 64
BLOCK_COMMITTED = 2
RISKS = (
    "collateral",
    "total_account_value",
    "initial_margin_req",
    "maintenance_margin_req",
    "close_out_margin_req",
    "total_account_liquidation_threshold",
    "usdc_collateral_with_funding",
    "usdc_portfolio_value",
    "total_portfolio_value",
)
NO_RISK: Json = {
    "cross_risk_parameters": {"market_id": 0, **dict.fromkeys(RISKS, quote_text(0))},
    "isolated_risk_parameters": [],
}


def order(one: Order, markets: Markets) -> Json:
    """One order row of REST."""
    symbol = markets[one.market_index].symbol
    return {
        **wire.order(one, markets),
        **NO_INTEGRATOR,
        "order_version": one.version,
        "market_symbol": symbol,
        "market_kind": MARKET_KIND,
    }


def trade(one: Trade, markets: Markets) -> Json:
    """One trade row of REST."""
    return {
        **wire.trade(one, markets),
        "market_symbol": markets[one.market_index].symbol,
        "market_kind": MARKET_KIND,
    }


def block(height: int, txs: Iterable[TxRecord]) -> Json:
    """One block; its hashes are its number, since a paper exchange proves nothing."""
    rows = [wire.tx(one) for one in txs]
    return {
        "commitment": commitment(height),
        "height": height,
        "state_root": commitment(height),
        "priority_operations": 0,
        "on_chain_l2_operations": 0,
        "pending_on_chain_operations_pub_data": "",
        "committed_tx_hash": "",
        "committed_at": 0,
        "verified_tx_hash": "",
        "verified_at": 0,
        "txs": rows,
        "status": BLOCK_COMMITTED,
        "size": len(rows),
    }


def commitment(height: int) -> str:
    """The commitment of a block."""
    return str(height).rjust(COMMITMENT_LENGTH, "0")


def height_of(text: str) -> int | None:
    """The height of the block with a commitment; None if there is none."""
    text = text.removeprefix("0x")
    return whole_number(text.lstrip("0") or "0") if len(text) == COMMITMENT_LENGTH else None


def candles(resolution: str, rows: Iterable[Candle], market: MarketSpec, *, at_end: bool) -> Json:
    """``candles``: prices and volumes are numbers, times milliseconds, the beginning of the span or its end."""
    shift = RESOLUTIONS_MS[resolution] if at_end else 0
    return ok(
        r=resolution,
        c=[{**wire.candle(one, market), "t": one.at_ms + shift} for one in rows],
    )


def mark_candles(resolution: str, rows: Iterable[Candle], market: MarketSpec) -> Json:
    """``markPriceCandles``."""
    return ok(
        r=resolution,
        c=[{"t": one.at_ms, **_prices(one, market), "sc": one.samples} for one in rows],
    )


def _prices(one: Candle, market: MarketSpec) -> Json:
    scale = 10**market.price_decimals
    return {
        "o": one.open_ticks / scale,
        "h": one.high_ticks / scale,
        "l": one.low_ticks / scale,
        "c": one.close_ticks / scale,
    }


def fundings(resolution: str, rounds: Iterable[Funding], first_ms: int, last_ms: int, count: int) -> Json:
    """``fundings``, oldest first: rates in percent, values in quote for one unit of the base, times in seconds.

    A day's row is the sum of its hours.
    """
    spans: dict[int, tuple[int, int]] = {}
    for one in rounds:
        at_ms = start_ms(one.time_us // 1000, resolution)
        rate, value = spans.get(at_ms, (0, 0))
        spans[at_ms] = rate + one.rate, value + one.value
    rows = [
        {
            "timestamp": at_ms // 1000,
            "value": decimal_text(abs(value) * 100, 8),
            "rate": percent(abs(rate)),
            "direction": "short" if rate < 0 else "long",
        }
        for at_ms, (rate, value) in spans.items()
        if first_ms <= at_ms <= last_ms
    ]
    return ok(resolution=resolution, fundings=rows[max(0, len(rows) - count) :])


def percent(rate: int) -> str:
    """A rate in 1e-8 as the venue tells it: percent with four decimals."""
    return decimal_text(rate // 100 if rate >= 0 else -(-rate // 100), 4)


def position_funding(one: PositionFunding, markets: Markets) -> Json:
    """One row of ``positionFunding``."""
    return {
        "timestamp": one.time_us // 1_000_000,
        "market_id": one.market_index,
        "funding_id": one.funding_id,
        "change": quote_text(one.change),
        "discount": quote_text(0),
        "rate": percent(one.rate),
        "position_size": markets[one.market_index].size_text(abs(one.lots)),
        "position_side": "short" if one.lots < 0 else "long",
    }


def liquidation(one: Trade, markets: Markets) -> Json:
    """One row of ``liquidations``; the margin before and after is not kept, and told as zero."""
    market = markets[one.market_index]
    return {
        "id": one.trade_id,
        "market_id": one.market_index,
        "type": "deleverage" if one.kind == "deleverage" else "partial",
        "trade": {
            "price": market.price_text(one.price_ticks),
            "size": market.size_text(one.lots),
            "taker_fee": decimal_text(one.taker.fee, 4),
            "maker_fee": decimal_text(one.maker.fee, 4),
            "transaction_time": one.time_us,
            "bid_account_id": one.bid.account_index,
            "ask_account_id": one.ask.account_index,
        },
        "info": {
            "positions": [],
            "risk_info_before": NO_RISK,
            "risk_info_after": NO_RISK,
            "mark_prices": {},
            "assets": [],
            "asset_index_prices": {},
        },
        "executed_at": one.time_us // 1000,
    }


def profit(at_ms: int, trade_pnl: int, inflow: int, volume: int) -> Json:
    """One row of ``pnl``; a paper exchange has neither pools nor staking nor spot."""
    none = (
        "pool_pnl",
        "pool_inflow",
        "pool_outflow",
        "pool_total_shares",
        "spot_inflow",
        "spot_outflow",
        "staked_lit",
        "staking_inflow",
        "staking_outflow",
        "staking_pnl",
        "trade_spot_pnl",
    )
    return {
        "timestamp": at_ms // 1000,
        "trade_pnl": trade_pnl / 1_000_000,
        "inflow": inflow / 1_000_000,
        "outflow": 0,
        **dict.fromkeys(none, 0),
        "volume": volume / 1_000_000,
    }
