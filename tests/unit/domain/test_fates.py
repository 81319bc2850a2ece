import pytest
from tests.unit.domain.builders import candidate, order

from lighter_hedge.domain.commands import NonceSettled, ReadTx, Record
from lighter_hedge.domain.events import TxReported, TxStatus
from lighter_hedge.domain.fates import READS_MAX, Fates
from lighter_hedge.domain.lane_words import Fate

ONE, TWO = candidate(order(1)), candidate(order(2))


def fates(readable_ms: int | None = 100) -> Fates:
    made = Fates()
    made.remember([ONE, TWO])
    if readable_ms is not None:
        made.readable_from(readable_ms)
    return made


def report(tx_hash: str, status: TxStatus | None, error: str = "", *, asked_ms: int = 100) -> TxReported:
    return TxReported(tx_hash=tx_hash, status=status, error=error, asked_ms=asked_ms)


def test_all_that_is_unread_is_asked_for() -> None:
    made = fates()
    made.known(ONE.tx_hash)
    made.known("nobody")
    assert made.ask() == [ReadTx(tx_hash=TWO.tx_hash)]


@pytest.mark.parametrize("status", [None, TxStatus.PENDING])
def test_a_failed_or_pending_reading_proves_nothing(status: TxStatus | None) -> None:
    assert fates().read(report(ONE.tx_hash, status)) is None


def test_a_reading_before_the_lag_is_over_proves_nothing() -> None:
    assert fates().read(report(ONE.tx_hash, TxStatus.NOT_FOUND, asked_ms=99)) is None
    assert fates(None).read(report(ONE.tx_hash, TxStatus.NOT_FOUND, asked_ms=99)) is None


def test_a_reading_of_a_stranger_is_nothing() -> None:
    assert fates().read(report("nobody", TxStatus.EXECUTED)) is None


def test_a_nonce_is_settled_by_the_last_of_its_candidates() -> None:
    made = fates()
    first = made.read(report(ONE.tx_hash, TxStatus.NOT_FOUND))
    assert first is not None
    assert ([one.fate for one in first[0]], first[1]) == ([Fate.WITHOUT_EFFECT], [])
    second = made.read(report(TWO.tx_hash, TxStatus.EXECUTED))
    assert second is not None
    assert [one.fate for one in second[0]] == [Fate.EXECUTED]
    assert second[1] == [Record(entry=NonceSettled(nonce=7, winner=TWO.tx_hash, why="read at start"))]
    assert made.ask() == []


def test_the_one_that_ran_settles_every_other_of_its_nonce() -> None:
    """Nobody asks for hundreds of armed hedges one by one: at most one of a nonce runs."""
    made = fates()
    read = made.read(report(ONE.tx_hash, TxStatus.EXECUTED))
    assert read is not None
    assert [(one.tx_hash, one.fate) for one in read[0]] == [
        (ONE.tx_hash, Fate.EXECUTED),
        (TWO.tx_hash, Fate.WITHOUT_EFFECT),
    ]
    assert read[1] == [Record(entry=NonceSettled(nonce=7, winner=ONE.tx_hash, why="read at start"))]
    assert made.ask() == []


def test_one_that_ran_says_nothing_of_other_nonces() -> None:
    made = fates()
    made.add(candidate(order(3), nonce=8))
    read = made.read(report(ONE.tx_hash, TxStatus.EXECUTED))
    assert read is not None
    assert [one.message for one in read[0]] == ["", "another transaction took its nonce"]
    assert made.ask() == [ReadTx(tx_hash="order3@8")]


def test_few_are_asked_for_at_once_the_newest_first_to_be_told() -> None:
    made = Fates()
    for serial in range(1, 9):
        made.add(candidate(order(serial), nonce=7))
    assert made.ask() == [ReadTx(tx_hash=f"order{serial}@7") for serial in range(9 - READS_MAX, 9)]
    assert len(made.ask()) == 5


def test_a_nonce_of_which_nothing_ran_has_no_winner() -> None:
    made = fates()
    made.known(TWO.tx_hash)
    read = made.read(report(ONE.tx_hash, TxStatus.NOT_FOUND))
    assert read is not None
    assert read[1] == [Record(entry=NonceSettled(nonce=7, winner="", why="read at start"))]


def test_an_execution_with_an_error_had_no_effect() -> None:
    made = fates()
    made.known(TWO.tx_hash)
    read = made.read(report(ONE.tx_hash, TxStatus.EXECUTED, "21706"))
    assert read is not None
    assert (read[0][0].fate, read[0][0].message) == (Fate.WITHOUT_EFFECT, "21706")
    assert read[1] == [Record(entry=NonceSettled(nonce=7, winner="", why="read at start"))]
