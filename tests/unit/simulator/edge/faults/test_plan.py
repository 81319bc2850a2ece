from itertools import islice
from pathlib import Path

import pytest
from tests.unit.simulator.paper_world import A, B

from lighter_hedge.simulator.core.faults.board import FaultBoard
from lighter_hedge.simulator.core.faults.kinds import KINDS
from lighter_hedge.simulator.edge.faults.plan import DRAWS, NOT_DRAWN, Planned, drawn_plan, read_plan
from lighter_hedge.simulator.edge.settings import PaperError


def read(tmp_path: Path, text: str) -> list[Planned]:
    path = tmp_path / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return read_plan(path, board())


def board() -> FaultBoard:
    return FaultBoard({"a": A, "b": B}, {"ETH": 0, "BTC": 1})


def test_entries_come_in_the_order_of_their_times(tmp_path: Path) -> None:
    text = """
    faults:
      - {at_seconds: 60, kind: late_frames, delay_ms: 300, probability: 0.1, seconds: 30}
      - {at_seconds: 2.5, kind: lose_answer, account: a}
    """
    first, second = read(tmp_path, text)
    assert (first.after_us, first.request) == (2_500_000, {"kind": "lose_answer", "account": "a"})
    assert (second.after_us, second.request["probability"]) == (60_000_000, 0.1)


def test_a_plan_may_be_empty(tmp_path: Path) -> None:
    assert read(tmp_path, "faults: []") == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("faults: [{at_seconds: 1, kind: lose_anwser}]", "entry 1 (lose_anwser): kind 'lose_anwser' is unknown: use"),
        (
            "faults: [{at_seconds: 1, kind: halted}, {at_seconds: 1, kind: reject}]",
            "entry 2 (reject): reject needs 'code'",
        ),
        ("faults: [{kind: halted}]", "entry 1 (halted): at_seconds must be a number of seconds after the start"),
        ("faults: [{at_seconds: -1, kind: halted}]", "not -1"),
        ("faults: [{at_seconds: true, kind: halted}]", "not True"),
        ("faults: [{at_seconds: .nan, kind: halted}]", "not nan"),
        ("faults: [{at_seconds: 1, kind: halted, market: DOGE}]", "use one of ETH (0), BTC (1)"),
        ("faults: [{at_seconds: 1, kind: halted, for: 3}]", "no parameter 'for': use"),
        ("faults: [{at_seconds: 1}]", "entry 1 (without a kind)"),
        ("faults: [halted]", "entry 1: is no fault: write it as"),
        ("faults: [{1: 2}]", "entry 1: is no fault"),
        ("[]", "has no list 'faults'"),
        ("faults: halted", "has no list 'faults'"),
        ("", "has no list 'faults'"),
        ("faults: [", "is no YAML"),
    ],
)
def test_a_bad_plan_is_refused_by_entry_and_with_the_remedy(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(PaperError) as caught:
        read(tmp_path, text)
    assert told in str(caught.value)
    assert "plan.yaml" in str(caught.value)


def test_a_plan_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(PaperError, match=r"nothing.yaml: cannot be read .*: give the path"):
        read_plan(tmp_path / "nothing.yaml", board())
    (tmp_path / "x").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(PaperError, match="x: cannot be read"):
        read_plan(tmp_path / "x", board())


def test_a_seed_draws_the_same_faults_again_and_another_one_others() -> None:
    plans = [list(islice(drawn_plan(seed, ("a", "b")), 200)) for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]
    assert [one.after_us for one in plans[0]] == sorted(one.after_us for one in plans[0])


def test_every_kind_but_those_that_nobody_mends_is_drawn_and_can_be_armed() -> None:
    drawn = list(islice(drawn_plan(7, ("a", "b")), 3_000))
    faults = board()
    for one in drawn:
        faults.check(one.request)
    assert {one.request["kind"] for one in drawn} == KINDS.keys() - NOT_DRAWN
    assert DRAWS.keys() <= KINDS.keys() - NOT_DRAWN


def test_what_lasts_is_drawn_with_an_end() -> None:
    for one in islice(drawn_plan(7, ("a",)), 3_000):
        if KINDS[str(one.request["kind"])].lasts:
            assert one.request.keys() & {"seconds", "for_seconds", "count"}
    assert all(19e6 < plan[-1].after_us / 2_000 < 21e6 for plan in [list(islice(drawn_plan(7, ("a",)), 2_000))])
