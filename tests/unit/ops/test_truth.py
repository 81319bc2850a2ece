"""Figures from the exchange's own record, on small made records."""

from typing import Any

import pytest

from lighter_hedge.ops.truth import executions, figures, percentile, rounds, self_trades, unhedged_ms_max


def trade(number: int, side: str, lots: int, order: int, at: int, counterparty: int = 9) -> dict[str, Any]:
    return {
        "trade_id": number,
        "market": "BTC",
        "side": side,
        "lots": lots,
        "price_ticks": 1000,
        "liquidity": "maker",
        "order_index": order,
        "counterparty": counterparty,
        "time_ms": at,
    }


def order(index: int, status: str = "filled") -> dict[str, Any]:
    return {"order_index": index, "market": "BTC", "status": status, "filled_lots": 20}


def truth(a: list[dict[str, Any]], b: list[dict[str, Any]], end: int = 9000) -> dict[str, Any]:
    def account(index: int, trades: list[dict[str, Any]]) -> dict[str, Any]:
        orders = [order(number) for number in dict.fromkeys(each["order_index"] for each in trades)]
        return {"account_index": index, "trades": trades, "orders": orders}

    return {"time_ms": end, "accounts": [account(1, a), account(2, b)]}


def test_two_rounds_that_were_hedged() -> None:
    body = truth(
        [trade(1, "buy", 20, 101, 1000), trade(3, "sell", 20, 102, 5000)],
        [trade(2, "sell", 20, 201, 1300), trade(4, "buy", 20, 202, 5100)],
    )
    result = figures(body, "BTC", min_lots=20)
    assert result["rounds_closed"] == 2
    assert result["rounds_failed"] == 0
    assert (result["a_filled_lots"], result["b_filled_lots"], result["net_lots"]) == (40, 40, 0)
    assert result["hedge_ms"] == {"p50": 100, "p99": 300}
    assert result["unhedged_ms_max"] == 300
    assert (result["a_orders"], result["b_orders"], result["self_trades"]) == (2, 2, 0)
    assert result["requests_per_round"] == {"tx": None, "read": None}


def test_a_fill_in_parts_waits_for_the_hedge_that_covers_its_last_lot() -> None:
    body = truth(
        [trade(1, "buy", 30, 101, 1000), trade(2, "buy", 10, 101, 1100)],
        [trade(3, "sell", 20, 201, 1200), trade(4, "sell", 20, 202, 1500)],
    )
    (only,) = rounds(body, "BTC")
    assert only.hedge_ms == (500, 400)
    assert only.filled == 40


def test_a_round_that_nobody_hedged_is_failed_and_its_exposure_lasts_to_the_end() -> None:
    body = truth([trade(1, "buy", 20, 101, 1000)], [], end=8000)
    result = figures(body, "BTC", min_lots=20)
    assert (result["rounds_closed"], result["rounds_failed"], result["net_lots"]) == (0, 1, 20)
    assert result["unhedged_ms_max"] == 7000
    assert result["hedge_ms"] == {"p50": None, "p99": None}


def test_a_hedge_that_came_only_after_the_next_quote_filled_is_a_failed_round() -> None:
    body = truth(
        [trade(1, "buy", 20, 101, 1000), trade(2, "buy", 20, 102, 2000)],
        [trade(3, "sell", 40, 201, 2500)],
    )
    assert [each.hedged(20) for each in rounds(body, "BTC")] == [False, True]


def test_what_is_below_the_minimum_is_a_residual() -> None:
    body = truth([trade(1, "buy", 25, 101, 1000)], [trade(2, "sell", 20, 201, 1100)])
    assert figures(body, "BTC", min_lots=20)["rounds_closed"] == 1
    assert figures(body, "BTC", min_lots=5)["rounds_closed"] == 0


def test_the_time_of_a_residual_begins_when_it_can_be_hedged() -> None:
    body = truth(
        [trade(1, "buy", 13, 101, 1000), trade(2, "buy", 20, 102, 5000)],
        [trade(3, "sell", 33, 201, 5150)],
    )
    assert [each.hedge_ms for each in rounds(body, "BTC", min_lots=20)] == [(150,), (150,)]
    assert [each.hedge_ms for each in rounds(body, "BTC")] == [(4150,), (150,)]


def test_parts_that_cancel_out_within_a_are_no_hedge_and_shift_none() -> None:
    body = truth(
        [trade(1, "buy", 5, 101, 1000), trade(2, "sell", 5, 102, 2000), trade(3, "buy", 20, 103, 3000)],
        [trade(4, "sell", 20, 201, 3070)],
    )
    assert [each.hedge_ms for each in rounds(body, "BTC", min_lots=20)] == [(), (), (70,)]


def test_a_hedge_too_many_shows_as_net() -> None:
    body = truth([trade(1, "buy", 20, 101, 1000)], [trade(2, "sell", 20, 201, 1100), trade(3, "sell", 20, 202, 1200)])
    result = figures(body, "BTC", min_lots=20)
    assert (result["net_lots"], result["rounds_failed"]) == (-20, 1)
    assert result["hedge_ms"]["p50"] == 100


def test_self_trades_are_counted_once() -> None:
    body = truth([trade(1, "buy", 20, 101, 1000, counterparty=2)], [trade(1, "sell", 20, 201, 1000, counterparty=1)])
    assert self_trades(body) == 1


def test_other_markets_are_left_out() -> None:
    body = truth([trade(1, "buy", 20, 101, 1000) | {"market": "ETH"}], [])
    assert executions(body, "BTC") == []


def test_requests_are_shared_out_over_rounds() -> None:
    body = truth([trade(1, "buy", 20, 101, 1000)], [trade(2, "sell", 20, 201, 1100)])
    body["accounts"][0]["requests"] = {"tx": 1, "read": 4}
    body["accounts"][1]["requests"] = {"tx": 2, "read": 0}
    assert figures(body, "BTC", min_lots=1)["requests_per_round"] == {"tx": 3.0, "read": 4.0}


@pytest.mark.parametrize(("percent", "value"), [(50, 2), (99, 4), (1, 1)])
def test_nearest_rank(percent: int, value: int) -> None:
    assert percentile([4, 1, 3, 2], percent) == value


def test_exposure_that_goes_through_zero_is_one_stretch() -> None:
    body = truth([trade(1, "buy", 20, 101, 1000)], [trade(2, "sell", 40, 201, 1100)], end=1500)
    assert unhedged_ms_max(executions(body, "BTC"), min_lots=1, end_ms=1500) == 500
