"""From the venue's JSON to the domain's events. Pure.

Sizes and prices become lots and ticks by the market's decimals. What concerns other markets or accounts is left out.
A frame that cannot be read raises: it may have held a fill, so the feed that carried it is not to be trusted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal, DecimalException
from typing import TypeVar, get_args

import msgspec

from lighter_hedge.domain.events import (
    BalanceReported,
    BookReported,
    MarketHeard,
    OrderReport,
    OrderReported,
    PositionReported,
    TradeReport,
    TradeReported,
    TxReported,
    TxStatus,
    VenueEvent,
)
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import (
    AMOUNT_LENGTH_MAX,
    DECIMALS_MAX,
    UNITS_MAX,
    Lots,
    MarketSpec,
    Side,
    UnitError,
    integer_of_wire,
)
from lighter_hedge.venue.lighter import models

T = TypeVar("T")
MILLISECONDS_FROM = 100_000_000_000
"""A stamp below this is in seconds: as milliseconds it would lie in 1973."""
QUOTE_DECIMALS = 6

Emitted = VenueEvent | TxReported

# An empty list may come as null.
_orders: msgspec.json.Decoder[list[models.OrderRow] | None] = msgspec.json.Decoder(list[models.OrderRow] | None)
_trades: msgspec.json.Decoder[list[models.TradeRow] | None] = msgspec.json.Decoder(list[models.TradeRow] | None)
_position = msgspec.json.Decoder(models.PositionRow)
_frames: msgspec.json.Decoder[models.Frame] = msgspec.json.Decoder(models.Frame)
_bare = msgspec.json.Decoder(models.BareFrame)
_any: msgspec.json.Decoder[object] = msgspec.json.Decoder(object)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose frames are meant: one market and the desk's two accounts."""

    market: MarketSpec
    roles: Mapping[int, Role]
    own: Role
    """The role whose private channels are followed."""


def frame_of(raw: bytes | str) -> models.Frame | models.BareFrame:
    """Decode one frame; a type that is not read here becomes a ``BareFrame``.

    Raises:
        msgspec.DecodeError: no JSON, or a frame of a known type that lacks what it must have.
    """
    try:
        return decoded(_frames, raw)
    except msgspec.ValidationError:
        bare = decoded(_bare, raw)
        if bare.type in KNOWN_TYPES:
            raise
        return bare


def decoded(decoder: msgspec.json.Decoder[T], raw: bytes | str | msgspec.Raw) -> T:
    """Decode JSON; whatever is wrong with it is one error.

    Raises:
        msgspec.DecodeError: no JSON, no UTF-8, nested without end, or not what the decoder expects.
    """
    try:
        return decoder.decode(raw)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from error


def events_of(frame: models.Frame, scope: Scope) -> list[Emitted]:
    """The events that one frame stands for, in the order in which they are to be applied.

    Raises:
        UnitError: an amount does not fit the market's decimals.
        msgspec.DecodeError: a row is not as the venue writes it.
    """
    match frame:
        case models.BookUpdate():
            return [book(frame, scope.market, snapshot=False)]
        case models.BookSnapshot():
            return [book(frame, scope.market, snapshot=True)]
        case models.TickerUpdate() | models.TickerSnapshot():
            return [MarketHeard()]
        case models.StatsUpdate() | models.StatsSnapshot():
            return [MarketHeard(mark=_mark(frame.market_stats.mark_price, scope.market), at_ms=frame.timestamp)]
        case models.AccountUpdate():
            return [*_account_trades(frame, scope), *_account_position(frame, scope)]
        case models.AccountSnapshot():
            return list(_account_position(frame, scope))
        case models.OrdersUpdate() | models.OrdersSnapshot():
            return list(_account_orders(frame, scope))
        case models.TxUpdate() | models.TxSnapshot():
            return [tx(row) for row in frame.txs or ()]
        case models.UserStatsUpdate() | models.UserStatsSnapshot():
            available = floor_of_wire(frame.stats.available_balance, QUOTE_DECIMALS)
            return [BalanceReported(available=available)]
        case _:
            return []


def _mark(text: str, market: MarketSpec) -> int:
    mark = floor_of_wire(text, market.price_decimals)
    if mark < 0:
        raise UnitError(f"the mark price is {text}")
    return mark


def book(frame: models.BookUpdate | models.BookSnapshot, market: MarketSpec, *, snapshot: bool) -> BookReported:
    """A frame of the order book. The order of its levels means nothing."""
    body = frame.order_book
    return BookReported(
        snapshot=snapshot,
        nonce=body.nonce,
        begin_nonce=body.begin_nonce,
        bids=_levels(body.bids, market),
        asks=_levels(body.asks, market),
        at_ms=frame.timestamp,
    )


