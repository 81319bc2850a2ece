"""The own clock against the venue's."""

from tests.unit.domain.builders import at

from lighter_hedge.domain.events import Instant
from lighter_hedge.domain.skew import JUMP_MS, SKEW_MS_MAX, WINDOW_MS, Skew


def heard(skew: Skew, ms: int, late_ms: int) -> None:
    skew.heard(at(ms).wall_ms - late_ms, at(ms))


def test_nothing_is_said_before_a_stamp_was_heard() -> None:
    skew = Skew()
    skew.heard(0, at(0))
    assert (skew.ms, skew.newest_ms) == (0, 0)
    assert skew.reasons(at(0)) == []
    assert skew.venue_ms(at(5)) == at(5).wall_ms


def test_the_fastest_frame_of_a_window_tells() -> None:
    skew = Skew()
    heard(skew, 0, 5_000)
    assert skew.reasons(at(0)) == ["clock is 5 s ahead of the venue's"]
    heard(skew, 100, 40)
    heard(skew, 200, 3_000)
    assert (skew.ms, skew.reasons(at(200))) == (40, [])


def test_an_old_window_is_forgotten() -> None:
    skew = Skew()
    heard(skew, 0, 10)
    heard(skew, WINDOW_MS, 2_000)
    assert skew.ms == 10
    heard(skew, WINDOW_MS + 1, 2_000)
    assert skew.ms == 2_000


def test_a_clock_behind_the_venue_is_named() -> None:
    skew = Skew()
    heard(skew, 0, -SKEW_MS_MAX)
    assert skew.reasons(at(0)) == []
    heard(skew, 1, -SKEW_MS_MAX - 1)
    assert skew.reasons(at(1)) == ["clock is 1 s behind the venue's"]
    assert skew.venue_ms(at(9)) == at(9).wall_ms + SKEW_MS_MAX + 1


def test_a_jump_of_the_clock_voids_what_was_seen_before() -> None:
    skew = Skew()
    heard(skew, 0, 10)
    stamp, later = at(100).wall_ms - 10, at(100)
    skew.heard(stamp, Instant(later.mono_ms, later.wall_ms + 60_000))
    assert skew.ms == 60_010
    skew.heard(at(200).wall_ms - 10, Instant(at(200).mono_ms, at(200).wall_ms + 60_000 + JUMP_MS))
    assert skew.ms == 60_010  # no jump: the smaller one stands


def test_a_late_frame_is_no_reason_for_ever() -> None:
    """A burst after a stall, then a market in which nothing moves."""
    skew = Skew()
    heard(skew, 0, 2_500)
    assert skew.reasons(at(WINDOW_MS)) != []
    assert skew.reasons(at(WINDOW_MS + 1)) == []


def test_the_newest_stamp_is_kept() -> None:
    skew = Skew()
    for stamp in (5, 9, 7):
        skew.heard(stamp, at(0))
    assert skew.newest_ms == 9


def test_the_venues_time_does_not_jump_with_the_own_clock() -> None:
    skew = Skew()
    heard(skew, 0, 10)
    jumped = Instant(at(100).mono_ms, at(100).wall_ms + 240_000)
    assert skew.venue_ms(jumped) == at(100).wall_ms - 10
