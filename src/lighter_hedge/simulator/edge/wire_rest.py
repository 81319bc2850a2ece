"""REST bodies that are not also WebSocket objects. Pure. Shapes follow recorded bodies and the SDK's declared
fields."""

from collections.abc import Iterable
from typing import Any

from lighter_hedge.domain.units import MarketSpec, Side, decimal_text, quote_text
from lighter_hedge.simulator.core import markets as published
from lighter_hedge.simulator.core.accounts import MAINTENANCE_FRACTION, Account, Tier
from lighter_hedge.simulator.core.limits import RequestCounts
from lighter_hedge.simulator.core.matching import BookSide
from lighter_hedge.simulator.core.orders import Order
from lighter_hedge.simulator.core.pushes import MarketStats
from lighter_hedge.simulator.core.state import MarketState, State
from lighter_hedge.simulator.edge import wire
from lighter_hedge.simulator.edge.wire import Json

NOT_SETTLED: Json = {
    "start_timestamp": 0,
    "end_timestamp": 0,
    "settlement_type": 0,
    "settlement_price": 0,
    "settlement_cap": 0,
    "outcome": 0,
    "default_price": 0,
    "operator_account_index": 0,
    "is_frozen": False,
}
"""Of markets with an end, which SDK 1.1.8 declares for all markets; the recordings are older."""


def ok(**fields: Any) -> Json:
    """A body with code 200."""
    return {"code": 200, **fields}


def order_book(market: MarketSpec, *, halted: bool = False) -> Json:
    """One row of ``orderBooks``."""
    return {
        "symbol": market.symbol,
        "market_id": market.market_index,
        "market_type": "perp",
        "base_asset_id": 0,
        "quote_asset_id": 0,
        "status": "active" if market.active and not halted else "inactive",
        "taker_fee": "0.0000",
        "is_taker_fee_enabled": True,
        "maker_fee": "0.0000",
        "is_maker_fee_enabled": True,
        "liquidation_fee": "1.0000",
        "min_base_amount": market.size_text(market.min_base_lots),
        "min_quote_amount": quote_text(market.min_quote),
        "order_quote_limit": published.ORDER_QUOTE_LIMIT,
        "supported_size_decimals": market.size_decimals,
        "supported_price_decimals": market.price_decimals,
        "supported_quote_decimals": 6,
        "created_at": published.CREATED_AT,
        "multiplier": "1.000000000000000000",
        **NOT_SETTLED,
        "open_interest": quote_text(0),
    }


def order_book_detail(market: MarketSpec, stats: MarketStats, state: MarketState) -> Json:
    """One row of ``orderBookDetails``."""
    live = wire.market_stats(stats, {market.market_index: market})
    return {
        **order_book(market, halted=state.halted),
        "size_decimals": market.size_decimals,
        "price_decimals": market.price_decimals,
        "quote_multiplier": 1,
        "default_initial_margin_fraction": market.initial_margin_fraction,
        "min_initial_margin_fraction": published.MIN_MARGIN_FRACTION,
        "maintenance_margin_fraction": MAINTENANCE_FRACTION,
        "closeout_margin_fraction": published.CLOSEOUT_FRACTION,
        "last_trade_price": stats.last_ticks / 10**market.price_decimals,
        "daily_trades_count": stats.trade_count,
        "daily_base_token_volume": live["daily_base_token_volume"],
        "daily_quote_token_volume": live["daily_quote_token_volume"],
        "daily_price_low": live["daily_price_low"],
        "daily_price_high": live["daily_price_high"],
        "daily_price_change": live["daily_price_change"],
        "open_interest": 0.0,
        "daily_chart": {},
        "market_config": {
            "market_margin_mode": 0,
            "insurance_fund_account_index": published.INSURANCE_FUND_ACCOUNT,
            "liquidation_mode": 0,
            "force_reduce_only": state.force_reduce_only,
            "trading_hours": "",
            "funding_fee_discounts_enabled": False,
            "hidden": False,
            "rfq_enabled": True,
        },
        "strategy_index": 2,
        "funding_clamp_small": wire.FUNDING_CLAMP_SMALL,
        "funding_clamp_big": wire.FUNDING_CLAMP_BIG,
        "base_interest_rate": wire.BASE_INTEREST_RATE,
        "mark_price": live["mark_price"],
        "index_price": live["index_price"],
        "market_flags": 0,
        "funding_premium_multiplier": 100,
    }


