"""Transactions as clients sign them: from ``tx_info`` JSON to typed data, with the checks that need no state.

Field names and flags are those of lighter-sdk 1.1.8; error codes those of the venue's own list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.orders import OrderType, SelfTrade, SelfTradeEquality, TimeInForce

CREATE_ORDER = 14
CANCEL_ORDER = 15
CANCEL_ALL = 16
MODIFY_ORDER = 17
UPDATE_LEVERAGE = 20

NIL_MARKET = 255
"""Market index that means all markets."""
CANCEL_ALL_IMMEDIATE = 0
CANCEL_ALL_SCHEDULED = 1
CANCEL_ALL_ABORT = 2

ATTRIBUTE_SKIP_NONCE = "4"
ATTRIBUTE_CANCEL_ALL_MARKET = "5"
ATTRIBUTE_SELF_TRADE = "6"
ATTRIBUTE_EQUALITY = "7"

MAX_PRICE = 2**32 - 1
MAX_BASE = 2**48 - 1
VENUE_INDEX_MIN = 2**48
VENUE_INDEX_MAX = 2**60 - 1


class TxRefused(Exception):
    """A transaction that the API stage refuses; its nonce is not consumed."""

    def __init__(self, code: int, message: str, http_status: int = 400) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.http_status = http_status


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOrder:
    """Type 14."""

    market_index: int
    client_order_index: int
    size_lots: int
    price_ticks: int
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    reduce_only: bool
    expiry_ms: int
    self_trade: SelfTrade
    equality: SelfTradeEquality


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """Type 15. ``index`` below 2**48 is a client order index."""

    market_index: int
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAll:
    """Type 16. ``time_ms`` belongs to a scheduled one."""

    mode: int
    time_ms: int
    market_index: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModifyOrder:
    """Type 17. ``size_lots`` replaces the order's total size."""

    market_index: int
    index: int
    size_lots: int
    price_ticks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateLeverage:
    """Type 20. ``margin_fraction`` in 1e-4."""

    market_index: int
    margin_fraction: int
    margin_mode: int


