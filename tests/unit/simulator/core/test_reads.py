from tests.unit.simulator.paper_world import BID, MID, A, make_world

from lighter_hedge.simulator.core import reads
from lighter_hedge.simulator.core.orders import TX_EXECUTED, TX_PENDING
from lighter_hedge.simulator.core.rules import Latency

LATER = 10**18


def test_orders_and_trades_are_newest_first_and_by_market() -> None:
    world = make_world()
    first, second = world.take(A, BID, 20, MID + 10), world.take(A, BID, 30, MID + 10)
    state = world.exchange.state
    assert [one.order_index for one in reads.orders(state, A, LATER, 1)] == [
        second.order_index,
        first.order_index,
    ]
    assert [one.lots for one in reads.trades(state, A, LATER, None)] == [30, 20]
    assert reads.orders(state, A, LATER, 0) == []
    assert reads.trades(state, A, LATER, 0) == []


def test_a_transaction_that_ran_after_the_cutoff_still_looks_pending() -> None:
    world = make_world(latency=Latency(maker_us=100))
    sent = world.order(A, BID, 20, MID)
    tx = world.exchange.state.txs[sent.tx_hash]
    world.run(ms=1)
    assert tx.status == TX_EXECUTED
    shown = reads.transaction(tx, tx.executed_us - 1)
    assert shown is not None
    assert (shown.status, shown.event_info) == (TX_PENDING, "")
