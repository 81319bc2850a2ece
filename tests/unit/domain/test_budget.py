"""Requests of a minute against a share."""

from tests.unit.domain.builders import at, candidate

from lighter_hedge.domain.budget import HEDGE_RESERVE, QUOTE_RESERVE, Budget
from lighter_hedge.domain.commands import Exit, ReadNonce, Resubscribe, Send


def test_without_a_share_nothing_is_counted() -> None:
    budget = Budget()
    budget.count([ReadNonce()] * 100, at(0))
    assert budget.left(at(0)) is None
    assert not budget.lacks(1, at(0))
    assert not budget.half_used(at(0))


def test_sends_and_reads_count_alike_and_nothing_else_does() -> None:
    budget = Budget(share=5)
    budget.count([ReadNonce(), Send(candidate=candidate()), Resubscribe(), Exit(code=0, why="")], at(0))
    assert budget.left(at(0)) == 3
    assert budget.lacks(4, at(0))
    assert not budget.lacks(3, at(0))


def test_a_minute_later_they_are_free_again() -> None:
    budget = Budget(share=5)
    budget.count([ReadNonce()], at(0))
    budget.count([ReadNonce()], at(10))
    assert budget.left(at(59_999)) == 3
    assert budget.left(at(60_000)) == 4
    assert budget.left(at(60_010)) == 5


def test_more_than_the_share_leaves_nothing_and_no_less() -> None:
    budget = Budget(share=2)
    budget.count([ReadNonce()] * 9, at(0))
    assert budget.left(at(0)) == 0


def test_half_is_used_when_less_than_half_is_left() -> None:
    budget = Budget(share=5)
    budget.count([ReadNonce()] * 3, at(0))
    assert not budget.half_used(at(0))
    budget.count([ReadNonce()], at(0))
    assert budget.half_used(at(0))


def test_what_is_kept_is_what_a_quote_and_a_hedge_may_need() -> None:
    quote, cancel, reads = 1, 1, 2
    assert 2 * (quote + cancel) + reads == QUOTE_RESERVE, "both once more"
    hedge, again, burn, reads = 1, 1, 1, 3
    assert hedge + again + burn + reads == HEDGE_RESERVE
