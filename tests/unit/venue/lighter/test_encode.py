"""Requests become the signer's arguments."""

from dataclasses import replace

import pytest

from lighter_hedge.domain.events import BurnRequest, CancelRequest, OrderKind, OrderRequest
from lighter_hedge.domain.units import Lots, MarketSpec, Side
from lighter_hedge.venue.lighter.encode import CancelAll, CancelOrder, CreateOrder, encode

BTC = MarketSpec(
    market_index=1,
    symbol="BTC",
    size_decimals=5,
    price_decimals=1,
    min_base_lots=Lots(20),
    min_quote=10_000_000,
    initial_margin_fraction=500,
)
QUOTE = OrderRequest(kind=OrderKind.QUOTE, coid=5, side=Side.ASK, lots=100, price=645005, expires_ms=1_900_000_000_000)
HEDGE = OrderRequest(kind=OrderKind.HEDGE, coid=6, side=Side.BID, lots=100, price=645105)


def test_a_quote_is_a_post_only_limit_order_that_ends_by_itself() -> None:
    assert encode(QUOTE, BTC) == CreateOrder(
        market_index=1,
        client_order_index=5,
        base_amount=100,
        price=645005,
        is_ask=True,
        order_type=0,
        time_in_force=2,
        reduce_only=False,
        order_expiry=1_900_000_000_000,
        self_trade_behavior_mode=0,
        self_trade_equality_mode=0,
    )


def test_a_hedge_is_an_immediate_limit_order_whose_price_no_fill_exceeds() -> None:
    encoded = encode(replace(HEDGE, reduce_only=True), BTC)
    assert isinstance(encoded, CreateOrder)
    assert (encoded.order_type, encoded.time_in_force, encoded.order_expiry) == (0, 0, 0)
    assert (encoded.price, encoded.is_ask, encoded.reduce_only) == (645105, False, True)


@pytest.mark.parametrize("request_", [QUOTE, HEDGE])
def test_the_guard_covers_all_accounts_of_the_wallet(request_: OrderRequest) -> None:
    encoded = encode(replace(request_, cross_account_guard=True), BTC)
    assert isinstance(encoded, CreateOrder)
    assert (encoded.self_trade_behavior_mode, encoded.self_trade_equality_mode) == (0, 1)


def test_a_cancel_names_the_client_order_index() -> None:
    assert encode(CancelRequest(coid=5), BTC) == CancelOrder(market_index=1, order_index=5)


def test_a_burn_cancels_everything_in_the_market_at_once() -> None:
    assert encode(BurnRequest(), BTC) == CancelAll(time_in_force=0, timestamp_ms=0, cancel_all_market_index=1)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(QUOTE, price=1 << 32),
        replace(QUOTE, price=0),
        replace(QUOTE, lots=0),
        replace(QUOTE, coid=0),
        replace(QUOTE, coid=1 << 48),
        replace(QUOTE, expires_ms=0),
        replace(HEDGE, expires_ms=1),
    ],
)
def test_what_the_signer_would_bend_is_a_bug(wrong: OrderRequest) -> None:
    """It wraps a price beyond 32 bits without a word."""
    with pytest.raises(AssertionError):
        encode(wrong, BTC)
