"""Rate limits and the counting of requests."""

from lighter_hedge.simulator.accounts import Tier
from lighter_hedge.simulator.limits import STANDARD_REQUESTS, WINDOW_US, RateLimiter, RequestCounts


def test_a_standard_wallet_has_its_minute() -> None:
    limiter = RateLimiter(Tier.STANDARD)
    assert all(limiter.allow("wallet x", "account", 0) for _ in range(STANDARD_REQUESTS))
    assert not limiter.allow("wallet x", "sendTx", WINDOW_US - 1)
    assert limiter.allow("wallet y", "sendTx", 0)
    assert limiter.allow("wallet x", "sendTx", WINDOW_US)


def test_requests_are_counted_by_account_and_kind() -> None:
    counts = RequestCounts()
    counts.sent(7)
    counts.read(7)
    counts.read(7)
    counts.read(None)
    counts.sent(None)
    assert counts.shown(7) == {"tx": 1, "read": 2}
    assert counts.shown(8) == {"tx": 0, "read": 0}
