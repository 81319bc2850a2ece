"""What of an exchange is saved."""

from tests.unit.simulator.paper_world import A, make_world

from lighter_hedge.simulator.core.records import Changes, Counters


def test_counters_leave_a_gap_in_their_own_direction() -> None:
    counters = Counters(sequence=5, trade_id=6, asks={1: 100}, bids={1: 100})
    counters.skip(10)
    assert counters == Counters(sequence=15, trade_id=16, asks={1: 110}, bids={1: 90})


def test_every_kind_of_change_is_worth_a_save() -> None:
    changes = Changes(accounts=[], orders=[], trades=[], txs=[], counters=Counters())
    assert changes.empty
    changes.forgotten.append(("order", "1"))
    assert not changes.empty
    world = make_world()
    world.exchange.state.collect_changes()
    assert world.exchange.state.collect_changes().empty
    world.exchange.state.note_account(world.exchange.state.accounts[A])
    assert not world.exchange.state.collect_changes().empty
