from pathlib import Path

from tests.unit.simulator.paper_world import ASK, BID, MID, START_US, A, B, World, make_world, print_trade

from lighter_hedge.simulator.core.exchange import Exchange
from lighter_hedge.simulator.core.markets import BTC, ETH
from lighter_hedge.simulator.core.orders import OrderStatus
from lighter_hedge.simulator.core.records import KEPT_OF_MARKET, RESTART_GAP
from lighter_hedge.simulator.core.rules import ExchangeSettings, Latency
from lighter_hedge.simulator.edge.store import Store


def saved_to(world: World, directory: Path) -> None:
    """Save and end without any farewell, as a kill would."""
    store = Store(directory)
    for account in world.exchange.state.accounts.values():
        world.exchange.state.note_account(account)
    store.save(world.exchange.state.collect_changes())
    store.close()


def revived(directory: Path, settings: ExchangeSettings) -> World:
    store = Store(directory)
    saved = store.load()
    store.close()
    assert saved is not None
    exchange = Exchange((ETH, BTC), saved.accounts, settings=settings)
    exchange.state.restore(saved.orders, saved.trades, saved.txs, saved.counters)
    exchange.state.restore_house(saved.house, saved.fundings, saved.account_fundings)
    exchange.resume_saved(START_US)
    return World(exchange)


def test_an_empty_store_holds_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "state", fsync=True)
    assert store.load() is None
    store.close()


def test_orders_nonces_positions_and_trades_come_back(tmp_path: Path) -> None:
    world = make_world()
    quote = world.rest(A, BID, 30, MID, client=7)
    world.take(B, ASK, 20, MID - 10)
    saved_to(world, tmp_path)
    again = revived(tmp_path, world.exchange.settings)
    state = again.exchange.state
    assert again.position(A) == 20
    assert (again.nonce(A), again.nonce(B)) == (1, 1)
    assert [trade.lots for trade in state.trades_of[A]] == [20]
    order = state.open_of[A][quote.order_index]
    assert (order.filled_lots, order.leaves_lots, order.queue_ahead) == (20, 10, 0)
    again.traffic(print_trade(MID, 10, ASK))
    assert order.status is OrderStatus.FILLED
    trades = state.trades_of[A]
    assert trades[-1].trade_id - trades[0].trade_id > RESTART_GAP


def test_an_accepted_transaction_that_had_not_run_runs_after_the_restart(tmp_path: Path) -> None:
    latency = Latency(maker_us=200_000)
    world = make_world(latency=latency)
    assert world.order(A, BID, 20, MID - 5).accepted
    saved_to(world, tmp_path)
    again = revived(tmp_path, world.exchange.settings)
    again.run(ms=199)
    assert again.exchange.state.orders_of[A] == []
    again.run(ms=1)
    assert again.last_order(A).is_open


def test_a_restored_order_still_expires(tmp_path: Path) -> None:
    world = make_world()
    order = world.rest(A, BID, 20, MID - 5)
    saved_to(world, tmp_path)
    again = revived(tmp_path, world.exchange.settings)
    again.run(ms=3_601_000)
    assert again.exchange.state.orders[order.order_index].status is OrderStatus.CANCELED_EXPIRED


def test_each_save_holds_only_what_changed(tmp_path: Path) -> None:
    world = make_world()
    world.rest(A, BID, 20, MID - 5)
    changes = world.exchange.state.collect_changes()
    assert (len(changes.orders), len(changes.txs), len(changes.accounts)) == (1, 1, 1)
    assert world.exchange.state.collect_changes().empty


def test_funding_markets_and_the_other_side_come_back(tmp_path: Path) -> None:
    world = make_world()
    world.take(A, BID, 60, MID + 10)
    world.mark(MID + 100, MID)
    world.run(ms=3_600_000)
    world.exchange.set_market(1, halted=True)
    before = world.exchange.state
    before.insurance = 77
    saved_to(world, tmp_path)
    state = revived(tmp_path, world.exchange.settings).exchange.state
    assert [*state.fundings[1]] == [*before.fundings[1]] != []
    assert [*state.position_fundings[A]] == [*before.position_fundings[A]] != []
    assert (state.insurance, state.ambient) == (77, before.ambient)
    for name in KEPT_OF_MARKET:
        assert getattr(state.market_states[1], name) == getattr(before.market_states[1], name), name
    assert (state.market_states[1].halted, state.market_states[0].halted) == (True, False)


def test_a_mark_price_is_not_saved_each_time(tmp_path: Path) -> None:
    world = make_world()
    world.mark(MID + 1)
    world.exchange.state.collect_changes()
    world.mark(MID + 2)
    assert world.exchange.state.collect_changes().empty


def test_what_is_forgotten_leaves_the_disk_too(tmp_path: Path) -> None:
    world = make_world()
    world.exchange.state.history_max = 10
    for _ in range(20):
        world.take(A, BID, 20, MID + 20)
    saved_to(world, tmp_path)
    store = Store(tmp_path)
    saved = store.load()
    store.close()
    assert saved is not None
    assert [len(saved.orders), len(saved.trades), len(saved.txs)] == [10, 10, 10]
