"""What faults do to requests and their answers. Pure.

A request is *before* until it is carried out, and *after* from then on: what fails before has not run, what fails after
has.
"""

from dataclasses import replace

from lighter_hedge.simulator.core.faults.board import Fault, FaultBoard
from lighter_hedge.simulator.core.faults.kinds import BOTH, READS, SENDS
from lighter_hedge.simulator.edge.answers import Answer, refusal

TOO_MANY, FIREWALL = 429, 405
WORDS = {500: (29500, "internal server error"), 504: (29501, "process timeout")}
"""The venue's own codes; what stands before it has none but the status."""
BAD_GATEWAY = 502


class RequestFaults:
    """Asked about every request that an account is named by."""

    def __init__(self, board: FaultBoard) -> None:
        self._board = board

    def before(self, account_index: int | None, now_us: int, *, sends: bool) -> Answer | None:
        """What a request gets instead of being carried out."""
        if not self._board:
            return None
        for kind in ("too_many_requests", "error_before", "lose_request", "drop_before"):
            fault = self._strike(kind, account_index, now_us, sends=sends)
            if fault is not None:
                return _failure(fault)
        return None

    def after(self, account_index: int | None, answer: Answer, now_us: int, *, sends: bool) -> Answer:
        """What becomes of the answer to a request that was carried out."""
        if not self._board:
            return answer
        if sends and answer.status == 200:
            answer = self._after_send(account_index, answer, now_us)
        late = self._strike("delay_answer", account_index, now_us, sends=sends)
        return answer if late is None else replace(answer, delay_ms=late.number("delay_ms"))

    def _after_send(self, account_index: int | None, answer: Answer, now_us: int) -> Answer:
        for kind in ("error_after", "lose_answer", "drop_after"):
            fault = self._board.strike(kind, now_us, account_index)
            if fault is not None:
                return _failure(fault)
        if self._board.strike("bare_answer", now_us, account_index) is not None:
            return replace(answer, body={"code": answer.body["code"]})
        return answer

    def _strike(self, kind: str, account_index: int | None, now_us: int, *, sends: bool) -> Fault | None:
        wanted = (SENDS, BOTH) if sends else (READS, BOTH)
        return self._board.strike(kind, now_us, account_index, fits=lambda one: one.word("of", SENDS) in wanted)


def _failure(fault: Fault) -> Answer:
    match fault.kind:
        case "too_many_requests":
            status = fault.number("status", TOO_MANY)
            return refusal(23000 if status == TOO_MANY else status, "Too Many Requests!", status)
        case "error_before" | "error_after":
            status = fault.number("status", BAD_GATEWAY)
            return refusal(*WORDS.get(status, (status, "bad gateway")), status)
        case "lose_request" | "lose_answer":
            return Answer(status=0, body={}, lost=True)
        case _:
            return Answer(status=0, body={}, lost=True, dropped=True)
