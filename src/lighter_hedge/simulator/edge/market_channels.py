"""Channels about markets: what each tells, first and then. Pure.

Shapes follow frames recorded in 2026. A stamp that is zero, of a book in which nothing has ever happened, is left
out at the top of a frame.
"""

from functools import partial

from lighter_hedge.domain.units import MarketSpec
from lighter_hedge.simulator.core.exchange import Exchange
from lighter_hedge.simulator.core.pushes import BestChanged, BookChanged, MarketStats, Traded
from lighter_hedge.simulator.edge import wire
from lighter_hedge.simulator.edge.wire import Json, Markets, Told

HISTORY_TRADES = 50

# --- order_book ---------------------------------------------------------------------------------------------------


def book_first(exchange: Exchange, now_us: int, market_index: int) -> Json:
    """The whole book; the next batch continues it."""
    return _book(exchange.publisher.book_snapshot(market_index), exchange.state.markets, now_us)


def book_then(push: BookChanged) -> Told:
    """A batch, chained to the one before by ``begin_nonce``."""
    return [(f"order_book:{push.market_index}", partial(_book, push))]


def _book(push: BookChanged, markets: Markets, now_us: int) -> Json:
    market = markets[push.market_index]
    return {
        **_last_updated(push.at_us),
        "offset": push.offset,
        "order_book": {
            "code": 0,
            "asks": _levels(market, push.asks),
            "bids": _levels(market, push.bids),
            "offset": push.offset,
            "nonce": push.nonce,
            "last_updated_at": push.at_us,
            "begin_nonce": push.begin_nonce,
        },
        "timestamp": now_us // 1000,
    }


def _levels(market: MarketSpec, levels: tuple[tuple[int, int], ...]) -> list[Json]:
    return [{"price": market.price_text(price), "size": market.size_text(lots)} for price, lots in levels]


def _last_updated(at_us: int) -> Json:
    return {"last_updated_at": at_us} if at_us else {}


# --- ticker -------------------------------------------------------------------------------------------------------


def ticker_first(exchange: Exchange, now_us: int, market_index: int) -> Json:
    """Best prices as they are."""
    bid, ask = exchange.publisher.best(market_index)
    at_us = exchange.state.market_states[market_index].best_us
    nonce = exchange.state.counters.sequence
    best = BestChanged(market_index=market_index, nonce=nonce, bid=bid, ask=ask, at_us=at_us)
    return _ticker(best, exchange.state.markets, now_us)


def ticker_then(push: BestChanged) -> Told:
    """Best prices and sizes, at once and not with the next batch."""
    return [(f"ticker:{push.market_index}", partial(_ticker, push))]


def _ticker(push: BestChanged, markets: Markets, now_us: int) -> Json:
    market = markets[push.market_index]
    return {
        **_last_updated(push.at_us),
        "nonce": push.nonce,
        "ticker": {
            "s": market.symbol,
            "a": _best(market, push.ask),
            "b": _best(market, push.bid),
            "last_updated_at": push.at_us,
        },
        "timestamp": now_us // 1000,
    }


def _best(market: MarketSpec, level: tuple[int, int] | None) -> Json:
    if level is None:
        return {"price": "", "size": ""}
    return {"price": market.price_text(level[0]), "size": market.size_text(level[1])}


# --- trade --------------------------------------------------------------------------------------------------------


def trades_first(exchange: Exchange, now_us: int, market_index: int) -> Json:
    """The last trades and the last liquidations: history, newest first."""
    market = exchange.state.market_states[market_index]
    ordinary = [one for one in market.trades if not one.is_forced][:HISTORY_TRADES]
    trades = (*ordinary, *list(market.forced_trades)[:HISTORY_TRADES])
    traded = Traded(market_index=market_index, nonce=exchange.state.counters.sequence, trades=trades)
    return _trades(traded, exchange.state.markets, now_us)


def trades_then(push: Traded) -> Told:
    """Trades of one moment; liquidations in a list of their own."""
    return [(f"trade:{push.market_index}", partial(_trades, push))]


def _trades(push: Traded, markets: Markets, now_us: int) -> Json:
    return {
        "liquidation_trades": [wire.trade(one, markets) for one in push.trades if one.is_forced],
        "nonce": push.nonce,
        "trades": [wire.trade(one, markets) for one in push.trades if not one.is_forced],
    }


# --- market_stats -------------------------------------------------------------------------------------------------


def stats_first(exchange: Exchange, now_us: int, market_index: int | None) -> Json:
    """State of one market, or of all as a map."""
    state = exchange.state
    if market_index is not None:
        return _stats(state.stats(market_index, now_us), state.markets, now_us)
    every = {str(one): wire.market_stats(state.stats(one, now_us), state.markets) for one in state.markets}
    return {"market_stats": every, "timestamp": now_us // 1000}


def stats_then(push: MarketStats) -> Told:
    """State of one market; the map of ``all`` has that one alone."""
    return [
        (f"market_stats:{push.market_index}", partial(_stats, push)),
        ("market_stats:all", partial(_stats_of_all, push)),
    ]


def _stats(push: MarketStats, markets: Markets, now_us: int) -> Json:
    return {"market_stats": wire.market_stats(push, markets), "timestamp": now_us // 1000}


def _stats_of_all(push: MarketStats, markets: Markets, now_us: int) -> Json:
    stats = {str(push.market_index): wire.market_stats(push, markets)}
    return {"market_stats": stats, "timestamp": now_us // 1000}


# --- told by the clock: candle, height ------------------------------------------------------------------------------


def candles_now(exchange: Exchange, now_us: int, market_index: int, resolution: str) -> Json:
    """The candle that is being made; none where nothing has been traded in its span."""
    market = exchange.state.markets[market_index]
    found = exchange.state.market_states[market_index].candles.current(resolution, now_us // 1000)
    return {
        "candles": [] if found is None else [wire.candle(found, market)],
        "timestamp": now_us // 1000,
    }


def height_now(exchange: Exchange, now_us: int) -> Json:
    """The height of the last block."""
    return {"height": exchange.state.height(now_us), "timestamp": now_us // 1000}
