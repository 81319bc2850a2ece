import gc

import pytest
from benchmarks.paper_memory import Hour, slope, weight

from lighter_hedge.simulator.core import exchange


def test_the_slope_is_that_of_the_second_half() -> None:
    samples = [(float(at), 1_000 * at if at < 10 else 10_000 + 3 * at) for at in range(20)]

    assert slope(samples, hour=60.0) == 180.0


def test_everything_that_hangs_on_an_object_is_weighed_once() -> None:
    inner = bytes(100_000)

    assert 200_000 > weight({"a": [inner, inner], "b": inner}) > 100_000


def test_a_paper_exchange_with_a_full_history_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders, transactions, readers that come and go: what it knows after 60 seconds weighs as much as after 40."""
    monkeypatch.setattr(exchange, "SWEEP_EVERY", 500)
    hour = Hour(1, history_max=100)
    hour.run(40)
    gc.collect()
    full = weight(hour.venue.exchange)
    hour.run(20)
    gc.collect()

    assert hour.sent > 3_600
    assert weight(hour.venue.exchange) < full * 1.05
