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
    counts = RequestCounts({7, 8})
    counts.sent(7)
    counts.read(7)
    counts.read(7)
    counts.read(None)
    counts.sent(None)
    counts.sent(9)
    assert counts.shown(9) == {"tx": 0, "read": 0}, "not there"
    assert counts.shown(7) == {"tx": 1, "read": 2}
    assert counts.shown(8) == {"tx": 0, "read": 0}


def test_standard_allows_forty_transactions_of_one_type_and_two_withdrawals() -> None:
    limiter = RateLimiter(Tier.STANDARD)
    assert all(limiter.allow("w", "sendTx", 0, 14) for _ in range(40))
    assert not limiter.allow("w", "sendTx", 0, 14)
    assert limiter.allow("w", "sendTx", 0, 15)
    assert [limiter.allow("w", "sendTx", 0, 13) for _ in range(3)] == [True, True, False]


def test_a_heavy_path_has_the_lower_cap_of_premium_for_standard_too() -> None:
    limiter = RateLimiter(Tier.STANDARD)
    assert all(limiter.allow("w", "trades", 0) for _ in range(40))
    assert not limiter.allow("w", "trades", 0)
    assert limiter.allow("w", "account", 0)


def test_an_address_counts_as_standard_whatever_the_wallets_are() -> None:
    limiter = RateLimiter(Tier.PREMIUM)
    assert all(limiter.allow("ip 1", "orderBooks", 0) for _ in range(60))
    assert not limiter.allow("ip 1", "orderBooks", 0)
    assert limiter.allow("wallet 0x1", "orderBooks", 0)


def test_plus_has_its_own_numbers_and_a_wallet_may_have_its_own_tier() -> None:
    limiter = RateLimiter(Tier.STANDARD)
    limiter.tiers["w"] = Tier.PLUS
    assert all(limiter.allow("w", "trades", 0) for _ in range(200))
    assert not limiter.allow("w", "trades", 0)
    assert all(limiter.allow("w", "sendTx", 0, 14) for _ in range(8_000))
    assert not limiter.allow("w", "sendTx", 0, 14)


def test_who_exceeds_a_limit_cools_down() -> None:
    """docs, rate limits: ``account`` of a premium wallet, of weight 300, is refused for 750 ms."""
    limiter = RateLimiter(Tier.PREMIUM)
    assert all(limiter.allow("w", "account", 0) for _ in range(80))
    assert not limiter.allow("w", "account", WINDOW_US - 1)
    assert not limiter.allow("w", "account", WINDOW_US + 749_998)
    assert limiter.allow("w", "account", WINDOW_US + 749_999)


def test_a_refusal_while_it_cools_down_does_not_prolong_it() -> None:
    limiter = RateLimiter(Tier.STANDARD)
    assert all(limiter.allow("w", "account", 0) for _ in range(60))
    assert not limiter.allow("w", "account", WINDOW_US - 1_000_000)
    assert not limiter.allow("w", "account", WINDOW_US - 1)
    assert limiter.allow("w", "account", WINDOW_US)


def test_a_builder_reads_much_and_sends_as_standard() -> None:
    limiter = RateLimiter(Tier.BUILDER)
    assert all(limiter.allow("w", "account", 0) for _ in range(800))
    assert not limiter.allow("w", "account", 0)
    assert [limiter.allow("w", "sendTx", 0) for _ in range(61)] == [True] * 60 + [False]


def test_a_stake_lets_a_premium_wallet_send_more() -> None:
    limiter = RateLimiter(Tier.PREMIUM, staked_lit=1_000)
    assert all(limiter.allow("w", "sendTx", 0) for _ in range(5_000))
    assert not limiter.allow("w", "sendTx", 0)


def test_who_has_asked_for_nothing_in_a_minute_is_forgotten() -> None:
    limiter = RateLimiter(Tier.STANDARD)
    for number in range(50):
        assert limiter.allow(f"ip {number}", "trades", 0, number)
    assert limiter.allow("ip 1", "account", WINDOW_US)
    assert set(limiter._used) == set(limiter._sums) == {"ip 1"}
