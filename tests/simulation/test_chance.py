"""Random worlds, a few each time: faults for a while, then everything heals and the desk must finish."""

import pytest
from tests.simulation.chance import Chance
from tests.simulation.checkers import Violation, check_once
from tests.simulation.world import World

from lighter_hedge.domain.guard import SendGuard
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.states import Role

REGRESSIONS = (5, 1724, 2430, 3683, 5451)
"""Seeds that once broke a promise, or the world's own account of one."""


@pytest.mark.parametrize("seed", [*range(100, 130), *REGRESSIONS])
def test_desk_keeps_its_promises_in_a_random_world(seed: int) -> None:
    """Nothing is hedged twice or by more than is missing, A and B never meet, and the desk finishes."""
    Chance(seed).run()


def test_same_seed_same_world() -> None:
    """A world that failed can be played again."""
    first, again = Chance(17), Chance(17)
    assert (first.run(), first.log) == (again.run(), again.log)


def test_checker_sees_a_hedge_of_more_than_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checker can fail: a hedger that hedges half as much again is found."""
    order = Hedger._order

    def greedy(hedger: Hedger, side: object, lots: int, *rest: object, **options: object) -> object:
        return order(hedger, side, lots * 3 // 2, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Hedger, "_order", greedy)
    monkeypatch.setattr(SendGuard, "refuses", lambda *_: "")
    with World() as world:
        world.start_both()
        world.fault("fill_now")
        world.until(lambda: world.position(Role.HEDGER) != 0, 10, "the hedge")
        with pytest.raises(Violation, match="I2"):
            check_once(world)
