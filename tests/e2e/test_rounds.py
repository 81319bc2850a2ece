"""Normal operation: A opens, closes, opens; B hedges; listeners hear every fill."""

import re
from typing import Any

import pytest
from tests.e2e.desk import A_FILLED, B_FAILED, B_FILLED, Desk, Listener, Truth, eventually

SIDES = {
    "long": ["buy", "sell", "buy", "sell"],
    "short": ["sell", "buy", "sell", "buy"],
    "alternate": ["buy", "sell", "sell", "buy"],
}
FILL_FIELDS: dict[str, type] = {
    "account_index": int,
    "market_index": int,
    "order_index": int,
    "filled_base_amount": str,
    "filled_quote_amount": str,
    "avg_price": str,
    "timestamp": int,
    "side": str,
    "v": int,
    "desk": str,
    "round": int,
    "attempt": int,
    "leg": str,
    "client_order_index": int,
    "trade_ids": list,
    "order_closed": bool,
    "ts": str,
}
HEDGE_FIELDS = {**FILL_FIELDS, "round_hedged": bool, "hedged_base_amount": str, "residual_base_amount": str}


def types_of(message: dict[str, Any]) -> dict[str, type]:
    return {name: type(value) for name, value in message.items()}


@pytest.mark.parametrize("direction", SIDES)
def test_rounds_open_and_close_and_listeners_hear_every_fill(desk: Desk, direction: str) -> None:
    desk.write_config(desk={"direction": direction})
    listener = desk.listen()
    desk.up()
    desk.paper.fill(count=4)
    truth = desk.hedged(80)
    assert [trade["side"] for trade in truth.trades(0)] == SIDES[direction]
    assert truth.net == truth.position(0) == 0
    eventually(lambda: len(listener.heard(B_FILLED)) >= 4, "four hedges are told")
    check_told(listener, truth)
    eventually(lambda: len(desk.log("A", "ROUND_HEDGED")) == 4, "A has closed four rounds")


def check_told(listener: Listener, truth: Truth) -> None:
    """Names, types and amounts of what was heard, held against the exchange's record."""
    assert listener.heard(B_FAILED) == []
    for account, channel, fields in ((0, A_FILLED, FILL_FIELDS), (1, B_FILLED, HEDGE_FIELDS)):
        messages = listener.heard(channel)
        orders = {order["order_index"]: order for order in truth.orders(account)}
        trades = {trade["order_index"]: trade for trade in truth.trades(account)}
        assert {message["order_index"] for message in messages} == set(trades)
        for message in messages:
            assert types_of(message) == fields
            order, trade = orders[message["order_index"]], trades[message["order_index"]]
            price = trade["price_ticks"]
            assert message["account_index"] == truth.body["accounts"][account]["account_index"]
            assert (message["market_index"], message["desk"], message["v"]) == (1, "a_b:BTC", 1)
            assert message["side"] == trade["side"] == order["side"]
            assert message["filled_base_amount"] == "0.00020"
            assert message["filled_quote_amount"] == f"{price // 50_000}.{price % 50_000 * 20:06d}"
            assert message["avg_price"] == f"{price // 10}.{price % 10}"
            assert message["client_order_index"] == order["client_order_index"]
            assert abs(message["timestamp"] - trade["time_ms"] // 1000) <= 5
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message["ts"])
        newest = {message["order_index"]: message for message in messages}.values()
        assert [message["round"] for message in newest] == [1, 2, 3, 4]
    last = listener.heard(B_FILLED)[-1]
    assert last["round_hedged"] is True
    assert (last["hedged_base_amount"], last["residual_base_amount"]) == ("0.00020", "0")
    assert [message["leg"] for message in listener.heard(A_FILLED)][:2] == ["open", "close"]
    for account, channel in ((0, A_FILLED), (1, B_FILLED)):
        ids = {trade["order_index"]: [trade["trade_id"]] for trade in truth.trades(account)}
        assert {one["order_index"]: one["trade_ids"] for one in listener.heard(channel)} == ids
