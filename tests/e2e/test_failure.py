"""The user's trial *failure*: B's key is refused after it has armed; three tries, failure, pause, and the ways back."""

import signal
from itertools import pairwise
from typing import Any

import pytest
from tests.e2e.desk import B_FAILED, ROOT, Desk, eventually


def failed_desk(desk: Desk) -> tuple[int, dict[str, Any]]:
    """Up, filled, and B's key refused: the fault's id and the failure that was told."""
    desk.up()
    listener = desk.listen()
    desk.quote()
    fault = desk.paper.fault("key_revoked", "b")
    desk.paper.fill()
    told = eventually(lambda: listener.heard(B_FAILED), "the failure is told")
    eventually(lambda: desk.log("A", "HEDGE_FAILED"), "A is paused")
    assert len(told) == 1
    return fault, told[0]


def check_failure(desk: Desk, told: dict[str, Any]) -> None:
    """Every field of the failure message."""
    truth = desk.paper.truth()
    a, b = (account["account_index"] for account in truth.body["accounts"])
    order = told.pop("a_order_info")
    assert isinstance(told.pop("timestamp"), int)
    tries = told.pop("tries")
    assert told == {
        "account_index": b,
        "market_index": 1,
        "reason": "max_retries_exceeded",
        "retry_times": 3,
        "v": 1,
        "desk": "a_b:BTC",
        "round": 1,
        "unhedged_base_amount": "0.00020",
    }
    assert len(tries) == 3
    assert all("21109" in one["status"] for one in tries)
    quote = truth.orders(0)[0]
    expected = {
        "account_index": a,
        "market_index": 1,
        "filled_base_amount": "0.00020",
        "side": "buy",
        "client_order_index": quote["client_order_index"],
        "round": 1,
        "order_closed": True,
    }
    assert {name: order[name] for name in expected} == expected
    assert {"order_index", "filled_quote_amount", "avg_price", "timestamp", "trade_ids", "ts"} <= set(order)


def test_three_tries_then_failure_and_a_pause_that_outlives_a_crash(desk: Desk) -> None:
    fault, told = failed_desk(desk)
    check_failure(desk, told)
    tries = desk.log("B", "HEDGE_TRY_FAILED")
    assert [line.text.split(" filled")[0] for line in tries] == ["try 1 of 3", "try 2 of 3", "try 3 of 3"]
    gaps = [(two.at - one.at).total_seconds() for one, two in pairwise(tries)]
    assert 0.4 <= gaps[0] <= 2.5
    assert 1.9 <= gaps[1] <= 5
    code, view = desk.status()
    assert (code, view["mode"], view["net_lots"]) == (5, "paused", 20)
    assert view["pause"]["code"] == "HEDGE_FAILED"
    assert "0.00020 BTC unhedged after 3 tries" in view["pause"]["reason"]
    eventually(lambda: len(desk.log("A", "PAUSED")) >= 3, "A says every second that it is paused")
    pause = view["pause"]["id"]

    desk.signal("A", signal.SIGKILL)
    mark = desk.mark("A")
    eventually(lambda: len(desk.log("A", "PAUSED", after=mark)) >= 2, "A is paused after its restart")
    code, view = desk.status()
    assert (code, view["mode"], view["pause"]["id"]) == (5, "paused", pause)
    assert len(desk.paper.truth().orders(0)) == 1, "A has quoted while paused"

    refused = desk.command("resume")
    assert refused.returncode == 7
    assert "0.00020 BTC" in refused.stderr
    desk.paper.mend(fault)
    resumed = desk.command("resume", "--hedge-now")
    assert resumed.returncode == 0, resumed.stderr
    desk.hedged(20)
    desk.quote()
    desk.paper.fill()
    desk.hedged(40)
    assert desk.status()[0] == 0


def test_stop_mend_start_ends_the_failure(desk: Desk) -> None:
    fault, _ = failed_desk(desk)
    stopped = desk.execute(str(ROOT / "stop_hedge.sh"))
    assert stopped.returncode == 5, stopped.stderr
    assert "UNHEDGED" in stopped.stdout
    assert desk.status()[0] == 4
    desk.paper.mend(fault)
    flags = ("--market", "BTC", "--quantity", "0.0002", "--depth", "1")
    started = desk.execute(str(ROOT / "start_hedge.sh"), *flags, "--credentials", str(desk.paper.credentials))
    assert started.returncode == 0, started.stderr
    desk.hedged(20)
    desk.quote()
    desk.paper.fill()
    desk.hedged(40)
    code, view = desk.status()
    assert (code, view["mode"]) == (0, "running")


@pytest.mark.parametrize("side", ["A", "B"])
def test_a_key_that_is_wrong_from_the_start_is_refused_by_name(desk: Desk, side: str) -> None:
    desk.paper.fault("key_revoked", side.lower())
    done = desk.start()
    assert done.returncode == 3
    assert f"account {side}:" in done.stderr
    assert desk.paper.truth().orders(0) == []
    assert desk.pid("A") is desk.pid("B") is desk.pid("supervisor") is None
