"""Rate limits by tier, over a rolling minute. Pure.

Standard: 60 requests a minute for a wallet, transactions included, unweighted; of one path no more than premium's
weight would allow, and 40 transactions of one type. Premium and plus: weighted requests, and transactions in a bucket
of their own. Requests that name no wallet count on their IP address, as those of a standard wallet. (Fact sheet,
section 5; the numbers moved over 2026.)
"""

from collections import defaultdict, deque
from collections.abc import Container
from dataclasses import dataclass

from lighter_hedge.simulator.core.accounts import Tier

WINDOW_US = 60_000_000
STANDARD_REQUESTS = 60
STANDARD_OF_ONE_TYPE = 40
WITHDRAW, WITHDRAWALS = 13, 2
PREMIUM_WEIGHT = 24_000
WEIGHT = {Tier.PREMIUM: PREMIUM_WEIGHT, Tier.PLUS: 120_000}
SENDS = {Tier.PREMIUM: 4_000, Tier.PLUS: 8_000}
DEFAULT_WEIGHT = 300
WEIGHTS = {
    "nextNonce": 6,
    "sendTx": 6,
    "sendTxBatch": 6,
    "accountInactiveOrders": 100,
    "accountActiveOrders": 100,
    "accountOrders": 100,
    "publicPools": 50,
    "publicPoolsMetadata": 50,
    "apikeys": 150,
    "trades": 600,
    "recentTrades": 600,
    "changeAccountTier": 3_000,
    "tokens/create": 23_000,
}
TRANSACTIONS = frozenset({"sendTx", "sendTxBatch"})


class RateLimiter:
    """Counts requests of each wallet or address."""

    def __init__(self, tier: Tier) -> None:
        self._tier = tier
        self.tiers: dict[str, Tier] = {}
        """Wallets and addresses of another tier than all others."""
        self._used: dict[str, deque[tuple[int, int]]] = {}
        self._sums: dict[str, int] = {}
        self._swept_us = 0

    def allow(self, who: str, endpoint: str, now_us: int, tx_type: int | None = None) -> bool:
        """Count one request; False means it is over a limit, and then it is not counted."""
        tier = self.tiers.get(who, self._tier)
        if tier is Tier.UNLIMITED:
            return True
        self._sweep(now_us)
        weight = WEIGHTS.get(endpoint, DEFAULT_WEIGHT)
        if tier is Tier.STANDARD or who.startswith("ip "):
            buckets = [(who, 1, STANDARD_REQUESTS)]
            if PREMIUM_WEIGHT // weight < STANDARD_REQUESTS:
                buckets.append((f"{who} {endpoint}", 1, PREMIUM_WEIGHT // weight))
            if tx_type is not None:
                of_type = WITHDRAWALS if tx_type == WITHDRAW else STANDARD_OF_ONE_TYPE
                buckets.append((f"{who} type {tx_type}", 1, of_type))
        elif endpoint in TRANSACTIONS:
            buckets = [(f"{who} tx", 1, SENDS[tier])]
        else:
            buckets = [(who, weight, WEIGHT[tier])]
        if not all(self._fits(bucket, weight, limit, now_us) for bucket, weight, limit in buckets):
            return False
        for bucket, counted, _ in buckets:
            self._used[bucket].append((now_us, counted))
            self._sums[bucket] += counted
        return True

    def _fits(self, bucket: str, weight: int, limit: int, now_us: int) -> bool:
        used = self._used.setdefault(bucket, deque())
        total = self._sums.get(bucket, 0)
        while used and used[0][0] <= now_us - WINDOW_US:
            total -= used.popleft()[1]
        self._sums[bucket] = total
        return total + weight <= limit

    def _sweep(self, now_us: int) -> None:
        """Once a minute, forget who has asked for nothing since the last."""
        if now_us < self._swept_us + WINDOW_US:
            return
        self._swept_us = now_us
        for bucket in [name for name, used in self._used.items() if not used or used[-1][0] <= now_us - WINDOW_US]:
            del self._used[bucket], self._sums[bucket]


@dataclass(slots=True)
class Requests:
    """What one account has asked for since the exchange started, refused requests too."""

    tx: int = 0
    """Calls that send transactions."""
    read: int = 0


class RequestCounts:
    """Counts requests of each account; those that name none, or one that is not there, are nobody's."""

    def __init__(self, accounts: Container[int]) -> None:
        self._accounts = accounts
        self._of: dict[int, Requests] = defaultdict(Requests)

    def sent(self, account_index: int | None) -> None:
        """Count a call that sends."""
        if account_index is not None and account_index in self._accounts:
            self._of[account_index].tx += 1

    def read(self, account_index: int | None) -> None:
        """Count a call that reads."""
        if account_index is not None and account_index in self._accounts:
            self._of[account_index].read += 1

    def shown(self, account_index: int) -> dict[str, int]:
        """As ``/paper/truth`` tells it."""
        counted = self._of.get(account_index, Requests())
        return {"tx": counted.tx, "read": counted.read}
