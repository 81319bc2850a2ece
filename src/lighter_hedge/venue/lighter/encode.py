"""From a request to the signer's arguments. Pure.

A quote is a post-only limit order that ends by itself. A hedge is a market order: immediate or cancel, with the worst
price it may pay. A burn is an immediate cancel-all in the market: harmless, and it consumes its nonce.
"""

from dataclasses import dataclass

from lighter_hedge.domain.events import BurnRequest, CancelRequest, OrderKind, OrderRequest, Request
from lighter_hedge.domain.units import MarketSpec, Side
from lighter_hedge.venue.lighter import models

CLIENT_ORDER_INDEX_MAX = (1 << 48) - 1
AMOUNT_MAX = (1 << 48) - 1
PRICE_MAX = (1 << 32) - 1
"""The signer does not refuse a larger price: it wraps it silently."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOrder:
    """Arguments of ``sign_create_order``, by its own names."""

    market_index: int
    client_order_index: int
    base_amount: int
    price: int
    is_ask: bool
    order_type: int
    time_in_force: int
    reduce_only: bool
    order_expiry: int
    self_trade_behavior_mode: int
    self_trade_equality_mode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """Arguments of ``sign_cancel_order``. The index may be the client's own."""

    market_index: int
    order_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAll:
    """Arguments of ``sign_cancel_all_orders``."""

    time_in_force: int
    timestamp_ms: int
    cancel_all_market_index: int


Encoded = CreateOrder | CancelOrder | CancelAll


def encode(request: Request, market: MarketSpec) -> Encoded:
    """The signer's arguments for ``request`` in ``market``."""
    match request:
        case OrderRequest():
            return _order(request, market)
        case CancelRequest():
            assert 0 < request.coid <= CLIENT_ORDER_INDEX_MAX
            return CancelOrder(market_index=market.market_index, order_index=request.coid)
        case BurnRequest():
            return CancelAll(
                time_in_force=models.CANCEL_ALL_IMMEDIATE,
                timestamp_ms=0,
                cancel_all_market_index=market.market_index,
            )


def _order(request: OrderRequest, market: MarketSpec) -> CreateOrder:
    assert 0 < request.coid <= CLIENT_ORDER_INDEX_MAX
    assert 0 < request.lots <= AMOUNT_MAX
    assert 0 < request.price <= PRICE_MAX
    quote = request.kind is OrderKind.QUOTE
    assert quote == (request.expires_ms > 0), "a quote ends by itself, a hedge at once"
    guard = request.cross_account_guard
    return CreateOrder(
        market_index=market.market_index,
        client_order_index=request.coid,
        base_amount=request.lots,
        price=request.price,
        is_ask=request.side is Side.ASK,
        # A hedge too: the price of a market order bounds the average of its fills only, and fills better than it would
        # let the rest go beyond, as far as the own quote (docs, order types and matching).
        order_type=models.ORDER_TYPE_LIMIT,
        time_in_force=models.TIME_IN_FORCE_POST_ONLY if quote else models.TIME_IN_FORCE_IOC,
        reduce_only=request.reduce_only,
        order_expiry=request.expires_ms,
        self_trade_behavior_mode=models.SELF_TRADE_EXPIRE_MAKER,
        self_trade_equality_mode=models.SELF_TRADE_SAME_MASTER if guard else models.SELF_TRADE_SAME_ACCOUNT,
    )
