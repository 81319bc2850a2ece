"""Transactions as clients sign them: from ``tx_info`` JSON to typed data, with the checks that need no state.

Field names and flags are those of lighter-sdk 1.1.8; error codes those of the venue's own list.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.orders import OrderType, SelfTrade, SelfTradeEquality, TimeInForce

CHANGE_PUB_KEY = 8
CREATE_SUB_ACCOUNT = 9
TRANSFER = 12
CREATE_ORDER = 14
CANCEL_ORDER = 15
CANCEL_ALL = 16
MODIFY_ORDER = 17
UPDATE_LEVERAGE = 20
CREATE_GROUPED_ORDERS = 28
UPDATE_MARGIN = 29
NOT_ON_PAPER = frozenset({10, 11, 13, 18, 19, 35, 36, 41, 42, 45})
"""Types of the venue that an exchange without pools, staking, assets and an L1 refuses with 21515: pools, withdrawal,
shares, stakes, account and asset configuration, integrators."""

NIL_MARKET = 255
"""Market index that means all markets."""
CANCEL_ALL_IMMEDIATE = 0
CANCEL_ALL_SCHEDULED = 1
CANCEL_ALL_ABORT = 2

OTO, OCO, OTOCO = 1, 2, 3
"""Grouping types: one triggers another; one cancels the other; one triggers two that cancel each other."""
CROSS, ISOLATED = 0, 1
"""Margin modes."""
REMOVE_MARGIN, ADD_MARGIN = 0, 1
USDC_ASSET = 3
PERPS_ROUTE = 0

ATTRIBUTE_SKIP_NONCE = "4"
ATTRIBUTE_CANCEL_ALL_MARKET = "5"
ATTRIBUTE_SELF_TRADE = "6"
ATTRIBUTE_EQUALITY = "7"
ATTRIBUTE_VERSION = "8"
ATTRIBUTES_MAX = 4
PUBLIC_KEY_BYTES = 40

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
    trigger_ticks: int = 0


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
    """Type 17. ``size_lots`` replaces the order's total size.

    ``version`` is taken and has no effect: what the venue does with it is not documented (fact sheet, section 7).
    """

    market_index: int
    index: int
    size_lots: int
    price_ticks: int
    trigger_ticks: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateLeverage:
    """Type 20. ``margin_fraction`` in 1e-4."""

    market_index: int
    margin_fraction: int
    margin_mode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateGroup:
    """Type 28. The first order of OTO and OTOCO is the parent."""

    grouping: int
    orders: tuple[CreateOrder, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateMargin:
    """Type 29. ``amount`` in millionths, to or from an isolated position."""

    market_index: int
    amount: int
    adds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePubKey:
    """Type 8. The key index of the envelope gets a new public key: 80 hex digits without 0x."""

    public_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSubAccount:
    """Type 9."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Type 12. Amounts in millionths; ``l1_signed`` is needed between wallets."""

    to_account_index: int
    amount: int
    fee: int
    l1_signed: bool


