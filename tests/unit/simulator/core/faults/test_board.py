from typing import Any

import pytest
from tests.unit.simulator.paper_world import BID, MID, A, B, make_world

from lighter_hedge.simulator.core.faults.board import FaultBoard, FaultError
from lighter_hedge.simulator.core.faults.kinds import KINDS
from lighter_hedge.simulator.core.orders import OrderStatus
from lighter_hedge.simulator.core.pushes import AccountTraded, OrdersChanged
from lighter_hedge.simulator.core.reads import as_of, transaction


def board() -> FaultBoard:
    return FaultBoard({"a": A, "b": B}, {"ETH": 0, "BTC": 1})


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({}, "kind None is unknown"),
        ({"kind": "earthquake"}, "use one of accept_then_cancel"),
        ({"kind": "part_fill"}, "needs 'lots'"),
        ({"kind": "reject"}, "needs 'code'"),
        ({"kind": "history_lag"}, "needs 'seconds'"),
        ({"kind": "fill_now", "lot": 3}, "no parameter 'lot'"),
        ({"kind": "fill_now", "lots": 0}, "at least 1"),
        ({"kind": "fill_now", "lots": 1.5}, "whole number"),
        ({"kind": "fill_now", "delay_ms": -1}, "at least 0"),
        ({"kind": "fill_now", "count": True}, "a number"),
        ({"kind": "fill_now", "account": "c"}, "a (101), b (102)"),
        ({"kind": "fill_now", "market": 7}, "BTC (1)"),
        ({"kind": "reject", "code": 1, "message": 3}, "must be text"),
    ],
)
def test_a_wrong_request_is_refused_with_the_remedy(request_: dict[str, Any], told: str) -> None:
    with pytest.raises(FaultError) as caught:
        board().arm(request_, 0)
    assert told in str(caught.value)


def test_a_fault_strikes_as_often_as_it_counts_and_only_its_account() -> None:
    faults = board()
    faults.arm({"kind": "lose_answer", "account": "a", "count": 2}, 0)
    assert faults.strike("lose_answer", 0, B) is None
    assert faults.strike("reject", 0, A) is None
    assert faults.strike("lose_answer", 0, A) is not None
    assert faults.strike("lose_answer", 0, A) is not None
    assert faults.strike("lose_answer", 0, A) is None
    assert faults.shown(0) == []


def test_a_fault_with_seconds_ends_by_itself() -> None:
    faults = board()
    faults.arm({"kind": "account_error", "seconds": 2}, 0)
    assert faults.active("account_error", 1_999_999, A) is not None
    assert faults.active("account_error", 2_000_000, A) is None


def test_lasting_faults_stay_until_cleared() -> None:
    faults = board()
    fault = faults.arm({"kind": "key_revoked", "account": A}, 0)
    assert faults.active("key_revoked", 10**15, A) is fault
    assert faults.clear(fault.fault_id)
    assert not faults.clear(fault.fault_id)
    assert faults.active("key_revoked", 0, A) is None


def test_history_lag_takes_its_duration_from_for_seconds() -> None:
    fault = board().arm({"kind": "history_lag", "seconds": 5, "for_seconds": 1}, 0)
    assert (fault.parameters["seconds"], fault.until_us) == (5, 1_000_000)


def test_every_kind_can_be_armed_and_is_listed() -> None:
    faults = board()
    for name, kind in KINDS.items():
        faults.arm({"kind": name, **dict.fromkeys(kind.needs, 1)}, 0)
    assert [row["kind"] for row in faults.shown(0)] == list(KINDS)


def test_key_revoked_refuses_until_cleared() -> None:
    world = make_world()
    world.fault(kind="key_revoked", account="a", api_key_index=4)
    assert world.order(A, BID, 20, MID - 5).code == 21109
    assert world.order(A, BID, 20, MID - 5, ApiKeyIndex=5).accepted
    world.exchange.faults.clear(1)
    assert world.order(A, BID, 20, MID - 5).accepted


def test_reject_refuses_once_with_its_code() -> None:
    world = make_world()
    world.fault(kind="reject", account="a", code=21739, message="no")
    result = world.order(A, BID, 20, MID - 5)
    assert (result.code, result.message, world.nonce(A)) == (21739, "no", 0)
    assert world.order(A, BID, 20, MID - 5).accepted


def test_fill_now_fills_what_rests_or_else_what_rests_next() -> None:
    world = make_world()
    order = world.rest(A, BID, 20, MID - 5)
    world.fault(kind="fill_now", account="a", delay_ms=10)
    world.run(ms=9)
    assert order.is_open
    world.run(ms=1)
    assert order.status is OrderStatus.FILLED
    world.fault(kind="fill_now", account="a")
    later = world.rest(A, BID, 20, MID - 5)
    assert later.status is OrderStatus.FILLED