def order_book_orders(state: State, market_index: int, limit: int) -> Json:
    """``orderBookOrders``: individual orders; an ambient level shows as one order of the ambient account."""
    market, book = state.markets[market_index], state.books[market_index]
    asks = _book_orders(market, book.asks, limit)
    bids = _book_orders(market, book.bids, limit)
    return ok(total_asks=len(asks), asks=asks, total_bids=len(bids), bids=bids)


def _book_orders(market: MarketSpec, side: BookSide, limit: int) -> list[Json]:
    rows: list[Json] = []
    for price, _ in side.displayed():
        if len(rows) >= limit:
            break
        ambient = side.ambient_lots(price)
        if ambient:
            rows.append(_ambient_order(market, side.side, price, ambient))
        rows += [_simple_order(market, order) for order in side.orders_at(price)]
    return rows[:limit]


def _ambient_order(market: MarketSpec, side: Side, price: int, lots: int) -> Json:
    start = (market.market_index + (1 if side is Side.ASK else 2)) << 48
    index = start + (price if side is Side.ASK else -price)
    return {
        "order_index": index,
        "order_id": str(index),
        "owner_account_index": published.AMBIENT_ACCOUNT,
        "initial_base_amount": market.size_text(lots),
        "remaining_base_amount": market.size_text(lots),
        "price": market.price_text(price),
        "order_expiry": 0,
        "transaction_time": 0,
    }


def _simple_order(market: MarketSpec, order: Order) -> Json:
    return {
        "order_index": order.order_index,
        "order_id": str(order.order_index),
        "owner_account_index": order.account_index,
        "initial_base_amount": market.size_text(order.size_lots),
        "remaining_base_amount": market.size_text(order.leaves_lots),
        "price": market.price_text(order.price_ticks),
        "order_expiry": order.expiry_ms,
        "transaction_time": order.updated_us,
    }


def account_brief(state: State, account: Account) -> Json:
    """One row of ``accountsByL1Address``."""
    health = state.health(account)
    return {
        "code": 0,
        "account_type": account.account_type,
        "index": account.account_index,
        "l1_address": account.l1_address,
        "cancel_all_time": account.cancel_all_us // 1000,
        "total_order_count": len(state.open_of[account.account_index]),
        "total_isolated_order_count": 0,
        "pending_order_count": 0,
        "available_balance": quote_text(health.available),
        "status": 1,
        "collateral": quote_text(account.collateral),
        "transaction_time": 0,
        "account_trading_mode": 0,
    }


def account_metadata(account: Account) -> Json:
    """One row of ``accountMetadata``, which is also a part of ``account``."""
    return {
        "account_index": account.account_index,
        "name": account.name,
        "description": "",
        "can_invite": False,
        "referral_points_percentage": "",
        "can_rfq": False,
        "can_rfq_market_ids": None,
        "created_at": account.created_us // 1_000_000,
        "metadata": {"color": account.color},
        "agent_enabled": False,
    }


def position(state: State, account: Account, market_index: int) -> Json:
    """One position of ``account``: that of the WebSocket, and what SDK 1.1.8 declares besides."""
    row = wire.position(state.position_view(account, market_index), state.markets)
    return {**row, "total_discount": quote_text(0)}


def account_detail(state: State, account: Account, *, active_only: bool) -> Json:
    """One row of ``account``."""
    health = state.health(account)
    value = quote_text(health.portfolio_value)
    return {
        **account_brief(state, account),
        **account_metadata(account),
        "positions": [
            position(state, account, index)
            for index, held in sorted(account.positions.items())
            if held.lots or not active_only
        ],
        "assets": [
            {
                "symbol": "USDC",
                "asset_id": 3,
                "balance": "0.000000",
                "locked_balance": "0.000000",
                "margin_mode": "enabled",
                "margin_balance": quote_text(account.collateral),
                "multiplier": "1",
            }
        ],
        "total_asset_value": value,
        "cross_asset_value": value,
        "cross_initial_margin_requirement": quote_text(health.initial_requirement),
        "cross_maintenance_margin_requirement": quote_text(health.maintenance_requirement),
        "pool_info": None,
        "shares": [],
        "pending_unlocks": [],
        "approved_integrators": [],
        "bo_positions": [],
    }


