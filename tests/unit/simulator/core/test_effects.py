from tests.unit.simulator.paper_world import A, B, make_world

from lighter_hedge.simulator.core.effects import Effects, announce
from lighter_hedge.simulator.core.pushes import PositionsChanged


def test_an_untouched_world_has_nothing_to_announce() -> None:
    world = make_world()
    assert announce(world.exchange.state, Effects(), world.now_us) == []


def test_an_account_that_only_moved_hears_of_its_balance_and_the_markets_named() -> None:
    world = make_world()
    effects = Effects()
    effects.move(A, 1)
    effects.move(B)
    told = announce(world.exchange.state, effects, world.now_us)
    assert all(isinstance(push, PositionsChanged) for push in told)
    assert [(push.account_index, len(push.positions)) for push in told if isinstance(push, PositionsChanged)] == [
        (A, 1),
        (B, 0),
    ]
