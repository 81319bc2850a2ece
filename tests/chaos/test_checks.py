"""The checkers of chaos see what must never be, and pass what may."""

from typing import Any

from tests.chaos.checks import violations


def trade(number: int, side: str, lots: int, *, with_other: bool = False, order: int = 1) -> dict[str, Any]:
    return {
        "trade_id": number,
        "market": "BTC",
        "side": side,
        "lots": lots,
        "price_ticks": 1000,
        "order_index": order,
        "counterparty": 2 if with_other else 9,
        "time_ms": number * 1000,
    }


def quote(number: int, at_ms: int, *, closed_ms: int | None = None, status: str = "filled") -> dict[str, Any]:
    return {
        "order_index": number,
        "client_order_index": number,
        "market": "BTC",
        "type": "limit",
        "time_in_force": "post-only",
        "reduce_only": False,
        "status": status,
        "created_ms": at_ms,
        "closed_ms": closed_ms,
    }


def record(a: list[dict[str, Any]], b: list[dict[str, Any]], orders: list[dict[str, Any]]) -> dict[str, Any]:
    def account(index: int, trades: list[dict[str, Any]], shown: list[dict[str, Any]]) -> dict[str, Any]:
        held = sum(each["lots"] * (1 if each["side"] == "buy" else -1) for each in trades)
        return {"account_index": index, "trades": trades, "orders": shown, "position_lots": {"BTC": held}}

    return {"time_ms": 0, "accounts": [account(1, a, orders), account(2, b, [])]}


def found(*parts: list[dict[str, Any]]) -> list[str]:
    return violations(record(*parts), "BTC", 20)


def test_fills_that_are_hedged_once_are_fine() -> None:
    quotes = [quote(1, 500, closed_ms=1_000), quote(2, 2_500, closed_ms=3_000)]
    a = [trade(1, "buy", 60), trade(3, "sell", 60)]
    assert found(a, [trade(2, "sell", 60), trade(4, "buy", 60)], quotes) == []


def test_a_second_hedge_is_seen() -> None:
    seen = found([trade(1, "buy", 60)], [trade(2, "sell", 60), trade(3, "sell", 60)], [])
    assert seen == ["I2: B moved A + B from 0 to -60 lots, trade 3"]


def test_a_hedge_that_is_too_large_is_seen() -> None:
    assert found([trade(1, "buy", 40)], [trade(2, "sell", 60)], []) == [
        "I2: B moved A + B through zero, 40 to -20 lots, trade 2"
    ]


def test_a_clear_is_excused() -> None:
    body = record([trade(1, "buy", 60)], [trade(2, "sell", 60), trade(3, "sell", 60)], [])
    assert violations(body, "BTC", 20, [(3_000, 3_500)]) == []


def test_a_quote_on_an_unhedged_desk_is_seen() -> None:
    seen = found([trade(1, "buy", 60)], [trade(5, "sell", 60)], [quote(1, 500, closed_ms=1_000), quote(2, 4_000)])
    assert seen == ["I1: quote 2 came 3000 ms after an unhedged fill"]


def test_two_quotes_at_a_time_are_seen() -> None:
    assert found([], [], [quote(1, 500, status="open"), quote(2, 4_000, status="open")]) == ["I1: quote 2 beside 1"]


def test_a_trade_between_a_and_b_is_seen() -> None:
    seen = found([trade(1, "buy", 60, with_other=True)], [trade(1, "sell", 60)], [])
    assert seen == ["I4: A and B have traded with each other 1 times"]


def test_a_record_with_a_hole_is_seen() -> None:
    body = record([trade(1, "buy", 60)], [trade(2, "sell", 60)], [])
    body["accounts"][0]["position_lots"] = {"BTC": 30}
    assert violations(body, "BTC", 20) == ["record: the trades of A add up to 60 lots, its position is 30"]
