"""Channels about accounts: what each tells, first and then.

Maps are partial: a market that is missing is unchanged. After a fill the channels speak in the recorded order, which
is that of ``channels.CHANNELS``.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial

from lighter_hedge.domain.units import quote_text
from lighter_hedge.simulator.core.accounts import Account, Health
from lighter_hedge.simulator.core.exchange import Exchange
from lighter_hedge.simulator.core.orders import Order, Trade
from lighter_hedge.simulator.core.pushes import AccountTraded, FundingPaid, OrdersChanged, PositionsChanged, TxExecuted
from lighter_hedge.simulator.edge import wire
from lighter_hedge.simulator.edge.wire import Json, Markets, Told

HISTORY_NOTIFICATIONS = 50
INTEGRATOR_FIELDS = ("integrator_fee_collector_index", "integrator_taker_fee", "integrator_maker_fee")
SPANS = ("daily", "weekly", "monthly", "total")


def _positions(exchange: Exchange, account: Account) -> Json:
    state = exchange.state
    return {
        str(market): wire.position(state.position_view(account, market), state.markets)
        for market in sorted(account.positions)
    }


def _positions_of(push: PositionsChanged, markets: Markets) -> Json:
    return {str(view.market_index): wire.position(view, markets) for view in push.positions}


def _markets_of(rows: Iterable[Order | Trade]) -> list[int]:
    return list(dict.fromkeys(one.market_index for one in rows))


# --- account_all_orders, account_orders -----------------------------------------------------------------------------


def all_orders_first(exchange: Exchange, now_us: int, account_index: int) -> Json:
    """All open orders."""
    return {"orders": _open_orders(exchange, account_index, tuple(exchange.state.markets))}


def _open_orders(exchange: Exchange, account_index: int, wanted: tuple[int, ...]) -> dict[str, list[Json]]:
    """Open orders by market. Their integrator fields are empty here and "0" later, as recorded."""
    state = exchange.state
    found = tuple(one for one in state.open_of[account_index].values() if one.market_index in wanted)
    by_market = wire.orders_by_market(found, state.markets)
    return {
        market: [{**row, **dict.fromkeys(INTEGRATOR_FIELDS, "")} for row in rows] for market, rows in by_market.items()
    }


def all_orders_then(push: OrdersChanged) -> Told:
    """New states of orders."""
    return [(f"account_all_orders:{push.account_index}", partial(_all_orders, push))]


def _all_orders(push: OrdersChanged, markets: Markets, now_us: int) -> Json:
    return {"orders": wire.orders_by_market(push.orders, markets)}


def orders_first(exchange: Exchange, now_us: int, market_index: int, account_index: int) -> Json:
    """Open orders of one market."""
    return {
        "account": account_index,
        "nonce": exchange.state.counters.sequence,
        "orders": _open_orders(exchange, account_index, (market_index,)),
    }


def orders_then(push: OrdersChanged) -> Told:
    """New states of orders, market by market."""
    return [
        (f"account_orders:{market}:{push.account_index}", partial(_orders, push, market))
        for market in _markets_of(push.orders)
    ]


def _orders(push: OrdersChanged, market_index: int, markets: Markets, now_us: int) -> Json:
    found = tuple(one for one in push.orders if one.market_index == market_index)
    return {
        "account": push.account_index,
        "nonce": push.nonce,
        "orders": wire.orders_by_market(found, markets),
    }


# --- user_stats -----------------------------------------------------------------------------------------------------


def user_stats_first(exchange: Exchange, now_us: int, account_index: int) -> Json:
    """Balances and margin as they are."""
    account = exchange.state.accounts[account_index]
    return _stats_body(account.collateral, exchange.state.health(account), now_us)


def user_stats_then(push: PositionsChanged) -> Told:
    """Balances and margin after a change of position."""
    return [(f"user_stats:{push.account_index}", partial(_user_stats, push))]


def _user_stats(push: PositionsChanged, markets: Markets, now_us: int) -> Json:
    return _stats_body(push.collateral, push.health, now_us)


def _stats_body(collateral: int, health: Health, now_us: int) -> Json:
    return {"stats": wire.user_stats(collateral, health), "timestamp": now_us // 1000}


# --- account_all ----------------------------------------------------------------------------------------------------


def all_first(exchange: Exchange, now_us: int, account_index: int) -> Json:
    """Positions, assets and counts; no trades."""
    account = exchange.state.accounts[account_index]
    volume = account.volume / 1_000_000
    return {
        "account": account_index,
        "assets": {str(wire.USDC): wire.asset(account.collateral)},
        "funding_histories": {},
        "positions": _positions(exchange, account),
        "shares": [],
        "trades": {},
        **{f"{span}_trades_count": account.trade_count for span in SPANS},
        **{f"{span}_volume": volume for span in SPANS},
    }


def all_traded(push: AccountTraded) -> Told:
    """Trades; the map of positions is empty."""
    return [(f"account_all:{push.account_index}", partial(_all_traded, push))]


def _all_traded(push: AccountTraded, markets: Markets, now_us: int) -> Json:
    return _all(push.account_index, trades=wire.trades_by_market(push.trades, markets))


def all_positions_changed(push: PositionsChanged) -> Told:
    """Positions; the map of trades is empty."""
    return [(f"account_all:{push.account_index}", partial(_all_positions_changed, push))]


def _all_positions_changed(push: PositionsChanged, markets: Markets, now_us: int) -> Json:
    return _all(push.account_index, positions=_positions_of(push, markets))


def all_funded(push: FundingPaid) -> Told:
    """Funding; the maps of positions and trades are empty."""
    return [(f"account_all:{push.account_index}", partial(_all_funded, push))]


def _all_funded(push: FundingPaid, markets: Markets, now_us: int) -> Json:
    row = wire.position_funding(push, markets[push.market_index])
    return _all(push.account_index, fundings={str(push.market_index): [row]})


def _all(
    account_index: int,
    *,
    trades: Json | None = None,
    positions: Json | None = None,
    fundings: Json | None = None,
) -> Json:
    return {
        "account": account_index,
        "assets": None,
        "funding_histories": fundings or {},
        "positions": positions or {},
        "shares": [],
        "trades": trades or {},
    }


# --- account_all_trades, account_all_positions, account_all_assets ---------------------------------------------------


def all_trades_first(exchange: Exchange, now_us: int, account_index: int) -> Json:
    """Traded volumes; no trades. All volume counts as of this day."""
    volume = exchange.state.accounts[account_index].volume / 1_000_000
    return {"trades": {}, **{f"{span}_volume": volume for span in SPANS}}


def all_trades_then(push: AccountTraded) -> Told:
    """Trades, newest first."""
    return [(f"account_all_trades:{push.account_index}", partial(_all_trades, push))]


def _all_trades(push: AccountTraded, markets: Markets, now_us: int) -> Json:
    return {"trades": wire.trades_by_market(push.trades, markets)}


def all_positions_first(exchange: Exchange, now_us: int, account_index: int) -> Json:
    """Positions of every market that the account has ever traded."""
    return {"positions": _positions(exchange, exchange.state.accounts[account_index]), "shares": []}


def all_positions_then(push: PositionsChanged) -> Told:
    """Positions that have changed."""
    return [(f"account_all_positions:{push.account_index}", partial(_all_positions, push))]


def _all_positions(push: PositionsChanged, markets: Markets, now_us: int) -> Json:
    return {"positions": _positions_of(push, markets), "shares": []}


def assets_first(exchange: Exchange, now_us: int, account_index: int) -> Json:
    """The assets that the account holds."""
    return _assets_body(exchange.state.accounts[account_index].collateral, now_us)


def assets_then(push: PositionsChanged) -> Told:
    """The assets after a change of position."""
    return [(f"account_all_assets:{push.account_index}", partial(_assets, push))]


def _assets(push: PositionsChanged, markets: Markets, now_us: int) -> Json:
    return _assets_body(push.collateral, now_us)


def _assets_body(collateral: int, now_us: int) -> Json:
    return {"assets": {str(wire.USDC): wire.asset(collateral)}, "timestamp": now_us // 1000}


# --- account_market -------------------------------------------------------------------------------------------------


def market_first(exchange: Exchange, now_us: int, market_index: int, account_index: int) -> Json:
    """Open orders and the position of one market; a perp has no assets."""
    state = exchange.state
    account = state.accounts[account_index]
    position = None
    if market_index in account.positions:
        position = wire.position(state.position_view(account, market_index), state.markets)
    rows = _open_orders(exchange, account_index, (market_index,)).get(str(market_index), [])
    return _market(account_index, orders=rows, position=position, trades=[])


def market_orders(push: OrdersChanged) -> Told:
    """New states of orders; all else is null."""
    return [
        (f"account_market:{market}:{push.account_index}", partial(_market_orders, push, market))
        for market in _markets_of(push.orders)
    ]


def _market_orders(push: OrdersChanged, market_index: int, markets: Markets, now_us: int) -> Json:
    rows = [wire.order(one, markets) for one in push.orders if one.market_index == market_index]
    return _market(push.account_index, orders=rows)


def market_trades(push: AccountTraded) -> Told:
    """Trades; all else is null."""
    return [
        (f"account_market:{market}:{push.account_index}", partial(_market_trades, push, market))
        for market in _markets_of(push.trades)
    ]


def _market_trades(push: AccountTraded, market_index: int, markets: Markets, now_us: int) -> Json:
    rows = [wire.trade(one, markets) for one in push.trades if one.market_index == market_index]
    return _market(push.account_index, trades=rows)


def market_position(push: PositionsChanged) -> Told:
    """The position; all else is null."""
    return [
        (f"account_market:{view.market_index}:{push.account_index}", partial(_market_position, push, view.market_index))
        for view in push.positions
    ]


def _market_position(push: PositionsChanged, market_index: int, markets: Markets, now_us: int) -> Json:
    return _market(push.account_index, position=_positions_of(push, markets)[str(market_index)])


def market_funding(push: FundingPaid) -> Told:
    """Funding; all else is null."""
    return [(f"account_market:{push.market_index}:{push.account_index}", partial(_market_funding, push))]


def _market_funding(push: FundingPaid, markets: Markets, now_us: int) -> Json:
    return _market(push.account_index, funding=wire.position_funding(push, markets[push.market_index]))


def _market(
    account_index: int,
    *,
    funding: Json | None = None,
    orders: list[Json] | None = None,
    position: Json | None = None,
    trades: list[Json] | None = None,
) -> Json:
    return {
        "account": account_index,
        "assets": None,
        "funding_history": funding,
        "orders": orders,
        "position": position,
        "trades": trades,
    }


# --- account_tx, notification ---------------------------------------------------------------------------------------


def txs_first(exchange: Exchange, now_us: int, account_index: int) -> Json:
    """Nothing, as recorded."""
    return {}


def txs_then(push: TxExecuted) -> Told:
    """A transaction has run; the last word on it."""
    return [(f"account_tx:{push.account_index}", partial(_txs, push))]


def _txs(push: TxExecuted, markets: Markets, now_us: int) -> Json:
    return {"txs": [wire.tx(push.tx)]}


def notifications_first(exchange: Exchange, now_us: int, account_index: int) -> Json:
    """What the account has been told of, newest first."""
    state = exchange.state
    trades = [one for one in reversed(state.trades_of[account_index]) if notifies(one, account_index)]
    found = trades[:HISTORY_NOTIFICATIONS]
    return {"notifs": [notification(one, account_index, state.markets) for one in found]}


def notifications_then(push: AccountTraded) -> Told:
    """The account has been liquidated or deleveraged."""
    if not any(notifies(one, push.account_index) for one in push.trades):
        return []
    return [(f"notification:{push.account_index}", partial(_notifications, push))]


def _notifications(push: AccountTraded, markets: Markets, now_us: int) -> Json:
    found = [one for one in push.trades if notifies(one, push.account_index)]
    return {"notifs": [notification(one, push.account_index, markets) for one in found]}


def notifies(one: Trade, account_index: int) -> bool:
    """Whether a trade is something that an account is told of: its own liquidation, or a deleveraging."""
    liquidated = one.kind == "liquidation" and one.taker.account_index == account_index
    return liquidated or one.kind == "deleverage"


def notification(one: Trade, account_index: int, markets: Markets) -> Json:
    """What an account hears of a liquidation or a deleveraging; its time is that of the trade."""
    market = markets[one.market_index]
    at = datetime.fromtimestamp(one.time_us / 1_000_000, UTC).isoformat(timespec="milliseconds")
    at = at.replace("+00:00", "Z")
    size, price, usd = market.size_text(one.lots), market.price_text(one.price_ticks), quote_text(one.quote)
    content: Json = {"id": str(one.trade_id), "usdc_amount": usd, "size": size, "market_index": one.market_index}
    if one.kind == "liquidation":
        content |= {"is_ask": one.ask.account_index == account_index, "price": price, "avg_price": price}
    else:
        content["settlement_price"] = price
    content["timestamp"] = one.time_us // 1_000_000
    return {
        "id": str(one.trade_id),
        "created_at": at,
        "updated_at": at,
        "kind": one.kind,
        "account_index": account_index,
        "content": content,
        "ack": False,
        "acked_at": None,
    }
