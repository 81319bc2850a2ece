from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, make_world

from lighter_hedge.simulator.core.events import Mark


def test_the_mark_is_the_traffics_else_the_middle_else_unknown() -> None:
    world = make_world(book=False)
    assert world.exchange.state.mark(1) == 0
    world = make_world()
    assert world.exchange.state.mark(1) == MID
    world.traffic(Mark(market_index=1, mark_ticks=MID + 7, index_ticks=MID))
    assert world.exchange.state.mark(1) == MID + 7


def test_statistics_count_public_trades() -> None:
    world = make_world()
    world.take(A, BID, 150, MID + 20)
    stats = world.exchange.state.stats(1, world.now_us)
    assert (stats.low_ticks, stats.high_ticks, stats.last_ticks) == (MID + 10, MID + 20, MID + 20)
    assert (stats.volume_lots, stats.trade_count) == (150, 2)


def test_a_leveraged_long_is_liquidated_below_its_entry() -> None:
    world = make_world()
    account = world.exchange.state.accounts[A]
    account.collateral = 10_000_000
    world.take(A, BID, 100, MID + 10)
    view = world.exchange.state.position_view(account, 1)
    assert MID * 89 // 100 < view.liquidation_ticks < MID * 92 // 100


def test_every_change_of_an_order_is_kept_as_a_version() -> None:
    world = make_world()
    order = world.rest(A, BID, 20, MID)
    world.cancel(A, order.order_index)
    world.run()
    assert [one.status.value for one in world.exchange.state.versions[order.order_index]] == [
        "open",
        "canceled",
    ]


def test_trades_and_marks_are_kept_as_candles() -> None:
    world = make_world()
    world.take(A, BID, 150, MID + 20)
    market = world.exchange.state.market_states[1]
    (one,) = market.candles.read("1d", 0, 10**18, 9)
    assert (one.open_ticks, one.close_ticks, one.lots, one.samples) == (MID + 10, MID + 20, 150, 2)
    assert one.last_id == world.exchange.state.trades_of[A][-1].trade_id
    assert [one.close_ticks for one in market.mark_candles.read("1d", 0, 10**18, 9)] == [MID]


def test_old_ended_orders_and_their_transactions_are_forgotten_and_living_ones_never() -> None:
    world = make_world()
    state = world.exchange.state
    state.history_max = 10
    living = world.rest(A, BID, 20, MID - 5)
    for _ in range(30):
        world.rest(A, BID, 20, MID - 5)
        assert world.cancel(A, world.last_order(A).order_index).accepted
        world.run()
        assert 0 <= len(state.orders_of[A]) - len(state.open_of[A]) <= 11
    assert state.orders_of[A][0] == living.order_index
    assert state.orders.keys() == state.versions.keys() == set(state.orders_of[A])
    assert 10 <= len(state.txs) == len(state.txs_of[A]) <= 11
    assert living.is_alive


def test_a_trade_is_forgotten_once_neither_party_remembers_it() -> None:
    world = make_world()
    state = world.exchange.state
    state.history_max = 10
    world.rest(A, BID, 100, MID)
    for _ in range(20):
        world.take(B, ASK, 20, MID - 20)
    shared = state.trades_of[A][0].trade_id
    assert (len(state.trades_of[A]), len(state.trades_of[B])) == (5, 10)
    assert shared < state.trades_of[B][0].trade_id, "A alone remembers"
    assert ("trade", str(shared)) not in state.collect_changes().forgotten
    world.rest(A, BID, 600, MID)
    for _ in range(20):
        world.take(B, ASK, 20, MID)
    assert ("trade", str(shared)) in state.collect_changes().forgotten
