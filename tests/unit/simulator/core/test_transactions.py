import base64
from typing import Any

import pytest

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.orders import OrderType, SelfTrade, SelfTradeEquality, TimeInForce
from lighter_hedge.simulator.core.transactions import (
    CancelAll,
    ChangePubKey,
    CreateOrder,
    ModifyOrder,
    Transfer,
    TxRefused,
    parse,
)

HEAD: dict[str, Any] = {"AccountIndex": 1, "ApiKeyIndex": 4, "Nonce": 0, "ExpiredAt": 1, "Sig": "x"}
ORDER: dict[str, Any] = {
    **HEAD,
    "MarketIndex": 1,
    "ClientOrderIndex": 7,
    "BaseAmount": 20,
    "Price": 100,
    "IsAsk": 1,
    "Type": 0,
    "TimeInForce": 2,
    "ReduceOnly": 0,
    "TriggerPrice": 0,
    "OrderExpiry": 5,
}


def test_an_order_with_its_attributes() -> None:
    envelope = parse(14, {**ORDER, "L2TxAttributes": {"4": 1, "6": 1, "7": 1}})
    body = envelope.body
    assert isinstance(body, CreateOrder)
    assert (body.side, body.order_type, body.time_in_force) == (
        Side.ASK,
        OrderType.LIMIT,
        TimeInForce.POST_ONLY,
    )
    assert (body.self_trade, body.equality) == (SelfTrade.EXPIRE_TAKER, SelfTradeEquality.MASTER_ACCOUNT)
    assert envelope.skip_nonce


def test_missing_attributes_are_the_defaults() -> None:
    absent: tuple[dict[str, Any], ...] = ({}, {"L2TxAttributes": None}, {"L2TxAttributes": {}})
    for attributes in absent:
        envelope = parse(14, {**ORDER, **attributes})
        assert isinstance(envelope.body, CreateOrder)
        assert envelope.body.equality is SelfTradeEquality.ACCOUNT
        assert not envelope.skip_nonce


@pytest.mark.parametrize(("market", "wanted"), [({}, None), ({"5": 255}, None), ({"5": 1}, 1)])
def test_cancel_all_of_one_market_or_all(market: dict[str, int], wanted: int | None) -> None:
    body = parse(16, {**HEAD, "TimeInForce": 0, "Time": 0, "L2TxAttributes": market}).body
    assert isinstance(body, CancelAll)
    assert body.market_index == wanted


def test_a_transfer_names_its_account_otherwise() -> None:
    fields = {"FromAccountIndex": 3, "ToAccountIndex": 4, "AssetIndex": 3, "FromRouteType": 0, "ToRouteType": 0}
    envelope = parse(12, {**HEAD, **fields, "Amount": 5, "USDCFee": 1, "L1Sig": "0x1"})
    assert envelope.account_index == 3
    assert envelope.body == Transfer(to_account_index=4, amount=5, fee=1, l1_signed=True)


def test_the_public_key_comes_in_base64() -> None:
    key = base64.b64encode(bytes(range(40))).decode()
    assert parse(8, {**HEAD, "PubKey": key}).body == ChangePubKey(public_key=bytes(range(40)).hex())


def test_a_modification_may_carry_a_version() -> None:
    fields = {"MarketIndex": 1, "Index": 9, "BaseAmount": 3, "Price": 5, "L2TxAttributes": {"8": 3}}
    body = parse(17, {**HEAD, **fields}).body
    assert isinstance(body, ModifyOrder)
    assert body.version == 3


def test_modify() -> None:
    body = parse(17, {**HEAD, "MarketIndex": 1, "Index": 9, "BaseAmount": 3, "Price": 5}).body
    assert isinstance(body, ModifyOrder)
    assert (body.index, body.size_lots, body.price_ticks) == (9, 3, 5)


@pytest.mark.parametrize(
    ("tx_type", "change", "code"),
    [
        (99, {}, 21505),
        (14, {"L2TxAttributes": "x"}, 21501),
        (14, {"L2TxAttributes": {"6": "x"}}, 21501),
        (14, {"L2TxAttributes": {"6": 4}}, 21501),
        (14, {"BaseAmount": 0}, 21701),
        (14, {"TimeInForce": 3}, 21705),
        (14, {"Type": 1}, 21705),
        (14, {"Type": 6}, 21710),
        (14, {"TimeInForce": 0}, 21711),
        (14, {"Price": 2**32}, 21702),
        (15, {"Index": 0}, 21700),
        (15, {"Index": 2**60}, 21700),
        (16, {"TimeInForce": 3, "Time": 0}, 21713),
        (16, {"TimeInForce": 0, "Time": 5}, 21714),
        (16, {"TimeInForce": 1, "Time": 0}, 21714),
        (16, {"TimeInForce": 0, "Time": 0, "L2TxAttributes": {"5": "x"}}, 21602),
        (17, {"Index": 3, "BaseAmount": 0}, 21701),
        (20, {}, 21113),
        (14, {"Type": 2, "TimeInForce": 0}, 21729),
        (14, {"TriggerPrice": 5}, 21729),
        (14, {"Type": 4, "TriggerPrice": 5}, 21705),
        (14, {"Type": 8}, 21710),
        (14, {"ReduceOnly": 2}, 21740),
        (14, {"L2TxAttributes": {"6": 3, "7": 1}}, 21501),
        (14, {"L2TxAttributes": {str(n): 0 for n in range(5)}}, 21501),
        (16, {"TimeInForce": 1, "Time": 5, "L2TxAttributes": {"5": 1}}, 21602),
        (20, {"InitialMarginFraction": 500, "MarginMode": 2}, 21613),
        (8, {"PubKey": "AAAA"}, 21108),
        (8, {"PubKey": "%"}, 21108),
        (13, {}, 21515),
        (28, {"GroupingType": 4}, 21741),
        (28, {"GroupingType": 1, "Orders": ["x", "y"]}, 21743),
        (29, {"USDCAmount": 0, "Direction": 0}, 21701),
        (29, {"USDCAmount": 1, "Direction": 2}, 21615),
    ],
)
def test_what_does_not_fit_has_its_code(tx_type: int, change: dict[str, Any], code: int) -> None:
    with pytest.raises(TxRefused) as caught:
        parse(tx_type, {**ORDER, **change})
    assert caught.value.code == code