def _levels(levels: list[models.Level] | None, market: MarketSpec) -> tuple[tuple[int, int], ...]:
    size_decimals, price_decimals = market.size_decimals, market.price_decimals
    read = tuple([(wire_int(one.price, price_decimals), wire_int(one.size, size_decimals)) for one in levels or ()])
    if not all(price for price, _ in read):
        raise UnitError("a level of the order book has the price 0")
    return read


def order(row: models.OrderRow, market: MarketSpec) -> OrderReport:
    """A row of one order of ``market``. A status word that is not known counts as open.

    Raises:
        UnitError: an amount does not fit the market's decimals, or more is filled than was ordered.
    """
    assert row.market_index == market.market_index
    lots = wire_int(row.initial_base_amount, market.size_decimals)
    filled = wire_int(row.filled_base_amount, market.size_decimals)
    if filled > lots > 0:  # an order that takes the position's size has 0
        raise UnitError(f"order {row.order_index} of {row.initial_base_amount} has filled {row.filled_base_amount}")
    return OrderReport(
        coid=row.client_order_index,
        order_index=row.order_index,
        side=Side.ASK if row.is_ask else Side.BID,
        lots=lots,
        price=wire_int(row.price, market.price_decimals),
        filled=filled,
        filled_quote=wire_int(row.filled_quote_amount, QUOTE_DECIMALS),
        closed=is_closed(row.status),
        status=row.status,
        created_ms=milliseconds(row.created_at or row.timestamp),
    )


def is_closed(status: str) -> bool:
    """Whether an order with this status can fill no more. An unknown word is no proof of that."""
    return status == "filled" or status.startswith("canceled")


def trades(row: models.TradeRow, account: int, market: MarketSpec) -> list[TradeReport]:
    """What ``account`` did in one trade: one report, two if it was both sides, none if it was neither."""
    return [
        _trade(row, side, market)
        for side, party in ((Side.ASK, row.ask_account_id), (Side.BID, row.bid_account_id))
        if party == account
    ]


def _trade(row: models.TradeRow, side: Side, market: MarketSpec) -> TradeReport:
    asked = side is Side.ASK
    lots = wire_int(row.size, market.size_decimals)
    price = wire_int(row.price, market.price_decimals)
    if not lots or not price:
        raise UnitError(f"trade {row.trade_id} has the size {row.size} and the price {row.price}")
    return TradeReport(
        trade_id=row.trade_id,
        coid=row.ask_client_id if asked else row.bid_client_id,
        order_index=row.ask_id if asked else row.bid_id,
        side=side,
        lots=lots,
        price=price,
        quote=wire_int(row.usd_amount, QUOTE_DECIMALS) if row.usd_amount else market.quote(lots, price),
        maker=asked == row.is_maker_ask,
        counterparty=row.bid_account_id if asked else row.ask_account_id,
        kind=row.type,
        at_ms=milliseconds(row.timestamp),
    )


def position(row: models.PositionRow, market: MarketSpec) -> Lots:
    """Signed lots: the venue gives an absolute size and a sign, which is 1 for flat."""
    return Lots(row.sign * wire_int(row.position, market.size_decimals))


def tx(row: models.TxRow) -> TxReported:
    """Fate of a transaction, with what the sequencer said where it had no effect."""
    return TxReported(tx_hash=row.hash, status=tx_status(row.status), error=sequencer_error(row.event_info))


def tx_status(status: int) -> TxStatus:
    """0 failed, 1 pending, everything later has executed."""
    if status == models.TX_STATUS_FAILED:
        return TxStatus.FAILED
    if status == models.TX_STATUS_PENDING:
        return TxStatus.PENDING
    return TxStatus.EXECUTED


def sequencer_error(event_info: str) -> str:
    """``ae`` of an ``event_info``: a JSON text of code and message, empty where all went well."""
    said = _field(event_info, "ae")
    if not isinstance(said, str) or not said:
        return ""
    code, message = _field(said, "code"), _field(said, "message")
    if code is None and message is None:
        return said
    return f"{code} {message}"


def _field(text: str, name: str) -> object:
    try:
        found = decoded(_any, text) if text else {}
    except msgspec.DecodeError:
        return None
    return found.get(name) if isinstance(found, dict) else None


