from dataclasses import FrozenInstanceError

import pytest
from tests.unit.simulator.paper_world import BID, book_change, print_trade


def test_events_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        print_trade(1, 1, BID).lots = 2  # type: ignore[misc]
    assert book_change((BID, 1, 2)) == book_change((BID, 1, 2))
