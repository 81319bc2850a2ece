"""Rate limits by tier, over a rolling minute. Pure.

Standard: 60 requests a minute for a wallet, transactions included, unweighted; of one path no more than premium's
weight would allow, and 40 transactions of one type. Premium and plus: weighted requests, and transactions in a bucket
of their own. Builder: weighted requests, transactions as standard. Requests that name no wallet count on their IP
address, as those of a standard wallet. (Fact sheet, section 5; the numbers moved over 2026.)

Who exceeds a limit is refused until the minute has room again, and at least for the *cool-down*: the part of a minute
that the request's weight is of the limit; 750 ms for ``account`` of a premium wallet (docs, rate limits, cooldown).
Where the firewall refuses, with 405, it is 60 seconds: the fault ``too_many_requests`` with ``status`` and ``seconds``.
"""

from collections import defaultdict, deque
from collections.abc import Container
from dataclasses import dataclass

from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.stakes import stake_of

WINDOW_US = 60_000_000
STANDARD_REQUESTS = 60
STANDARD_OF_ONE_TYPE = 40
OF_TYPE = {9: 2, 13: 2}
"""Sub-accounts and withdrawals: fewer than of other types."""
PREMIUM_WEIGHT = 24_000
WEIGHT = {Tier.PREMIUM: PREMIUM_WEIGHT, Tier.PLUS: 120_000, Tier.BUILDER: 240_000}
SENDS = {Tier.PLUS: 8_000}
"""Of premium it depends on its stake."""
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
    "txFromL1TxHash": 50,
    "apikeys": 150,
    "trades": 600,
    "recentTrades": 600,
    "transferFeeInfo": 500,
    "changeAccountTier": 3_000,
    "tokens": 3_000,
    "tokens/revoke": 3_000,
    "setAccountMetadata": 3_000,
    "tokens/create": 23_000,
}
TRANSACTIONS = frozenset({"sendTx", "sendTxBatch"})


class RateLimiter:
    """Counts requests of each wallet or address."""

    def __init__(self, tier: Tier, *, staked_lit: int = 0) -> None:
        self._tier = tier
        self._sends = {**SENDS, Tier.PREMIUM: stake_of(staked_lit).sends}
        self.tiers: dict[str, Tier] = {}
        """Wallets and addresses of another tier than all others."""
        self._used: dict[str, deque[tuple[int, int]]] = {}
        self._sums: dict[str, int] = {}
        self._cooling: dict[str, int] = {}
        """Until when each bucket refuses everything."""
        self._swept_us = 0

    def allow(self, who: str, endpoint: str, now_us: int, tx_type: int | None = None) -> bool:
        """Count one request; False means it is over a limit, and then it is not counted."""
        tier = self.tiers.get(who, self._tier)
        if tier is Tier.UNLIMITED:
            return True
        self._sweep(now_us)
        weight = WEIGHTS.get(endpoint, DEFAULT_WEIGHT)
        is_send = endpoint in TRANSACTIONS
        if tier is Tier.STANDARD or (tier is Tier.BUILDER and is_send) or who.startswith("ip "):
            buckets = [(who if tier is not Tier.BUILDER else f"{who} tx", 1, STANDARD_REQUESTS)]
            if PREMIUM_WEIGHT // weight < STANDARD_REQUESTS:
                buckets.append((f"{who} {endpoint}", 1, PREMIUM_WEIGHT // weight))
            if tx_type is not None:
                buckets.append((f"{who} type {tx_type}", 1, OF_TYPE.get(tx_type, STANDARD_OF_ONE_TYPE)))
        elif is_send:
            buckets = [(f"{who} tx", 1, self._sends[tier])]
        else:
            buckets = [(who, weight, WEIGHT[tier])]
        fits = [self._fits(bucket, weight, limit, now_us) for bucket, weight, limit in buckets]
        if not all(fits):
            for (bucket, weight, limit), fit in zip(buckets, fits, strict=True):
                if not fit and self._cooling.get(bucket, 0) <= now_us:
                    self._cooling[bucket] = now_us + weight * WINDOW_US // limit
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
        return total + weight <= limit and now_us >= self._cooling.get(bucket, 0)

    def _sweep(self, now_us: int) -> None:
        """Once a minute, forget who has asked for nothing since the last."""
        if now_us < self._swept_us + WINDOW_US:
            return
        self._swept_us = now_us
        for bucket in [name for name, used in self._used.items() if not used or used[-1][0] <= now_us - WINDOW_US]:
            del self._used[bucket], self._sums[bucket]
        self._cooling = {bucket: until_us for bucket, until_us in self._cooling.items() if until_us > now_us}


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