def market_spec(row: models.MarketDetails) -> MarketSpec:
    """What one market allows.

    Raises:
        UnitError: a minimum does not fit the market's decimals, or there are more of those than we can hold.
    """
    if not row.symbol or max(row.size_decimals, row.price_decimals) > DECIMALS_MAX:
        raise UnitError(
            f"market {row.market_id} {row.symbol!r} has {row.size_decimals} and {row.price_decimals} decimals"
        )
    return MarketSpec(
        market_index=row.market_id,
        symbol=row.symbol,
        size_decimals=row.size_decimals,
        price_decimals=row.price_decimals,
        min_base_lots=Lots(integer_of_wire(row.min_base_amount, row.size_decimals)),
        min_quote=integer_of_wire(row.min_quote_amount, QUOTE_DECIMALS),
        initial_margin_fraction=row.default_initial_margin_fraction,
        active=row.status == "active",
    )


def account(row: models.AccountDetails, market: MarketSpec) -> tuple[int, int, int]:
    """Signed position in lots, free collateral in millionths, number of open orders.

    Open orders are those of this market where the venue lists it, else those of all markets.
    """
    available = floor_of_wire(row.available_balance, QUOTE_DECIMALS)
    for held in row.positions or ():
        if held.market_id == market.market_index:
            return position(held, market), available, held.open_order_count
    return 0, available, row.total_order_count


def milliseconds(stamp: int) -> int:
    """A stamp in milliseconds: the venue writes seconds in some places."""
    return stamp if stamp >= MILLISECONDS_FROM else stamp * 1000


def wire_int(text: str, decimals: int) -> int:
    """A decimal string as an integer. Fast where the venue writes all decimals, as it does.

    Raises:
        UnitError: no number, or too many decimals.
    """
    whole, _, fraction = text.partition(".")
    if len(fraction) == decimals and len(text) < 20 and text.isascii() and fraction.isdecimal() and whole.isdecimal():
        return int(whole + fraction)
    return integer_of_wire(text, decimals)


def floor_of_wire(text: str, decimals: int) -> int:
    """A decimal string as an integer, rounded down; empty is 0.

    Raises:
        UnitError: no finite number, or one out of all bounds.
    """
    if not text:
        return 0
    try:
        number = Decimal(text if len(text) <= AMOUNT_LENGTH_MAX else "").scaleb(decimals)
        if number.is_finite() and abs(number) <= UNITS_MAX:
            return int(number.to_integral_value(ROUND_FLOOR))
    except DecimalException:
        pass
    raise UnitError(f"amount {text[:AMOUNT_LENGTH_MAX]!r} is not a number, or out of all bounds")


# --- private ----------------------------------------------------------------------------------------------------


def _account_of(channel: str) -> int:
    number = channel.rpartition(":")[2]
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 20 else -1


def _role_of(channel: str, scope: Scope) -> Role | None:
    return scope.roles.get(_account_of(channel))


def _account_trades(frame: models.AccountUpdate, scope: Scope) -> list[Emitted]:
    role = _role_of(frame.channel, scope)
    raw = frame.trades.get(str(scope.market.market_index)) if isinstance(frame.trades, dict) else None
    if role is None or raw is None:
        return []
    number = _account_of(frame.channel)
    return [
        TradeReported(role=role, trade=report)
        for row in decoded(_trades, raw) or ()
        if _fits(row.market_id, scope)
        for report in trades(row, number, scope.market)
    ]


def _account_position(frame: models.AccountUpdate | models.AccountSnapshot, scope: Scope) -> list[Emitted]:
    role = _role_of(frame.channel, scope)
    raw = (frame.positions or {}).get(str(scope.market.market_index))
    if role is None or raw is None:
        return []
    row = decoded(_position, raw)
    _fits(row.market_id, scope)
    return [PositionReported(role=role, lots=position(row, scope.market))]


def _account_orders(frame: models.OrdersUpdate | models.OrdersSnapshot, scope: Scope) -> list[Emitted]:
    role = _role_of(frame.channel, scope)
    raw = (frame.orders or {}).get(str(scope.market.market_index))
    if role is None or raw is None:
        return []
    rows = [row for row in decoded(_orders, raw) or () if _fits(row.market_index, scope)]
    return [OrderReported(role=role, report=order(row, scope.market)) for row in rows]


def _fits(market_index: int, scope: Scope) -> bool:
    """Whether a row is of the market under whose key it stands: anything else is a frame that cannot be trusted."""
    if market_index != scope.market.market_index:
        raise msgspec.ValidationError(f"a row of market {market_index} under the key {scope.market.market_index}")
    return True


KNOWN_TYPES = frozenset(kind.__struct_config__.tag for kind in get_args(models.Frame))
"""Types that must decode; any other is ignored."""
