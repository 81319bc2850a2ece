from lighter_hedge.simulator.edge.faults.plan import Planned
from lighter_hedge.simulator.edge.faults.schedule import Schedule


def plan(*seconds: int) -> list[Planned]:
    return [Planned(after_us=one * 1_000_000, request={"kind": f"at {one}"}) for one in seconds]


def test_several_plans_are_one_row_from_the_start() -> None:
    schedule = Schedule()
    assert schedule.next_due_us() is None
    schedule.start([plan(1, 5), plan(3)], 70_000_000)
    found = []
    while (due_us := schedule.next_due_us()) is not None:
        found.append((due_us // 1_000_000, schedule.pop()["kind"]))
    assert found == [(71, "at 1"), (73, "at 3"), (75, "at 5")]
