from tests.unit.domain.builders import coid, order

from lighter_hedge.domain.events import BurnRequest
from lighter_hedge.domain.tickets import Ticket, Tickets


def test_answers_come_back_by_number_and_once() -> None:
    tickets = Tickets()
    first, second = tickets.issue(order(1), 7, at_once=False), tickets.issue(BurnRequest(), 7, at_once=True)
    assert (first.ticket, second.ticket) == (1, 2)
    assert tickets.take(first.ticket) == Ticket(order(1), 7, False)
    assert tickets.take(first.ticket) is None


def test_only_what_is_sent_at_once_keeps_others_waiting() -> None:
    tickets = Tickets()
    tickets.issue(order(1), 7, at_once=False)
    assert not tickets.sending
    burn = tickets.issue(BurnRequest(), 7, at_once=True)
    assert tickets.sending
    tickets.take(burn.ticket)
    assert not tickets.sending


def test_an_order_being_signed_is_known_by_its_index() -> None:
    tickets = Tickets()
    tickets.issue(BurnRequest(), 7, at_once=True)
    assert not tickets.holds(coid(1))
    tickets.issue(order(1), 7, at_once=False)
    assert tickets.holds(coid(1))
    assert not tickets.holds(coid(2))
