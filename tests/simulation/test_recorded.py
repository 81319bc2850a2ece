"""The page of evidence says what the record holds."""

from itertools import pairwise

from tests.simulation.faults import KINDS
from tests.simulation.recorded import PAGE, add, page, runs, tables


def run(seeds: str, *, rounds: int = 1_000) -> dict[str, object]:
    """What one run has kept."""
    counts = dict.fromkeys(("worlds", "fills", "faults", "virtual_hours", "core_seconds"), 2)
    faults = dict.fromkeys(KINDS, 3)
    return {
        **counts,
        "seeds": seeds,
        "code": "c",
        "rounds": rounds,
        "faults_by_kind": faults,
        "violations": {"7": "I1"},
    }


def test_the_page_is_what_the_record_makes() -> None:
    text = PAGE.read_text()
    assert page(text, runs()) == text, "write it anew: python -m tests.simulation.recorded"


def test_seeds_of_the_record_are_distinct() -> None:
    """A world that was played twice proves nothing twice."""
    played = sorted(tuple(map(int, one["seeds"].split(":"))) for one in runs())
    assert all(last <= first for (_, last), (first, _) in pairwise(played))


def test_runs_add_up_and_a_longer_one_takes_the_place_of_its_beginning() -> None:
    known = add(add([], run("0:10")), run("10:20", rounds=2_000))
    assert "| **all** |  | 4 | 3,000 |" in tables(known)
    assert [one["rounds"] for one in add(known, run("0:15", rounds=1_500))] == [2_000, 1_500]
