"""Rate limits by tier, over a rolling minute. Pure.

Standard: 60 requests a minute for a wallet, transactions included, unweighted. Premium: 24,000 weighted
requests, and 4,000 transactions in a bucket of their own. Requests that name no wallet count on their IP
address. (Fact sheet, section 5.)
"""

from collections import defaultdict, deque
from dataclasses import dataclass

from lighter_hedge.simulator.core.accounts import Tier

WINDOW_US = 60_000_000
STANDARD_REQUESTS = 60
PREMIUM_WEIGHT = 24_000
PREMIUM_TRANSACTIONS = 4_000
DEFAULT_WEIGHT = 300
WEIGHTS = {
    "nextNonce": 6,
    "sendTx": 6,
    "sendTxBatch": 6,
    "accountInactiveOrders": 100,
    "accountActiveOrders": 100,
    "accountOrders": 100,
    "apikeys": 150,
    "trades": 600,
    "recentTrades": 600,
}
TRANSACTIONS = frozenset({"sendTx", "sendTxBatch"})


class RateLimiter:
    """Counts requests of each wallet or address."""

    def __init__(self, tier: Tier) -> None:
        self._tier = tier
        self._used: dict[str, deque[tuple[int, int]]] = {}
        self._sums: dict[str, int] = {}

    def allow(self, who: str, endpoint: str, now_us: int) -> bool:
        """Count one request; False means it is over the limit, and then it is not counted."""
        match self._tier:
            case Tier.UNLIMITED:
                return True
            case Tier.STANDARD:
                return self._count(who, 1, STANDARD_REQUESTS, now_us)
            case Tier.PREMIUM:
                if endpoint in TRANSACTIONS:
                    return self._count(who + " tx", 1, PREMIUM_TRANSACTIONS, now_us)
                return self._count(who, WEIGHTS.get(endpoint, DEFAULT_WEIGHT), PREMIUM_WEIGHT, now_us)

    def _count(self, bucket: str, weight: int, limit: int, now_us: int) -> bool:
        used = self._used.setdefault(bucket, deque())
        total = self._sums.get(bucket, 0)
        while used and used[0][0] <= now_us - WINDOW_US:
            total -= used.popleft()[1]
        fits = total + weight <= limit
        if fits:
            used.append((now_us, weight))
            total += weight
        self._sums[bucket] = total
        return fits


@dataclass(slots=True)
class Requests:
    """What one account has asked for since the exchange started, refused requests too."""

    tx: int = 0
    """Calls that send transactions."""
    read: int = 0


class RequestCounts:
    """Counts requests of each account; those that name none are nobody's."""

    def __init__(self) -> None:
        self._of: dict[int, Requests] = defaultdict(Requests)

    def sent(self, account_index: int | None) -> None:
        """Count a call that sends."""
        if account_index is not None:
            self._of[account_index].tx += 1

    def read(self, account_index: int | None) -> None:
        """Count a call that reads."""
        if account_index is not None:
            self._of[account_index].read += 1

    def shown(self, account_index: int) -> dict[str, int]:
        """As ``/paper/truth`` tells it."""
        counted = self._of.get(account_index, Requests())
        return {"tx": counted.tx, "read": counted.read}
