"""Facts as Lighter's JSON objects, which frames and REST bodies share. Pure.

Shapes follow frames recorded in 2026. Amounts are strings with the market's decimals, quote amounts with six.
Zero fees and false flags are left out.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from lighter_hedge.domain.units import MarketSpec, decimal_text, quote_text
from lighter_hedge.simulator.core.accounts import Health
from lighter_hedge.simulator.core.candles import Candle
from lighter_hedge.simulator.core.orders import Order, Trade, TradeSide, TxRecord
from lighter_hedge.simulator.core.pushes import FundingPaid, MarketStats, PositionView

Json: TypeAlias = dict[str, Any]
Markets: TypeAlias = Mapping[int, MarketSpec]
Build: TypeAlias = Callable[[Markets, int], Json]
"""Makes the body of a frame: markets, and the time at which it is told in microseconds."""
Told: TypeAlias = list[tuple[str, Build]]
"""Channels, named with ``:`` as in frames, and what is told on each."""
FUNDING_CLAMP_SMALL = "0.0500"
FUNDING_CLAMP_BIG = "4.0000"
BASE_INTEREST_RATE = "0.0100"
OPEN_INTEREST_LIMIT = "72057594037927936.000000"
USDC = 3
"""Index of the asset that margin is held in."""


def market_stats(push: MarketStats, markets: Markets) -> Json:
    """State of one market: prices and rates are strings, daily numbers are floats."""
    market = markets[push.market_index]
    price, scale = market.price_text, 10**market.price_decimals
    change = (push.last_ticks / push.open_ticks - 1) * 100 if push.open_ticks else 0.0
    return {
        "symbol": market.symbol,
        "market_id": push.market_index,
        "index_price": price(push.index_ticks),
        "mark_price": price(push.mark_ticks),
        "mid_price": price((push.bid_ticks + push.ask_ticks) // 2),
        "best_ask_price": price(push.ask_ticks),
        "best_bid_price": price(push.bid_ticks),
        "open_interest": "0.000000",
        "open_interest_limit": OPEN_INTEREST_LIMIT,
        "funding_clamp_small": FUNDING_CLAMP_SMALL,
        "funding_clamp_big": FUNDING_CLAMP_BIG,
        "last_trade_price": price(push.last_ticks),
        "current_funding_rate": decimal_text(push.current_rate // 100, 4),
        "funding_rate": decimal_text(push.funding_rate // 100, 4),
        "funding_timestamp": push.at_us // 3_600_000_000 * 3_600_000 + 1,
        "daily_base_token_volume": push.volume_lots / 10**market.size_decimals,
        "daily_quote_token_volume": push.volume_quote / 1_000_000,
        "daily_price_low": push.low_ticks / scale,
        "daily_price_high": push.high_ticks / scale,
        "daily_price_change": change,
        "base_interest_rate": BASE_INTEREST_RATE,
    }


def orders_by_market(orders: tuple[Order, ...], markets: Markets) -> dict[str, list[Json]]:
    """Orders as a map from market index to rows."""
    by_market: dict[str, list[Json]] = {}
    for one in orders:
        by_market.setdefault(str(one.market_index), []).append(order(one, markets))
    return by_market


def trades_by_market(trades: tuple[Trade, ...], markets: Markets) -> dict[str, list[Json]]:
    """Trades as a map from market index to rows."""
    by_market: dict[str, list[Json]] = {}
    for one in trades:
        by_market.setdefault(str(one.market_index), []).append(trade(one, markets))
    return by_market


def asset(collateral: int) -> Json:
    """The one asset of an account, as recorded of a classic one: all of it is margin."""
    return {
        "symbol": "USDC",
        "asset_id": USDC,
        "balance": "0.000000",
        "locked_balance": "0.000000",
        "margin_mode": "disabled",
        "margin_balance": quote_text(collateral),
    }


def position_funding(one: FundingPaid, market: MarketSpec) -> Json:
    """Funding of one position; its time is in seconds."""
    return {
        "timestamp": one.at_us // 1_000_000,
        "market_id": one.market_index,
        "funding_id": one.funding_id,
        "change": quote_text(one.change),
        "rate": decimal_text(one.rate // 100, 6),
        "position_size": market.size_text(abs(one.lots)),
        "position_side": "short" if one.lots < 0 else "long",
        "discount": "0.000000",
    }


def candle(one: Candle, market: MarketSpec) -> Json:
    """One candle: floats, ``v`` of the base and ``V`` of the quote, and the last trade in ``i``."""
    scale = 10**market.price_decimals
    return {
        "t": one.at_ms,
        "o": one.open_ticks / scale,
        "h": one.high_ticks / scale,
        "l": one.low_ticks / scale,
        "c": one.close_ticks / scale,
        "v": one.lots / 10**market.size_decimals,
        "V": one.quote / 1_000_000,
        "i": one.last_id,
    }


def user_stats(collateral: int, health: Health) -> Json:
    """The ``stats`` object of ``user_stats``."""
    value = health.portfolio_value
    usage = health.initial_requirement * 10_000 // value if value > 0 else 0
    leverage = health.notional * 100 // value if value > 0 else 0
    stats = {
        "collateral": quote_text(collateral),
        "portfolio_value": quote_text(value),
        "leverage": decimal_text(leverage, 2),
        "available_balance": quote_text(health.available),
        "margin_usage": decimal_text(usage, 2),
        "buying_power": "0",
    }
    return {**stats, "account_trading_mode": 0, "cross_stats": stats, "total_stats": stats}


def position(view: PositionView, markets: Markets) -> Json:
    """One position; ``sign`` is 1 for a flat one, as recorded."""
    market = markets[view.market_index]
    value = market.quote(view.lots, view.mark_ticks)
    return {
        "market_id": view.market_index,
        "symbol": market.symbol,
        "initial_margin_fraction": decimal_text(view.margin_fraction, 2),
        "open_order_count": view.open_order_count,
        "pending_order_count": view.pending_order_count,
        "position_tied_order_count": 0,
        "sign": -1 if view.lots < 0 else 1,
        "position": market.size_text(abs(view.lots)),
        "avg_entry_price": market.price_text(average_ticks(market, view.lots, view.entry_quote)),
        "position_value": quote_text(value) if view.lots else "-0.000000",
        "unrealized_pnl": quote_text(view.unrealized_pnl),
        "realized_pnl": quote_text(view.realized_pnl),
        "liquidation_price": market.price_text(view.liquidation_ticks) if view.lots else "0",
        "margin_mode": int(view.is_isolated),
        "margin_set_flag": 1,
        "allocated_margin": quote_text(view.allocated),
    }


def average_ticks(market: MarketSpec, lots: int, quote: int) -> int:
    """Mean price in ticks, rounded to the nearest."""
    if lots == 0:
        return 0
    scale = int(10 ** (market.size_decimals + market.price_decimals))
    divisor = abs(lots) * 1_000_000
    return (quote * scale * 2 + divisor) // (2 * divisor)


def order(one: Order, markets: Markets) -> Json:
    """One order row, as in ``account_all_orders`` and in REST. A dead order has nothing remaining."""
    market = markets[one.market_index]
    seconds, created = one.updated_us // 1_000_000, one.created_us // 1_000_000
    triggers = (*one.to_trigger, 0, 0)
    return {
        "order_index": one.order_index,
        "client_order_index": one.client_order_index,
        "order_id": str(one.order_index),
        "client_order_id": str(one.client_order_index),
        "market_index": one.market_index,
        "owner_account_index": one.account_index,
        "initial_base_amount": market.size_text(one.size_lots),
        "price": market.price_text(one.price_ticks),
        "nonce": one.sequence,
        "remaining_base_amount": market.size_text(one.leaves_lots),
        "is_ask": one.side.sign < 0,
        "base_size": one.leaves_lots,
        "base_price": one.price_ticks,
        "filled_base_amount": market.size_text(one.filled_lots),
        "filled_quote_amount": quote_text(one.filled_quote),
        "side": "",
        "type": one.order_type.word,
        "time_in_force": one.time_in_force.word,
        "reduce_only": one.reduce_only,
        "trigger_price": market.price_text(one.trigger_ticks),
        "order_expiry": one.expiry_ms,
        "status": one.status.value,
        "trigger_status": one.trigger_status.value,
        "trigger_time": one.triggered_us // 1000,
        "parent_order_index": one.parent_index,
        "parent_order_id": str(one.parent_index),
        "to_trigger_order_id_0": str(triggers[0]),
        "to_trigger_order_id_1": str(triggers[1]),
        "to_cancel_order_id_0": str(one.to_cancel),
        "integrator_fee_collector_index": "0",
        "integrator_taker_fee": "0",
        "integrator_maker_fee": "0",
        "order_flags": 0,
        "block_height": one.height,
        "timestamp": seconds,
        "created_at": created,
        "updated_at": seconds,
        "transaction_time": one.updated_us,
    }


def trade(one: Trade, markets: Markets) -> Json:
    """One trade. Its ``tx_hash`` is the venue's running number and time, not the hash of a transaction."""
    market = markets[one.market_index]
    ask, bid, time_ms = one.ask, one.bid, one.time_us // 1000
    return {
        "trade_id": one.trade_id,
        "trade_id_str": str(one.trade_id),
        "tx_hash": f"{one.trade_id:016x}{time_ms:016x}" + "0" * 48,
        "type": one.kind,
        "market_id": one.market_index,
        "size": market.size_text(one.lots),
        "price": market.price_text(one.price_ticks),
        "usd_amount": quote_text(one.quote),
        "ask_id": ask.order_index,
        "ask_id_str": str(ask.order_index),
        "bid_id": bid.order_index,
        "bid_id_str": str(bid.order_index),
        "ask_client_id": ask.client_order_index,
        "ask_client_id_str": str(ask.client_order_index),
        "bid_client_id": bid.client_order_index,
        "bid_client_id_str": str(bid.client_order_index),
        "ask_account_id": ask.account_index,
        "bid_account_id": bid.account_index,
        "is_maker_ask": one.is_maker_ask,
        "block_height": one.height,
        "timestamp": time_ms,
        **_trade_side("taker", one.taker, market),
        **_trade_side("maker", one.maker, market),
        "transaction_time": one.time_us,
        **({"ask_account_pnl": quote_text(ask.realized_pnl)} if ask.realized_pnl else {}),
        **({"bid_account_pnl": quote_text(bid.realized_pnl)} if bid.realized_pnl else {}),
    }


