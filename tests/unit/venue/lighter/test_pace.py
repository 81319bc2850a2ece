"""Connections come back soon, and never in a hot loop."""

import pytest

from lighter_hedge.venue.lighter.pace import Pace, PaceSettings

SETTINGS = PaceSettings()


def test_the_first_connection_is_made_at_once() -> None:
    assert Pace(SETTINGS).wait_seconds(0.0, 0.0) == 0


def test_failures_double_the_wait_up_to_a_limit() -> None:
    pace = Pace(SETTINGS)
    waits = []
    for _ in range(7):
        pace.ended(0.0, 0.0, throttled=False)
        waits.append(pace.wait_seconds(0.0, 0.0))
    assert waits == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    assert pace.wait_seconds(0.0, 1.0) == 2.5


def test_a_feed_that_was_open_for_long_starts_anew() -> None:
    pace = Pace(SETTINGS)
    for _ in range(5):
        pace.ended(0.0, 0.0, throttled=False)
    pace.ended(0.0, SETTINGS.stable, throttled=False)
    assert pace.wait_seconds(0.0, 0.0) == SETTINGS.first


def test_a_server_that_accepts_and_closes_is_asked_slower_and_slower() -> None:
    """Without this rule a client was seen to connect 1,142 times in two seconds."""
    pace, now, attempts = Pace(SETTINGS), 0.0, 0
    while now < 2.0:
        now += pace.wait_seconds(now, 1.0)
        pace.attempted(now)
        pace.ended(now, 0.001, throttled=False)
        attempts += 1
    assert attempts <= 7


def test_attempts_per_minute_are_limited() -> None:
    pace = Pace(PaceSettings(first=0.0, most=0.0, attempts_per_minute=3))
    for second in range(3):
        pace.attempted(float(second))
    assert pace.wait_seconds(3.0, 0.0) == 57.0
    assert pace.wait_seconds(60.0, 0.0) == 0.0


def test_a_complaint_of_too_many_requests_is_heeded() -> None:
    pace = Pace(SETTINGS)
    pace.ended(100.0, 0.0, throttled=True)
    assert pace.wait_seconds(100.0, 0.0) == pytest.approx(SETTINGS.throttled)
