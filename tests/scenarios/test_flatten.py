"""``on_unhedged: flatten``: A closes what B could not hedge, and never both."""

import pytest
from tests.simulation.checkers import check_once
from tests.simulation.world import World, settings

from lighter_hedge.domain.settings import DeskSettings
from lighter_hedge.domain.states import Mode, Role


def flattening() -> DeskSettings:
    return settings(flatten=True, force_close_ms=3_000, hedge_confirm_timeout_ms=20_000, unhedged_ms_max=30_000)


def fail(world: World) -> int:
    """A's opening quote has filled, and B's key is refused until its tries are used up."""
    world.start_both()
    revoked = world.fault("key_revoked", Role.HEDGER)
    world.fault("fill_now")
    world.until(lambda: world.position(Role.MAKER) != 0, 10, "the fill")
    world.until(lambda: world.hedger.tries.failed is not None, 20, "B's failure")
    return revoked


def test_a_closes_once_b_has_stood_down_although_bs_key_is_refused() -> None:
    with World(flattening()) as world:
        fail(world)
        world.until(lambda: world.position(Role.MAKER) == 0, 20, "A to close")
        assert world.hedger.standing_down.held is not None or world.said(Role.HEDGER, "STOOD_DOWN")
        world.run(10)
        assert (world.net, world.maker.latch.mode, world.resting(Role.MAKER)) == (0, Mode.PAUSED, [])
        assert world.hedger.standing_down.held is None
        check_once(world)


def test_after_a_flatten_a_person_goes_on() -> None:
    with World(flattening()) as world:
        revoked = fail(world)
        world.until(lambda: world.position(Role.MAKER) == 0, 20, "A to close")
        world.clear_fault(revoked)
        world.run(5)
        pause = world.maker.latch.pause
        assert pause is not None
        world.ask("resume", pause_id=pause.id)
        world.until(lambda: bool(world.resting(Role.MAKER)), 20, "A to quote again")
        world.fault("fill_now")
        world.until(lambda: world.position(Role.HEDGER) != 0 and world.net == 0, 20, "the next hedge")
        check_once(world)


@pytest.mark.parametrize("after", [0.0, 0.5, 2.0, 3.2, 3.4, 3.6, 4.0])
@pytest.mark.parametrize("role", list(Role))
def test_e5_whoever_dies_in_the_handover_never_do_both_act(after: float, role: Role) -> None:
    """The key is mended in the same moment in which one of them dies, and comes back a second later."""
    with World(flattening()) as world:
        revoked = fail(world)
        world.run(after)
        world.clear_fault(revoked)
        world.kill(role)
        world.run(1)
        world.start(role)
        world.until(lambda: world.net == 0, 60, "the exposure to end")
        world.run(10)
        assert world.net == 0
        check_once(world)


def test_new_tries_of_a_person_and_a_flatten_never_meet() -> None:
    with World(flattening()) as world:
        revoked = fail(world)
        world.until(lambda: world.maker.flattening.wish is not None, 20, "A's wish")
        world.clear_fault(revoked)
        pause = world.maker.latch.pause
        assert pause is not None
        world.ask("resume", pause_id=pause.id, hedge_now=True)
        world.until(lambda: world.net == 0, 30, "the exposure to end")
        world.run(10)
        assert world.net == 0
        check_once(world)