def api_keys(account: Account, indexes: Iterable[int]) -> Json:
    """``apikeys``: public keys without 0x."""
    return ok(
        api_keys=[
            {
                "account_index": account.account_index,
                "api_key_index": index,
                "nonce": account.keys[index].nonce,
                "public_key": account.keys[index].public_key,
                "transaction_time": 0,
            }
            for index in indexes
        ]
    )


def account_limits(account: Account) -> Json:
    """``accountLimits``: tier and fees."""
    name = Tier.PREMIUM.value if account.tier is Tier.UNLIMITED else account.tier.value
    return ok(
        max_llp_percentage=100,
        max_llp_amount="0.000000",
        user_tier=name,
        can_create_public_pool=False,
        user_tier_name=name,
        current_maker_fee_tick=account.maker_fee,
        current_taker_fee_tick=account.taker_fee,
        leased_lit=decimal_text(0, 8),
        effective_lit_stakes=decimal_text(account.staked_lit * 10**8, 8),
        user_tier_last_update=account.tier_changed_us // 1000,
        bo_user_tier_name="",
        bo_fee_rate=0,
    )


def truth(state: State, requests: RequestCounts, now_us: int) -> Json:
    """``/paper/truth``: what really is, without lag or faults."""
    return {
        "time_ms": now_us // 1000,
        "self_trades": len(_between_accounts(state)),
        "accounts": [
            {
                "name": account.name,
                "account_index": index,
                "position_lots": {
                    state.markets[market].symbol: position.lots
                    for market, position in sorted(account.positions.items())
                },
                "collateral": quote_text(account.collateral),
                "orders": [_true_order(state, state.orders[order]) for order in state.orders_of[index]],
                "trades": _true_trades(state, index),
                "requests": requests.shown(index),
            }
            for index, account in state.accounts.items()
        ],
    }


def _between_accounts(state: State) -> set[int]:
    """Ids of trades whose both parties are accounts of this exchange."""
    return {
        trade.trade_id
        for trades in state.trades_of.values()
        for trade in trades
        if trade.maker.account_index in state.accounts and trade.taker.account_index in state.accounts
    }


def _true_order(state: State, order: Order) -> Json:
    return {
        "order_index": order.order_index,
        "client_order_index": order.client_order_index,
        "market": state.markets[order.market_index].symbol,
        "side": order.side.word,
        "type": order.order_type.word,
        "time_in_force": order.time_in_force.word,
        "reduce_only": order.reduce_only,
        "size_lots": order.size_lots,
        "filled_lots": order.filled_lots,
        "price_ticks": order.price_ticks,
        "status": order.status.value,
        "created_ms": order.created_us // 1000,
        "closed_ms": None if order.is_alive else order.updated_us // 1000,
        "tx_hash": order.tx_hash,
    }


def _true_trades(state: State, account_index: int) -> list[Json]:
    """Trades of one account, oldest first; one with itself appears once for each side."""
    rows: list[Json] = []
    for trade in state.trades_of[account_index]:
        for own, other, liquidity in (
            (trade.maker, trade.taker, "maker"),
            (trade.taker, trade.maker, "taker"),
        ):
            if own.account_index != account_index:
                continue
            is_ask = trade.is_maker_ask == (liquidity == "maker")
            rows.append(
                {
                    "trade_id": trade.trade_id,
                    "market": state.markets[trade.market_index].symbol,
                    "side": (Side.ASK if is_ask else Side.BID).word,
                    "lots": trade.lots,
                    "price_ticks": trade.price_ticks,
                    "liquidity": liquidity,
                    "order_index": own.order_index,
                    "counterparty": other.account_index,
                    "time_ms": trade.time_us // 1000,
                }
            )
    return rows
