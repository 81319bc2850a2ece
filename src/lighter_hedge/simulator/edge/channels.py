"""Every channel of the WebSocket in one table: its name, whom it is about, what it tells first and then. Pure.

The order of the table is contract: of one fact, the channels speak in this order, as recorded after a fill.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lighter_hedge.simulator.core.candles import RESOLUTIONS_MS
from lighter_hedge.simulator.core.exchange import Exchange
from lighter_hedge.simulator.core.pushes import (
    AccountTraded,
    BestChanged,
    BookChanged,
    FundingPaid,
    MarketStats,
    OrdersChanged,
    PositionsChanged,
    Push,
    Traded,
    TxExecuted,
)
from lighter_hedge.simulator.edge import account_channels as account
from lighter_hedge.simulator.edge import market_channels as market
from lighter_hedge.simulator.edge.numerals import whole_number
from lighter_hedge.simulator.edge.wire import Json, Markets, Told

EVERY = "all"
RESOLUTIONS = frozenset(RESOLUTIONS_MS) - {"1w"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One kind of channel."""

    name: str
    parts: tuple[str, ...] = ()
    """What follows the name: ``market``, ``account``, ``resolution``."""
    auth: bool = False
    """Whether a token of the account is needed."""
    every: bool = False
    """Whether ``all`` may stand for the market."""
    first: Callable[..., Json]
    """Body of the snapshot, from the exchange, the time, and the parts."""
    then: Mapping[type[Push], Callable[[Any], Told]] = field(default_factory=dict)
    """What each fact tells; none: the clock tells (``Venue.heartbeat``)."""


_MARKET, _ACCOUNT, _BOTH = ("market",), ("account",), ("market", "account")
CHANNELS = (
    Channel(name="order_book", parts=_MARKET, first=market.book_first, then={BookChanged: market.book_then}),
    Channel(name="ticker", parts=_MARKET, first=market.ticker_first, then={BestChanged: market.ticker_then}),
    Channel(name="trade", parts=_MARKET, first=market.trades_first, then={Traded: market.trades_then}),
    Channel(
        name="market_stats",
        parts=_MARKET,
        every=True,
        first=market.stats_first,
        then={MarketStats: market.stats_then},
    ),
    Channel(name="candle", parts=("market", "resolution"), first=market.candles_now),
    Channel(name="height", first=market.height_now),
    Channel(
        name="account_all_orders",
        parts=_ACCOUNT,
        auth=True,
        first=account.all_orders_first,
        then={OrdersChanged: account.all_orders_then},
    ),
    Channel(
        name="account_orders",
        parts=_BOTH,
        auth=True,
        first=account.orders_first,
        then={OrdersChanged: account.orders_then},
    ),
    Channel(
        name="user_stats",
        parts=_ACCOUNT,
        first=account.user_stats_first,
        then={PositionsChanged: account.user_stats_then},
    ),
    Channel(
        name="account_all",
        parts=_ACCOUNT,
        first=account.all_first,
        then={
            AccountTraded: account.all_traded,
            PositionsChanged: account.all_positions_changed,
            FundingPaid: account.all_funded,
        },
    ),
    Channel(
        name="account_all_trades",
        parts=_ACCOUNT,
        auth=True,
        first=account.all_trades_first,
        then={AccountTraded: account.all_trades_then},
    ),
    Channel(
        name="account_all_positions",
        parts=_ACCOUNT,
        auth=True,
        first=account.all_positions_first,
        then={PositionsChanged: account.all_positions_then},
    ),
    Channel(
        name="account_all_assets",
        parts=_ACCOUNT,
        auth=True,
        first=account.assets_first,
        then={PositionsChanged: account.assets_then},
    ),
    Channel(
        name="account_market",
        parts=_BOTH,
        auth=True,
        first=account.market_first,
        then={
            OrdersChanged: account.market_orders,
            AccountTraded: account.market_trades,
            PositionsChanged: account.market_position,
            FundingPaid: account.market_funding,
        },
    ),
    Channel(
        name="account_tx",
        parts=_ACCOUNT,
        auth=True,
        first=account.txs_first,
        then={TxExecuted: account.txs_then},
    ),
    Channel(
        name="notification",
        parts=_ACCOUNT,
        auth=True,
        first=account.notifications_first,
        then={AccountTraded: account.notifications_then},
    ),
)
BY_NAME = {one.name: one for one in CHANNELS}
_Teller: TypeAlias = Callable[[Any], Told]
BY_PUSH: Mapping[type[Push], tuple[_Teller, ...]] = {
    kind: tuple(one.then[kind] for one in CHANNELS if kind in one.then)
    for kind in dict.fromkeys(kind for one in CHANNELS for kind in one.then)
}


class NoChannel(Exception):
    """There is no such channel; the message is what the venue adds to its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One channel that can be subscribed to."""

    text: str
    """Its name with ``:``, as in frames."""
    kind: Channel
    values: tuple[int | str | None, ...]
    """Market, account or resolution, in the order of the kind's parts; ``None`` is every market."""

    @property
    def account_index(self) -> int | None:
        """The account that it is about."""
        value = self.values[-1] if self.kind.parts[-1:] == ("account",) else None
        return value if isinstance(value, int) else None


def find(exchange: Exchange, asked: str) -> Topic:
    """The channel that a client names, with ``/`` or ``:``. Whether its account exists is asked after its token.

    Raises:
        NoChannel: it is none.
    """
    name, *given = asked.replace("/", ":").split(":")
    kind = BY_NAME.get(name)
    if kind is None or len(given) != len(kind.parts):
        raise NoChannel
    values = tuple(_value(exchange, kind, part, text) for part, text in zip(kind.parts, given, strict=True))
    shown = [EVERY if value is None else str(value) for value in values]
    return Topic(text=":".join([name, *shown]), kind=kind, values=values)


def _value(exchange: Exchange, kind: Channel, part: str, text: str) -> int | str | None:
    if part == "resolution":
        if text not in RESOLUTIONS:
            raise NoChannel
        return text
    if text == EVERY and kind.every:
        return None
    number = whole_number(text)
    if number is None:
        raise NoChannel
    if part == "market" and number not in exchange.state.markets:
        raise NoChannel("(marketId)")
    return number


def first(exchange: Exchange, topic: Topic, now_us: int) -> Json:
    """The frame that a new subscriber hears first."""
    body = topic.kind.first(exchange, now_us, *topic.values)
    return {"channel": topic.text, **body, "type": f"subscribed/{topic.kind.name}"}


def tellings(push: Push) -> Told:
    """What a fact tells, channel by channel, not yet made."""
    return [told for teller in BY_PUSH[type(push)] for told in teller(push)]


def update(channel: str, body: Json) -> Json:
    """A later frame of a channel."""
    return {"channel": channel, **body, "type": f"update/{channel.partition(':')[0]}"}


def updates(push: Push, markets: Markets, now_us: int) -> list[tuple[str, Json]]:
    """All frames of a fact, by channel, in the order of the wire."""
    return [(channel, update(channel, build(markets, now_us))) for channel, build in tellings(push)]