def _trade_side(role: str, side: TradeSide, market: MarketSpec) -> Json:
    fields: Json = {} if side.fee == 0 else {f"{role}_fee": side.fee}
    fields[f"{role}_position_size_before"] = market.size_text(side.lots_before)
    fields[f"{role}_entry_quote_before"] = quote_text(side.entry_quote_before)
    fields[f"{role}_initial_margin_fraction_before"] = side.margin_fraction
    if side.sign_changed:
        fields[f"{role}_position_sign_changed"] = True
    return fields


def tx(one: TxRecord) -> Json:
    """One transaction. Times in milliseconds, ``transaction_time`` in microseconds."""
    return {
        "hash": one.tx_hash,
        "type": one.tx_type,
        "info": one.info,
        "event_info": one.event_info,
        "status": one.status,
        "transaction_index": one.sequence_index % 1000,
        "l1_address": one.l1_address,
        "account_index": one.account_index,
        "nonce": one.nonce,
        "expire_at": one.expire_at_ms,
        "block_height": one.height,
        "queued_at": one.queued_us // 1000,
        "executed_at": one.executed_us // 1000,
        "sequence_index": one.sequence_index,
        "parent_hash": "",
        "api_key_index": one.api_key_index,
        "transaction_time": one.executed_us or one.queued_us,
    }
