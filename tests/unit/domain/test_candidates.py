from tests.unit.domain.builders import candidate, coid, order

from lighter_hedge.domain.candidates import Candidates
from lighter_hedge.domain.events import BurnRequest, CancelRequest, TxStatus
from lighter_hedge.domain.lane_limits import ORDERS_PER_READ_MAX
from lighter_hedge.domain.lane_words import Held


def test_the_newest_order_of_a_client_order_index_is_meant() -> None:
    held = Candidates()
    held.add(candidate(order(), tx_hash="old"))
    newest = held.add(candidate(order(), tx_hash="new"))
    held.add(candidate(CancelRequest(coid=coid(1))))
    assert held.order(coid(1)) is newest
    assert held.order(coid(2)) is None


def test_a_dropped_candidate_is_gone_and_a_kept_one_is_found() -> None:
    held, one = Candidates(), Held(candidate())
    held.keep(one)
    assert held.get("order1@7") is one
    held.drop("order1@7")
    assert held.get("order1@7") is None
    held.keep(one)
    held.clear()
    assert not list(held)


def test_only_what_was_sent_and_lives_may_still_execute() -> None:
    held = Candidates()
    held.add(candidate(order(1)))
    alive = held.add(candidate(order(2)), sends=1)
    dead = held.add(candidate(order(3)), sends=1)
    dead.status = TxStatus.FAILED
    unsent = held.add(candidate(order(4)))
    unsent.status = TxStatus.FAILED
    assert held.sent() == [alive]
    assert held.dead() == [dead]
    assert held.sent_coids() == (coid(2), coid(3))


def test_absent_means_that_none_of_those_sent_was_found_and_each_was_asked_for_late_enough() -> None:
    held = Candidates()
    one, two = (held.add(candidate(order(serial)), sends=1) for serial in (1, 2))
    held.add(candidate(order(3)))
    for status, asked_ms, absent in (
        (None, 100, False),
        (TxStatus.NOT_FOUND, 99, False),
        (TxStatus.PENDING, 100, False),
        (TxStatus.NOT_FOUND, 100, True),
    ):
        one.status, one.asked_ms = TxStatus.NOT_FOUND, 100
        two.status, two.asked_ms = status, asked_ms
        assert held.absent(100) is absent


def test_a_burn_has_no_client_order_index() -> None:
    held = Candidates()
    assert held.burn() is None
    burn = held.add(candidate(BurnRequest()), sends=1)
    assert held.burn() is burn
    assert held.sent_coids() == ()


def test_no_read_asks_for_more_orders_than_the_venue_takes() -> None:
    held = Candidates()
    for serial in range(1, 31):
        held.add(candidate(order(serial)), sends=1)
    assert held.sent_coids() == tuple(coid(serial) for serial in range(31 - ORDERS_PER_READ_MAX, 31))
