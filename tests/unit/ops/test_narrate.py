"""What a watcher is told, once each."""

from typing import Any

from lighter_hedge.domain.units import Lots, MarketSpec
from lighter_hedge.ops.narrate import Narrator

SPEC = MarketSpec(
    market_index=1,
    symbol="BTC",
    size_decimals=5,
    price_decimals=1,
    min_base_lots=Lots(20),
    min_quote=10_000_000,
    initial_margin_fraction=200,
)


def trade(number: int, side: str, order: int, at: int) -> dict[str, Any]:
    return {
        "trade_id": number, "market": "BTC", "side": side, "lots": 20, "price_ticks": 1111588,
        "order_index": order, "counterparty": 9, "time_ms": at,
    }  # fmt: skip


def order(status: str) -> dict[str, Any]:
    return {
        "order_index": 101,
        "created_ms": 900,
        "market": "BTC",
        "side": "buy",
        "size_lots": 20,
        "price_ticks": 1111588,
        "status": status,
    }


def truth(status: str, a: list[dict[str, Any]], b: list[dict[str, Any]]) -> dict[str, Any]:
    first = {"account_index": 1, "orders": [order(status)], "trades": a}
    return {"time_ms": 9, "accounts": [first, {"account_index": 2, "orders": [], "trades": b}]}


def test_a_round_is_told_in_order_and_once() -> None:
    narrator = Narrator(SPEC, min_lots=20)
    assert [line.text for line in narrator.feed(truth("open", [], []))] == ["A quotes  buy 0.00020 BTC at 111158.8"]
    bought = [trade(1, "buy", 101, 1000)]
    assert [line.text for line in narrator.feed(truth("filled", bought, []))] == [
        "A filled  buy 0.00020 BTC at 111158.8, net 0.00020"
    ]
    assert narrator.closed == 0
    done = truth("filled", bought, [trade(2, "sell", 201, 1301)])
    assert [line.text for line in narrator.feed(done)] == [
        "B hedged  sell 0.00020 BTC at 111158.8, 301 ms after the fill, net 0.00000",
        "round 1 closed, hedged, net 0.00000",
    ]
    assert narrator.closed == 1
    assert narrator.feed(done) == []


def test_a_round_whose_order_still_rests_is_not_closed() -> None:
    narrator = Narrator(SPEC, min_lots=20)
    narrator.feed(truth("open", [trade(1, "buy", 101, 1000)], [trade(2, "sell", 201, 1301)]))
    assert narrator.closed == 0


def test_what_is_heard_together_is_told_in_the_order_in_which_it_happened() -> None:
    body = truth("filled", [trade(1, "buy", 101, 1000)], [trade(2, "sell", 201, 1301)])
    body["accounts"][0]["orders"].append(order("open") | {"order_index": 102, "created_ms": 1310})
    words = [line.text.split("  ")[0] for line in Narrator(SPEC, min_lots=20).feed(body)]
    assert words == ["A quotes", "A filled", "B hedged", "round 1 closed, hedged, net 0.00000", "A quotes"]
