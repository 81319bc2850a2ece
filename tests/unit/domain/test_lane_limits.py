from lighter_hedge.domain import lane_limits as limits


def test_the_lane_never_waits_as_long_as_a_signature_lasts() -> None:
    waits = (limits.ANSWER_MS_MAX, limits.EVIDENCE_MS_MAX, limits.POLL_MS_MAX, limits.THROTTLED_MS)
    assert max(waits) + limits.SIGNATURE_MARGIN_MS < 600_000
    assert limits.POLL_MS < limits.POLL_MS_MAX


def test_an_accepted_send_is_given_at_least_as_long_as_a_silent_one() -> None:
    assert limits.EVIDENCE_MS_MAX >= limits.ANSWER_MS_MAX


def test_the_venue_takes_twenty_orders_in_one_read() -> None:
    assert limits.ORDERS_PER_READ_MAX == 20
