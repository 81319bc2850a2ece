from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.limits import WINDOW_US, RateLimiter, RequestCounts


def test_standard_allows_sixty_in_any_minute_sends_included() -> None:
    limiter = RateLimiter(Tier.STANDARD)
    assert all(limiter.allow("w", "sendTx" if at % 2 else "account", at) for at in range(60))
    assert not limiter.allow("w", "sendTx", 60)
    assert limiter.allow("other", "sendTx", 60)
    assert limiter.allow("w", "sendTx", WINDOW_US)
    assert not limiter.allow("w", "sendTx", WINDOW_US)


def test_a_refused_request_is_not_counted() -> None:
    limiter = RateLimiter(Tier.STANDARD)
    for _ in range(100):
        limiter.allow("w", "account", 0)
    assert all(limiter.allow("w", "account", WINDOW_US) for _ in range(60))


def test_premium_weighs_reads_and_counts_transactions_apart() -> None:
    limiter = RateLimiter(Tier.PREMIUM)
    assert all(limiter.allow("w", "trades", 0) for _ in range(40))
    assert not limiter.allow("w", "nextNonce", 0)
    assert all(limiter.allow("w", "sendTx", 0) for _ in range(4_000))
    assert not limiter.allow("w", "sendTx", 0)


def test_unlimited_is_unlimited() -> None:
    limiter = RateLimiter(Tier.UNLIMITED)
    assert all(limiter.allow("w", "trades", 0) for _ in range(10_000))


def test_requests_are_counted_by_account_and_kind() -> None:
    counts = RequestCounts()
    counts.sent(7)
    counts.read(7)
    counts.read(7)
    counts.read(None)
    counts.sent(None)
    assert counts.shown(7) == {"tx": 1, "read": 2}
    assert counts.shown(8) == {"tx": 0, "read": 0}
