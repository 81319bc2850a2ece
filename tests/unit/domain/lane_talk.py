"""What the tests of this part say to each other."""

from tests.unit.domain.builders import order, sent
from tests.unit.domain.talk import LaneTalk

from lighter_hedge.domain.events import (
    AnswerKind,
    TxStatus,
)
from lighter_hedge.domain.lane_limits import (
    PROBE_AFTER_MS,
)

UNKNOWN, ACCEPTED, REJECTED = AnswerKind.UNKNOWN, AnswerKind.ACCEPTED, AnswerKind.REJECTED
EXECUTED, NOT_FOUND, FAILED, PENDING = TxStatus.EXECUTED, TxStatus.NOT_FOUND, TxStatus.FAILED, TxStatus.PENDING
ORDER, BURN, PROBE = "order1@7", "burn@7", "burn@8"


def lost(talk: LaneTalk) -> str:
    """Send an order whose answer is lost."""
    tx_hash = talk.submit(order())
    talk.answers(tx_hash, UNKNOWN)
    return tx_hash


def probed(talk: LaneTalk) -> None:
    """An order lost, its nonce consumed by nobody known, the next nonce burnt to prove it."""
    lost(talk)
    talk.nonce(8)
    talk.ms += PROBE_AFTER_MS
    assert sent(talk.nonce(8)) == [PROBE]
