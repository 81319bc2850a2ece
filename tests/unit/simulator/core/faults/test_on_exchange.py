import pytest
from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, World, make_world

from lighter_hedge.simulator.core.orders import TX_EXECUTED, TX_FAILED, TX_PENDING, OrderStatus
from lighter_hedge.simulator.core.pushes import AccountTraded, OrdersChanged, TxExecuted
from lighter_hedge.simulator.core.rules import Latency


def statuses(world: World, account: int) -> list[int]:
    return [tx.status for tx in world.exchange.state.txs_of[account]]


def test_late_execution_holds_what_comes_behind_too() -> None:
    world = make_world()
    world.fault(kind="late_execution", account="a", delay_ms=500)
    world.order(A, BID, 20, MID - 5)
    world.order(A, BID, 20, MID - 6)
    world.order(B, BID, 20, MID - 7)
    world.run(ms=499)
    assert (len(world.exchange.state.open_of[A]), len(world.exchange.state.open_of[B])) == (0, 1)
    world.run(ms=1)
    assert len(world.exchange.state.open_of[A]) == 2


@pytest.mark.parametrize("becomes", [None, "canceled-post-only", "canceled-margin-not-allowed"])
def test_accept_then_cancel_reports_an_order_that_never_rested(becomes: str | None) -> None:
    world = make_world()
    world.fault(kind="accept_then_cancel", account="a", **({} if becomes is None else {"becomes": becomes}))
    assert world.order(A, BID, 20, MID - 5).accepted
    told = [order for push in world.run() if isinstance(push, OrdersChanged) for order in push.orders]
    assert [(order.status.value, order.filled_lots) for order in told] == [(becomes or "canceled", 0)]
    assert (world.nonce(A), world.exchange.state.open_of[A]) == (1, {})
    assert world.rest(A, BID, 20, MID - 5).is_open


def test_accept_then_refuse_leaves_no_order_and_uses_the_nonce() -> None:
    world = make_world()
    world.fault(kind="accept_then_refuse", account="a", code=21601, message="book full")
    result = world.order(A, BID, 20, MID - 5)
    assert not [push for push in world.run() if isinstance(push, OrdersChanged)]
    assert (result.accepted, world.ae(result), world.nonce(A), statuses(world, A)) == (True, 21601, 1, [TX_EXECUTED])


def test_accept_then_return_frees_the_nonce_and_fails_those_behind() -> None:
    world = make_world(latency=Latency(maker_us=100_000))
    world.fault(kind="accept_then_return", account="a")
    first = world.order(A, BID, 20, MID - 5)
    behind = world.order(A, BID, 20, MID - 6)
    other_key = world.order(A, BID, 20, MID - 7, ApiKeyIndex=5)
    told = [push.tx.status for push in world.run(ms=100) if isinstance(push, TxExecuted)]
    assert told == [TX_FAILED, TX_FAILED, TX_EXECUTED]
    assert (world.ae(first), world.ae(behind), world.ae(other_key)) == (21508, 21104, 0)
    assert (world.nonce(A), world.nonce(A, 5), len(world.exchange.state.open_of[A])) == (0, 1, 1)


def test_a_transaction_whose_nonce_was_returned_can_be_sent_again() -> None:
    world = make_world()
    world.fault(kind="accept_then_return", account="a")
    fields = world.order_fields(BID, 20, MID - 5)
    info = world.info(A, fields)
    world.exchange.submit(world.now_us, 14, info)
    world.run()
    assert world.exchange.submit(world.now_us, 14, info).accepted
    world.run()
    assert (statuses(world, A), len(world.exchange.state.open_of[A])) == ([TX_EXECUTED], 1)


def test_one_behind_that_may_skip_nonces_runs_all_the_same() -> None:
    world = make_world(latency=Latency(maker_us=100_000))
    world.fault(kind="accept_then_return", account="a")
    world.order(A, BID, 20, MID - 5)
    world.order(A, BID, 20, MID - 6, Nonce=7, L2TxAttributes={"4": 1})
    world.run(ms=100)
    assert (statuses(world, A), world.nonce(A)) == ([TX_FAILED, TX_EXECUTED], 8)


def test_expired_at_that_passes_in_the_queue_returns_the_nonce() -> None:
    world = make_world(latency=Latency(maker_us=100_000))
    result = world.order(A, BID, 20, MID - 5, ExpiredAt=world.now_us // 1000 + 50)
    assert statuses(world, A) == [TX_PENDING]
    world.run(ms=100)
    assert (world.ae(result), statuses(world, A), world.nonce(A)) == (21501, [TX_FAILED], 0)


@pytest.mark.parametrize("stage", ["api", "sequencer"])
def test_margin_is_refused_at_the_api_or_in_the_sequencer(stage: str) -> None:
    world = make_world()
    world.fault(kind="margin_refusal", account="a", stage=stage)
    result = world.order(A, BID, 20, MID - 5)
    world.run()
    if stage == "api":
        assert (result.code, world.nonce(A)) == (21739, 0)
    else:
        assert (result.code, world.nonce(A)) == (200, 1)
        assert world.last_order(A).status is OrderStatus.CANCELED_MARGIN_NOT_ALLOWED


def test_a_liquidation_cancels_the_orders_and_closes_the_position() -> None:
    world = make_world()
    world.take(A, BID, 60, MID + 10)
    order = world.rest(A, BID, 20, MID - 5)
    world.fault(kind="liquidation", account="a", delay_ms=100)
    world.run(ms=99)
    assert world.position(A) == 60
    trades = [trade for push in world.run(ms=1) if isinstance(push, AccountTraded) for trade in push.trades]
    assert [(trade.kind, trade.lots) for trade in trades] == [("liquidation", 60)]
    assert (world.position(A), order.status) == (0, OrderStatus.CANCELED_LIQUIDATION)


def test_adl_takes_part_of_a_position_and_leaves_the_orders() -> None:
    world = make_world()
    world.take(A, ASK, 60, MID - 10)
    order = world.rest(A, BID, 20, MID - 5)
    world.fault(kind="adl", account="a", lots=25)
    trades = [trade for push in world.run() if isinstance(push, AccountTraded) for trade in push.trades]
    assert [(trade.kind, trade.lots) for trade in trades] == [("deleverage", 25)]
    assert (world.position(A), order.is_open) == (-35, True)


def test_a_liquidation_without_a_position_waits_for_one() -> None:
    world = make_world()
    world.fault(kind="liquidation", account="a")
    world.run()
    assert world.exchange.faults.shown(world.now_us)[0]["struck"] == 0
    world.take(A, BID, 60, MID + 10)
    assert world.position(A) == 0
    assert world.exchange.faults.shown(world.now_us) == []


def test_nothing_is_left_to_liquidate_when_its_time_comes() -> None:
    world = make_world()
    world.take(A, BID, 60, MID + 10)
    world.fault(kind="adl", account="a", delay_ms=100)
    world.take(A, ASK, 60, MID - 10)
    assert not [push for push in world.run(ms=100) if isinstance(push, AccountTraded)]
