import pytest
from tests.unit.domain.builders import candidate

from lighter_hedge.domain.events import TxStatus
from lighter_hedge.domain.lane_words import Held


@pytest.mark.parametrize(
    ("status", "dead"),
    [(None, False), (TxStatus.NOT_FOUND, False), (TxStatus.PENDING, False), (TxStatus.FAILED, True)],
)
def test_only_the_sequencers_failure_makes_a_candidate_dead(status: TxStatus | None, dead: bool) -> None:
    assert Held(candidate(), status=status).dead is dead