TxBody: TypeAlias = (
    CreateOrder
    | CancelOrder
    | CancelAll
    | ModifyOrder
    | UpdateLeverage
    | CreateGroup
    | UpdateMargin
    | ChangePubKey
    | CreateSubAccount
    | Transfer
)


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
    if tx_type in NOT_ON_PAPER:
        raise TxRefused(21515, "transaction is not allowed")
    attributes = tx_info.get("L2TxAttributes") or {}
    if not isinstance(attributes, Mapping) or len(attributes) > ATTRIBUTES_MAX:
        raise TxRefused(21501, "invalid tx info: L2TxAttributes")
    account = "FromAccountIndex" if tx_type == TRANSFER else "AccountIndex"
    return Envelope(
        tx_type=tx_type,
        account_index=_integer(tx_info, account, 21102),
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
            return CancelOrder(market_index=_integer(tx_info, "MarketIndex", 21602), index=_order_index(tx_info))
        case 16:
            return _cancel_all(tx_info, attributes)
        case 17:
            return ModifyOrder(
                market_index=_integer(tx_info, "MarketIndex", 21602),
                index=_order_index(tx_info),
                size_lots=_within(_integer(tx_info, "BaseAmount", 21701), 1, MAX_BASE, 21701, "base amount"),
                price_ticks=_price(tx_info),
                trigger_ticks=_trigger(tx_info),
                version=_attribute(attributes, ATTRIBUTE_VERSION),
            )
        case 20:
            return UpdateLeverage(
                market_index=_integer(tx_info, "MarketIndex", 21602),
                margin_fraction=_integer(tx_info, "InitialMarginFraction", 21113),
                margin_mode=_within(_integer(tx_info, "MarginMode", 21613), CROSS, ISOLATED, 21613, "margin mode"),
            )
        case 28:
            return _create_group(tx_info, attributes)
        case _:
            return _account_body(tx_type, tx_info)


def _account_body(tx_type: int, tx_info: Mapping[str, Any]) -> TxBody:
    match tx_type:
        case 8:
            return ChangePubKey(public_key=_public_key(tx_info))
        case 9:
            return CreateSubAccount()
        case 12:
            return _transfer(tx_info)
        case 29:
            amount = _within(_integer(tx_info, "USDCAmount", 21701), 1, 2**60, 21701, "base amount")
            direction = _within(_integer(tx_info, "Direction", 21615), 0, 1, 21615, "update margin direction")
            return UpdateMargin(
                market_index=_integer(tx_info, "MarketIndex", 21602), amount=amount, adds=direction == ADD_MARGIN
            )
        case _:
            raise TxRefused(21505, "unsupported tx type")


def _public_key(tx_info: Mapping[str, Any]) -> str:
    text = tx_info.get("PubKey")
    try:
        raw = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != PUBLIC_KEY_BYTES:
        raise TxRefused(21108, "invalid PublicKey")
    return raw.hex()


def _transfer(tx_info: Mapping[str, Any]) -> Transfer:
    if _integer(tx_info, "AssetIndex", 21801) != USDC_ASSET:
        raise TxRefused(21805, "only usdc transfer supported")
    if (tx_info.get("FromRouteType"), tx_info.get("ToRouteType")) != (PERPS_ROUTE, PERPS_ROUTE):
        raise TxRefused(21501, "invalid tx info: route")
    return Transfer(
        to_account_index=_integer(tx_info, "ToAccountIndex", 21102),
        amount=_within(_integer(tx_info, "Amount", 21807), 1, 2**60, 21807, "min transfer amount"),
        fee=_within(_integer(tx_info, "USDCFee", 21501), 0, 2**60, 21501, "fee"),
        l1_signed=bool(tx_info.get("L1Sig")),
    )


def _create_group(tx_info: Mapping[str, Any], attributes: Mapping[str, Any]) -> CreateGroup:
    """Read a group: its legs and how they hang together (lighter-go, CreateGroupedOrders)."""
    grouping = _within(_integer(tx_info, "GroupingType", 21741), OTO, OTOCO, 21741, "grouping type")
    rows = tx_info.get("Orders")
    if not isinstance(rows, list) or len(rows) != (3 if grouping == OTOCO else 2):
        raise TxRefused(21742, "invalid order group size")
    if not all(isinstance(row, Mapping) for row in rows):
        raise TxRefused(21743, "invalid order info")
    children_from = 0 if grouping == OCO else 1
    legs = tuple(
        _create_order(row, attributes, is_child=number >= children_from and grouping != OCO)
        for number, row in enumerate(rows)
    )
    children = legs[children_from:]
    fits = len({leg.market_index for leg in legs}) == 1 and len({leg.side for leg in children}) == 1
    fits = fits and all(leg.order_type.waits for leg in children)
    if grouping == OCO:
        fits = fits and all(leg.reduce_only for leg in legs) and len({leg.size_lots for leg in legs}) == 1
    else:
        fits = fits and not legs[0].order_type.waits and legs[0].side is not legs[1].side
        fits = fits and all(leg.size_lots == 0 for leg in children)
    if not fits:
        raise TxRefused(21743, "invalid order info")
    return CreateGroup(grouping=grouping, orders=legs)


def _create_order(tx_info: Mapping[str, Any], attributes: Mapping[str, Any], *, is_child: bool = False) -> CreateOrder:
    raw_type = _integer(tx_info, "Type", 21704)
    if not 0 <= raw_type <= 5:
        # TWAP is 6; what is above it nobody may send.
        raise TxRefused(21710, "unsupported order type")
    raw_tif = _within(_integer(tx_info, "TimeInForce", 21705), 0, 2, 21705, "OrderTimeInForce")
    order_type, time_in_force = OrderType(raw_type), TimeInForce(raw_tif)
    expiry_ms = _integer(tx_info, "OrderExpiry", 21711)
    if order_type.at_market and time_in_force is not TimeInForce.IOC:
        raise TxRefused(21705, "invalid OrderTimeInForce")
    is_immediate = time_in_force is TimeInForce.IOC and not order_type.waits
    if is_immediate != (expiry_ms == 0):
        raise TxRefused(21711, "invalid expiry")
    trigger_ticks = _trigger(tx_info)
    if order_type.waits != (trigger_ticks > 0):
        raise TxRefused(21729, "invalid order trigger price")
    is_ask = _within(_integer(tx_info, "IsAsk", 21703), 0, 1, 21703, "isAsk")
    reduce_only = bool(_within(_integer(tx_info, "ReduceOnly", 21740), 0, 1, 21740, "reduce only mode"))
    smallest = 0 if reduce_only or is_child else 1
    self_trade = SelfTrade(_within(_attribute(attributes, ATTRIBUTE_SELF_TRADE), 0, 3, 21501, "self trade"))
    equality = SelfTradeEquality(_within(_attribute(attributes, ATTRIBUTE_EQUALITY), 0, 1, 21501, "equality"))
    if self_trade is SelfTrade.REDUCE and equality is SelfTradeEquality.MASTER_ACCOUNT:
        # The signer refuses it too (fact sheet, section 1.5).
        raise TxRefused(21501, "invalid tx info: self trade")
    return CreateOrder(
        market_index=_integer(tx_info, "MarketIndex", 21602),
        client_order_index=_within(
            _integer(tx_info, "ClientOrderIndex", 21727), 0, 2**48 - 1, 21727, "client order index"
        ),
        size_lots=_within(_integer(tx_info, "BaseAmount", 21701), smallest, MAX_BASE, 21701, "base amount"),
        price_ticks=_price(tx_info),
        side=Side.ASK if is_ask else Side.BID,
        order_type=order_type,
        time_in_force=time_in_force,
        reduce_only=reduce_only,
        expiry_ms=expiry_ms,
        self_trade=self_trade,
        equality=equality,
        trigger_ticks=trigger_ticks,
    )


def _price(tx_info: Mapping[str, Any]) -> int:
    return _within(_integer(tx_info, "Price", 21702), 1, MAX_PRICE, 21702, "price")


def _trigger(tx_info: Mapping[str, Any]) -> int:
    if "TriggerPrice" not in tx_info:
        return 0
    return _within(_integer(tx_info, "TriggerPrice", 21729), 0, MAX_PRICE, 21729, "order trigger price")


def _cancel_all(tx_info: Mapping[str, Any], attributes: Mapping[str, Any]) -> CancelAll:
    mode = _within(_integer(tx_info, "TimeInForce", 21713), 0, 2, 21713, "cancel all time in force")
    time_ms = _integer(tx_info, "Time", 21714)
    if (mode == CANCEL_ALL_SCHEDULED) != (time_ms > 0):
        raise TxRefused(21714, "invalid cancel all time")
    market = attributes.get(ATTRIBUTE_CANCEL_ALL_MARKET)
    if market is not None and not isinstance(market, int):
        raise TxRefused(21602, "invalid market index")
    if market not in (None, NIL_MARKET) and mode != CANCEL_ALL_IMMEDIATE:
        # Only an immediate one may name a market (fact sheet, section 1.4).
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
