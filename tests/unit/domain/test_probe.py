from tests.unit.domain.builders import WALL_MS, candidate

from lighter_hedge.domain.events import BurnRequest, TxStatus
from lighter_hedge.domain.lane_limits import SIGNATURE_MARGIN_MS
from lighter_hedge.domain.probe import Probe


def probe() -> Probe:
    return Probe(candidate(BurnRequest(), 8))


def test_an_executed_probe_proves_once() -> None:
    made = probe()
    assert not made.reported(TxStatus.NOT_FOUND, 5)
    assert made.reported(TxStatus.EXECUTED, 10)
    assert not made.reported(TxStatus.EXECUTED, 20)
    assert made.proved_ms == 10


def test_a_failed_probe_proves_only_where_its_nonce_is_used_up() -> None:
    made = probe()
    made.used(5)
    assert made.proved_ms is None, "somebody else may have used it"
    assert not made.reported(TxStatus.FAILED, 10)
    assert made.proved_ms is None
    made.used(20)
    made.used(30)
    assert made.proved_ms == 20


def test_dead_or_expired_bytes_are_of_no_use() -> None:
    made = probe()
    assert made.usable(WALL_MS)
    assert made.usable(made.candidate.expires_ms - SIGNATURE_MARGIN_MS - 1)
    assert not made.usable(made.candidate.expires_ms - SIGNATURE_MARGIN_MS)
    made.reported(TxStatus.FAILED, 10)
    assert not made.usable(WALL_MS)


def test_any_probe_of_the_nonce_that_failed_may_have_used_it_up() -> None:
    first = probe()
    first.reported(TxStatus.FAILED, 5)
    made = Probe(candidate(BurnRequest(), 8), before=(first,))
    made.used(10)
    assert made.proved_ms == 10