def test_part_fill_fills_its_lots() -> None:
    world = make_world()
    world.fault(kind="part_fill", account="a", lots=7)
    order = world.rest(A, BID, 20, MID - 5)
    assert (order.filled_lots, order.is_open) == (7, True)


def test_two_trades_come_in_one_frame() -> None:
    world = make_world()
    world.fault(kind="two_trades")
    world.fault(kind="fill_now", account="a")
    world.rest(A, BID, 21, MID - 5)
    frames = [push for push in world.pushes if isinstance(push, AccountTraded)]
    assert [[trade.lots for trade in frame.trades] for frame in frames] == [[11, 10]]


@pytest.mark.parametrize(("lots", "status"), [(20, OrderStatus.FILLED), (5, OrderStatus.CANCELED)])
def test_cancel_race_fills_before_it_cancels(lots: int, status: OrderStatus) -> None:
    world = make_world()
    order = world.rest(A, BID, 20, MID - 5)
    world.fault(kind="cancel_race", account="a", lots=lots)
    world.cancel(A, order.order_index)
    world.run()
    assert (order.status, order.filled_lots) == (status, lots)


def test_cancel_race_strikes_a_cancel_all_too() -> None:
    world = make_world()
    order = world.rest(A, BID, 20, MID - 5)
    world.fault(kind="cancel_race", account="a")
    world.send(16, A, {"TimeInForce": 0, "Time": 0})
    world.run()
    assert order.status is OrderStatus.FILLED


def test_late_fill_comes_after_the_cancel_was_told() -> None:
    world = make_world()
    order = world.rest(A, BID, 20, MID - 5)
    world.fault(kind="late_fill", account="a", lots=8, delay_ms=50)
    world.cancel(A, order.order_index)
    told = [push for push in world.run() if isinstance(push, OrdersChanged)]
    assert [(row.status, row.filled_lots) for push in told for row in push.orders] == [(OrderStatus.CANCELED, 0)]
    told = [push for push in world.run(ms=50) if isinstance(push, OrdersChanged)]
    assert [(row.status, row.filled_lots) for push in told for row in push.orders] == [(OrderStatus.CANCELED, 8)]
    assert world.position(A) == 8


def test_reads_as_of_a_cutoff_show_the_past() -> None:
    world = make_world()
    result = world.order(A, BID, 20, MID - 5)
    world.run()
    order = world.last_order(A)
    world.run(ms=1000)
    world.cancel(A, order.order_index)
    world.run()
    state = world.exchange.state
    shown = as_of(state, order.order_index, world.now_us - 1)
    assert shown is not None
    assert shown.is_open
    assert as_of(state, order.order_index, world.now_us - 1_000_001) is None
    tx = state.txs[result.tx_hash]
    assert transaction(tx, tx.queued_us - 1) is None
    assert transaction(tx, tx.queued_us) is tx


def test_the_dice_of_a_seed_always_fall_alike() -> None:
    def struck(seed: int) -> list[bool]:
        faults = FaultBoard({"a": A}, {"BTC": 1}, seed=seed)
        faults.arm({"kind": "lose_answer", "probability": 0.5, "count": 1000}, 0)
        return [faults.strike("lose_answer", 0, A) is not None for _ in range(1000)]

    first = struck(1)
    assert first == struck(1)
    assert first != struck(2)
    assert 400 < sum(first) < 600


def test_a_fault_that_cannot_happen_is_not_used_up() -> None:
    faults = board()
    faults.arm({"kind": "lose_answer", "probability": 0}, 0)
    assert faults.strike("lose_answer", 0, A) is None
    assert faults.shown(0)[0]["count"] == 1


def test_one_that_does_not_fit_lets_the_next_one_strike() -> None:
    faults = board()
    first = faults.arm({"kind": "reject", "code": 1}, 0)
    second = faults.arm({"kind": "reject", "code": 2}, 0)
    assert faults.strike("reject", 0, A, fits=lambda one: one.number("code") == 2) is second
    assert (first.struck, second.struck) == (0, 1)


def test_a_state_takes_no_dice() -> None:
    with pytest.raises(FaultError, match="no parameter 'probability'"):
        board().arm({"kind": "halted", "probability": 0.5}, 0)


def test_a_check_arms_nothing() -> None:
    faults = board()
    faults.check({"kind": "lose_answer"})
    with pytest.raises(FaultError):
        faults.check({"kind": "reject"})
    assert not faults


def test_all_can_be_cleared_at_once() -> None:
    faults = board()
    for _ in range(2):
        faults.arm({"kind": "lose_answer"}, 0)
    assert (faults.clear_all(), faults.shown(0)) == ([1, 2], [])
