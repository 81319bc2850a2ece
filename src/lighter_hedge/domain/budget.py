"""Requests of one process within the last minute, against its share of what the venue allows the wallet.

The minute is split in advance, not shared at run time: a hedge must never wait for what a quote has used up. Sends and
reads count alike (the venue counts both). Nothing here refuses anything: quoting and periodic reads slow down first.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from lighter_hedge.domain.commands import Command, ReadAccount, ReadNonce, ReadOrders, ReadTx, Send
from lighter_hedge.domain.events import Instant

MINUTE_MS = 60_000
QUOTE_RESERVE = 6
"""What A keeps before it quotes: the quote, its cancel, both once more, and two reads."""
HEDGE_RESERVE = 6
"""What B must have left before A quotes: a hedge, its re-send, a burn, and three reads to resolve it."""

_REQUESTS = (Send, ReadNonce, ReadTx, ReadOrders, ReadAccount)


@dataclass(slots=True)
class Budget:
    """How many requests are left; without a share nothing is counted."""

    share: int = 0
    """Requests a minute; 0 where the account has no such limit."""
    _at_ms: deque[int] = field(default_factory=deque)

    def count(self, commands: Iterable[Command], now: Instant) -> None:
        """Count the requests among these commands."""
        if self.share:
            self._at_ms.extend(now.mono_ms for command in commands if isinstance(command, _REQUESTS))

    def left(self, now: Instant) -> int | None:
        """Requests left in this minute, 0 at least; None where there is no limit."""
        if not self.share:
            return None
        while self._at_ms and now.mono_ms - self._at_ms[0] >= MINUTE_MS:
            self._at_ms.popleft()
        return max(0, self.share - len(self._at_ms))

    def lacks(self, reserve: int, now: Instant) -> bool:
        """Whether fewer than ``reserve`` requests are left."""
        left = self.left(now)
        return left is not None and left < reserve

    def half_used(self, now: Instant) -> bool:
        """Whether less than half of the share is left: then parts are joined."""
        return self.lacks(self.share // 2, now)