TxBody: TypeAlias = CreateOrder | CancelOrder | CancelAll | ModifyOrder | UpdateLeverage


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What every transaction carries, and its body."""

    tx_type: int
    account_index: int
    api_key_index: int
    nonce: int
    expired_at_ms: int
    skip_nonce: bool
    body: TxBody


def parse(tx_type: int, tx_info: Mapping[str, Any]) -> Envelope:
    """Read a transaction.

    Raises:
        TxRefused: unknown type, a missing field, or a value out of its range.
    """
    attributes = tx_info.get("L2TxAttributes") or {}
    if not isinstance(attributes, Mapping):
        raise TxRefused(21501, "invalid tx info: L2TxAttributes")
    return Envelope(
        tx_type=tx_type,
        account_index=_integer(tx_info, "AccountIndex", 21102),
        api_key_index=_integer(tx_info, "ApiKeyIndex", 21110),
        nonce=_integer(tx_info, "Nonce", 21104),
        expired_at_ms=_integer(tx_info, "ExpiredAt", 21501),
        skip_nonce=attributes.get(ATTRIBUTE_SKIP_NONCE) == 1,
        body=_body(tx_type, tx_info, attributes),
    )


def _body(tx_type: int, tx_info: Mapping[str, Any], attributes: Mapping[str, Any]) -> TxBody:
    match tx_type:
        case 14:
            return _create_order(tx_info, attributes)
        case 15:
            return CancelOrder(
                market_index=_integer(tx_info, "MarketIndex", 21602),
                index=_order_index(tx_info),
            )
        case 16:
            return _cancel_all(tx_info, attributes)
        case 17:
            return ModifyOrder(
                market_index=_integer(tx_info, "MarketIndex", 21602),
                index=_order_index(tx_info),
                size_lots=_within(_integer(tx_info, "BaseAmount", 21701), 1, MAX_BASE, 21701, "base amount"),
                price_ticks=_within(_integer(tx_info, "Price", 21702), 1, MAX_PRICE, 21702, "price"),
            )
        case 20:
            return UpdateLeverage(
                market_index=_integer(tx_info, "MarketIndex", 21602),
                margin_fraction=_integer(tx_info, "InitialMarginFraction", 21113),
                margin_mode=_integer(tx_info, "MarginMode", 21613),
            )
        case _:
            raise TxRefused(21505, "invalid tx type")


def _create_order(tx_info: Mapping[str, Any], attributes: Mapping[str, Any]) -> CreateOrder:
    raw_type = _integer(tx_info, "Type", 21704)
    if raw_type not in (0, 1):
        raise TxRefused(21710, "unsupported order type")
    raw_tif = _within(_integer(tx_info, "TimeInForce", 21705), 0, 2, 21705, "time in force")
    order_type, time_in_force = OrderType(raw_type), TimeInForce(raw_tif)
    expiry_ms = _integer(tx_info, "OrderExpiry", 21711)
    if order_type is OrderType.MARKET and time_in_force is not TimeInForce.IOC:
        raise TxRefused(21705, "invalid time in force")
    if (time_in_force is TimeInForce.IOC) != (expiry_ms == 0):
        raise TxRefused(21711, "invalid order expiry")
    is_ask = _within(_integer(tx_info, "IsAsk", 21703), 0, 1, 21703, "is ask")
    reduce_only = bool(_integer(tx_info, "ReduceOnly", 21732))
    smallest = 0 if reduce_only else 1
    return CreateOrder(
        market_index=_integer(tx_info, "MarketIndex", 21602),
        client_order_index=_within(
            _integer(tx_info, "ClientOrderIndex", 21727), 0, 2**48 - 1, 21727, "client order index"
        ),
        size_lots=_within(_integer(tx_info, "BaseAmount", 21701), smallest, MAX_BASE, 21701, "base amount"),
        price_ticks=_within(_integer(tx_info, "Price", 21702), 1, MAX_PRICE, 21702, "price"),
        side=Side.ASK if is_ask else Side.BID,
        order_type=order_type,
        time_in_force=time_in_force,
        reduce_only=reduce_only,
        expiry_ms=expiry_ms,
        self_trade=SelfTrade(_within(_attribute(attributes, ATTRIBUTE_SELF_TRADE), 0, 2, 21501, "self trade")),
        equality=SelfTradeEquality(
            _within(_attribute(attributes, ATTRIBUTE_EQUALITY), 0, 1, 21501, "self trade equality")
        ),
    )


def _cancel_all(tx_info: Mapping[str, Any], attributes: Mapping[str, Any]) -> CancelAll:
    mode = _within(_integer(tx_info, "TimeInForce", 21713), 0, 2, 21713, "cancel all time in force")
    time_ms = _integer(tx_info, "Time", 21714)
    if (mode == CANCEL_ALL_SCHEDULED) != (time_ms > 0):
        raise TxRefused(21714, "invalid cancel all time")
    market = attributes.get(ATTRIBUTE_CANCEL_ALL_MARKET)
    if market is not None and not isinstance(market, int):
        raise TxRefused(21602, "invalid market index")
    return CancelAll(mode=mode, time_ms=time_ms, market_index=None if market == NIL_MARKET else market)


def _order_index(tx_info: Mapping[str, Any]) -> int:
    return _within(_integer(tx_info, "Index", 21700), 1, VENUE_INDEX_MAX, 21700, "order index")


def _attribute(attributes: Mapping[str, Any], name: str) -> int:
    value = attributes.get(name, 0)
    if not isinstance(value, int):
        raise TxRefused(21501, f"invalid tx info: attribute {name}")
    return value


def _integer(tx_info: Mapping[str, Any], name: str, code: int) -> int:
    value = tx_info.get(name)
    if not isinstance(value, int):
        raise TxRefused(code, f"invalid {name}")
    return value


def _within(value: int, low: int, high: int, code: int, what: str) -> int:
    if not low <= value <= high:
        raise TxRefused(code, f"invalid {what}")
    return value
