"""A handful of kills at chosen effects; ``make chaos`` does the same by the thousand."""

from pathlib import Path
from random import Random

from tests.chaos.faults import KILL, Faults
from tests.chaos.person import stop_desk
from tests.chaos.world import UP_SECONDS, World, world
from tests.e2e.desk import eventually


def test_killed_at_chosen_effects_every_fill_is_hedged_once(tmp_path: Path) -> None:
    with world(tmp_path, direction="alternate", wallets="shared") as made:
        made.up()
        made.converge(UP_SECONDS)
        faults = Faults(made, Random(1))
        killed_at(made, {"A": "messaging.append_state.after", "B": "venue.send.during"})
        faults.kill_redis(wiped=True)
        faults.kill_exchange()
        killed_at(made, {"A": "venue.send.after", "B": "journal.commit_candidate.before"})
        stop_desk(made)
        truth = made.check()
        assert truth["accounts"][0]["trades"], "A never traded"
        assert made.tally.kills == {"A": 2, "B": 2, "redis": 1, "exchange": 1}


def killed_at(made: World, points: dict[str, str]) -> None:
    """A's quote fills, A and B die at their effects; the desk must come back hedged and quoting."""
    made.settle()
    struck = {name: made.order_end(name, point, 1, KILL, 1) for name, point in points.items()}
    made.desk.paper.fill()
    for name in points:
        eventually(
            lambda name=name: any(made.folder.glob(f"struck_{name}*")),  # type: ignore[misc]
            f"{name} dies at {points[name]}",
        )
        assert struck[name]() is not None
        made.tally.kills[name] += 1
        for file in made.folder.glob(f"struck_{name}*"):
            file.unlink()
    assert made.converge() == "quoting"
    made.check()
