from typing import Any

import pytest
from tests.unit.simulator.paper_world import A, B

from lighter_hedge.simulator.core.faults.board import FaultBoard
from lighter_hedge.simulator.edge.answers import Answer, refusal
from lighter_hedge.simulator.edge.faults.requests import RequestFaults

DONE = Answer(status=200, body={"code": 200, "tx_hash": "ab"})


def faults(**fault: Any) -> RequestFaults:
    board = FaultBoard({"a": A, "b": B}, {})
    board.arm(fault, 0)
    return RequestFaults(board)


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"kind": "too_many_requests"}, 429, 23000),
        ({"kind": "too_many_requests", "status": 405}, 405, 405),
        ({"kind": "error_before"}, 502, 502),
        ({"kind": "error_before", "status": 500}, 500, 29500),
        ({"kind": "error_before", "status": 504}, 504, 29501),
    ],
)
def test_what_fails_before_gets_an_error_once(fault: dict[str, Any], status: int, code: int) -> None:
    some = faults(**fault, account="a")
    assert some.before(B, 0, sends=True) is None
    answer = some.before(A, 0, sends=True)
    assert answer is not None
    assert (answer.status, answer.body["code"], answer.lost) == (status, code, False)
    assert some.before(A, 0, sends=True) is None


@pytest.mark.parametrize(("kind", "dropped"), [("lose_request", False), ("drop_before", True)])
def test_a_request_that_does_not_arrive(kind: str, dropped: bool) -> None:
    answer = faults(kind=kind).before(A, 0, sends=True)
    assert answer is not None
    assert (answer.lost, answer.dropped) == (True, dropped)


@pytest.mark.parametrize(
    ("of", "of_sends", "of_reads"), [(None, True, False), ("reads", False, True), ("both", True, True)]
)
def test_a_fault_is_of_sends_unless_it_says_otherwise(of: str | None, of_sends: bool, of_reads: bool) -> None:
    some = faults(kind="error_before", count=2, **({} if of is None else {"of": of}))
    assert (some.before(A, 0, sends=True) is not None) is of_sends
    assert (some.before(A, 0, sends=False) is not None) is of_reads


@pytest.mark.parametrize(
    ("kind", "lost", "dropped", "status"),
    [("error_after", False, False, 502), ("lose_answer", True, False, 0), ("drop_after", True, True, 0)],
)
def test_what_fails_after_was_carried_out(kind: str, lost: bool, dropped: bool, status: int) -> None:
    some = faults(kind=kind)
    assert some.before(A, 0, sends=True) is None
    answer = some.after(A, DONE, 0, sends=True)
    assert (answer.lost, answer.dropped, answer.status) == (lost, dropped, status)


def test_a_refused_transaction_is_not_carried_out() -> None:
    some, refused = faults(kind="error_after"), refusal(21104, "invalid nonce")
    assert some.after(A, refused, 0, sends=True) is refused
    assert some.after(A, DONE, 0, sends=False) is DONE
    assert some.after(A, DONE, 0, sends=True).status == 502


def test_a_bare_answer_is_its_code() -> None:
    assert faults(kind="bare_answer").after(A, DONE, 0, sends=True).body == {"code": 200}


def test_any_answer_may_come_late() -> None:
    some = faults(kind="delay_answer", delay_ms=70, of="both", count=2)
    assert some.after(A, refusal(21104, "invalid nonce"), 0, sends=True).delay_ms == 70
    assert some.after(A, DONE, 0, sends=False).delay_ms == 70
    assert some.after(A, DONE, 0, sends=True).delay_ms == 0
